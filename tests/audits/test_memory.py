"""Findings followed over time, in the real database, against a model that keeps everything."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.findings import Audited, Drift, Followed, Kind, NewRun, Offset
from bot.model import BOT, Level, ObjectId
from bot.store import SqliteStore
from bot.store.audits import Memory
from tests.bot_store.helpers import HandClock

START = datetime(2026, 3, 1, 7, 0, tzinfo=UTC)


def drift(name: str, level: Level = Level.WARN, evidence: str = "seen") -> Drift:
    return Drift(rule="r", level=level, subject=ObjectId("host", name, name), text=f"{name} is odd", evidence=evidence)


def run_at(day: int, *found: Drift, pool: str = "lab", failure: str = "", kind: Kind = Kind.COMPATIBILITY) -> NewRun:
    at = START + timedelta(days=day)
    return NewRun(
        kind=kind,
        pool=pool,
        actor=BOT,
        started_at=at,
        ended_at=at + timedelta(seconds=2),
        found=found,
        failure=failure,
    )


def names(stories: tuple[Followed, ...]) -> set[str]:
    return {story.drift.subject.name for story in stories}


def told(audited: Audited) -> tuple[set[str], set[str], set[str]]:
    return names(audited.new), names(audited.still), names(audited.resolved)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "xenia.sqlite3"


@pytest.fixture
def memory(path: Path) -> Iterator[Memory]:
    store = SqliteStore(path, clock=HandClock())
    yield store.audits
    store.close()


def test_a_finding_is_new_once_then_open_then_resolved(memory: Memory) -> None:
    first = memory.record_audit(run_at(0, drift("a"), drift("b")))
    assert told(first) == ({"a", "b"}, set(), set())
    assert first.first
    second = memory.record_audit(run_at(1, drift("b", evidence="worse"), drift("c")))
    assert told(second) == ({"c"}, {"b"}, {"a"})
    assert not second.first
    (still,) = second.still
    assert (still.opened_at, still.opened_run) == (first.run.ended_at, first.run.number)
    assert still.drift.evidence == "worse"
    assert second.resolved[0].resolved_at == second.run.ended_at


def test_what_comes_back_is_new_again_and_counted(memory: Memory) -> None:
    memory.record_audit(run_at(0, drift("a")))
    memory.record_audit(run_at(1))
    back = memory.record_audit(run_at(2, drift("a")))
    assert told(back) == ({"a"}, set(), set())
    assert back.new[0].times == 2


def test_a_run_that_failed_resolves_nothing(memory: Memory) -> None:
    memory.record_audit(run_at(0, drift("a")))
    failed = memory.record_audit(run_at(1, drift("silent", Level.BAD), failure="No answer."))
    assert told(failed) == ({"silent"}, {"a"}, set())
    assert failed.level is Level.BAD
    after = memory.record_audit(run_at(2, drift("a")))
    assert told(after) == (set(), {"a"}, {"silent"})


def test_the_first_audit_that_could_look_is_the_first(memory: Memory) -> None:
    assert not memory.record_audit(run_at(0, drift("silent"), failure="No answer.")).first
    assert memory.record_audit(run_at(1, drift("a"))).first


def test_pools_and_kinds_are_apart(memory: Memory) -> None:
    memory.record_audit(run_at(0, drift("a")))
    assert told(memory.record_audit(run_at(1, drift("a"), pool="other"))) == ({"a"}, set(), set())
    assert told(memory.record_audit(run_at(2, kind=Kind.CLOCK))) == (set(), set(), set())
    assert told(memory.record_audit(run_at(3, drift("a")))) == (set(), {"a"}, set())


def test_an_older_look_that_is_recorded_late_changes_nothing(memory: Memory) -> None:
    memory.record_audit(run_at(1, drift("a")))
    late = memory.record_audit(run_at(0, drift("b")))
    assert "began later" in late.run.failure
    assert told(memory.record_audit(run_at(2, drift("a")))) == (set(), {"a"}, set())


def test_two_findings_with_one_key_are_one(memory: Memory) -> None:
    assert len(memory.record_audit(run_at(0, drift("a"), drift("a", evidence="again"))).new) == 1


def test_changes_since_an_audit_leave_out_what_went_and_came_back(memory: Memory) -> None:
    first = memory.record_audit(run_at(0, drift("a"), drift("b"), drift("blinks")))
    memory.record_audit(run_at(1, drift("a"), drift("passing")))
    memory.record_audit(run_at(2, drift("a"), drift("c"), drift("blinks")))
    opened, resolved = memory.audit_changes(first.run)
    assert (names(opened), names(resolved)) == ({"c"}, {"b"})


def test_it_is_there_after_a_restart(memory: Memory, path: Path) -> None:
    before = memory.record_audit(run_at(0, drift("a")))
    store = SqliteStore(path, clock=HandClock())
    assert store.audits.audit_run(before.run.number) == before
    assert store.audits.audit_run(99) is None
    store.close()


def test_the_newest_runs_come_first_and_only_of_the_pools_asked_for(memory: Memory) -> None:
    for day, pool in enumerate(("lab", "other", "lab")):
        memory.record_audit(run_at(day, pool=pool))
    assert [each.run.number for each in memory.audit_runs(["lab"], kind=None, last=5)] == [3, 1]
    assert [each.run.number for each in memory.audit_runs(["lab", "other"], kind=None, last=2)] == [3, 2]
    assert not memory.audit_runs(["lab"], kind=Kind.CLOCK, last=5)
    assert not memory.audit_runs([], kind=None, last=5)


def test_old_runs_are_forgotten_but_no_open_finding_and_no_number_is_given_twice(memory: Memory) -> None:
    memory.record_audit(run_at(0, drift("old"), drift("gone")))
    memory.record_audit(run_at(1, drift("old")))
    memory.record_audit(run_at(2, drift("old")))
    assert memory.forget_audits(START + timedelta(days=5)) == 2
    assert [each.run.number for each in memory.audit_runs(["lab"], kind=None, last=9)] == [3]
    after = memory.record_audit(run_at(9, drift("old")))
    assert after.run.number == 4
    (story,) = after.still
    assert story.opened_at == START + timedelta(seconds=2)


def test_measured_offsets_are_kept_by_host(memory: Memory) -> None:
    host = ObjectId("host", "h1", "xs1")
    offset = Offset(host=host, at=START, low=-0.25, high=0.125, readings=9, round_trip=0.004)
    memory.record_audit(dataclasses.replace(run_at(0, kind=Kind.CLOCK), offsets=(offset,)))
    later = dataclasses.replace(offset, low=0.5, high=0.75, at=START + timedelta(days=1))
    memory.record_audit(dataclasses.replace(run_at(1, kind=Kind.CLOCK), offsets=(later,)))
    assert memory.offsets("lab", "h1", 5) == (later, offset)
    assert memory.offsets("lab", "h1", 1) == (later,)
    assert not memory.offsets("lab", "h2", 5)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.frozensets(st.sampled_from("abcd")), st.booleans()), min_size=1, max_size=8))
def test_every_history_is_told_as_a_model_tells_it(history: list[tuple[frozenset[str], bool]]) -> None:
    """Each run as it was told when it ended, and asked for again at the very end."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "x.sqlite3", clock=HandClock())
        open_now: set[str] = set()
        expected = []
        for day, (found, failed) in enumerate(history):
            if failed:
                audited = store.audits.record_audit(run_at(day, failure="No answer."))
                wanted: tuple[set[str], set[str], set[str]] = (set(), set(open_now), set())
            else:
                audited = store.audits.record_audit(run_at(day, *map(drift, sorted(found))))
                wanted = (set(found - open_now), set(found & open_now), set(open_now - found))
                open_now = set(found)
            assert told(audited) == wanted
            expected.append((audited.run.number, wanted))
        for number, wanted in expected:
            again = store.audits.audit_run(number)
            assert again is not None
            assert told(again) == wanted
        store.close()
