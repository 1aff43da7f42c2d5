"""Signed HTTP delivery: what Slack does for an app that has a request URL.

Sources: Slack docs verifying-requests-from-slack, apis/events-api; slack_sdk.signature for what is checked.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
import ssl
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

from sandbox.slack.delivery import Answer, Parcel
from sandbox.slack.reading import read_json

JSON = dict[str, Any]
FORM = "application/x-www-form-urlencoded"


def signature(signing_secret: str, timestamp: str, body: bytes) -> str:
    """`v0=` and the hex HMAC-SHA256 of `v0:{timestamp}:{body}`."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(signing_secret.encode(), base, hashlib.sha256).hexdigest()


class HttpDelivery:
    """The transport for an app with a request URL; everything goes to that one URL.

    The signature's timestamp is the machine's time, not the workspace's: the app compares it with its own clock.
    A certificate that is not valid for the URL is an app that cannot be reached (Slack docs: events-api, request URLs).
    """

    def __init__(self, request_url: str, signing_secret: str, ca: Path | None = None) -> None:
        """`ca`: the authorities (PEM) that https certificates are checked with instead of the system's."""
        self.request_url = request_url
        self._secret = signing_secret
        self._trust = ssl.create_default_context(cafile=ca)
        self._session: aiohttp.ClientSession | None = None

    def send(self, parcel: Parcel) -> "asyncio.Future[Answer]":
        return asyncio.ensure_future(self._post(parcel))

    async def verify_url(self) -> bool:
        """The handshake of a new request URL: the app must send back the challenge (url_verification)."""
        challenge = secrets.token_urlsafe(24)
        body = json.dumps({"type": "url_verification", "challenge": challenge}).encode()
        answer = await self._exchange(body, {"Content-Type": "application/json"})
        return answer.ok and answer.payload in (challenge, {"challenge": challenge}, {"text": challenge})

    async def stop(self) -> None:
        if self._session:
            await self._session.close()

    async def _post(self, parcel: Parcel) -> Answer:
        headers = {"Content-Type": FORM}
        if parcel.kind == "slash_commands":
            body = urlencode(parcel.payload).encode()
        elif parcel.kind == "interactive":
            body = urlencode({"payload": json.dumps(parcel.payload)}).encode()
        else:
            headers = {"Content-Type": "application/json"}
            body = json.dumps(parcel.payload).encode()
            if parcel.retry:
                reason = {"timeout": "http_timeout"}.get(parcel.retry_reason, parcel.retry_reason)
                headers |= {"X-Slack-Retry-Num": str(parcel.retry), "X-Slack-Retry-Reason": reason}
        return await self._exchange(body, headers)

    async def _exchange(self, body: bytes, headers: dict[str, str]) -> Answer:
        stamp = str(int(time.time()))
        signed = {
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature(self._secret, stamp, body),
        }
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        try:
            async with self._session.post(
                self.request_url, data=body, headers=headers | signed, ssl=self._trust
            ) as response:
                text = await response.text()
                no_retry = response.headers.get("X-Slack-No-Retry") == "1"
                if response.status != 200:
                    return Answer("refused", stop_retries=no_retry)
                return Answer("acknowledged", _payload(text, response.content_type))
        except TimeoutError:
            return Answer("timeout")
        except (aiohttp.ClientError, OSError):
            return Answer("unreachable")


def _payload(text: str, content_type: str) -> Any:
    """A JSON answer as it is, other text as a message's text, nothing as a bare acknowledgement."""
    if not text.strip():
        return None
    if content_type == "application/json":
        try:
            return read_json(text)
        except ValueError:
            return {"malformed": text}
    return {"text": text}
