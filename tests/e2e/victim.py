"""A bot that is killed on purpose: `python -m tests.e2e.victim`, told by lines of JSON what to do.

`{"config": PATH, "point": NAME | null}` forks a child that is `xenia run --config PATH`; the answer is `{"pid": N}`.
With a point the child kills itself with SIGKILL there. The parent only forks and waits, so that a bot starts in no
time; `{"wait": PID}` answers `{"status": …}` as the shell has it (-9 for SIGKILL), null while it lives.

A point is `METHOD before|after N`: the N-th call (from 1) of a method of the store, the pool's hands or Slack's Web
API. Nothing of it is in the bot: its classes are wrapped here.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import signal
import sys
from typing import Any

from bot import cli, compose
from bot.jobs import Jobs
from bot.runner import Runner
from bot.slack import delivery
from bot.slack.api import Api
from bot.store.store import SqliteStore
from bot.xapi.hands import XapiHands

LEASE_SECONDS = 1.0


def wrap(owner: type, name: str, when: str, number: int, first: object = None) -> None:
    """Kill this process before or after the `number`-th call of a method (with this first argument)."""
    inner = getattr(owner, name)
    calls = itertools.count(1)

    @functools.wraps(inner)
    def doomed(self: Any, *args: Any, **kwargs: Any) -> Any:
        mine = first is None or (bool(args) and str(args[0]) == first)
        dies = mine and next(calls) == number
        if dies and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = inner(self, *args, **kwargs)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(owner, name, doomed)


def arm(point: str) -> None:
    method, when, number = point.split()
    owner, _, name = method.partition(".")
    if owner == "slack":
        wrap(Api, "call", when, int(number), name)
    elif owner == "move":
        _arm_move(name, when, int(number))
    else:
        wrap({"store": SqliteStore, "hands": XapiHands}[owner], name, when, int(number))


def _arm_move(state: str, when: str, number: int) -> None:
    """`move.STATE`: the store's move to that state."""
    inner, calls = SqliteStore.move, itertools.count(1)

    def doomed(self: SqliteStore, request_id: str, frm: Any, to: Any, *args: Any, **kwargs: Any) -> bool:
        dies = to.name.lower() == state and next(calls) == number
        if dies and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        moved = inner(self, request_id, frm, to, *args, **kwargs)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return moved

    SqliteStore.move = doomed  # type: ignore[assignment, method-assign]


def live(config: str, point: str | None) -> None:
    """The child: the bot as it is run, with leases short enough for a test."""
    vars(compose)["Runner"] = functools.partial(Runner, lease_seconds=LEASE_SECONDS)
    vars(compose)["Jobs"] = functools.partial(Jobs, seconds=0.3)
    delivery.LEASE_SECONDS = 3.0
    delivery.DOUBT_SECONDS = 0.5
    if point:
        arm(point)
    os._exit(cli.main(["run", "--config", config]))


def main() -> None:
    for line in sys.stdin:
        told = json.loads(line)
        if "wait" in told:
            pid, status = os.waitpid(told["wait"], os.WNOHANG)
            answer: dict[str, Any] = {"status": os.waitstatus_to_exitcode(status) if pid else None}
        else:
            pid = os.fork()
            if pid == 0:
                null = os.open(os.devnull, os.O_RDONLY)
                os.dup2(null, 0)
                os.dup2(2, 1)
                try:
                    live(told["config"], told["point"])
                finally:
                    os._exit(70)
            answer = {"pid": pid}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
