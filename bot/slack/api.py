"""Slack's Web API as the bot uses it: one place that knows which methods there are, and what a failure of one means."""

from __future__ import annotations

import re
import socket
import urllib.error
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from bot.slack.sdk_log import quiet_logger

METHODS: dict[str, tuple[str, ...]] = {
    "auth.test": (),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "views.open": (),
    "views.update": (),
    "users.info": ("users:read",),
    "usergroups.users.list": ("usergroups:read",),
    "conversations.info": ("channels:read", "groups:read", "im:read"),
    "conversations.list": ("channels:read", "groups:read"),
    "conversations.members": ("channels:read", "groups:read"),
    "conversations.open": ("im:write",),
    "conversations.history": ("channels:history", "groups:history", "im:history"),
    "conversations.replies": ("channels:history", "groups:history", "im:history"),
    "files.getUploadURLExternal": ("files:write",),
    "files.completeUploadExternal": ("files:write",),
    "apps.connections.open": (),
}
"""The methods that the bot calls, each with the bot scopes it takes: the manifest asks for these and no others."""

_IN_DOUBT = frozenset({"fatal_error", "internal_error", "service_unavailable", "request_timeout"})
_CODE = re.compile(r"[a-z0-9_]+")
_DEFAULT_RETRY_AFTER = 30.0


class SlackFailure(Exception):
    """A call that did not do what it was for. The text is for the log."""


class Refused(SlackFailure):
    """Slack answered no: nothing was done. `code` is Slack's name of the error."""

    def __init__(self, method: str, code: str, detail: str = "", needed: str = "") -> None:
        super().__init__(f"{method}: {code}{f' ({detail})' if detail else ''}")
        self.code = code
        self.needed = needed
        """For missing_scope: the scopes of which one would do."""


class RateLimited(SlackFailure):
    """Nothing was done; it may be tried again after `seconds`."""

    def __init__(self, method: str, seconds: float) -> None:
        super().__init__(f"{method}: rate limited for {seconds:g} s")
        self.seconds = seconds


class Unreachable(SlackFailure):
    """No connection came about: nothing was sent."""


class InDoubt(SlackFailure):
    """The request left and its answer is missing or says nothing: it may have been done."""


class Api:
    """A WebClient that never sends a call twice by itself: slack_sdk re-sends after a connection error by default."""

    def __init__(self, client: WebClient) -> None:
        if client.retry_handlers:
            raise ValueError("the client must not retry by itself")
        self.client = client

    def call(self, method: str, **arguments: Any) -> SlackResponse:
        """One call, sent at most once.

        :raises Refused, RateLimited, Unreachable, InDoubt: see there.
        :raises KeyError: the method is not in METHODS (a bug: the manifest would not ask for its scope).
        """
        METHODS[method]
        try:
            return getattr(self.client, method.replace(".", "_"))(**arguments)  # type: ignore[no-any-return]
        except SlackApiError as error:
            raise _refusal(method, error.response) from error
        except (OSError, HTTPException, SlackClientError) as error:
            raise broken(method, error) from error


def web_client(token: str, base_url: str, seconds: int) -> WebClient:
    """A client without retries. Its log keeps quiet below INFO: requests may carry response URLs."""
    return WebClient(
        token=token,
        base_url=base_url if base_url.endswith("/") else base_url + "/",
        timeout=seconds,
        retry_handlers=[],
        logger=quiet_logger(),
    )


def broken(what: str, error: BaseException) -> SlackFailure:
    """What a broken connection means: whether the request can have left."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, ConnectionRefusedError | socket.gaierror):
        return Unreachable(f"{what}: {type(cause).__name__}")
    return InDoubt(f"{what}: {type(cause).__name__}: {cause}")


def _refusal(method: str, response: Any) -> SlackFailure:
    status = getattr(response, "status_code", 0)
    data = response.data if isinstance(getattr(response, "data", None), dict) else {}
    code = str(data.get("error") or "")
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return RateLimited(method, retry_after(getattr(response, "headers", None)))
    if status >= 500 or code in _IN_DOUBT or not _CODE.fullmatch(code):
        return InDoubt(f"{method}: status {status}, {code[:80] or 'no error named'}")
    messages = (data.get("response_metadata") or {}).get("messages") or ()
    return Refused(method, code, "; ".join(map(str, messages))[:500], str(data.get("needed") or ""))


def retry_after(headers: Any) -> float:
    """Seconds of the Retry-After header, whatever the case of its name; a default when it is missing or no number."""
    for name, value in dict(headers or {}).items():
        if name.lower() == "retry-after":
            try:
                return max(float(value[0] if isinstance(value, list) else value), 1.0)
            except (ValueError, IndexError):
                break
    return _DEFAULT_RETRY_AFTER
