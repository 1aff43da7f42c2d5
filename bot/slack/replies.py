"""Answers to whoever asked: through the response URL for their eyes only, in the thread where they asked aloud."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

from slack_sdk.errors import SlackClientError
from slack_sdk.webhook import WebhookClient

from bot.model import Report
from bot.slack.api import Api, RateLimited, Refused, SlackFailure, Unreachable, broken, retry_after
from bot.slack.origin import Origin
from bot.slack.places import Places
from bot.slack.render.answer import sentence
from bot.slack.render.message import Message
from bot.slack.sdk_log import quiet_logger
from bot.slack.uploads import Uploads

_log = logging.getLogger(__name__)

_TRIES = 4
_LONGEST_WAIT = 60.0
QUIET: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}
"""Both are needed: each stops its own kind of preview (Slack docs: link-unfurling)."""
POSTING: dict[str, Any] = {**QUIET, "parse": "none", "link_names": False}


class Replies:
    """Sends an answer once. What is known not to have been taken is tried again; what may have been is not."""

    def __init__(self, api: Api, places: Places, *, seconds: int = 15) -> None:
        self._api = api
        self._places = places
        self._seconds = seconds
        self._uploads = Uploads(api)
        self._closing = threading.Event()

    def close(self) -> None:
        """Wait for nothing any more."""
        self._closing.set()

    def send(self, origin: Origin, message: Message) -> None:
        """Never raises: an answer that cannot be given is logged."""
        for way in self._ways(origin):
            try:
                self._insist(lambda way=way: way(origin, message))  # type: ignore[misc]
                return
            except Refused as refused:
                _log.warning("an answer was refused: %s", refused)
                self._places.forget(origin.place.channel)
            except SlackFailure as failure:
                _log.error("an answer may be lost: %s", failure)
                return

    def begin(self, origin: Origin, message: Message) -> str:
        """Say that an answer is on its way: the message's timestamp where it can be edited, else "". Never raises."""
        if not self._aloud(origin):
            self.send(origin, message)
            return ""
        try:
            return self._post(origin, message)
        except SlackFailure as failure:
            _log.warning("progress is not shown: %s", failure)
            return ""

    def edit(self, origin: Origin, ts: str, message: Message) -> bool:
        """Let a message of :meth:`begin` say something else; False when it could not. Never raises."""
        try:
            self._api.call(
                "chat.update",
                channel=origin.place.channel,
                ts=ts,
                text=message.text,
                blocks=list(message.blocks),
                parse="none",
            )
        except SlackFailure as failure:
            _log.warning("an answer could not be edited: %s", failure)
            return False
        return True

    def send_files(self, origin: Origin, report: Report) -> None:
        """Show a report's files where it was asked for, for everybody there: Slack has no files for one person only.
        Never raises: whoever asked is told why there are none.
        """
        why = self._places.look(origin.place.channel).cannot_post
        if not why:
            try:
                self._uploads.share(origin.place.channel, origin.place.thread_ts, report.attachments, report.title)
                return
            except SlackFailure as failure:
                _log.warning("files could not be shown: %s", failure)
                why = _why_no_files(failure)
        self.send(origin, sentence(f"The files are not here: {why}"))

    def _ways(self, origin: Origin) -> list[Callable[[Origin, Message], object]]:
        """The ways to answer, best first; the next is tried when one is refused. Aloud only where it is known who
        listens: a channel that Slack says nothing about may be shared with outsiders.
        """
        ways: list[Callable[[Origin, Message], object]] = [self._post] if self._aloud(origin) else []
        if origin.place.thread_ts or not origin.response_url:
            ways.append(self._whisper)
        if origin.response_url:
            ways += [self._respond, self._respond_plainly]
        return ways

    def _aloud(self, origin: Origin) -> bool:
        return origin.public and not self._places.look(origin.place.channel).cannot_post

    def _insist(self, send: Callable[[], object]) -> None:
        for attempt in range(1, _TRIES + 1):
            try:
                send()
                return
            except (RateLimited, Unreachable) as failure:
                pause = failure.seconds if isinstance(failure, RateLimited) else float(attempt)
                if attempt == _TRIES or pause > _LONGEST_WAIT or self._closing.wait(pause):
                    raise

    def _post(self, origin: Origin, message: Message) -> str:
        thread = {"thread_ts": origin.place.thread_ts} if origin.place.thread_ts else {}
        posted = self._api.call(
            "chat.postMessage",
            channel=origin.place.channel,
            text=message.text,
            blocks=list(message.blocks),
            **thread,
            **POSTING,
        )
        return str(posted["ts"])

    def _whisper(self, origin: Origin, message: Message) -> None:
        """chat.postEphemeral: the only way to answer one person within a thread."""
        thread = {"thread_ts": origin.place.thread_ts} if origin.place.thread_ts else {}
        self._api.call(
            "chat.postEphemeral",
            channel=origin.place.channel,
            user=origin.user,
            text=message.text,
            blocks=list(message.blocks),
            **thread,
        )

    def _respond(self, origin: Origin, message: Message) -> None:
        self._webhook(origin.response_url, {"text": message.text, "blocks": list(message.blocks)})

    def _respond_plainly(self, origin: Origin, message: Message) -> None:
        """For blocks that Slack would not take after all: words are better than nothing."""
        self._webhook(origin.response_url, {"text": message.text})

    def _webhook(self, url: str, body: dict[str, Any]) -> None:
        """WebhookClient raises for no HTTP status: look at it. Its errors name the URL, so they are not passed on."""
        client = WebhookClient(url, timeout=self._seconds, retry_handlers=[], logger=quiet_logger())
        body |= {"response_type": "ephemeral", "replace_original": False, **QUIET}
        try:
            response = client.send_dict(body)
        except (OSError, HTTPException, SlackClientError) as error:
            raise broken("response_url", error) from None
        if response.status_code == 429:
            raise RateLimited("response_url", retry_after(response.headers))
        if response.status_code >= 500:
            raise SlackFailure(f"response_url: status {response.status_code}")
        if response.status_code != 200:
            raise Refused("response_url", response.body.strip()[:80] or str(response.status_code))


def _why_no_files(failure: SlackFailure) -> str:
    if isinstance(failure, Refused) and failure.code == "missing_scope":
        return f"the app lacks the scope {failure.needed or 'files:write'}."
    if isinstance(failure, Refused):
        return f"Slack does not take them ({failure.code})."
    return "Slack did not take them just now; ask again in a while."
