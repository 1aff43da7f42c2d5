"""Audits over the real wire: pools that answer, change, and fall silent; and what the reports say of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import XenAPI

from bot import progress
from bot.audits import compatibility, report
from bot.audits.auditor import SILENT, Auditor, Looked
from bot.clock import SystemClock
from bot.findings import Audited, Kind
from bot.model import Actor, Level, Lines, Report
from bot.ports import PoolView
from bot.store import SqliteStore
from bot.store.audits import Memory
from bot.xapi import XapiPools
from sandbox.xapi.lab import load
from sandbox.xapi.running import RunningLab, start
from tests.audits.worlds import World
from tests.bot_store.helpers import HandClock
from tests.bot_xapi.labs import COLD_CALLS, settings

OLGA = Actor(kind="slack", id="T1/U1", name="Olga")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    store = SqliteStore(tmp_path / "xenia.sqlite3", clock=HandClock())
    yield store.audits
    store.close()


@pytest.fixture
def auditor(lab: RunningLab, memory: Memory) -> Iterator[Auditor]:
    pools = XapiPools([settings(lab, name) for name in lab.pools], SystemClock())
    yield Auditor(pools, memory, SystemClock())
    pools.close()


def witness(lab: RunningLab, host: str = "xs1") -> Any:
    session = XenAPI.Session(lab.hosts[host])
    session.login_with_password(lab.username, lab.password, "1.0", "test")
    return session.xenapi


def audit(auditor: Auditor, *pools: str) -> tuple[Audited, ...]:
    return auditor.run([Kind.COMPATIBILITY], pools, OLGA)


def lines(found: Report, heading: str) -> list[str]:
    (part,) = (part for part in found.parts if isinstance(part, Lines) and part.heading.startswith(heading))
    return [line.text for line in part.lines]


def test_a_pool_is_audited_with_the_calls_of_a_cold_start(lab: RunningLab, auditor: Auditor) -> None:
    (audited,) = audit(auditor, "lab")
    assert lab.calls() == COLD_CALLS
    assert audited.run.actor == OLGA
    expected = {drift.key for drift in compatibility.audit(World("tutorial").inventory())}
    assert {story.drift.key for story in audited.new} == expected


def test_what_happens_to_a_host_is_told_as_new_and_then_as_resolved(lab: RunningLab, auditor: Auditor) -> None:
    (first,) = audit(auditor, "lab")
    api = witness(lab)
    (xs2,) = api.host.get_by_name_label("xs2")
    api.host.disable(xs2)
    (second,) = audit(auditor, "lab")
    # A host that takes no VMs is no reserve for the other either.
    assert {story.drift.rule for story in second.new} == {"host.enabled", "memory.reserve"}
    assert len(second.still) == len(first.new)
    told = report.of_run(second)
    assert told.title == "lab: 11 findings, 2 new"
    assert told.level is Level.BAD
    assert "xs2 is disabled: no VM can start on it or move to it" in lines(told, "New")
    api.host.enable(xs2)
    (third,) = audit(auditor, "lab")
    assert {story.drift.rule for story in third.resolved} == {"host.enabled", "memory.reserve"}
    assert report.of_run(third).title == "lab: 9 findings, 2 resolved"
    assert audit(auditor, "lab")[0].new == ()
    assert report.of_run(audit(auditor, "lab")[0]).title == "lab: 9 findings, none of them new"


def test_a_pool_that_is_silent_is_a_finding_and_the_others_are_audited(lab: RunningLab, auditor: Auditor) -> None:
    audit(auditor, "lab", "xs3")
    lab.kill("xs1")
    lab.kill("xs2")
    silent, alone = audit(auditor, "lab", "xs3")
    assert [story.drift.rule for story in silent.new] == [SILENT]
    assert "xs1" in silent.new[0].drift.evidence
    assert silent.resolved == ()
    assert len(silent.still) == 9
    assert alone.run.failure == ""
    assert [story.drift.rule for story in alone.still] == ["network.management-bonded"]
    told = report.of_runs((silent, alone))
    assert told.title == "2 audits: 0 found nothing"
    assert "lab: The pool lab could not be audited" in lines(told, "Grave or new")
    lab.start("xs1")
    lab.start("xs2")
    (back,) = audit(auditor, "lab")
    assert SILENT in {story.drift.rule for story in back.resolved}


def test_nothing_is_changed_in_the_pool(lab: RunningLab, auditor: Auditor) -> None:
    audit(auditor, "lab", "xs3")
    assert set(lab.calls()) == {"session.login_with_password", "event.from"}


def test_of_one_pool_its_hosts_are_counted_and_of_several_the_pools(lab: RunningLab, memory: Memory) -> None:
    def look(_pool: PoolView) -> Looked:
        progress.tell(1, 2, "clocks read")
        return Looked(found=())

    pools = XapiPools([settings(lab, name) for name in lab.pools], SystemClock())
    auditor = Auditor(pools, memory, SystemClock(), {Kind.CLOCK: look})
    heard = list[str]()
    for names, said in (((), []), (("lab",), ["1 of 2 clocks read"]), (("lab", "xs3"), ["1 of 2 pools audited"])):
        heard.clear()
        with progress.listening(lambda each: heard.append(str(each))):
            assert len(auditor.run([Kind.CLOCK], names, OLGA)) == len(names)
        assert heard[:1] == said
    pools.close()


def test_a_long_report_is_cut_at_the_least_grave(memory: Memory) -> None:
    with start(load(fleet="64x400")) as fleet:
        name = next(iter(fleet.pools))
        pools = XapiPools([settings(fleet, name)], SystemClock())
        (audited,) = Auditor(pools, memory, SystemClock()).run([Kind.COMPATIBILITY], [name], OLGA)
        pools.close()
    assert len(audited.new) > report.MOST_LINES
    shown, everything = report.of_run(audited), report.of_run(audited, all_of_it=True)
    assert len(lines(shown, "Found: the gravest 15 of")) == report.MOST_LINES
    assert len(lines(everything, "Found")) == len(audited.new)
