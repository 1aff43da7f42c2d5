"""What Slack lends an app for a short while: trigger ids (one use, 3 s) and response URLs (5 uses, 30 min)."""

import secrets
from dataclasses import dataclass
from typing import Literal

from sandbox.slack.clock import Clock
from sandbox.slack.errors import ApiError, invalid_arguments

TRIGGER_SECONDS = 3.0  # Slack docs: interactivity/handling, "expires within 3 seconds"
RESPONSE_URL_USES = 5  # same page
RESPONSE_URL_SECONDS = 30 * 60.0  # same page


@dataclass
class Trigger:
    id: str
    person: str
    made: float
    view_id: str | None  # the modal it was pressed in
    used: bool = False


@dataclass
class ResponseUrl:
    """One response URL: where its messages go, and the message it replaces (`ts`), if it came from one."""

    path: str
    channel: str
    person: str
    made: float
    ts: str | None = None
    uses: int = 0


class Grants:
    def __init__(self, clock: Clock, team_id: str) -> None:
        self._clock = clock
        self._team = team_id
        self._triggers: dict[str, Trigger] = {}
        self._urls: dict[str, ResponseUrl] = {}
        self._serial = secrets.randbelow(10**9) + 10**9

    def new_trigger(self, person: str, view_id: str | None = None) -> str:
        self._serial += 1
        name = f"{self._serial}.{secrets.randbelow(10**9) + 10**9}.{secrets.token_hex(16)}"
        self._triggers[name] = Trigger(name, person, self._clock.now(), view_id)
        return name

    def trigger(self, name: str | None) -> Trigger:
        """The trigger if it can be exchanged now; `spend` it when the rest of the call is in order.

        Raises: invalid_arguments (not the shape of one), invalid_, exchanged_ and expired_trigger_id (views.open).
        """
        parts = (name or "").split(".")
        if len(parts) != 3 or not (parts[0].isdigit() and parts[1].isdigit() and parts[2]):
            raise invalid_arguments("invalid `trigger_id` [json-pointer:/trigger_id]")
        trigger = self._triggers.get(name or "")
        if trigger is None:
            raise ApiError("invalid_trigger_id")
        if trigger.used:
            raise ApiError("exchanged_trigger_id")
        if self._clock.now() - trigger.made > TRIGGER_SECONDS:
            raise ApiError("expired_trigger_id")
        return trigger

    @staticmethod
    def spend(trigger: Trigger) -> None:
        trigger.used = True

    def new_response_url(
        self, kind: Literal["commands", "actions", "app"], person: str, channel: str, ts: str | None = None
    ) -> str:
        """The path of a new response URL; the server puts its own address in front."""
        path = f"/{kind}/{self._team}/{secrets.randbelow(10**12) + 10**12}/{secrets.token_urlsafe(18)}"
        self._urls[path] = ResponseUrl(path, channel, person, self._clock.now(), ts)
        return path

    def use_response_url(self, path: str) -> ResponseUrl:
        """Count one use. Raises ApiError no_service, expired_url or used_url (the last two names are inferred)."""
        url = self._urls.get(path)
        if url is None:
            raise ApiError("no_service")
        if self._clock.now() - url.made > RESPONSE_URL_SECONDS:
            raise ApiError("expired_url")
        if url.uses >= RESPONSE_URL_USES:
            raise ApiError("used_url")
        url.uses += 1
        return url
