"""The workspace: everything there is, in one place, touched only on the server's loop."""

import asyncio
from pathlib import Path
from typing import Any

from sandbox.slack import payloads
from sandbox.slack.changes import Changes
from sandbox.slack.clock import Clock
from sandbox.slack.delivery import Delivery
from sandbox.slack.directory import Channel, default_directory
from sandbox.slack.faults import Faults
from sandbox.slack.files import Files
from sandbox.slack.grants import Grants
from sandbox.slack.http_delivery import HttpDelivery
from sandbox.slack.limits import RateLimits
from sandbox.slack.messages import Message, Messages
from sandbox.slack.record import Record
from sandbox.slack.settings import Settings
from sandbox.slack.shown import message_api
from sandbox.slack.socket_mode import SocketMode
from sandbox.slack.views import View, Views

JSON = dict[str, Any]


class Workspace:
    """State and the few operations that several parts need. `base` is the server's own address, without a slash."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        record: Path | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock or Clock()
        self.directory = default_directory(settings)
        self.messages = Messages()
        self.views = Views(self.clock)
        self.grants = Grants(self.clock, settings.team_id)
        self.changes = Changes()
        self.faults = Faults()
        self.files = Files()
        self.record = Record(record)
        self.rates = RateLimits(self.clock, enabled=settings.switches.rate_limits, burst=settings.switches.post_burst)
        self.socket_mode = SocketMode(
            self.clock,
            settings.app_id,
            connection_seconds=settings.connection_seconds,
            ping_seconds=settings.ping_seconds,
            ticket_once=settings.switches.ticket_once,
        )
        self.socket_mode.on_change = lambda: self.changes.note("workspace")
        self.http = (
            HttpDelivery(settings.request_url, settings.signing_secret, settings.request_ca)
            if settings.request_url
            else None
        )
        self.delivery = Delivery(self.http or self.socket_mode, self.clock, self.faults, self.record)
        self.scheduled: dict[str, tuple[str, int]] = {}  # scheduled message → channel and epoch seconds
        self.base = ""
        self._tasks: set[asyncio.Future[Any]] = set()

    @property
    def bot(self) -> str:
        return self.settings.bot_user_id

    def is_member(self, channel: Channel) -> bool:
        return self.bot in channel.members

    def post(self, message: Message) -> Message:
        """Put a message (or an ephemeral, or a typed command) into its conversation and tell who looks at it."""
        self.messages.add(message)
        self.touched(message)
        if message.by_app:
            self._announce_in_dm(message, message_api(self.settings, self.messages, message))
        return message

    def edited(self, message: Message, before: JSON) -> None:
        """The app has changed a message; `before` is how the API showed it."""
        self.touched(message)
        after = message_api(self.settings, self.messages, message)
        self._announce_in_dm(
            message, {"subtype": "message_changed", "hidden": True, "message": after, "previous_message": before}
        )

    def remove(self, message: Message) -> None:
        before = message_api(self.settings, self.messages, message)
        self.messages.remove(message)
        self.touched(message)
        self._announce_in_dm(
            message,
            {"subtype": "message_deleted", "hidden": True, "deleted_ts": message.ts, "previous_message": before},
        )

    def touched(self, message: Message, audience: str | None = None) -> None:
        self.changes.note(message.channel, message.only_for or audience)

    def bot_message(self, channel: str, text: str, blocks: list[JSON] | None, **more: Any) -> Message:
        """A new message of the app's, not yet posted."""
        return Message(
            self.messages.new_ts(self.clock.now()),
            channel,
            self.bot,
            text,
            self.settings.team_id,
            blocks=blocks or [],
            by_app=True,
            **more,
        )

    def announce(self, kind: str, inner: JSON, *, scope: str | None = None, channel: Channel | None = None) -> None:
        """Send an event if the app subscribes to it and has the scope (Slack docs: events)."""
        if kind not in self.settings.events or (scope and scope not in self.settings.scopes):
            return
        shared = channel is not None and channel.kind == "shared"
        self.delivery.announce(payloads.event(self.settings, inner, now=self.clock.now(), ext_shared=shared))

    def _announce_in_dm(self, message: Message, facts: JSON) -> None:
        """message.im is sent for the app's own messages as well, and for their changes (Slack docs: message events)."""
        channel = self.directory.channels[message.channel]
        if channel.kind != "dm" or message.only_for is not None:
            return
        ts = self.messages.new_ts(self.clock.now()) if "subtype" in facts else message.ts
        inner = {"type": "message", "ts": ts, "event_ts": ts, "channel": channel.id, "channel_type": "im", **facts}
        self.announce("message.im", inner, scope="im:history", channel=channel)

    def view_changed(self, view: View) -> None:
        self.changes.note("views", view.person)

    def response_url(self, path: str) -> str:
        return self.base + path

    def keep(self, task: "asyncio.Future[Any]") -> None:
        """Hold on to background work until it is done, or until the workspace stops."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.delivery.stop()
        await self.socket_mode.stop()
        if self.http:
            await self.http.stop()
        self.record.close()
