"""Files: Slack wants three calls for one (Slack docs: files.getUploadURLExternal, files.completeUploadExternal).

Only the last of them shows anything; what was sent before it is nobody's business and may be sent again.
"""

from __future__ import annotations

import urllib.parse
import urllib.request
from collections.abc import Sequence
from datetime import datetime
from http.client import HTTPException
from typing import Any

from bot.model import Attachment
from bot.slack.api import Api, InDoubt, Refused, SlackFailure, broken
from bot.slack.render.escape import fallback, line

_TITLE = 200
_ALT = 1000
"""Slack refuses longer alternative texts (alt_txt_too_large)."""


class _Nowhere(urllib.request.HTTPRedirectHandler):
    """What is uploaded goes where Slack said, and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Uploads:
    """Shows files in a conversation."""

    def __init__(self, api: Api, seconds: float = 60.0) -> None:
        self._api = api
        self._seconds = seconds
        self._opener = urllib.request.build_opener(_Nowhere)

    def share(self, channel: str, thread_ts: str, files: Sequence[Attachment], comment: str) -> str:
        """Upload the files and show them as one message; returns the first file's id.

        :raises Refused, RateLimited, Unreachable: nothing is shown.
        :raises InDoubt: they may be shown: :func:`shown` tells.
        :raises ValueError: there are no files.
        """
        if not files:
            raise ValueError("there is nothing to upload")
        sent = []
        for file in files:
            try:
                sent.append({"id": self._send(file), "title": line(file.title, _TITLE)})
            except InDoubt as failure:
                # Nothing is shown yet, so there is nothing to be in doubt about.
                raise SlackFailure(str(failure)) from failure
        thread = {"thread_ts": thread_ts} if thread_ts else {}
        self._api.call(
            "files.completeUploadExternal",
            files=sent,
            channel_id=channel,
            initial_comment=fallback(comment),
            **thread,
        )
        return sent[0]["id"]

    def _send(self, file: Attachment) -> str:
        data = file.data
        alt = {"alt_txt": line(file.alt, _ALT)} if file.alt else {}
        place = self._api.call("files.getUploadURLExternal", filename=file.name, length=len(data), **alt)
        url = str(place["upload_url"])
        if urllib.parse.urlsplit(url).scheme not in ("https", "http"):
            raise Refused("files.getUploadURLExternal", "invalid_upload_url")
        request = urllib.request.Request(url, data, {"Content-Type": "application/octet-stream"}, method="POST")  # noqa: S310 - the scheme was checked
        try:
            with self._opener.open(request, timeout=self._seconds) as answer:
                answer.read(1024)
        except (OSError, HTTPException) as error:
            raise broken("the upload", error) from None
        return str(place["file_id"])


def shown(api: Api, channel: str, thread_ts: str, files: Sequence[Attachment], since: datetime) -> bool:
    """Does the thread (or the channel, since then) show a message with all these files? Their names tell: nobody else
    posts such.

    :raises SlackFailure: it cannot be told now.
    """
    wanted = {file.name for file in files}
    where: dict[str, Any] = {"channel": channel, "limit": 200}
    where |= {"ts": thread_ts} if thread_ts else {"oldest": f"{since.timestamp():.6f}"}
    while True:
        page = api.call("conversations.replies" if thread_ts else "conversations.history", **where)
        for message in page.get("messages") or ():
            if wanted <= {str(each.get("name")) for each in message.get("files") or ()}:
                return True
        where["cursor"] = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not where["cursor"]:
            return False
