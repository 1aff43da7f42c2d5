"""A process that is killed in the middle of a change (`python -m tests.bot_store.victim ACT DIRECTORY [EVERY]`).

For each n it copies `DIRECTORY/start.sqlite3` (if there is one) to `n.sqlite3`, forks, and in the child does the act on
the copy; the child kills itself with SIGKILL just before its n-th SQL statement. It ends with the first n that the
child survived, which it prints.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from sqlite_utils import Database

from bot.model import State
from bot.store import SqliteStore
from bot.store.connection import Connections
from bot.store.mark import path_of
from tests.bot_store.helpers import KEY, HandClock, after, entry, new, remark, vote


def move(store: SqliteStore) -> None:
    store.move("X-1", State.WAITING, State.APPROVED, entry("moved"), at=after(1), note=remark("moved"))


def cast(store: SqliteStore) -> None:
    store.vote("X-1", vote(), entry("voted"))


def open_(store: SqliteStore) -> None:
    store.open(new(), entry("opened"))


def start(store: SqliteStore) -> None:
    """Nothing more than opening the store."""


ACTS: dict[str, Callable[[SqliteStore], None]] = {"move": move, "vote": cast, "open": open_, "start": start}


def die_at(n: int) -> Callable[[str], None]:
    left = itertools.count(n - 1, -1)

    def count(_: str) -> None:
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return count


def survive(act: str, path: Path, n: int) -> bool:
    child = os.fork()
    if child == 0:
        watch = die_at(n)
        if act == "start":
            connect = Connections._connect

            def watched(self: Connections) -> Database:
                db = connect(self)
                db.conn.set_trace_callback(watch)
                return db

            Connections._connect = watched  # type: ignore[method-assign]
        store = SqliteStore(path, clock=HandClock(), ledger_key=KEY)
        with store._connections.read() as db:
            connection = db.conn
        if act != "start":
            connection.set_trace_callback(watch)
        ACTS[act](store)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False
    if os.waitstatus_to_exitcode(status) == 0:
        return True
    raise SystemExit(f"the child failed at {n}")


def main(act: str, directory: str, every: str = "1") -> None:
    start = Path(directory) / "start.sqlite3"
    for n in itertools.count(1, int(every)):
        path = start.with_name(f"{n}.sqlite3")
        if start.exists():
            shutil.copy(start, path)
            shutil.copy(path_of(start), path_of(path))
        if survive(act, path, n):
            sys.stdout.write(str(n))
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
