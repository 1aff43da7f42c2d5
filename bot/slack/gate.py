"""Who may talk to the bot at all: payloads of our workspace for our app, and nobody else's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from slack_bolt import BoltResponse

from bot.slack.origin import team_of

_log = logging.getLogger(__name__)


class Gate:
    """Bolt middleware before everything but the signature check.

    A person of another workspace in a shared channel is not stopped here: that payload is still ours, and the engine
    refuses the person with an answer and a record.
    """

    def __init__(self, team: str, app: str, forged: Callable[[str], None]) -> None:
        self._team = team
        self._app = app
        self._forged = forged

    def __call__(self, body: dict[str, Any], next: Callable[[], BoltResponse]) -> BoltResponse:
        if body.get("type") == "url_verification":  # names neither; answered with its own challenge
            return next()
        team, app = team_of(body), str(body.get("api_app_id") or "")
        if team != self._team:
            return self._refuse(body, f"for workspace {team or '(none)'}")
        if self._app and app != self._app:
            return self._refuse(body, f"for app {app or '(none)'}")
        return next()

    def _refuse(self, body: dict[str, Any], why: str) -> BoltResponse:
        told = f"{str(body.get('type') or body.get('command') or '?')[:40]} {why[:60]}"
        _log.warning("a payload was refused: %s", told)
        self._forged(told)
        return BoltResponse(status=403, body={"error": "not for this workspace"})
