"""What the listeners share: the engine's desk, the ways to answer, the threads."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bot import logs, progress
from bot.answers import Answer, Ask, Bug, Opened, Shown
from bot.slack.api import Api
from bot.slack.desk import Desk
from bot.slack.listeners.long import LongAnswer
from bot.slack.origin import Origin
from bot.slack.people import SlackPeople
from bot.slack.places import Places
from bot.slack.render import answer as rendered
from bot.slack.render import problem
from bot.slack.replies import Replies
from bot.slack.shares import Threads
from bot.slack.workers import Workers, after_ack

_log = logging.getLogger(__name__)

_TOO_LATE = "I am just being stopped, so nothing was done. Please ask or press again in a minute."


@dataclass(frozen=True)
class Office:
    desk: Desk
    api: Api
    replies: Replies
    places: Places
    people: SlackPeople
    workers: Workers

    def later(self, pool: Threads, origin: Origin, work: Callable[[], None]) -> None:
        """Do `work` once the payload is acknowledged."""
        after_ack(pool, self.guarded(origin, work))

    def guarded(self, origin: Origin, work: Callable[[], None]) -> Callable[[], None]:
        """`work` whose defects are logged, and told to whoever asked as a reference; or, if it is too late to begin,
        the word that it was not done.
        """

        def run() -> None:
            with logs.about(ask=_short(origin.key)):
                try:
                    if self.workers.closing:
                        self.replies.send(origin, rendered.sentence(_TOO_LATE))
                    else:
                        work()
                except Exception:  # noqa: BLE001 - whoever asked gets the reference, the log the traceback
                    reference = secrets.token_hex(4)
                    _log.exception("defect %s", reference)
                    self.replies.send(origin, problem.bug(Bug(reference)))

        return run

    def ask(self, origin: Origin, text: str) -> Ask:
        """The command as the engine takes it. Asks Slack about the place (and, after an event, for the name)."""
        around = self.places.look(origin.place.channel)
        return Ask(
            text=text,
            actor=dataclasses.replace(origin.actor, name=origin.actor.name or self.people.name(origin.user)),
            place=dataclasses.replace(origin.place, private=around.private),
            delivery_key=origin.key,
            cannot_post=around.cannot_post,
        )

    def answer(self, origin: Origin, text: str) -> None:
        """Carry out a command and tell what came of it. No text at all is a question for help."""
        words = text if text.strip() else "help"
        long = LongAnswer(self.replies, origin)
        with progress.listening(long):
            answer = self.desk.answer(self.ask(origin, words))
        self.tell(origin, answer, words, long)

    def tell(self, origin: Origin, answer: Answer, asked: str = "", long: LongAnswer | None = None) -> None:
        """:param asked: the command's text, for the button that opens its form.
        :param long: has shown how far it was, and can become the answer.
        """
        if isinstance(answer, Opened) and _speaks_for_itself(origin, answer):
            return
        message = rendered.message(answer, asked)
        if message and not (long is not None and long.become(message)):
            self.replies.send(origin, message)
        if isinstance(answer, Shown) and answer.report.attachments:
            self.replies.send_files(origin, answer.report)


def _short(key: str) -> str:
    """A delivery's key for the log: the same for the same delivery, and nothing that Slack would take."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def _speaks_for_itself(origin: Origin, answer: Opened) -> bool:
    """The card itself appears where everybody saw the question: saying so too would be noise."""
    here = (answer.place.channel, answer.place.thread_ts) == (origin.place.channel, origin.place.thread_ts)
    return origin.public and here and not answer.existing and not answer.elsewhere
