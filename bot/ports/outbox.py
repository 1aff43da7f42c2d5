"""What must reach Slack."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.model import Place, Report


class DeliveryKind(StrEnum):
    CARD = "card"
    """The request's one message, edited in place through its whole life."""
    NOTE = "note"
    """A reply in the card's thread."""
    ANNOUNCEMENT = "announcement"
    """A message that belongs to no request: one of its own, or in the thread of such a one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Something that must reach Slack and has not yet. `id` also goes into the message's metadata, to find it again
    after a doubtful post.
    """

    id: str
    kind: DeliveryKind
    request_id: str
    place: Place
    revision: int
    """What is wanted now. A card is rendered from the request as it is when delivered, so edits collapse by
    themselves.
    """
    ts: str
    """The message's timestamp once it was posted, else ""."""
    thread_ts: str
    """For a note: the card's timestamp; for an announcement in the thread of another: that one's."""
    body: Report | None
    attempts: int
    in_doubt: bool
    """An earlier post may have been taken: look for it (by `id`) before posting."""
    head: str = ""
    """The ledger's head (`SEQ:HASH`) when this was claimed: who sees it can tell later what was on record by then."""
    claim: int = 0
    """Which claim of it this is: one that was overtaken by another (its lease ran out) is told apart by it."""


class Outbox(Protocol):
    """What must reach Slack: stored together with the state change that caused it, delivered at least once and made to
    be seen once.
    """

    def claim(self, now: datetime, lease_seconds: float) -> Delivery | None:
        """The next due delivery, claimed for this process; None when nothing is due. A note is due only after its card,
        and in order.
        """

    def posting(self, delivery: Delivery) -> None:
        """A first post is about to be sent: from here until :meth:`delivered` or :meth:`postpone` says otherwise it is
        in doubt.
        """

    def delivered(self, delivery: Delivery, ts: str) -> None:
        """The message with `ts` shows the delivery's revision."""

    def postpone(self, delivery: Delivery, *, until: datetime, error: str, in_doubt: bool) -> None: ...

    def give_up(self, delivery: Delivery, *, error: str) -> None:
        """It can never be delivered (channel gone, not a member): kept, marked, and not tried again."""

    def next_due(self) -> datetime | None: ...
