"""Due work of requests: what time and crashes leave to do."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import approval, policy
from bot.errors import UserError
from bot.model import BOT, Entry, Level, Place, Report, Request, State, Suggestion
from bot.ports import Clock, People, Store
from bot.runner import Runner
from bot.text import duration, plural, quoted
from bot.votes import Votes

log = logging.getLogger(__name__)

MOST_REMINDED = 15
"""People who are reminded in private of one request; of more, everybody would think that another will look."""
REMIND_SECONDS = 15 * 60
"""People are reminded this long before a request expires, or in the last quarter of a shorter time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """`team` is the Slack workspace's id, for places that no message gave."""

    rules: policy.Rules
    people: People
    store: Store
    runner: Runner
    votes: Votes
    clock: Clock
    team: str

    def tick(self) -> None:
        """What time and crashes leave to do: count votes that nobody counted, expire what nobody decided, start or take
        up what is approved.
        """
        now = self.clock.now()
        for request in self.store.in_states((State.WAITING, State.APPROVED, State.QUEUED, *approval.ACTIVE_STATES)):
            try:
                self._due(request, now)
            except UserError:
                raise  # the store or the clock cannot be used: nothing of any request can be done
            except Exception:
                log.exception("%s: its due work failed; the others' goes on", request.id)

    def _due(self, request: Request, now: datetime) -> None:
        if request.state in approval.ACTIVE_STATES:
            self.runner.start(request.id)
        elif request.expires_at <= now:
            self.votes.expire(request)
        elif request.state is not State.WAITING:
            self.runner.start(request.id)
        elif policy.decided(request) is not None:
            self.votes.count(request.id)
        elif request.expires_at - now <= _last_part(request):
            self._remind(request)

    def _remind(self, request: Request) -> None:
        left = duration((request.expires_at - self.clock.now()).total_seconds())
        wanted = plural(request.missing, "approval")
        note = Report(
            title=f"Request {request.id} expires in {left}",
            level=Level.WARN,
            summary=f"{wanted} missing, from {request.requirement.who}. Without, nothing will be done.",
        )
        entry = Entry(kind="reminded", actor=BOT, pool=request.plan.pool.name, request_id=request.id)
        self.store.remind(request.id, note, entry, self.clock.now(), self._reminders(request, left))

    def _reminders(self, request: Request, left: str) -> tuple[tuple[Place, Report], ...]:
        """A private word to each who could still approve it; not to who asked, nor to who has voted."""
        if not self.rules.remind_in_private:
            return ()
        done = {request.actor.id.rpartition("/")[2], *(vote.actor.id.rpartition("/")[2] for vote in request.votes)}
        those, *others = map(self.people.individuals, policy.to_remind(self.rules, request))
        people = sorted(those.intersection(*others) - done)
        if len(people) > MOST_REMINDED:
            log.info("%s: %d people could approve it; nobody is reminded in private", request.id, len(people))
            return ()
        told = Report(
            title=f"Request {request.id} waits for you and expires in {left}",
            level=Level.WARN,
            summary=f"{request.plan.pool.name}: {request.plan.title} (asked for by {quoted(request.actor.name)})."
            " Approve or reject it on its own message.",
            suggestions=(Suggestion("Show it", f"request show {request.id}"),),
        )
        team = self.team or request.place.team
        return tuple((Place(kind="slack", team=team, channel=each, private=True), told) for each in people)


def _last_part(request: Request) -> timedelta:
    """How long before its expiry a request is recalled."""
    return timedelta(seconds=min(REMIND_SECONDS, request.requirement.expires_seconds / 4))
