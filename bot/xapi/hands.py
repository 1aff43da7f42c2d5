"""What may be done to a pool: one call at a time, sent at most once, found again when its answer is lost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.errors import OutcomeUnknown, Refused, Unavailable, UserError
from bot.inventory import Inventory
from bot.model import Expect, HostTarget, MemberTarget, ObjectId, PoolTarget, Step, Target
from bot.ports import Clock, PoolHands, Sighting, Taken, TaskStatus, TaskView
from bot.rules import conditions
from bot.withheld import without
from bot.xapi import expectations, failures, sightings, tasks
from bot.xapi.arguments import Arguments
from bot.xapi.reader import Reader
from bot.xapi.session import PoolSession, Refusal
from bot.xapi.sightings import Look, Mark

_log = logging.getLogger(__name__)

#: Pauses between the looks at a pool, in seconds: a request may still lie in the host's queue when the line breaks.
LOOK_PAUSES = (0.5, 1.0, 1.5)
_GONE = {"HANDLE_INVALID", "UUID_INVALID"}
_MOVES = {"VM.pool_migrate", "VM.migrate_send"}
"""What a host sends over the very network on which it is asked: when it is silent, it sends no more."""


class XapiHands(PoolHands):
    """:class:`bot.ports.PoolHands` over one session with a pool, or with a host that is a pool of its own. `secret`
    gives the value of a step's secret by its name; `elsewhere` gives the hands with which to look at another place;
    `nobody_leads` asks every host alone whether the pool's coordinator is gone.
    """

    def __init__(
        self,
        name: str,
        session: PoolSession,
        reader: Reader,
        clock: Clock,
        secret: Callable[[str], str] | None = None,
        elsewhere: Callable[[Target], PoolHands] | None = None,
        nobody_leads: Callable[[], bool] = lambda: False,
    ) -> None:
        self._nobody_leads = nobody_leads
        self._elsewhere = elsewhere
        self._name = name
        self._session = session
        self._reader = reader
        self._clock = clock
        self._secret = secret
        self._task_refs: dict[str, str] = {}
        self._met: dict[str, Reader] = {}
        """By uuid, the other pools whose objects were arguments of a call."""

    def mark(self, step: Step) -> str:
        inventory = self._reader.read()
        self._same_pool(step, inventory)
        try:
            held = self._look(step, inventory).holds is True
        except Unavailable:  # of another place that it is about
            held = False
        return Mark.taken(step, inventory, held=held).text()

    def send(self, step: Step, results: Mapping[int, str]) -> str:
        inventory = self._reader.read()
        self._same_pool(step, inventory)
        arguments = Arguments(self._session, inventory, results=results, secret=self._secret, there=self._references_at)
        wire = [arguments.wire(argument) for argument in step.arguments]
        try:
            answer = self._session.effect(f"Async.{step.call}" if step.asynchronous else step.call, *wire)
        except Refusal as refusal:
            refused = failures.refusal(without(refusal.error, arguments.secrets), self._names(inventory))
            if not step.asynchronous and not step.prepares and tasks.is_lost(step.call, refusal.error):
                raise OutcomeUnknown(refused.message, remedy=refused.remedy) from refusal
            raise refused from refusal
        return self._task_uuid(str(answer)) if step.asynchronous else tasks.value_text(answer)

    def look(self, step: Step, mark: str, *, ended: str = "") -> Sighting:
        before = Mark.read(mark)
        looks: list[Look] = []
        for pause in (0.0, *LOOK_PAUSES):
            if pause:
                self._clock.sleep(pause)
            try:
                inventory = self._reader.read()
            except UserError:
                if (sighting := self._effect_elsewhere(step, before)) is not None:
                    return sighting
                raise
            try:
                looks.append(self._look(step, inventory))
            except UserError:  # of another place that it is about: here its task may be found all the same
                if (sighting := sightings.seen(step, before, Look(inventory, None), ended)) is not None:
                    return sighting
                raise
            settled = sightings.seen(step, before, looks[-1], ended)
            if settled is not None:
                return settled
        return (ended and self._went_down(step, ended, looks[-1])) or sightings.conclusion(step, before, looks, ended)

    def task(self, task_uuid: str) -> TaskView | None:
        ref = self._task_ref(task_uuid)
        if ref is None:
            return None
        try:
            record = self._session.read("task.get_record", ref)
        except Refusal as refusal:
            self._gone(task_uuid, refusal)
            return None
        view = tasks.view_of(record)
        if view.status is TaskStatus.CANCELLED and sightings.restarted(record, self._reader.read()):
            return replace(view, lost=True)
        return view

    def explain(self, error: Sequence[str]) -> tuple[str, str]:
        inventory = self._reader.latest()
        if inventory is None:
            try:
                inventory = self._reader.read()
            except UserError:
                inventory = None
        return failures.explain(error, self._names(inventory))

    def holds(self, expect: Expect, results: Mapping[int, str]) -> tuple[bool, str]:
        if expect.at is not None:
            return self._at(expect.at).holds(replace(expect, at=None), results)
        try:
            inventory = self._reader.read()
        except Unavailable:
            if expect.rule not in conditions.TRUE_OF_SILENCE or not self._nobody_leads():
                raise
            return True, f"no host answers as the coordinator of {self._name} any more"
        arguments = Arguments(self._session, inventory, results=results)
        return expectations.check(expect, self._session, inventory, arguments)

    def cancel(self, task_uuid: str) -> None:
        ref = self._task_ref(task_uuid)
        if ref is None:
            raise failures.refusal(("HANDLE_INVALID", "task"), None)
        try:
            self._session.effect("task.cancel", ref)
        except Refusal as refusal:
            raise failures.refusal(refusal.error, self._reader.latest()) from refusal
        except OutcomeUnknown as error:
            raise Unavailable(
                f"The pool {self._name} may not have heard that the task is to be cancelled.",
                remedy="Cancel again; it does no harm twice.",
                evidence=(error.message,),
            ) from error

    def forget(self, task_uuid: str) -> None:
        try:
            view = self.task(task_uuid)
            ref = self._task_refs.pop(task_uuid, None)
            if ref is not None and view is not None and view.status not in (TaskStatus.PENDING, TaskStatus.CANCELLING):
                self._session.effect("task.destroy", ref)
        except (UserError, Refusal) as error:
            _log.info("pool %s: a finished task stays (%s)", self._name, type(error).__name__)

    def _same_pool(self, step: Step, inventory: Inventory) -> None:
        """:raises Refused: the pool behind this name is not the one that the step was planned for."""
        if not isinstance(step.target, PoolTarget | HostTarget):
            raise ValueError(f"{step.call} is not for a pool's coordinator")
        self._is_pool(step.target.pool_uuid, inventory)

    def _is_pool(self, uuid: str, inventory: Inventory) -> None:
        """:raises Refused: another pool than that one is behind this name."""
        if uuid != inventory.pool.uuid:
            raise Refused(
                f"Under the name {self._name} there is another pool now than this was planned for; nothing was sent.",
                remedy="Ask for it again.",
            )

    def _references_at(self, place: PoolTarget) -> Callable[[ObjectId], str]:
        """What looks objects of another pool up, as it is now. :raises Refused: that pool is not there any more."""
        there = self._at(place)
        if not isinstance(there, XapiHands):
            raise ValueError(f"there are no objects at {place}")
        self._met[place.pool_uuid] = there._reader
        return Arguments(there._session, there._reader.read()).reference

    def _names(self, inventory: Inventory | None) -> failures.Naming:
        """What names the objects of an error: this pool, and those that calls have sent something to."""
        found = (inventory, *(reader.latest() for reader in self._met.values()))
        return failures.Several(tuple(each for each in found if each is not None))

    def _look(self, step: Step, inventory: Inventory) -> Look:
        if not step.expect or not expectations.decidable(step.expect):
            return Look(inventory, None)
        arguments = Arguments(self._session, inventory)
        checked = [
            self.holds(expect, {}) if expect.at else expectations.check(expect, self._session, inventory, arguments)
            for expect in step.expect
        ]
        telling = [words for is_so, words in checked if not is_so] or [words for _, words in checked]
        return Look(inventory, all(is_so for is_so, _ in checked), "; ".join(telling))

    def _effect_elsewhere(self, step: Step, before: Mark) -> Sighting | None:
        """Where the call went nobody answers (a host that has joined a pool is none of its own any more); what it
        should have done may show in another place.
        """
        if before.held or not step.expect or not all(expect.at for expect in step.expect):
            return None
        if not expectations.decidable(step.expect):
            return None
        checked = [self.holds(expect, {}) for expect in step.expect]
        if not all(is_so for is_so, _ in checked):
            return None
        return Sighting(taken=Taken.DONE, evidence=f"its effect is there: {'; '.join(words for _, words in checked)}")

    def _went_down(self, step: Step, ended: str, look: Look) -> Sighting | None:
        """A move that a host was making which is off itself: nothing of it can go on."""
        host = sightings.lost_host(ended, look.inventory)
        if step.call not in _MOVES or host is None:
            return None
        asked = Expect(object=host.id, rule=conditions.MUTE, at=MemberTarget(host.id, host.address))
        silent, words = self.holds(asked, {})
        return Sighting(taken=Taken.NOT_TAKEN, evidence=f"{words}; {look.evidence}") if silent else None

    def _at(self, place: Target) -> PoolHands:
        if self._elsewhere is None:
            raise ValueError("there is no other place here")
        there = self._elsewhere(place)
        if isinstance(place, PoolTarget) and isinstance(there, XapiHands):
            # Of its own pool it may be the very sign that nobody answers there any more.
            seen = there._reader.latest() if there._name == self._name else None
            there._is_pool(place.pool_uuid, seen or there._reader.read())
        return there

    def _task_uuid(self, ref: str) -> str:
        try:
            uuid = str(self._session.read("task.get_uuid", ref))
        except (Unavailable, Refusal) as error:
            raise OutcomeUnknown(
                f"The pool {self._name} took the call, but its task could not be read.",
                remedy="It is not sent again; the bot looks what became of it.",
            ) from error
        self._task_refs[uuid] = ref
        return uuid

    def _task_ref(self, task_uuid: str) -> str | None:
        ref = self._task_refs.get(task_uuid)
        if ref is not None:
            return ref
        try:
            ref = str(self._session.read("task.get_by_uuid", task_uuid))
        except Refusal as refusal:
            self._gone(task_uuid, refusal)
            return None
        self._task_refs[task_uuid] = ref
        return ref

    def _gone(self, task_uuid: str, refusal: Refusal) -> None:
        """:raises ToolstackRefusal: the refusal says something else than that the pool does not know the task."""
        if failures.code_of(refusal.error) not in _GONE:
            raise failures.refusal(refusal.error, self._reader.latest()) from refusal
        self._task_refs.pop(task_uuid, None)
