"""What may happen once happens once: between two threads of one process, and between two processes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.findings import Kind
from bot.model import State
from bot.schedules import NewSchedule, Tell
from bot.store import SqliteStore, verify_file
from tests.bot_store.contestant import ACTS, ROUNDS
from tests.bot_store.helpers import ANNA, KEY, ROOT, after, look, opened

NAMES = ("one", "two")
Contest = Callable[[str], tuple[list[Any], list[Any]]]


def between_threads(store: SqliteStore, act: str) -> tuple[list[Any], list[Any]]:
    gate = threading.Barrier(len(NAMES))
    done: dict[str, list[Any]] = {}

    def work(name: str) -> None:
        gate.wait(10)
        done[name] = list(ACTS[act](store, name))

    threads = [threading.Thread(target=work, args=(name,)) for name in NAMES]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    return done["one"], done["two"]


def between_processes(path: Path, act: str) -> tuple[list[Any], list[Any]]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.bot_store.contestant", act, str(path), name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in NAMES
    ]
    for each in processes:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n", each.communicate(timeout=60)
    for each in processes:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    outputs = [each.communicate(timeout=60) for each in processes]
    assert [each.returncode for each in processes] == [0, 0], outputs
    one, two = (json.loads(output) for output, _ in outputs)
    return one, two


@pytest.fixture(params=["threads", "processes"])
def contest(request: pytest.FixtureRequest, store: SqliteStore, path: Path) -> Contest:
    if request.param == "threads":
        return lambda act: between_threads(store, act)
    return lambda act: between_processes(path, act)


def test_a_delivery_key_is_seen_once(contest: Contest) -> None:
    one, two = contest("see")
    assert sorted(one + two) == list(range(ROUNDS))


def test_a_question_is_opened_once(contest: Contest, store: SqliteStore) -> None:
    one, two = contest("ask")
    fresh = Counter(id for id, fresh in map(tuple, one + two) if fresh)
    assert fresh == {f"X-{n}": 1 for n in range(1, ROUNDS + 1)}
    assert {id for id, _ in map(tuple, one)} == {id for id, _ in map(tuple, two)} == set(fresh)
    assert len(store.open_requests()) == ROUNDS


def test_a_request_is_decided_once(contest: Contest, store: SqliteStore, path: Path) -> None:
    for _ in range(ROUNDS):
        opened(store)
    one, two = contest("decide")
    assert sorted(one + two) == list(range(1, ROUNDS + 1))
    assert {request.id for request in store.in_states([State.APPROVED])} == {f"X-{n}" for n in one}
    assert {request.id for request in store.in_states([State.REJECTED])} == {f"X-{n}" for n in two}
    rows = look(path, "SELECT request_id FROM ledger WHERE kind IN ('one', 'two')")
    assert sorted(rows) == sorted((f"X-{n}",) for n in range(1, ROUNDS + 1))
    assert store.verify().ok


def test_many_press_at_once_and_the_ledger_explains_it(contest: Contest, store: SqliteStore, path: Path) -> None:
    for _ in range(ROUNDS):
        opened(store)
    one, two = contest("press")
    assert sorted(one + two) == list(range(1, ROUNDS + 1))
    for n in range(1, ROUNDS + 1):
        request = store.request(f"X-{n}")
        assert request is not None
        kinds = look(path, "SELECT kind, actor_id FROM ledger WHERE request_id = ? ORDER BY seq", f"X-{n}")
        # Nothing after the decision, and the decider voted for it.
        assert [kind for kind, _ in kinds[1:]] == ["vote"] * len(request.votes) + ["decided"]
        decider = next(vote for vote in request.votes if vote.actor.id == kinds[-1][1])
        assert (decider.ballot == "approve") is (request.state is State.APPROVED)
    assert store.verify().ok


def test_a_call_is_intended_once(contest: Contest, store: SqliteStore) -> None:
    request = opened(store, State.RUNNING)
    one, two = contest("intend")
    assert sorted(one + two) == list(range(ROUNDS))
    marks = {call.step: mark for call, mark in store.calls(request.id)}
    assert marks == {**dict.fromkeys(one, "one"), **dict.fromkeys(two, "two")}


def test_a_lock_is_had_by_one(contest: Contest, store: SqliteStore, path: Path) -> None:
    opened(store)
    opened(store)
    one, two = contest("lock")
    assert sorted(one + two) == list(range(ROUNDS))
    held = set(look(path, "SELECT pool, request_id FROM locks"))
    assert held == {(f"pool{n}", "X-1") for n in one} | {(f"pool{n}", "X-2") for n in two}


def test_an_orphan_is_adopted_once(contest: Contest, store: SqliteStore) -> None:
    for _ in range(ROUNDS):
        orphan = opened(store, State.RUNNING)
        assert store.lock(orphan.id, ["lab/" + orphan.id], "dead", after(0), 60) == ()
    one, two = contest("adopt")
    assert sorted(one + two) == list(range(1, ROUNDS + 1))


def test_a_delivery_is_claimed_once(contest: Contest, store: SqliteStore, path: Path) -> None:
    for _ in range(ROUNDS):
        opened(store)
    one, two = contest("claim")
    assert sorted(one + two) == sorted(id for (id,) in look(path, "SELECT id FROM deliveries"))


def test_the_ledger_is_one_chain(contest: Contest, store: SqliteStore) -> None:
    contest("record")
    found = store.verify()
    assert (found.ok, found.rows) == (True, 2 * ROUNDS)
    rows = store.ledger(pools=None, last=99)
    for name in NAMES:
        assert [row.body["n"] for row in reversed(rows) if row.kind == name] == list(range(ROUNDS))


@pytest.mark.parametrize("time", range(3))
def test_two_processes_start_on_no_database(path: Path, time: int) -> None:
    between_processes(path, "start")
    found = verify_file(path, KEY)
    assert (found.ok, found.rows) == (True, 2 * ROUNDS)
    assert {each.name for each in path.parent.iterdir() if "before" in each.name} == set()


def scheduled(store: SqliteStore) -> None:
    """A round's schedules, all due."""
    for n in range(ROUNDS):
        asked = NewSchedule(
            kind=Kind.CLOCK,
            pool=f"pool{n}",
            recurrence="hourly",
            zone="",
            team="T1",
            channel="C1",
            tell=Tell.ALWAYS,
        )
        store.schedules.add(asked, after(-1), ANNA, after(-60))


def told(path: Path) -> list[str]:
    """The titles of the messages that are wanted."""
    return sorted(json.loads(body)["title"] for (body,) in look(path, "SELECT body FROM deliveries"))


def test_a_scheduled_audit_is_claimed_and_told_once(contest: Contest, store: SqliteStore, path: Path) -> None:
    scheduled(store)
    one, two = contest("audit")
    assert sorted(one + two) == list(range(1, ROUNDS + 1))
    assert told(path) == sorted(f"S-{n}" for n in range(1, ROUNDS + 1))
    assert store.verify().ok


def test_a_run_is_ended_once(contest: Contest, store: SqliteStore, path: Path) -> None:
    scheduled(store)
    for _ in range(ROUNDS):
        assert store.schedules.claim(after(0), "both", 60) is not None
    one, two = contest("conclude")
    assert sorted(one + two) == list(range(1, ROUNDS + 1))
    assert told(path) == sorted(f"S-{n}" for n in range(1, ROUNDS + 1))
    assert look(path, "SELECT count(*) FROM ledger WHERE kind = 'scheduled audit'") == [(ROUNDS,)]
