"""Commands, changes and other clients' events leave nothing behind. Counted are objects and connections, not memory:
whether an allocator gives pages back is another question (`make soak` looks at that).
"""

from __future__ import annotations

import gc
import itertools
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bot.answers import Opened, Shown, VoteAsk, Voted
from bot.model import Actor, Ballot, State
from bot.store.connection import MOST_IDLE
from sandbox.slack.running import start as start_workspace
from tests.bench.fleet import Reader, reader, served
from tests.waiting import eventually

LOOKS = ("pool status", "vm list", "host list", "vm show web-1", "ha status", "vm why web-1", "log", "audit run")
THREADS = 2 * MOST_IDLE
ROUND = 100
EACH = 25
"""A change and an event after so many commands."""
SPARE = 4
"""Objects of a kind that may be more without any meaning. A round has as many changes, and every look several times."""
BOUNDED = {
    # A connection forgets the cursors that are gone whenever it has made 200 (CPython's Modules/_sqlite/connection.c),
    "weakref.ReferenceType": 200 * MOST_IDLE,
    # and keeps 128 statements prepared (docs.python.org: sqlite3.connect, cached_statements).
    "sqlite3.Statement": 128 * MOST_IDLE,
    # An abstract class remembers the classes it was asked about (CPython's Modules/_abc.c).
    "builtins.builtin_function_or_method": 200,
}
"""Kinds that Python itself keeps, but not without limit."""


class Team:
    """People at the engine, from several threads; in the pool, things change by themselves."""

    def __init__(self, bot: Reader, threads: ThreadPoolExecutor) -> None:
        self._bot = bot
        self._threads = threads
        self._looks = itertools.cycle(LOOKS)
        self._targets = itertools.cycle(("xs2", "xs1"))

    def work(self, commands: int) -> None:
        """So many looks, and what belongs to them."""
        for first in range(0, commands, EACH):
            texts = itertools.islice(self._looks, EACH)
            for answer in self._threads.map(self._bot.ask, texts):
                assert isinstance(answer, Shown), answer
            self._bot.fleet.rename_a_vm(f"event {first}")
            self._change()

    def _change(self) -> None:
        bot = self._bot.bot
        asked = self._bot.ask(f"vm migrate web-1 to {next(self._targets)}")
        assert isinstance(asked, Opened), asked
        request = bot.store.request(asked.request_id)
        assert request is not None
        ana = Actor(kind="slack", id=f"{bot.settings.slack.team}/U0ANA", name="ana")
        vote = VoteAsk(
            request_id=request.id, ballot=Ballot.APPROVE, digest=request.digest, actor=ana, place=asked.place
        )
        assert isinstance(bot.engine.vote(vote), Voted)

        def over() -> bool:
            found = bot.store.request(request.id)
            return found is not None and found.state is State.SUCCEEDED and not bot.runner.running()

        eventually(over, f"the end of {request.id}")


@contextmanager
def team(folder: Path) -> Iterator[tuple[Reader, Team]]:
    with (
        start_workspace() as workspace,
        served("", "--speed", "500") as lab,
        reader(lab, folder, workspace) as bot,
        ThreadPoolExecutor(THREADS) as threads,
    ):
        yield bot, Team(bot, threads)


def objects() -> Counter[str]:
    """What the collector knows of, by type. Nobody may be at work: a tuple that is being built when its list is taken
    ends in a SystemError there (CPython's Objects/tupleobject.c, _PyTuple_Resize), which looks like the bot's defect.
    """
    gc.collect()
    return Counter(f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())


def connections(bot: Reader) -> int:
    """Connections to the bot's database: each has a handle of its own at the write-ahead log."""
    log = bot.bot.settings.bot.database.resolve().with_name(f"{bot.bot.settings.bot.database.name}-wal")
    found = 0
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the listing's own handle is gone by now
            found += each.readlink() == log
    return found


@pytest.mark.slow
def test_what_commands_and_changes_make_is_gone_afterwards(tmp_path: Path) -> None:
    with team(tmp_path) as (bot, people):
        people.work(ROUND)
        before = objects()
        people.work(2 * ROUND)
        after = objects()
        assert 0 < connections(bot) <= MOST_IDLE
    more = {kind: after[kind] - before[kind] for kind in after}
    assert not {kind: count for kind, count in more.items() if count > BOUNDED.get(kind, SPARE)}
