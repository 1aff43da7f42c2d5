"""Carries scheduled audits out: what is due is in the store, a run belongs to one process, and nothing is told twice.

A tick claims what is due and hands it to threads; the claims are leases, which the ticks renew. What a dead process
left is taken up when its lease has run out, once; a run that dies twice is given up until its next time.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.audits import scheduled
from bot.audits.scheduled import Attach, Circumstances
from bot.errors import Unavailable, UserError
from bot.findings import Audited, Audits
from bot.ports import Channels, Clock
from bot.rules import calendar
from bot.schedules import EVERY_POOL, Agenda, Due, News, Schedule, Told
from bot.text import quoted

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Runs at work in one process; each audits its pools at the same time."""
LEASE_SECONDS = 60.0
RENEW_SECONDS = 15.0
ATTEMPTS = 2
LATE = timedelta(minutes=2)
"""What begins later than this after its time has been missed."""
BEAT = timedelta(minutes=1)
"""How often a bot says that it is running, while there are schedules."""
SILENCE = timedelta(minutes=2, seconds=30)
"""A bot that has said nothing for longer was not running."""


@dataclass
class _Working:
    due: Due
    renewed: datetime


class Rounds:
    """`tick` is to be called every second or so, from one thread at a time.

    :param pools: the configured pools' names.
    :param timezone: IANA name, for schedules that have none of their own.
    :param attach: makes the files that go into the thread of an audit's message.
    """

    def __init__(
        self,
        *,
        agenda: Agenda,
        audits: Audits,
        channels: Channels,
        pools: Callable[[], tuple[str, ...]],
        clock: Clock,
        timezone: str,
        attach: Attach = scheduled.no_files,
        threads: Executor | None = None,
    ) -> None:
        self._agenda = agenda
        self._audits = audits
        self._channels = channels
        self._pools = pools
        self._clock = clock
        self._timezone = timezone
        self._attach = attach
        self._owner = secrets.token_hex(8)
        self._threads = threads or ThreadPoolExecutor(AT_ONCE, thread_name_prefix="rounds")
        self._working: dict[int, _Working] = {}
        self._guard = threading.Lock()
        self._down: tuple[datetime, datetime] | None = None
        """The last time that no bot ran, as far as is known."""
        self._ticked: datetime | None = None
        self._beat: datetime | None = None

    def tick(self) -> None:
        """:raises UserError: the store or the clock cannot be used now; the next tick tries again."""
        now = self._clock.now()
        self._watch(now)
        self._renew(now)
        while self._free() and self._agenda.is_due(now):
            due = self._agenda.claim(now, self._owner, LEASE_SECONDS)
            if due is None:
                break
            with self._guard:
                self._working[due.schedule.number] = _Working(due, now)
            self._threads.submit(self._run, due)

    def close(self) -> None:
        """Begin nothing more, and wait for what is at work."""
        self._threads.shutdown(wait=True)

    # --- being alive --------------------------------------------------------------------------------------------------

    def _watch(self, now: datetime) -> None:
        """Notice that no bot was running, also when the machine slept; and say that one is."""
        before = self._ticked or self._agenda.alive()
        if before is not None and now - before > SILENCE:
            self._down = (before, now)
        if self._ticked is None:
            self._keep_times(now, before)
        self._ticked = now
        if (self._beat is None or now - self._beat >= BEAT) and self._agenda.schedules():
            self._agenda.is_alive(now)
            self._beat = now

    def _keep_times(self, now: datetime, alive: datetime | None) -> None:
        """Another time zone holds (the bot's setting, or the zone's own rules were changed): what is due is reckoned
        anew, from when a bot last ran. What was due before stays due.
        """
        for schedule in self._agenda.schedules():
            if schedule.paused:
                continue
            recurrence, zone = calendar.parse(schedule.asked.recurrence), self._zone(schedule)
            if recurrence.next(schedule.since, zone) == schedule.due_at:
                continue
            moved = recurrence.next(max(schedule.since, alive or now), zone)
            if moved is not None and moved != schedule.due_at and schedule.due_at > (alive or now):
                self._agenda.move(schedule.number, schedule.due_at, moved, {"zone": zone.key}, now)
                log.info("%s: by %s it is due at %s", schedule.id, zone.key, moved)

    def _renew(self, now: datetime) -> None:
        with self._guard:
            working = list(self._working.values())
        for each in working:
            if (now - each.renewed).total_seconds() >= RENEW_SECONDS and self._agenda.renew(
                each.due, now, LEASE_SECONDS
            ):
                each.renewed = now

    def _free(self) -> bool:
        with self._guard:
            return len(self._working) < AT_ONCE

    # --- one run ------------------------------------------------------------------------------------------------------

    def _run(self, due: Due) -> None:
        try:
            self._carry_out(due)
        except UserError as error:
            log.warning("%s has to wait: %s", due.schedule.id, error.message)
        except Exception:
            log.exception("%s failed; its lease brings it back", due.schedule.id)
        finally:
            with self._guard:
                self._working.pop(due.schedule.number, None)

    def _carry_out(self, due: Due) -> None:
        schedule = due.schedule
        begun = self._clock.now()
        if due.attempt > ATTEMPTS:
            why = f"It was begun {ATTEMPTS} times, and each time the bot stopped or failed; it waits for its next time."
            self._end(due, begun, [], self._not_run(due, why, "The bot's log says why."), {"failure": why})
            return
        allowed = self._channels.pools(schedule.asked.channel)
        wanted = [name for name in self._pools() if schedule.asked.pool in (EVERY_POOL, name) and name in allowed]
        if not wanted:
            pool = schedule.asked.pool
            there = pool == EVERY_POOL or pool in self._pools()
            why = "No such pool may be spoken of in this channel any more." if there else "Its pool is not configured."
            remedy = "Remove the schedule, or change what the configuration says of this channel."
            self._end(due, begun, [], self._not_run(due, why, remedy), {"failure": why})
            return
        runs = self._audits.run([schedule.asked.kind], wanted, schedule.actor)
        book, told = self._audits.book, self._agenda.told(schedule.number)
        found = [scheduled.believed(each, book) for each in runs]
        found = [scheduled.since_told(each, told.get(each.run.pool), book) for each in found]
        self._end(due, begun, found, None, {})

    def _end(
        self, due: Due, begun: datetime, found: list[Audited], instead: News | None, body: dict[str, object]
    ) -> None:
        """The run's messages, its ledger row and the next time, at once."""
        schedule, now = due.schedule, self._clock.now()
        how = self._circumstances(due, begun, now)
        news = (instead,) if instead else scheduled.news(schedule, how, found, self._attach)
        withheld = self._withheld(schedule)
        if withheld and news:
            log.error("%s is not told in %s: %s", schedule.id, schedule.asked.channel, withheld)
            body |= {"withheld": withheld}
        upto = {} if withheld else {each.run.pool: Told(run=each.run.number, at=now) for each in found}
        body |= {
            "schedule": schedule.id,
            "kind": str(schedule.asked.kind),
            "due": due.due_at.isoformat(),
            "audits": [each.run.number for each in found],
            "messages": 0 if withheld else len(news),
        }
        if how.unusual:
            body |= {"unusual": how.unusual, "missed": how.missed, "attempt": due.attempt}
        ended = self._agenda.finish(
            due, next_at=how.next_at, news=() if withheld else news, told=upto, body=body, now=now
        )
        if not ended:
            log.warning(
                "%s: another process has taken it over, or it was removed; this run is told nowhere", schedule.id
            )

    def _not_run(self, due: Due, why: str, remedy: str) -> News:
        now = self._clock.now()
        return scheduled.not_run(due.schedule, why, remedy, self._circumstances(due, now, now))

    def _circumstances(self, due: Due, begun: datetime, now: datetime) -> Circumstances:
        schedule, zone = due.schedule, self._zone(due.schedule)
        recurrence = calendar.parse(schedule.asked.recurrence)
        since = due.due_at if due.attempt > 1 else due.due_at - timedelta(microseconds=1)
        missed = recurrence.between(since, begun - LATE, zone)
        next_at = recurrence.next(now, zone)
        if next_at is None:  # the calendar was checked when the schedule was made
            raise RuntimeError(f"{schedule.id} never comes again")
        down = self._down if self._down and missed and self._down[1] >= missed[0] else None
        return Circumstances(
            zone=zone, due_at=due.due_at, next_at=next_at, missed=len(missed), down=down, attempt=due.attempt
        )

    def _withheld(self, schedule: Schedule) -> str:
        """Why nothing may be posted in its channel, "" when it may be. While Slack does not tell, it waits in the
        outbox.
        """
        try:
            return self._channels.cannot_post(schedule.asked.channel)
        except Unavailable as error:
            log.warning(
                "%s: whether %s can be posted in is not known: %s", schedule.id, quoted(schedule.asked.channel), error
            )
            return ""

    def _zone(self, schedule: Schedule) -> ZoneInfo:
        return calendar.time_zone(schedule.asked.zone or self._timezone)
