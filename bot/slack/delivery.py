"""From the outbox to Slack: cards, edited in place, and the notes in their threads. Each is posted once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot import approval, logs
from bot.errors import UserError
from bot.model import Attachment, Request
from bot.ports import Clock, Delivery, DeliveryKind, Outbox
from bot.slack.api import Api, InDoubt, RateLimited, Refused, SlackFailure
from bot.slack.lookup import CannotLook, find, metadata
from bot.slack.pace import Pace
from bot.slack.places import SHARED
from bot.slack.render import card, report
from bot.slack.render.message import Message
from bot.slack.replies import POSTING
from bot.slack.uploads import Uploads, shown

_log = logging.getLogger(__name__)

LEASE_SECONDS = 120.0
"""Longer than looking for a message and posting it can take."""
POLL_SECONDS = 0.5
DOUBT_SECONDS = 5.0
"""How long a post whose answer was lost is given to appear before it is looked for."""
_LONGEST_BACK_OFF = 300.0
_CANNOT_LOOK_SECONDS = 900.0
_MOST_ATTEMPTS = 12
_TROUBLE_SECONDS = 5.0

_ANNOUNCED_WITHIN = timedelta(days=7)
"""How far back an announcement is looked for whose post was not answered."""

_FILES = "files"
"""Stands for the timestamp of a message with files, which Slack does not tell; such a one is never edited."""

_HOPELESS = frozenset(
    {
        "posting_to_channel_denied",
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "is_inactive",
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "thread_not_found",
        "cannot_reply_to_message",
        "messages_tab_disabled",
        "user_disabled",
    }
)
"""Slack will never take it: the conversation or the message is gone, or the bot may not be there."""
_CURABLE = frozenset(
    {
        "missing_scope",
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "no_permission",
        "access_denied",
        "team_access_not_granted",
        "ekm_access_denied",
    }
)
"""Somebody can put it right at Slack: tried for ever, rarely."""
_UNSHOWABLE = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "invalid_arguments"}
)


@dataclass(frozen=True, slots=True)
class _Job:
    """A claimed delivery and the request it tells of."""

    delivery: Delivery
    request: Request | None
    """None for an announcement."""

    @property
    def card(self) -> bool:
        return self.delivery.kind is DeliveryKind.CARD

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


class Courier:
    """Delivers what the outbox holds, on its own threads. `shared` says whether people of another organisation would
    read what is posted in a channel: there nothing is.
    """

    def __init__(
        self,
        api: Api,
        outbox: Outbox,
        request: Callable[[str], Request | None],
        clock: Clock,
        *,
        threads: int = 2,
        shared: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._api = api
        self._outbox = outbox
        self._request = request
        self._clock = clock
        self._uploads = Uploads(api)
        self._shared = shared
        self._pace = Pace(clock.monotonic)
        self._wake = threading.Condition()
        self._stopping = False
        self._doors: dict[str, str] = {}
        """The conversation with each person, by their id."""
        self._threads = [
            threading.Thread(target=self._run, name=f"slack-courier-{number}", daemon=True) for number in range(threads)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Finish what is being sent; the rest waits in the outbox."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def check(self) -> str:
        """Why nothing is delivered any more, "" while it is."""
        dead = [thread.name for thread in self._threads if not thread.is_alive()]
        return f"the thread {dead[0]} has ended" if dead and not self._stopping else ""

    def wake(self) -> None:
        """There is something new: look now rather than in half a second."""
        with self._wake:
            self._wake.notify()

    def step(self) -> bool:
        """Deal with one due delivery. False: nothing is due.

        :raises UserError: the store cannot be used now.
        """
        delivery = self._outbox.claim(self._clock.now(), LEASE_SECONDS)
        if delivery is None:
            return False
        with logs.about(request=delivery.request_id):
            self._deal_with(delivery)
        return True

    def _deal_with(self, delivery: Delivery) -> None:
        request = self._request(delivery.request_id) if delivery.request_id else None
        if request is None and delivery.kind is not DeliveryKind.ANNOUNCEMENT:
            self._outbox.give_up(delivery, error=f"there is no request {delivery.request_id}")
            return
        try:
            job = _Job(self._addressed(delivery), request)
        except Refused as refused:
            self._outbox.give_up(delivery, error=str(refused))
            return
        except SlackFailure as failure:
            self._postpone(_Job(delivery, request), DOUBT_SECONDS, str(failure), in_doubt=delivery.in_doubt)
            return
        wait = self._turn(job)
        if wait > 0:
            self._postpone(job, wait, "", in_doubt=delivery.in_doubt)
        elif delivery.ts:
            self._edit(job, delivery.ts)
        else:
            self._post(job)

    def _addressed(self, delivery: Delivery) -> Delivery:
        """What is for a person goes into the bot's conversation with them. :raises SlackFailure: there is none."""
        person = delivery.place.channel
        if person[:1] not in ("U", "W"):
            return delivery
        if person not in self._doors:
            self._doors[person] = str(self._api.call("conversations.open", users=person)["channel"]["id"])
        return replace(delivery, place=replace(delivery.place, channel=self._doors[person]))

    # --- posting and editing ----------------------------------------------------------------------------------------

    def _post(self, job: _Job) -> None:
        delivery = job.delivery
        if delivery.in_doubt:
            try:
                opened = job.request.opened_at if job.request else self._clock.now() - _ANNOUNCED_WITHIN
                ts = self._look(job, opened)
            except CannotLook as cannot:
                _log.error(
                    "whether %s of %s was posted cannot be found out (%s); it is not posted again",
                    delivery.kind,
                    delivery.request_id,
                    cannot,
                )
                self._postpone(job, _CANNOT_LOOK_SECONDS, f"in doubt: {cannot}", in_doubt=True)
                return
            except SlackFailure as failure:
                self._postpone(job, _pause(job, failure), f"in doubt: {failure}", in_doubt=True)
                return
            if ts:
                _log.info("%s of %s had been posted", delivery.kind, delivery.request_id)
                self._found(job, ts)
                return
        if self._shared(delivery.place.channel):
            self._outbox.give_up(delivery, error=f"{delivery.place.channel}: {SHARED}")
            return
        self._outbox.posting(delivery)
        try:
            self._outbox.delivered(delivery, self._send_new(job, job.message()))
        except InDoubt as failure:
            _log.warning("a post is in doubt: %s", failure)
            self._postpone(job, DOUBT_SECONDS, str(failure), in_doubt=True)
        except SlackFailure as failure:
            self._failed(job, failure, "chat.postMessage", self._send_new)

    def _look(self, job: _Job, since: datetime) -> str:
        if job.files:
            there = shown(self._api, job.delivery.place.channel, job.thread, job.files, since)
            return _FILES if there else ""
        return find(self._api, job.delivery, since)

    def _found(self, job: _Job, ts: str) -> None:
        """It was posted after all. A card may show less than there is by now; a note never changes."""
        if job.card:
            self._edit(job, ts)
        else:
            self._outbox.delivered(job.delivery, ts)

    def _edit(self, job: _Job, ts: str) -> None:
        """An edit can be sent again without harm: it says what there is, not what is new."""

        def send(job: _Job, message: Message) -> str:
            self._api.call(
                "chat.update",
                channel=job.delivery.place.channel,
                ts=ts,
                text=message.text,
                blocks=list(message.blocks),
                parse="none",
            )
            return ts

        try:
            self._outbox.delivered(job.delivery, send(job, job.message()))
        except SlackFailure as failure:
            self._failed(job, failure, "chat.update", send)

    def _send_new(self, job: _Job, message: Message) -> str:
        delivery = job.delivery
        if job.files:
            assert delivery.body is not None
            self._uploads.share(delivery.place.channel, job.thread, job.files, delivery.body.title)
            return _FILES
        extra: dict[str, Any] = {"thread_ts": job.thread} if job.thread else {}
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

    # --- failures ---------------------------------------------------------------------------------------------------

    def _failed(self, job: _Job, failure: SlackFailure, method: str, send: Callable[[_Job, Message], str]) -> None:
        """Nothing was posted (or only an edit failed): later, less, or never."""
        delivery = job.delivery
        if isinstance(failure, RateLimited):
            self._pace.block(method, delivery.place.channel, failure.seconds)
        if not isinstance(failure, Refused):
            self._postpone(job, _pause(job, failure), str(failure), in_doubt=delivery.in_doubt and not delivery.ts)
        elif failure.code in _UNSHOWABLE:
            self._send_less(job, failure, send)
        elif failure.code in _CURABLE:
            _log.error("%s of %s cannot be delivered now: %s", delivery.kind, delivery.request_id, failure)
            self._postpone(job, _LONGEST_BACK_OFF, str(failure), in_doubt=False)
        elif failure.code in _HOPELESS or failure.code.startswith("restricted_action") or _worn_out(job):
            self._outbox.give_up(delivery, error=str(failure))
        else:
            self._postpone(job, _pause(job, failure), str(failure), in_doubt=False)

    def _send_less(self, job: _Job, failure: Refused, send: Callable[[_Job, Message], str]) -> None:
        """Slack would not take the whole message, which is a defect of the renderer: show the least that will do."""
        _log.error("%s of %s could not be shown whole: %s", job.delivery.kind, job.delivery.request_id, failure)
        try:
            self._outbox.delivered(job.delivery, send(job, job.less()))
        except InDoubt as doubt:
            self._postpone(job, DOUBT_SECONDS, str(doubt), in_doubt=not job.delivery.ts)
        except Refused as refused:
            self._outbox.give_up(job.delivery, error=str(refused))
        except SlackFailure as other:
            self._postpone(job, _pause(job, other), str(other), in_doubt=False)

    def _postpone(self, job: _Job, seconds: float, error: str, *, in_doubt: bool) -> None:
        until = self._clock.now() + timedelta(seconds=seconds)
        self._outbox.postpone(job.delivery, until=until, error=error, in_doubt=in_doubt)

    # --- pace and threads -------------------------------------------------------------------------------------------

    def _turn(self, job: _Job) -> float:
        if job.delivery.ts:
            running = job.request is not None and job.request.state in approval.ACTIVE_STATES
            return self._pace.edit(job.delivery.id, progress=running)
        return self._pace.post(job.delivery.place.channel)

    def _run(self) -> None:
        while not self._stopping:
            pause = POLL_SECONDS
            try:
                if self.step():
                    continue
            except UserError as error:
                _log.error("the outbox cannot be used: %s", error)
                pause = _TROUBLE_SECONDS
            except Exception:  # noqa: BLE001 - the courier goes on with the next
                _log.exception("a delivery failed by a defect; its lease brings it back")
                pause = _TROUBLE_SECONDS
            with self._wake:
                if not self._stopping:
                    self._wake.wait(pause)


def _pause(job: _Job, failure: SlackFailure) -> float:
    """What Slack says, or longer each time."""
    if isinstance(failure, RateLimited):
        return failure.seconds
    return float(min(2 ** min(job.delivery.attempts, 10), _LONGEST_BACK_OFF))


def _worn_out(job: _Job) -> bool:
    return job.delivery.attempts >= _MOST_ATTEMPTS
