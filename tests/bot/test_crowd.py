"""200 people press Approve and Reject at the same moment on 20 requests, at two bots on one database."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from bot.answers import Ask, Opened
from bot.approval import END_STATES
from bot.clock import SystemClock
from bot.model import State
from bot.ports import LedgerRow
from bot.store import SqliteStore
from tests.bot.crowd import PEOPLE, REQUESTS, crowd_rules
from tests.bot.fake_bot import bot
from tests.bot.fakes import CHANNEL, KEY, OLGA, FakePool, HandClock

ROOT = Path(__file__).parents[2]


def ask(path: Path) -> None:
    """The requests: each another text about one of three VMs, so that all can be open at the same time."""
    clock = HandClock()
    clock.at = SystemClock().now()
    life = bot(path, FakePool(), clock, policy=crowd_rules())
    for number in range(REQUESTS):
        answer = life.engine.answer(Ask(text=f"vm call web-{number % 3 + 1} as r{number}", actor=OLGA, place=CHANNEL))
        assert isinstance(answer, Opened), answer
    life.crash()


def test_every_request_has_one_outcome_and_the_ledger_explains_it(tmp_path: Path) -> None:
    path, sent = tmp_path / "x.sqlite3", tmp_path / "sent"
    ask(path)
    sent.touch()
    half = PEOPLE // 2
    bots = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.bot.crowd", str(path), str(sent), str(first), str(first + half)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for first in (0, half)
    ]
    for each in bots:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in bots:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    taken = [int(each.communicate(timeout=120)[0]) for each in bots]
    assert taken == [half, half]
    assert [each.returncode for each in bots] == [0, 0]

    clock = HandClock()
    store = SqliteStore(path, clock=clock, ledger_key=KEY)
    calls = Counter(line.split()[0] for line in sent.read_text().splitlines())
    rows = tuple(reversed(store.ledger(pools=None, last=100_000)))
    for request in store.in_states(State):
        assert request.state in END_STATES
        own = [row for row in rows if row.request_id == request.id]
        explain(own, request.state, calls[request.id])
    assert len(store.in_states(State)) == REQUESTS
    assert store.verify().ok
    store.close()


def explain(rows: list[LedgerRow], end: State, calls: int) -> None:
    """From the rows alone: the first vote decided (one approval is enough, one rejection too), once, and what followed
    followed from that.
    """
    kinds = [row.kind for row in rows]
    decisions = [kind for kind in kinds if kind in ("approved", "rejected")]
    assert len(decisions) == 1
    decided = kinds.index(decisions[0])
    votes = [row for row in rows[:decided] if row.kind == "vote"]
    assert votes, "decided without a vote"
    assert "vote" not in kinds[decided:], "a vote was counted after the decision"
    against = any(row.body["ballot"] == "reject" for row in votes)
    assert (decisions[0] == "rejected") is against
    if against:
        assert (end, calls) == (State.REJECTED, 0)
        assert kinds[-1] == "rejected"
    else:
        assert calls == 1
        assert end is State.SUCCEEDED
        assert kinds.count("call intended") == kinds.count("running") == 1
