"""Who acts at the terminal."""

from __future__ import annotations

import os
import pwd
from collections.abc import Collection

from bot import compose
from bot.clock import SystemClock
from bot.config import Settings
from bot.errors import Denied, Unavailable
from bot.model import Actor, Entry
from bot.ports import Standing


class OperatingSystem:
    """:class:`bot.ports.People` at the terminal: whom `[terminal]` names counts; Slack is not asked, it may be down. Of
    others – who asked or approved in Slack – only Slack can tell, so what needs them waits for the bot that asks it.
    """

    def __init__(self, settings: Settings) -> None:
        self._team = settings.slack.team
        self._named = frozenset(settings.terminal.values())

    def individuals(self, references: Collection[str]) -> frozenset[str]:
        """Nobody is reminded from a terminal; the bot does it."""
        del references
        return frozenset()

    def standing(self, actor: Actor) -> Standing:
        """:raises Unavailable: the person is of Slack, and `[terminal]` does not name them."""
        if actor.kind == "slack":
            team, _, user = actor.id.partition("/")
            if team != self._team or user not in self._named:
                raise Unavailable(
                    "At the terminal Slack is not asked, and [terminal] does not name them; the bot goes on with it"
                    " once it reaches Slack."
                )
            unknown = (
                "At the terminal Slack is not asked who is in a group or a channel: only people who are named count."
            )
            return Standing(member=True, groups_unknown=unknown)
        return Standing(
            member=False,
            why_not=f"the login {actor.id} is not named under [terminal] in the configuration.",
            flaw="the login is not named under [terminal] in the configuration",
            remedy=f'Whoever runs the bot names it there, as the person that it is in Slack: {actor.id} = "U…"',
        )


def person(settings: Settings, name: str | None = None) -> Actor | None:
    """The person of Slack that a login (default: who is logged in) stands for, so that nobody can approve in Slack what
    they asked for here, nor the other way round. None: `[terminal]` does not name it.

    :raises Denied: the workspace is not known, so people could not be told to be the same in Slack.
    """
    named = name or login_name()
    user = settings.terminal.get(named)
    if user is None:
        return None
    if not settings.slack.team:
        raise Denied(
            "Nobody can act from the terminal while the configuration does not name the workspace.",
            remedy="Set slack.team to its id (T…).",
        )
    return Actor(kind="slack", id=f"{settings.slack.team}/{user}", name=f"{named} (terminal)")


def login_name() -> str:
    """The login of this process by the system's own record, `uid-N` for one that has no name. The environment
    (LOGNAME, USER) says what whoever started the process wants it to say.
    """
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid-{number}"


def login() -> Actor:
    """Whoever works at this machine's terminal."""
    name = login_name()
    return Actor(kind="terminal", id=name, name=name)


def acting(settings: Settings, as_name: str | None) -> Actor:
    """Who acts. A login that `[terminal]` names is that person of Slack, so that nobody can approve in Slack what they
    asked for here.

    :raises Denied: `--as` outside the sandbox; recorded.
    """
    me = login()
    if as_name is not None and not settings.bot.sandbox:
        store = compose.open_store(settings, SystemClock())
        try:
            store.record(Entry(kind="refused", actor=me, body={"text": f"--as {as_name}", "reason": "not the sandbox"}))
        finally:
            store.close()
        raise Denied(
            "--as works only against the sandbox.",
            remedy="Here everybody acts as themselves: the login of this machine, as [terminal] names it.",
        )
    known = person(settings, as_name)
    if known is None and as_name is not None:
        raise Denied(f"There is no {as_name} under [terminal] in the configuration.")
    return known or me
