"""Carries out the steps that change the bot itself: schedules, mutes of findings, and backups (see
:mod:`bot.actions`).

:class:`bot.ports.PoolHands` for :class:`bot.model.BotTarget`. Each step is one transaction of the store, which can be
made twice without harm: after a crash its effect tells whether it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot import actions
from bot.dumps import Dumps
from bot.errors import Refused
from bot.findings import AuditBook, Kind
from bot.model import Actor, Expect, ObjectId, Request, Step, Value
from bot.ports import Clock, Sighting, Taken, TaskView
from bot.rules import calendar
from bot.schedules import NewSchedule, Schedule, ScheduleChanges, Tell
from bot.text import quoted


class Mutes(AuditBook, Protocol):
    """The memory of audits, with what people can change in it."""

    def mute(self, pool: str, key: str, until: datetime, reason: str, actor: Actor) -> None: ...
    def unmute(self, pool: str, key: str) -> None: ...
    def muted_until(self, pool: str, key: str) -> datetime | None:
        """None: it is not muted now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changes the bot. `timezone` is the bot's own (IANA)."""

    schedules: ScheduleChanges
    mutes: Mutes
    clock: Clock
    timezone: str
    dumps: Dumps | None = None
    """Copies of pools' databases."""

    def hands(self, request: Request) -> BotHands:
        return BotHands(self, request)

    def next_time(self, asked: NewSchedule) -> datetime:
        """:raises Refused: it never comes (any more)."""
        zone = calendar.time_zone(asked.zone or self.timezone)
        found = calendar.parse(asked.recurrence).next(self.clock.now(), zone)
        if found is None:
            raise Refused(f"“{asked.recurrence}” never comes again.")
        return found


class BotHands:
    """The hands of one request."""

    def __init__(self, changes: Changes, request: Request) -> None:
        self._changes = changes
        self._request = request

    def mark(self, step: Step) -> str:  # noqa: ARG002 - the effect tells enough
        return ""

    def send(self, step: Step, results: Mapping[int, str]) -> str:  # noqa: ARG002 - no step needs another's result
        """:raises Refused: it cannot be done any more."""
        does: Mapping[str, Callable[..., str]] = {
            actions.ADD_SCHEDULE: self._add,
            actions.PAUSE_SCHEDULE: self._pause,
            actions.RESUME_SCHEDULE: self._resume,
            actions.REMOVE_SCHEDULE: self._remove,
            actions.MUTE: self._mute,
            actions.UNMUTE: self._unmute,
            actions.BACKUP: self._backup,
        }
        return does[step.call](*(str(each.value) for each in step.arguments if isinstance(each, Value)))

    def look(self, step: Step, mark: str, *, ended: str = "") -> Sighting:  # noqa: ARG002 - the effect tells enough; no task ends
        found = [self.holds(expect, {}) for expect in step.expect]
        taken = Taken.DONE if all(so for so, _ in found) else Taken.NOT_TAKEN
        return Sighting(taken=taken, evidence="; ".join(evidence for _, evidence in found))

    def holds(self, expect: Expect, results: Mapping[int, str]) -> tuple[bool, str]:  # noqa: ARG002 - the protocol has it
        if expect.object.cls == "backup":
            return self._is_backed_up(expect.object)
        wanted = str(expect.equals.value) if isinstance(expect.equals, Value) else ""
        if expect.object.cls == "finding":
            pool, _, key = expect.object.uuid.partition("/")
            until = self._changes.mutes.muted_until(pool, key)
            told = f"{expect.object.name} is {f'muted until {until:%Y-%m-%d %H:%M} UTC' if until else 'not muted'}"
            return (until.isoformat() if until else "") == wanted, told
        found = next((one for one in self._changes.schedules.schedules() if one.asked.key == expect.object.uuid), None)
        state = "gone" if found is None else "paused" if found.paused else "on"
        return state == wanted, f"{found.id if found else expect.object.name} is {state}"

    # Nothing here is a task.
    def task(self, task_uuid: str) -> TaskView | None:  # noqa: ARG002 - the protocol has it
        return None

    def explain(self, error: Sequence[str]) -> tuple[str, str]:
        return " ".join(error), ""

    def cancel(self, task_uuid: str) -> None:
        """Nothing to do: a step is over at once."""

    def forget(self, task_uuid: str) -> None:
        """Nothing to do."""

    # --- the steps ----------------------------------------------------------------------------------------------------

    def _add(self, kind: str, pool: str, recurrence: str, zone: str, channel: str, tell: str) -> str:
        asked = NewSchedule(
            kind=Kind(kind),
            pool=pool,
            recurrence=recurrence,
            zone=zone,
            team=self._request.place.team,
            channel=channel,
            tell=Tell(tell),
        )
        due_at, now = self._changes.next_time(asked), self._changes.clock.now()
        return self._changes.schedules.add(asked, due_at, self._request.actor, now).id

    def _pause(self, number: str) -> str:
        self._changes.schedules.pause(self._there(number).number)
        return ""

    def _resume(self, number: str) -> str:
        schedule = self._there(number)
        due_at, now = self._changes.next_time(schedule.asked), self._changes.clock.now()
        self._changes.schedules.resume(schedule.number, due_at, now)
        return ""

    def _remove(self, number: str) -> str:
        self._changes.schedules.remove(self._there(number).number, self._changes.clock.now())
        return ""

    def _there(self, number: str) -> Schedule:
        found = self._changes.schedules.schedule(int(number))
        if found is None or found.removed:
            raise Refused(f"There is no schedule S-{number} any more.")
        return found

    def _mute(self, pool: str, key: str, until: str, reason: str) -> str:
        self._changes.mutes.mute(pool, key, datetime.fromisoformat(until), reason, self._request.actor)
        return ""

    def _unmute(self, pool: str, key: str) -> str:
        self._changes.mutes.unmute(pool, key)
        return ""

    def _backup(self, pool_uuid: str) -> str:
        return self._dumps.take(self._request.plan.pool.name, pool_uuid, self._request.id).file

    def _is_backed_up(self, about: ObjectId) -> tuple[bool, str]:
        """By this very request, and the file is still as it was written."""
        name = self._request.plan.pool.name
        found = self._dumps.latest(name, about.uuid)
        if found is None or found.request_id != self._request.id:
            return False, f"there is no copy of the database of {quoted(name)} from this request"
        return self._dumps.whole(found)

    @property
    def _dumps(self) -> Dumps:
        if self._changes.dumps is None:
            raise Refused("This bot was put together without a place for backups.")
        return self._changes.dumps
