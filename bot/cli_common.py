"""What the parts of the command line share: who acts at the terminal, and following a request to its end."""

from __future__ import annotations

import getpass
import math
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from bot import progress
from bot.approval import END_STATES
from bot.compose import Bot
from bot.config import Settings
from bot.errors import Denied
from bot.model import Actor, Progress, Request, State
from bot.ports import Standing
from bot.terminal import Terminal


class OperatingSystem:
    """:class:`bot.ports.People` at the terminal: who may log in and is named under `[terminal]` counts; Slack is not
    asked, it may be down.
    """

    def individuals(self, references: Collection[str]) -> frozenset[str]:
        """Nobody is reminded from a terminal; the bot does it."""
        del references
        return frozenset()

    def standing(self, actor: Actor) -> Standing:
        if actor.kind == "slack":
            unknown = (
                "At the terminal Slack is not asked who is in a group or a channel: only people who are named count."
            )
            return Standing(member=True, groups_unknown=unknown)
        return Standing(
            member=False, why_not=f"the login {actor.id} is not named under [terminal] in the configuration."
        )


def person(settings: Settings, name: str | None = None) -> Actor | None:
    """The person of Slack that a login (default: who is logged in) stands for, so that nobody can approve in Slack what
    they asked for here, nor the other way round. None: `[terminal]` does not name it.

    :raises Denied: the workspace is not known, so people could not be told to be the same in Slack.
    """
    login = name or getpass.getuser()
    user = settings.terminal.get(login)
    if user is None:
        return None
    if not settings.slack.team:
        raise Denied(
            "Nobody can act from the terminal while the configuration does not name the workspace.",
            remedy="Set slack.team to its id (T…).",
        )
    return Actor(kind="slack", id=f"{settings.slack.team}/{user}", name=f"{login} (terminal)")


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
                bar, description=f"{request_id} {request.state}", completed=(done.step + done.fraction) / done.steps
            )
            time.sleep(0.3)
    return _told(request)


def _still_open(request: Request) -> int:
    terminal = Terminal(sys.stdout)
    terminal.line(f"Request {request.id} has not ended yet: it is {request.state}. Nothing was taken back.")
    terminal.line(f"“request show {request.id}” tells how it is; a bot that runs follows it to its end.")
    return 3


def _told(request: Request | None) -> int:
    if request is None:
        return 1
    terminal = Terminal(sys.stdout)
    summary = request.result.summary if request.result else ""
    terminal.line(f"Request {request.id} {request.state}: {summary}")
    for line in request.result.lines if request.result else ():
        terminal.line(f"  {line}")
    return 0 if request.state is State.SUCCEEDED else 1
