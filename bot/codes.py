"""One-time codes (TOTP, RFC 6238): what somebody knows whom a stolen Slack session or a shared login does not make.

A code counts once, and only so many may be tried; both hold across processes and restarts, since what was seen is in
the store.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyotp

from bot.errors import Denied
from bot.model import Actor

log = logging.getLogger(__name__)

TRIES = 10
"""Codes that a person may give in :data:`PERIOD`. Three hold at any moment, so that whoever guesses all day long is
right with a chance of 0.3 %.
"""
PERIOD = 15 * 60
"""Seconds."""
SKEW = 1
"""Steps of 30 seconds by which a person's clock may differ (RFC 6238, 5.2)."""

_CODE = re.compile(r"\d{6}\Z")


@dataclass(frozen=True, slots=True)
class OneTimeCodes:
    """`secrets` are by Slack user id, in base32, read when they are needed. `first_sight` is that of the store: true
    exactly once for a key.
    """

    secrets: Mapping[str, Callable[[], str]]
    first_sight: Callable[[str, datetime], bool]

    def check(self, actor: Actor, code: str, now: datetime) -> None:
        """Use up a person's code.

        :raises Denied: it is not their code of this moment, was used before, or too many were tried.
        :raises UserError: their secret cannot be read.
        """
        user = actor.id.rpartition("/")[2] if actor.kind == "slack" else ""
        secret = self.secrets.get(user)
        if secret is None:
            raise Denied(
                "This takes your one-time code, and none is set up for you.",
                remedy=f"Whoever runs the bot can name your secret under people.{user or 'U…'} as one_time_code.",
            )
        typed = "".join(code.split())
        if not _CODE.match(typed):
            said = "That is no code." if typed else "None was given."
            raise Denied(f"This takes your one-time code. {said}", remedy="Your authenticator app shows six digits.")
        self._count(user, now)
        step = _step(secret(), typed, now)
        if step is None:
            raise Denied(
                "That is not your one-time code of this moment.",
                remedy="Take the one that your app shows now. If it never fits, compare the clocks.",
            )
        if not self.first_sight(f"code:{user}:{step}", now):
            raise Denied("This code was used before; each counts once.", remedy="Wait for the next one: half a minute.")

    def _count(self, user: str, now: datetime) -> None:
        period = int(now.timestamp()) // PERIOD
        if not any(self.first_sight(f"code-try:{user}:{period}:{number}", now) for number in range(TRIES)):
            log.warning("%d one-time codes of %s were tried within %d s", TRIES, user, PERIOD)
            raise Denied(
                "Too many one-time codes were tried for you.",
                remedy=f"Wait up to {PERIOD // 60} minutes. If it was not you, tell whoever runs the bot.",
            )


def _step(secret: str, typed: str, now: datetime) -> int | None:
    """The step of time whose code this is, among those that hold now."""
    try:
        maker = pyotp.TOTP("".join(secret.split()))
        steps = {step: maker.generate_otp(step) for step in _steps(maker.timecode(now))}
    except ValueError as error:  # binascii.Error is one; its text could quote the secret
        raise Denied(
            "Your one-time code cannot be checked: the secret that is set up for you is not one.",
            remedy="It has to be base32 of at least 112 bits. Tell whoever runs the bot.",
        ) from error.with_traceback(None)
    return next((step for step, code in steps.items() if pyotp.utils.strings_equal(code, typed)), None)


def _steps(now: int) -> range:
    return range(now - SKEW, now + SKEW + 1)


NO_CODES = OneTimeCodes({}, lambda _key, _at: False)
"""Nobody has one."""
