"""What holds of the figures on any machine. No times here."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from sandbox.slack.running import start as start_workspace
from tests.bench.crowd import rush
from tests.bench.fleet import reader, served
from tests.e2e.conftest import town


def cold_start(size: str, folder: Path) -> Counter[str]:
    folder.mkdir()
    with start_workspace() as workspace, served(size) as lab, reader(lab, folder, workspace) as bot:
        with bot.costing() as cost:
            assert bot.report("pool status").title.startswith(bot.pool)
        with bot.costing() as again:
            bot.report("pool status")
        assert again.calls == Counter({"event.from": 1})
        assert again.received < cost.received / 10
        return cost.calls


def test_a_cold_start_costs_the_same_calls_for_any_pool(tmp_path: Path) -> None:
    small, large = (cold_start(size, tmp_path / size) for size in ("3x10", "16x400"))
    assert small == large == Counter({"session.login_with_password": 1, "event.from": 1})


def test_an_audit_costs_the_same_calls_for_any_pool(tmp_path: Path) -> None:
    def audit(size: str) -> Counter[str]:
        (tmp_path / size).mkdir()
        with start_workspace() as workspace, served(size) as lab, reader(lab, tmp_path / size, workspace) as bot:
            with bot.costing() as cost:
                assert "first audit" in bot.report("audit run").title
            return cost.calls

    assert audit("3x10") == audit("16x400") == Counter({"session.login_with_password": 1, "event.from": 1})


def test_many_who_ask_at_once_share_the_reads(tmp_path: Path) -> None:
    with town(tmp_path) as place:
        for host in place.lab.hosts:
            place.lab.slow(host, 0.3, "event.from")
        done = rush(place, 20)
    assert len(done.acknowledged) == 20
    assert done.calls < 20
