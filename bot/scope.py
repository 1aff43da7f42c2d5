"""Which pools a place and a person are about: what may be seen from here, and what is meant when nobody says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.errors import Ambiguous, Choice, Denied, NotFound
from bot.grammar import near
from bot.model import Actor, Place
from bot.text import joined, quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Scopes:
    """The configuration's limits and defaults. Channels and people are Slack ids; a pool is named as the configuration
    names it.
    """

    channel_pools: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """A channel listed here is limited to these pools."""
    channel_default: Mapping[str, str] = field(default_factory=dict)
    person_default: Mapping[str, str] = field(default_factory=dict)
    approvals_channel: Mapping[str, str] = field(default_factory=dict)
    """Where a pool's requests are posted; "" or absent: where they are asked."""

    def visible(self, place: Place, names: Sequence[str]) -> tuple[str, ...]:
        """The pools that may be named here."""
        limited = self.channel_pools.get(place.channel)
        return tuple(name for name in names if limited is None or name in limited)

    def default(self, place: Place, actor: Actor, visible: Sequence[str]) -> str | None:
        """The pool that is meant when none is named: the channel's, else the person's, else the only one."""
        for choice in (
            self.channel_default.get(place.channel),
            self.person_default.get(actor.id.rpartition("/")[2]),
            visible[0] if len(visible) == 1 else None,
        ):
            if choice is not None and choice in visible:
                return choice
        return None

    def named(self, typed: str, place: Place, names: Sequence[str], before: str, after: str) -> str:
        """The pool that was typed after `in`; `before` and `after` are the rest of the line, for offers.

        :raises NotFound: no such pool. :raises Denied: this channel is limited to others.
        """
        visible = self.visible(place, names)
        for candidates in (visible, names):
            hits = [name for name in candidates if name == typed] or [
                name for name in candidates if name.casefold() == typed.casefold()
            ]
            if hits and hits[0] in visible:
                return hits[0]
            if hits:
                raise Denied(
                    f"This channel is limited to {joined(visible) if visible else 'no pool at all'}.",
                    remedy=f"Ask about {quoted(hits[0])} in another channel.",
                )
        slips = near(typed, visible) or tuple(visible[:5])
        raise NotFound(
            f"There is no pool called {quoted(typed)}.",
            remedy="These pools can be named here:" if slips else "“pool list” shows the pools.",
            choices=tuple(Choice(name, f"{before}{name}{after}") for name in slips),
        )


def which_pool(line: str, visible: Sequence[str], having: Sequence[str] | None = None) -> Ambiguous:
    """The question to ask when several pools could be meant; `having` are those that have an object of the name
    given.
    """
    offered = visible if having is None else having
    return Ambiguous(
        "Which pool is meant?",
        remedy="Pick one, or end the command with “in POOL”:",
        choices=tuple(Choice(name, f"{line} in {name}") for name in offered[:10]),
    )
