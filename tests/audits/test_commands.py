"""The audit commands as they are typed, against a running lab."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import commands
from bot.audits import clock as clock_audit
from bot.audits.auditor import Auditor
from bot.audits.page import page
from bot.clock import SystemClock
from bot.errors import Ambiguous, NotFound, Refused
from bot.findings import Kind
from bot.model import Actor, Level, Place, Report, Table
from bot.registry import Registry
from bot.resolve import Resolver
from bot.scope import Scopes
from bot.store import SqliteStore
from bot.xapi import XapiPools
from sandbox.xapi.running import RunningLab
from tests.audits.household import lines
from tests.bot_store.helpers import HandClock
from tests.bot_xapi.labs import settings

REGISTRY = Registry.of_package(commands)
OLGA = Actor(kind="slack", id="T1/U1", name="Olga")
LIMITED = "C0LAB"
Ask = Callable[..., Report]


@pytest.fixture
def ask(lab: RunningLab, tmp_path: Path) -> Iterator[Ask]:
    clock, nobody = SystemClock(), None
    anybody: Any = nobody
    store = SqliteStore(tmp_path / "xenia.sqlite3", clock=HandClock())
    pools = XapiPools([settings(lab, name) for name in lab.pools], clock)
    with ThreadPoolExecutor(4) as readers:
        resolver = Resolver(
            pools=pools,
            scopes=Scopes(channel_pools={LIMITED: ("xs3",)}),
            registry=REGISTRY,
            history=store,
            policy=anybody,
            clock=clock,
            readers=readers,
            audits=Auditor(
                pools,
                store.audits,
                clock,
                {Kind.CLOCK: partial(clock_audit.look, means=clock_audit.Means(clock=clock, seconds=3.0))},
            ),
        )

        def asked(text: str, channel: str = "C0INFRA") -> Report:
            command, parsed = REGISTRY.parse(text)
            place = Place(kind="slack", team="T1", channel=channel)
            arguments, context = resolver.resolve(command, parsed, OLGA, place)
            answer = command.plan(arguments, context)
            assert isinstance(answer, Report)
            return answer

        yield asked
    pools.close()
    store.close()


def rows(report: Report) -> list[list[str]]:
    (table,) = (part for part in report.parts if isinstance(part, Table))
    return [[cell.text for cell in row] for row in table.rows]


def test_run_show_history_and_diff(lab: RunningLab, ask: Ask) -> None:
    first = ask("audit run compatibility in lab")
    assert first.title == "lab: 9 findings (first audit)"
    assert first.level is Level.BAD
    assert "The pool has only two hosts" in lines(first, "Found")
    offered = {each.label: each.command for each in first.suggestions}
    assert offered == {
        "vm eject files-1": "vm eject files-1 in lab",
        'vm disk move build-1/0 to "NFS storage"': 'vm disk move build-1/0 to "NFS storage" in lab',
        "Everything found": "audit show 1",
        "Earlier audits": "audit history in lab",
        "As files": "audit files 1",
    }
    for command in offered.values():
        REGISTRY.parse(command)
    assert ask(offered["Everything found"]).title == first.title
    assert len(ask("audit files 1 json").attachments) == 1

    (xs2,) = (host for host in lab.estate.hosts.values() if host.name == "xs2")
    with xs2.pool.db.lock:
        xs2.pool.db.write("host", xs2.ref, enabled=False)
    second = ask("audit run in lab")
    assert "xs2 is disabled: no VM can start on it or move to it" in lines(second, "New")
    assert any("(since 20" in text for text in lines(second, "Still open"))

    changed = ask("audit diff in lab")
    assert changed.title == "lab: 2 new findings, none resolved"
    assert ask("audit diff since 1").title == changed.title
    assert ask("audit diff since 2").title == "lab: nothing has changed"

    assert [row[1:4] for row in rows(ask("audit history"))] == [
        ["2", "lab", "compatibility"],
        ["1", "lab", "compatibility"],
    ]
    assert len(rows(ask("audit history last 1"))) == 1
    assert ask("audit show in lab").summary.startswith("Audit 2, compatibility")


def test_all_pools_at_once(ask: Ask) -> None:
    found = ask("audit run all")
    assert {row[1] for row in rows(found)} == {"lab", "xs3"}
    assert found.title == "2 audits: 0 found nothing"
    alert = "Alert about crm-1: cpu_usage was 0.962, the limit is 0.95"
    assert lines(found, "Grave or new") == [text for text in lines(found) if alert in text]


def test_clocks_are_measured_and_a_wrong_one_is_found(lab: RunningLab, ask: Ask) -> None:
    lab.clock("xs2", 312.0)
    found = ask("audit run clock in lab")
    (text,) = lines(found, "Found")
    assert text.startswith("The clock of xs2 is at least 5 min 11 s ahead of the coordinator's")
    assert found.level is Level.BAD
    measured = {row[0]: row[1] for row in rows(found)}
    assert measured["xs2"].startswith("+31")
    assert measured["xs1"].startswith(("+0.", "-0."))
    lab.clock("xs2", 0.0)
    assert ask("audit run clock in lab").title == "lab: nothing found, 1 resolved"
    assert len(rows(ask("audit show 1"))) == 2


def test_without_a_pool_somebody_has_to_say(ask: Ask) -> None:
    with pytest.raises((Refused, Ambiguous)):
        ask("audit run")
    assert ask("audit run", channel=LIMITED).title.startswith("xs3:")


def test_a_channel_sees_only_its_pools_audits(ask: Ask) -> None:
    ask("audit run in lab")
    with pytest.raises(NotFound, match="no audit"):
        ask("audit show 1", channel=LIMITED)
    with pytest.raises(NotFound, match="No audit of it"):
        ask("audit show", channel=LIMITED)
    assert ask("audit history", channel=LIMITED).title == "No audit has been run yet"
    ask("audit run", channel=LIMITED)
    with pytest.raises(NotFound, match="only once"):
        ask("audit diff", channel=LIMITED)


@pytest.mark.parametrize("number", ["99", "x", "-1", "1e3", "²", "99999999999999999999"])
def test_a_number_that_is_none(ask: Ask, number: str) -> None:
    with pytest.raises(NotFound, match="There is no audit"):
        ask(f"audit show {number}")


def test_the_page_tells_every_rule_once() -> None:
    told = page()
    headings = [line.removeprefix("#### ") for line in told.splitlines() if line.startswith("#### ")]
    assert len(headings) == len(set(headings)) == told.count("Source: ")
    assert "#### storage.plugged\n\n**Shared storage is plugged on every host** (grave, now, versions: all)." in told
    assert "#### cpu.level\n\n**Every host can run what the pool offers** (warning, versions: from 7.0)." in told
