"""One of several bots that a crowd presses at: `python -m tests.bot.crowd DATABASE SENT FIRST LAST`.

It has the engine, the runner and threads of its own on the database that it shares. When a line comes on standard
input, the people FIRST to LAST press at the same moment, each once, on one of the requests; every call that reaches the
pool is a line in the file SENT. It ends when no request is left to be run, and prints how many presses it took.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

from bot.answers import Bug, VoteAsk
from bot.approval import END_STATES
from bot.clock import SystemClock
from bot.model import Ballot, State
from bot.policy import Rules
from tests.bot.fake_bot import bot
from tests.bot.fakes import CHANNEL, FakePool, HandClock, person, rules

PEOPLE, REQUESTS = 200, 20


class WallClock(HandClock):
    """The real time, and a pool that works while anybody waits."""

    def now(self) -> datetime:
        return SystemClock().now()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        self.meanwhile()
        time.sleep(0.01)


def crowd_rules() -> Rules:
    return rules(approvers=frozenset(f"UP{n}" for n in range(PEOPLE)))


def main(database: str, sent: str, first: str, last: str) -> None:
    clock, pool = WallClock(), FakePool()
    out = os.open(sent, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def taken_by_the_pool(key: tuple[str, int, bool]) -> None:
        os.write(out, f"{key[0]} {key[1]} {key[2]}\n".encode())

    pool.on_send = taken_by_the_pool
    clock.meanwhile = pool.work
    with ThreadPoolExecutor(8) as threads:
        life = bot(Path(database), pool, clock, threads=threads, policy=crowd_rules())
        requests = life.store.in_states(State)
        numbers = range(int(first), int(last))
        barrier = threading.Barrier(len(numbers) + 1)

        def press(number: int) -> bool:
            request = requests[number % REQUESTS]
            ballot = Ballot.APPROVE if (number // REQUESTS) % 2 else Ballot.REJECT
            ask = VoteAsk(
                request_id=request.id,
                ballot=ballot,
                digest=request.digest,
                actor=person(f"p{number}"),
                place=CHANNEL,
                delivery_key=f"press {number}",
            )
            barrier.wait(30)
            answer = life.engine.vote(ask)
            assert not isinstance(answer, Bug)
            return True

        with ThreadPoolExecutor(len(numbers)) as people:
            presses = [people.submit(press, number) for number in numbers]
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            sys.stdin.readline()
            barrier.wait(30)
            taken = sum(each.result() for each in presses)
        deadline = time.monotonic() + 90
        while any(each.state not in END_STATES for each in life.store.in_states(State)):
            assert time.monotonic() < deadline, "not all requests have ended"
            life.engine.tick()
            time.sleep(0.1)
    life.crash()
    sys.stdout.write(f"{taken}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
