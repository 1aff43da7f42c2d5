"""Whether a person counts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from bot.model import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether a person counts at all, by what Slack (or the operating system) says now. Guests, outsiders and the
    deactivated do not.
    """

    member: bool
    why_not: str = ""
    flaw: str = ""
    """The same as `why_not`, said of the person to others."""
    remedy: str = ""
    """What would make them count, where there is something better than to ask a member."""
    groups: frozenset[str] = frozenset()
    """Ids of the user groups that the person is in, and of the channels that they are a member of, as far as the policy
    mentions them.
    """
    groups_unknown: str = ""
    """Why groups and channels could not be asked about, in words; "" when they were."""


class People(Protocol):
    def standing(self, actor: Actor) -> Standing:
        """:raises Unavailable: it cannot be found out; who asks must then be refused."""

    def individuals(self, references: Collection[str]) -> frozenset[str]:
        """Slack's ids of the people whom these references of the policy mean, members of groups and channels included,
        as far as Slack tells. To be reminded by, never to decide by.
        """
