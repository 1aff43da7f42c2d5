"""One delivery's way into Slack: the message that it is, posted, edited in place, or found again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot import approval
from bot.model import Attachment, Request
from bot.ports import Delivery, DeliveryKind
from bot.slack.api import Api
from bot.slack.lookup import find, metadata
from bot.slack.render import card, report
from bot.slack.render.message import Message
from bot.slack.replies import POSTING
from bot.slack.uploads import Uploads, shown

_FILES = "files"
"""Stands for the timestamp of a message with files, which Slack does not tell; such a one is never edited."""


@dataclass(frozen=True, slots=True)
class Errand:
    """A claimed delivery and the request it tells of."""

    delivery: Delivery
    request: Request | None
    """None for an announcement."""

    @property
    def card(self) -> bool:
        return self.delivery.kind is DeliveryKind.CARD

    @property
    def running(self) -> bool:
        """Its request is at work: what is shown of it is its progress."""
        return self.request is not None and self.request.state in approval.ACTIVE_STATES

    @property
    def files(self) -> tuple[Attachment, ...]:
        """A delivery with files is these, and its title as their comment: a message of its own in Slack."""
        return self.delivery.body.attachments if self.delivery.body is not None else ()

    @property
    def thread(self) -> str:
        # A thread has one parent, also for a card within it.
        return self.delivery.place.thread_ts or self.delivery.thread_ts

    def message(self) -> Message:
        if self.delivery.body is not None:
            return report.message(self.delivery.body, self.delivery.head)
        assert self.request is not None
        return card.message(self.request, self.delivery.head)

    def less(self) -> Message:
        """The least that will do, for when Slack would not take the whole."""
        if self.card and self.request is not None:
            return card.smallest(self.request, self.delivery.head)
        return Message(self.message().text, ())


class Messenger:
    """Runs errands. Every method raises :class:`bot.slack.api.SlackFailure`, of which InDoubt says that it may have
    been done all the same.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._uploads = Uploads(api)
        self._doors: dict[str, str] = {}
        """The conversation with each person, by their id."""

    def addressed(self, delivery: Delivery) -> Delivery:
        """What is for a person goes into the bot's conversation with them."""
        person = delivery.place.channel
        if person[:1] not in ("U", "W"):
            return delivery
        if person not in self._doors:
            self._doors[person] = str(self._api.call("conversations.open", users=person)["channel"]["id"])
        return replace(delivery, place=replace(delivery.place, channel=self._doors[person]))

    def look(self, errand: Errand, since: datetime) -> str:
        """The `ts` of the message if it was posted since then; "" when it was not.

        :raises CannotLook: it cannot be told.
        """
        if errand.files:
            there = shown(self._api, errand.delivery.place.channel, errand.thread, errand.files, since)
            return _FILES if there else ""
        return find(self._api, errand.delivery, since)

    def post(self, errand: Errand, message: Message) -> str:
        """The new message's `ts`."""
        delivery = errand.delivery
        if errand.files:
            assert delivery.body is not None
            self._uploads.share(delivery.place.channel, errand.thread, errand.files, delivery.body.title)
            return _FILES
        extra: dict[str, Any] = {"thread_ts": errand.thread} if errand.thread else {}
        posted = self._api.call(
            "chat.postMessage",
            channel=delivery.place.channel,
            text=message.text,
            blocks=list(message.blocks),
            metadata=metadata(delivery),
            **extra,
            **POSTING,
        )
        return str(posted["ts"])

    def edit(self, errand: Errand, ts: str, message: Message) -> str:
        """Can be done again without harm: it says what there is, not what is new."""
        self._api.call(
            "chat.update",
            channel=errand.delivery.place.channel,
            ts=ts,
            text=message.text,
            blocks=list(message.blocks),
            parse="none",
        )
        return ts
