"""One ask from its arrival to its answer: taken once, on the log with what came of it, and never an exception."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable

from bot.answers import Answer, Bug, Opened, Problem, Repeated
from bot.errors import Denied, UserError
from bot.model import Actor

_log = logging.getLogger(__name__)


def guarded(again: Callable[[], bool], actor: Actor, what: str, work: Callable[[], Answer]) -> Answer:
    """What `work` answers, or `Repeated` where `again` says that the same delivery came before. Errors for people
    become a Problem; anything else is a bug: a reference for the person, the traceback for the log.

    The log has a line when it begins and one when it ends, with the seconds between.
    """
    began = time.monotonic()
    try:
        if again():
            return Repeated()
        _log.info("%s: %s", actor.key, what)
        answer = work()
    except UserError as error:
        if isinstance(error, Denied):
            _log.warning("denied: %s: %s: %s", actor.key, what, error.message)
        answer = Problem.of(error)
    except Exception:  # noqa: BLE001 - any defect gets a reference and a traceback; the bot goes on
        reference = secrets.token_hex(4)
        _log.exception("bug %s: %s asked: %s", reference, actor.key, what)
        answer = Bug(reference)
    _log.info("answered after %.2f s: %s", time.monotonic() - began, _told(answer))
    return answer


def _told(answer: Answer) -> str:
    if isinstance(answer, Problem):
        return f"{answer.error}: {answer.message}"
    if isinstance(answer, Opened):
        return f"{'already open' if answer.existing else 'opened'}: {answer.request_id}"
    return answer.kind
