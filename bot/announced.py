"""What is said of a request besides its card, in other channels."""

from __future__ import annotations

from collections.abc import Iterator

from bot.model import Level, Line, Lines, Place, Report, State, Suggestion
from bot.policy import Rules
from bot.ports import NewRequest
from bot.scope import Scopes
from bot.text import quoted


def besides(
    request_id: str, new: NewRequest, rules: Rules, scopes: Scopes, team: str
) -> Iterator[tuple[Place, Report]]:
    """Where others see it, however late they look: an emergency, and what is about a pool whose requests are decided
    somewhere else than where the card is.
    """
    if new.requirement.emergency and rules.emergency_channel:
        yield Place(kind="slack", team=team, channel=rules.emergency_channel), _alarm(request_id, new)
    channels = {scopes.approvals_channel.get(each.pool.name, "") for each in new.plan.elsewhere}
    for channel in sorted(channels - {"", new.place.channel}):
        yield Place(kind="slack", team=team, channel=channel), _pointer(request_id, new)


def _alarm(request_id: str, new: NewRequest) -> Report:
    who = new.actor.name or new.actor.id
    return Report(
        title=f"EMERGENCY in {quoted(new.plan.pool.name)}: {new.plan.title}",
        level=Level.BAD,
        summary=f"{quoted(who)} acts without a second person, and says why: {new.requirement.emergency}",
        parts=(Lines(lines=(Line(text=f"Request {request_id}, asked as: {new.text}"),)),),
        suggestions=(Suggestion("Show it", f"request show {request_id}"),),
    )


def _pointer(request_id: str, new: NewRequest) -> Report:
    """A request has one card; who looks elsewhere is told where."""
    who, pool = quoted(new.actor.name or new.actor.id), quoted(new.plan.pool.name)
    waits = f"It waits for {new.requirement.who}" if new.state is State.WAITING else "It needs no approval"
    return Report(
        title=f"Request {request_id}: {new.plan.title}",
        level=Level.INFO,
        summary=f"{who} asked for it. {waits}; its own message is where requests for {pool} are decided.",
        suggestions=(Suggestion("Show it", f"request show {request_id}"),),
    )
