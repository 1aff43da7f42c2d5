"""What a terminal shows while it waits: how far an answer is, and how far a request."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bot import progress
from bot.approval import ACTIVE_STATES, END_STATES
from bot.compose import Bot
from bot.model import Progress, Request, State
from bot.terminal import Terminal


@contextmanager
def progressing() -> Iterator[None]:
    """Show how far a long answer is, while somebody watches."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("", total=None, visible=False)

        def show(so_far: progress.Progress) -> None:
            bars.update(bar, description=so_far.what, completed=so_far.done, total=so_far.of, visible=True)

        with progress.listening(show):
            yield


def follow(bot: Bot, request_id: str, seconds: float = math.inf) -> int:
    """Show a request's progress until it has ended; the process's exit status: 3 when it has not after so long."""
    deadline = time.monotonic() + seconds
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task(request_id, total=1.0)
        while True:
            request = bot.store.request(request_id)
            if request is None or request.state in END_STATES or request.state is State.UNKNOWN:
                break
            if time.monotonic() > deadline:
                return _still_open(request)
            done = request.progress or Progress()
            bars.update(
                bar,
                description=f"{request_id} {request.state.said}",
                completed=(done.step + done.fraction) / done.steps,
            )
            time.sleep(0.3)
    return _told(request)


def carried_on(bot: Bot, request_id: str) -> int:
    """What comes of a request that was just approved, as far as this process is at it: its progress to its end, or for
    what it waits; the process's exit status.
    """
    while bot.runner.running():
        request = bot.store.request(request_id)
        if request is not None and request.state in ACTIVE_STATES:
            return follow(bot, request_id)
        time.sleep(0.05)
    request = bot.store.request(request_id)
    if request is not None and request.state is State.QUEUED and request.progress:
        Terminal(sys.stdout).line(f"Request {request_id} is {request.state.said}. {request.progress.text}")
        return 0
    return _told(request) if request is not None and request.state in (*END_STATES, State.UNKNOWN) else 0


def _still_open(request: Request) -> int:
    terminal = Terminal(sys.stdout)
    terminal.line(f"Request {request.id} has not ended yet: it is {request.state.said}. Nothing was taken back.")
    terminal.line(f"“request show {request.id}” tells how it is; a bot that runs follows it to its end.")
    return 3


def _told(request: Request | None) -> int:
    if request is None:
        return 1
    terminal = Terminal(sys.stdout)
    summary = request.result.summary if request.result else ""
    terminal.line(f"Request {request.id} {request.state.said}: {summary}")
    for line in request.result.lines if request.result else ():
        terminal.line(f"  {line}")
    return 0 if request.state is State.SUCCEEDED else 1
