"""What sets hosts' clocks: shown, set and verified where the pool can be told, and said line by line where not."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.model import Lines, Report, Table, Verdict
from bot.rules import ntp
from tests.commands.world import Made, World, codes, refused, world


@pytest.fixture
def current() -> Iterator[World]:
    with world("current") as found:
        yield found


def rows(report: Report) -> list[tuple[str, ...]]:
    return [tuple(cell.text for cell in row) for part in report.parts if isinstance(part, Table) for row in part.rows]


def typed(report: Report) -> list[str]:
    return [line.text for part in report.parts if isinstance(part, Lines) for line in part.lines]


def settings(found: World, host: str) -> tuple[str, list[str]]:
    record = found.record("host", host)
    return record["ntp_mode"], record["ntp_custom_servers"]


def test_what_sets_the_clocks_is_shown_with_what_the_hosts_say(current: World) -> None:
    assert rows(current.report("pool ntp")) == [
        ("xs21", "servers of its own", "yes", "10.0.0.1", "followed"),
        ("xs21", "servers of its own", "yes", "10.0.0.2", "taken into account"),
        ("xs22", "NTP is off", "no", "none", ""),
        ("xs23", "servers of its own", "yes", "10.0.0.1", "followed"),
        ("xs23", "servers of its own", "yes", "10.0.0.2", "taken into account"),
    ]
    assert len(rows(current.report("host ntp xs22"))) == 1


def test_a_host_that_does_not_answer_is_shown_as_such(current: World) -> None:
    current.view.inventory()
    current.lab.kill("xs23")
    shown = [row for row in rows(current.report("pool ntp")) if row[0] == "xs23"]
    assert [row[3:] for row in shown] == [("10.0.0.1", "not known"), ("10.0.0.2", "not known")]
    assert all(row[2].startswith("not known: ") for row in shown)


def test_servers_are_set_verified_and_another_client_sees_them(current: World) -> None:
    plan = current.plan("host ntp xs22 servers 10.0.0.7, ntp.example.org 10.0.0.9 10.0.0.7")
    assert not plan.blockers
    assert current.replanned(plan).digest() == plan.digest()
    assert plan.facts == (("xs22 is set by", "NTP is off"),)
    evidence = current.perform(plan)
    assert settings(current, "xs22") == ("Custom", ["10.0.0.7", "ntp.example.org", "10.0.0.9"])
    assert any("ntp synchronized is true" in each for each in evidence)
    assert "already" in refused(current, "host ntp xs22 servers 10.0.0.7 ntp.example.org 10.0.0.9").message


def test_a_whole_pool_is_set_and_hosts_that_are_right_are_left_alone(current: World) -> None:
    plan = current.plan("pool ntp servers 10.0.0.1 10.0.0.2")
    assert "xs21" not in plan.title
    assert [finding.id for finding in plan.warnings] == ["ntp.servers"]
    assert plan.go_back.startswith("xe host-param-set uuid=")
    current.perform(plan)
    for host in ("xs21", "xs22", "xs23"):
        assert settings(current, host) == ("Custom", ["10.0.0.1", "10.0.0.2"])
    assert "All hosts follow" in refused(current, "pool ntp servers 10.0.0.1 10.0.0.2").message


def test_each_step_can_be_taken_back(current: World) -> None:
    plan = current.plan("host ntp xs22 servers 10.0.0.7")
    calls = [step for step in plan.steps if not step.waits]
    current.perform(plan, steps=len(calls))
    for step in reversed(calls):
        current.undo(step)
    assert settings(current, "xs22") == ("Disabled", [])


def test_servers_that_nobody_reaches_are_not_taken_for_set(current: World) -> None:
    """The wait at the end is not over as long as the host follows none of them."""
    plan = current.plan("host ntp xs22 servers nothing.invalid nowhere.invalid")
    current.perform(plan, steps=2)
    (expect,) = plan.steps[-1].expect
    holds, told = current.pools.hands(current.name, plan.steps[-1].target).holds(expect, {})
    assert not holds
    assert "ntp synchronized is false" in told
    assert [row[4] for row in rows(current.report("host ntp xs22"))] == ["not reached", "not reached"]


def test_a_dead_host_blocks_with_the_toolstack_s_own_code() -> None:
    def dead(made: Made) -> None:
        made.host_metrics("xs22")["live"] = False

    with world("current", dead) as found:
        plan = found.plan("host ntp xs22 servers 10.0.0.7")
        assert codes(plan) == ["HOST_OFFLINE"]
        found.lab.kill("xs22")
        assert found.code_of_plan(plan) == "HOST_OFFLINE"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_two_servers_are_warned_of(current: World, number: int) -> None:
    plan = current.plan("host ntp xs22 servers " + " ".join(f"10.0.1.{n}" for n in range(number)))
    (told,) = (finding for finding in plan.findings if finding.id == "ntp.servers")
    assert told.verdict is (Verdict.WARN if number == 2 else Verdict.PASS)


@pytest.mark.parametrize(
    "server",
    ["a;reboot", "$(reboot)", "-x", "a_b", "10.0.0.1/24", "x" * 300, "a..b", "http://ntp", "server'"],
)
def test_what_is_no_server_is_refused(current: World, server: str) -> None:
    with pytest.raises(UserError):
        current.answer(f"host ntp xs22 servers {server}")
    assert not ntp.is_server(server)


@pytest.mark.parametrize("server", ["10.0.0.1", "2001:db8::1", "ntp", "0.pool.ntp.org", "a-b.example"])
def test_servers_by_address_and_by_name(server: str) -> None:
    assert ntp.is_server(server)


@pytest.mark.parametrize(
    ("lab", "host", "words"),
    [
        ("tutorial", "xs1", ["/etc/ntp.conf", "chkconfig ntpd on", "service ntpd restart", "ntpq -pn"]),
    ],
)
def test_where_the_pool_cannot_be_told_the_lines_are_said(lab: str, host: str, words: list[str]) -> None:
    with world(lab) as found:
        told = found.report(f"host ntp {host} servers 10.0.0.1 ntp.example.org")
        text = "\n".join(typed(told))
        for word in words:
            assert word in text
        assert "echo 'server ntp.example.org iburst' >> /etc/ntp.conf" in text
        both = found.report("pool ntp servers 10.0.0.1")
        assert [part.heading for part in both.parts if isinstance(part, Lines)] == [
            "On xs1, as root",
            "On xs2, as root",
        ]
        assert typed(found.report("pool ntp")) == ["On xs1: ntpq -pn", "On xs2: ntpq -pn"]


@pytest.mark.parametrize(
    ("version", "file", "restart"),
    [
        ("6.5.0", "ntp.conf", "service ntpd restart"),
        ("7.6.0", "ntp.conf", "systemctl restart ntpd"),
        ("8.2.1", "chrony.conf", "systemctl restart chronyd"),
    ],
)
def test_each_version_has_its_own_service(version: str, file: str, restart: str, tmp_path: Path) -> None:
    """And the lines do what they are for: tried with a shell, on a copy."""

    def older(made: Made) -> None:
        for row in made.objects["host"].values():
            row["software_version"]["product_version"] = version

    with world("tutorial", older) as found:
        lines = typed(found.report("host ntp xs1 servers 10.0.0.1 10.0.0.2"))
    assert restart in lines
    if shutil.which("sed") is None or shutil.which("sh") is None:
        pytest.skip("needs a shell with sed")
    conf = tmp_path / file
    conf.write_text("driftfile /var/lib/drift\nserver 0.old.example iburst\npool old.example\nrestrict default\n")
    mine = [line.replace(f"/etc/{file}", str(conf)) for line in lines if f"/etc/{file}" in line]
    subprocess.run(["sh", "-e", "-c", "\n".join(mine)], check=True, timeout=30)
    assert conf.read_text() == (
        "driftfile /var/lib/drift\nrestrict default\nserver 10.0.0.1 iburst\nserver 10.0.0.2 iburst\n"
    )
    assert "0.old.example" in (tmp_path / f"{file}.before").read_text()
