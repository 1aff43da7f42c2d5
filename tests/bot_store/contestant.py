"""One of several who act on one database at the same moment: a thread of the test, or a process (`python -m
tests.bot_store.contestant ACT PATH NAME`).

A process says `ready`, starts when it is sent a line, and answers with what it did as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from bot.model import Actor, Ballot, Report, State
from bot.schedules import Due, News
from bot.store import SqliteStore
from tests.bot_store.helpers import KEY, HandClock, after, entry, new, vote

ROUNDS = 20
Act = Callable[[SqliteStore, str], Iterable[object]]


def see(store: SqliteStore, name: str) -> Iterable[object]:
    return [n for n in range(ROUNDS) if store.first_sight(f"key {n}", after(0))]


def ask(store: SqliteStore, name: str) -> Iterable[object]:
    found = [store.open(new(fingerprint=f"question {n}"), entry()) for n in range(ROUNDS)]
    return [(request.id, fresh) for request, fresh in found]


def decide(store: SqliteStore, name: str) -> Iterable[object]:
    """Each round's request is `X-n`; a contestant wants it approved or rejected, by its name."""
    to = {"one": State.APPROVED, "two": State.REJECTED}[name]
    return [n for n in range(1, ROUNDS + 1) if store.move(f"X-{n}", State.WAITING, to, entry(name), at=after(1))]


def press(store: SqliteStore, name: str) -> Iterable[object]:
    """Ten people each, on every request, until the first has decided it."""
    won = []
    for person in range(10):
        actor = Actor(kind="slack", id=f"T1/{name}{person}", name=name)
        ballot = Ballot.APPROVE if person % 2 else Ballot.REJECT
        to = State.APPROVED if person % 2 else State.REJECTED
        for n in range(1, ROUNDS + 1):
            if store.vote(f"X-{n}", vote(ballot, actor), entry("vote")) and store.move(
                f"X-{n}", State.WAITING, to, entry("decided", actor=actor), at=after(2)
            ):
                won.append(n)
    return won


def intend(store: SqliteStore, name: str) -> Iterable[object]:
    return [step for step in range(ROUNDS) if store.intend("X-1", step, False, "VM.start", name, entry(name), after(1))]


def lock(store: SqliteStore, name: str) -> Iterable[object]:
    """`X-1` is one's request and `X-2` two's; every third round somebody wants the whole pool."""
    request_id = {"one": "X-1", "two": "X-2"}[name]
    won = []
    for n in range(ROUNDS):
        pool = f"pool{n}"
        keys = [f"{pool}/*"] if n % 3 == 0 and name == "two" else [f"{pool}/a", f"{pool}/{name}"]
        if not store.lock(request_id, keys, name, after(0), 60):
            won.append(n)
    return won


def adopt(store: SqliteStore, name: str) -> Iterable[object]:
    return [n for n in range(1, ROUNDS + 1) if store.adopt(f"X-{n}", name, after(100), 60)]


def claim(store: SqliteStore, name: str) -> Iterable[object]:
    found = []
    while (delivery := store.claim(after(0), 60)) is not None:
        found.append(delivery.id)
    return found


def audit(store: SqliteStore, name: str) -> Iterable[object]:
    """Every schedule that is due: whoever claims a run ends it, with a message."""
    done = []
    while (due := store.schedules.claim(after(0), name, 60)) is not None:
        news = (News(message=Report(title=due.schedule.id)),)
        store.schedules.finish(due, next_at=after(100), news=news, told={}, body={"by": name}, now=after(1))
        done.append(due.schedule.number)
    return done


def conclude(store: SqliteStore, name: str) -> Iterable[object]:
    """Runs that both take for theirs."""
    done = []
    for number in range(1, ROUNDS + 1):
        schedule = store.schedules.schedule(number)
        assert schedule is not None
        due = Due(schedule=schedule, due_at=after(-1), attempt=1, owner="both")
        news = (News(message=Report(title=schedule.id)),)
        if store.schedules.finish(due, next_at=after(100), news=news, told={}, body={"by": name}, now=after(1)):
            done.append(number)
    return done


def record(store: SqliteStore, name: str) -> Iterable[object]:
    for n in range(ROUNDS):
        store.record(entry(name, body={"n": n}))
    return [name]


ACTS: dict[str, Act] = {
    act.__name__: act for act in (see, ask, decide, press, intend, lock, adopt, claim, record, audit, conclude)
}


def main(act: str, path: str, name: str) -> None:
    if act == "start":  # opening the store is the contest
        _ready()
        store = SqliteStore(Path(path), clock=HandClock(), ledger_key=KEY)
        done = list(record(store, name))
    else:
        store = SqliteStore(Path(path), clock=HandClock(), ledger_key=KEY)
        _ready()
        done = list(ACTS[act](store, name))
    store.close()
    sys.stdout.write(json.dumps(done))


def _ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()


if __name__ == "__main__":
    main(*sys.argv[1:])
