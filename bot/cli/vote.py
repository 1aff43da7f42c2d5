"""`xenia approve`, `xenia reject` and `xenia settle`: decisions for the day when Slack is down.

Who decides is proved by their own one-time code. The login of the machine proves nothing: several people may share it,
the one who asked among them. Everything else is as in Slack: the same policy, the same record. What somebody asked or
approved in Slack whom `[terminal]` does not name begins only once the bot has asked Slack about them.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bot import compose, config
from bot.answers import Ask, VoteAsk, Voted
from bot.cli.common import Parsers
from bot.cli.following import carried_on
from bot.cli.people import OperatingSystem, login_name, person
from bot.config import Settings
from bot.errors import Denied, NotFound
from bot.model import Actor, Ballot, Place, Request
from bot.terminal import Terminal
from bot.text import joined, quoted


def add_parsers(parts: Parsers[argparse.ArgumentParser]) -> tuple[argparse.ArgumentParser, ...]:
    approve = parts.add_parser("approve", help="approve a request, with your one-time code")
    approve.add_argument("--name", default="", help="the name of what it is about, where the policy wants it typed")
    approve.set_defaults(run=decide, ballot=Ballot.APPROVE, reason="")
    reject = parts.add_parser("reject", help="reject a request, with your one-time code")
    reject.add_argument("--reason", default="", help="shown to the requester, and kept in the record")
    reject.set_defaults(run=decide, ballot=Ballot.REJECT, name="")
    settle = parts.add_parser("settle", help="say what became of a request, with your one-time code")
    settle.set_defaults(run=settled)
    settle.add_argument("--because", required=True, metavar="TEXT", help="what you looked at, and what you saw")
    for part in (approve, reject, settle):
        part.add_argument("request", metavar="REQUEST", help="the request's id, as X-12")
        part.add_argument("--person", metavar="NAME", help="who decides, as [terminal] names them; default: the login")
        part.add_argument("--code", default="", help="the six digits; asked for when they are left out")
    settle.add_argument("outcome", choices=("done", "failed"), help="what you found in the pool")
    return approve, reject, settle


def decide(options: argparse.Namespace) -> int:
    """Show what is decided on, then vote. :raises UserError: see :meth:`bot.engine.Engine.vote`."""
    with _asked_of(options) as (bot, actor, place, terminal, request):
        answer = bot.engine.vote(
            VoteAsk(
                request_id=request.id,
                ballot=options.ballot,
                digest=request.digest,
                actor=actor,
                place=place,
                reason=options.reason,
                typed=options.name or _typed(request, options.ballot),
                code=options.code or _asked("One-time code: "),
            )
        )
        status = terminal.show(answer)
        if isinstance(answer, Voted) and options.ballot is Ballot.APPROVE:
            return carried_on(bot, request.id)
        return status


def settled(options: argparse.Namespace) -> int:
    """Show what it is about, then say what became of it. :raises UserError: see :meth:`bot.engine.Engine.answer`."""
    with _asked_of(options) as (bot, actor, place, terminal, request):
        text = f"request settle {request.id} {options.outcome} because {options.because}"
        code = options.code or _asked("One-time code: ")
        return terminal.show(bot.engine.answer(Ask(text=text, actor=actor, place=place, code=code)))


@contextmanager
def _asked_of(options: argparse.Namespace) -> Iterator[tuple[compose.Bot, Actor, Place, Terminal, Request]]:
    """A bot, who decides, where, and what about, once it was shown.

    :raises Denied: `[terminal]` does not name them. :raises NotFound: there is no such request.
    """
    settings = config.load(options.config)
    actor, place = _deciding(settings, options.person), Place(kind="terminal", team=settings.slack.team)
    with compose.assembled(settings, OperatingSystem(settings), settings.slack.team) as bot:
        terminal = Terminal(sys.stdout)
        yield bot, actor, place, terminal, _shown(bot, options.request, actor, place, terminal)


def _deciding(settings: Settings, name: str | None) -> Actor:
    """Who decides. :raises Denied: `[terminal]` does not name them."""
    actor = person(settings, name)
    if actor is None:
        raise Denied(
            f"{quoted(name or login_name())} is not named under [terminal] in the configuration.",
            remedy=f"Say with --person who decides. Named are: {joined(sorted(settings.terminal)) or 'no one'}.",
        )
    return actor


def _shown(bot: compose.Bot, request_id: str, actor: Actor, place: Place, terminal: Terminal) -> Request:
    """The request, once it was shown. :raises NotFound: there is none."""
    request = bot.store.request(request_id)
    if request is None:
        raise NotFound(f"There is no request {quoted(request_id)}.", remedy="“pending” lists the open ones.")
    terminal.show(bot.engine.answer(Ask(text=f"request show {request.id}", actor=actor, place=place)))
    return request


def _typed(request: Request, ballot: Ballot) -> str:
    name = request.requirement.type_name
    prompt = f"Type “{name}” if you know that it is so: " if request.plan.confirm else "Type its name: "
    return _asked(prompt, hidden=False) if name and ballot is Ballot.APPROVE else ""


def _asked(prompt: str, *, hidden: bool = True) -> str:
    """What somebody types; "" where nobody can."""
    if not sys.stdin.isatty():
        return ""
    return getpass.getpass(prompt) if hidden else input(prompt)
