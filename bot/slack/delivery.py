"""From the outbox to Slack: cards, edited in place, and the notes in their threads. Each is posted once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from bot import logs
from bot.errors import UserError
from bot.model import Request
from bot.ports import Clock, Delivery, DeliveryKind, Outbox
from bot.slack.api import Api, InDoubt, RateLimited, Refused, SlackFailure
from bot.slack.errand import Errand, Messenger
from bot.slack.lookup import CannotLook
from bot.slack.pace import Pace
from bot.slack.places import SHARED
from bot.slack.prospects import LONGEST_BACK_OFF, Prospect, pause, prospect
from bot.slack.render.message import Message

_log = logging.getLogger(__name__)

LEASE_SECONDS = 120.0
"""Longer than looking for a message and posting it can take."""
POLL_SECONDS = 0.5
DOUBT_SECONDS = 5.0
"""How long a post whose answer was lost is given to appear before it is looked for."""
_CANNOT_LOOK_SECONDS = 900.0
_TROUBLE_SECONDS = 5.0

_ANNOUNCED_WITHIN = timedelta(days=7)
"""How far back an announcement is looked for whose post was not answered."""

Send = Callable[[Message], str]
"""Shows the message; returns its `ts`."""


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
        self._messenger = Messenger(api)
        self._outbox = outbox
        self._request = request
        self._clock = clock
        self._shared = shared
        self._pace = Pace(clock.monotonic)
        self._wake = threading.Condition()
        self._stopping = False
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

    def step(self) -> bool:
        """Deal with one due delivery. False: nothing is due.

        :raises UserError: the store cannot be used now.
        """
        delivery = self._outbox.claim(self._clock.now(), LEASE_SECONDS)
        if delivery is None:
            return False
        with logs.about(request=delivery.request_id):
            try:
                self._deal_with(delivery)
            except Exception as error:
                told = f"{delivery.kind} {delivery.id} of {delivery.request_id or delivery.place.channel}"
                error.add_note(f"{told}, revision {delivery.revision}, attempt {delivery.attempts + 1}")
                raise
        return True

    def _deal_with(self, delivery: Delivery) -> None:
        request = self._request(delivery.request_id) if delivery.request_id else None
        if request is None and delivery.kind is not DeliveryKind.ANNOUNCEMENT:
            self._outbox.give_up(delivery, error=f"there is no request {delivery.request_id}")
            return
        try:
            errand = Errand(self._messenger.addressed(delivery), request)
        except Refused as refused:
            self._outbox.give_up(delivery, error=str(refused))
            return
        except SlackFailure as failure:
            self._postpone(Errand(delivery, request), DOUBT_SECONDS, str(failure), in_doubt=delivery.in_doubt)
            return
        wait = self._turn(errand)
        if wait > 0:
            self._postpone(errand, wait, "", in_doubt=delivery.in_doubt)
        elif delivery.ts:
            self._edit(errand, delivery.ts)
        else:
            self._post(errand)

    # --- posting and editing ----------------------------------------------------------------------------------------

    def _post(self, errand: Errand) -> None:
        delivery = errand.delivery
        if delivery.in_doubt and not self._is_missing(errand):
            return
        if self._shared(delivery.place.channel):
            self._outbox.give_up(delivery, error=f"{delivery.place.channel}: {SHARED}")
            return
        self._outbox.posting(delivery)

        def send(message: Message) -> str:
            return self._messenger.post(errand, message)

        try:
            self._outbox.delivered(delivery, send(errand.message()))
        except InDoubt as failure:
            _log.warning("a post is in doubt: %s", failure)
            self._postpone(errand, DOUBT_SECONDS, str(failure), in_doubt=True)
        except SlackFailure as failure:
            self._failed(errand, failure, "chat.postMessage", send)

    def _is_missing(self, errand: Errand) -> bool:
        """Whether a post that was in doubt is not there, so that it has to be sent. Else it is dealt with: it was
        found, or is looked for again later.
        """
        delivery = errand.delivery
        try:
            opened = errand.request.opened_at if errand.request else self._clock.now() - _ANNOUNCED_WITHIN
            ts = self._messenger.look(errand, opened)
        except CannotLook as cannot:
            _log.error(
                "whether %s of %s was posted cannot be found out (%s); it is not posted again",
                delivery.kind,
                delivery.request_id,
                cannot,
            )
            self._postpone(errand, _CANNOT_LOOK_SECONDS, f"in doubt: {cannot}", in_doubt=True)
            return False
        except SlackFailure as failure:
            self._postpone(errand, pause(failure, delivery.attempts), f"in doubt: {failure}", in_doubt=True)
            return False
        if not ts:
            return True
        _log.info("%s of %s had been posted", delivery.kind, delivery.request_id)
        if errand.card:  # it may show less than there is by now; a note never changes
            self._edit(errand, ts)
        else:
            self._outbox.delivered(delivery, ts)
        return False

    def _edit(self, errand: Errand, ts: str) -> None:
        def send(message: Message) -> str:
            return self._messenger.edit(errand, ts, message)

        try:
            self._outbox.delivered(errand.delivery, send(errand.message()))
        except SlackFailure as failure:
            self._failed(errand, failure, "chat.update", send)

    # --- failures ---------------------------------------------------------------------------------------------------

    def _failed(self, errand: Errand, failure: SlackFailure, method: str, send: Send) -> None:
        """Nothing was posted (or only an edit failed): later, less, or never."""
        delivery = errand.delivery
        if isinstance(failure, RateLimited):
            self._pace.block(method, delivery.place.channel, failure.seconds)
        if not isinstance(failure, Refused):
            in_doubt = delivery.in_doubt and not delivery.ts
            self._postpone(errand, pause(failure, delivery.attempts), str(failure), in_doubt=in_doubt)
            return
        match prospect(failure, delivery.attempts):
            case Prospect.LESS:
                self._send_less(errand, failure, send)
            case Prospect.RARELY:
                _log.error("%s of %s cannot be delivered now: %s", delivery.kind, delivery.request_id, failure)
                self._postpone(errand, LONGEST_BACK_OFF, str(failure), in_doubt=False)
            case Prospect.NEVER:
                self._outbox.give_up(delivery, error=str(failure))
            case Prospect.LATER:
                self._postpone(errand, pause(failure, delivery.attempts), str(failure), in_doubt=False)

    def _send_less(self, errand: Errand, failure: Refused, send: Send) -> None:
        """Slack would not take the whole message, which is a defect of the renderer: show the least that will do."""
        delivery = errand.delivery
        _log.error("%s of %s could not be shown whole: %s", delivery.kind, delivery.request_id, failure)
        try:
            self._outbox.delivered(delivery, send(errand.less()))
        except InDoubt as doubt:
            self._postpone(errand, DOUBT_SECONDS, str(doubt), in_doubt=not delivery.ts)
        except Refused as refused:
            self._outbox.give_up(delivery, error=str(refused))
        except SlackFailure as other:
            self._postpone(errand, pause(other, delivery.attempts), str(other), in_doubt=False)

    def _postpone(self, errand: Errand, seconds: float, error: str, *, in_doubt: bool) -> None:
        until = self._clock.now() + timedelta(seconds=seconds)
        self._outbox.postpone(errand.delivery, until=until, error=error, in_doubt=in_doubt)

    # --- pace and threads -------------------------------------------------------------------------------------------

    def _turn(self, errand: Errand) -> float:
        if errand.delivery.ts:
            return self._pace.edit(errand.delivery.id, progress=errand.running)
        return self._pace.post(errand.delivery.place.channel)

    def _run(self) -> None:
        while not self._stopping:
            pause = POLL_SECONDS
            try:
                if self.step():
                    continue
            except UserError as error:
                _log.error("the outbox cannot be used: %s", error)
                pause = _TROUBLE_SECONDS
            except Exception as error:  # noqa: BLE001 - the courier goes on with the next
                _log.exception("a delivery failed by a defect (%s); its lease brings it back", type(error).__name__)
                pause = _TROUBLE_SECONDS
            with self._wake:
                if not self._stopping:
                    self._wake.wait(pause)
