"""Finding a call again whose answer was lost: by its task, by the operation on its object, by what it should have done.

Pure: from what was known before the call (the mark) and what is seen now. A task outlives its call by an hour unless a
client destroys it or hundreds of others follow (xapi 26.9 as recorded); a restarted toolstack or another coordinator
knows none of the old ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bot.inventory import CLASSES, Entity, Host, Inventory, Task
from bot.model import Step
from bot.ports import Sighting, Taken
from bot.rules.times import moment
from bot.text import plural

#: Beyond these a missing task proves nothing: finished ones are removed after 65 minutes, or when there are over 200.
PROOF_SECONDS = 1800.0
PROOF_FINISHED_TASKS = 150

_KINDS = {kind.cls: kind for kind in CLASSES}
_DEEPEST_SUBTASK = 8


@dataclass(frozen=True, slots=True)
class Mark:
    """What was there before the call was sent."""

    at: float
    coordinator: str
    """Uuid of the coordinator and the start of its toolstack: another one has none of the tasks."""
    tasks: tuple[str, ...]
    """Uuids of all tasks."""
    operations: tuple[str, ...]
    """Keys of the traced object's current_operations."""
    held: bool
    """All expectations were true already, so that they prove nothing."""

    @classmethod
    def taken(cls, step: Step, inventory: Inventory, *, held: bool) -> Mark:
        return cls(
            at=inventory.read_at,
            coordinator=_life(inventory),
            tasks=tuple(task.uuid for task in inventory.all(Task)),
            operations=tuple(_operations(step, inventory)),
            held=held,
        )

    def text(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> Mark:
        """:raises ValueError: not a mark."""
        try:
            fields: dict[str, Any] = json.loads(text)
            return cls(
                at=float(fields["at"]),
                coordinator=str(fields["coordinator"]),
                tasks=tuple(map(str, fields["tasks"])),
                operations=tuple(map(str, fields["operations"])),
                held=bool(fields["held"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError("this is not a mark") from error


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the pool. `holds`: all expectations are true now; None when that cannot be told."""

    inventory: Inventory
    holds: bool | None
    evidence: str = ""


def seen(step: Step, mark: Mark, look: Look, ended: str = "") -> Sighting | None:
    """What one look settles, if anything: the call's task, or its effect. `ended`: the uuid of its task, if that is
    known to have ended, and to prove nothing.
    """
    candidates = [] if ended else _candidates(step, mark, look.inventory)
    ours = [task for task in candidates if not _is_anothers(task, step, look.inventory)]
    doing = [task for task in ours if _does_it(task, step, look.inventory)]
    if len(doing) == 1:
        return _attached(doing[0], look, certain=True)
    if len(ours) == 1:
        certain = _is_blamed(ours[0], step, look.inventory)
        if certain or step.trace is None or ours[0].status != "pending":
            return _attached(ours[0], look, certain=certain)
    if look.holds and not mark.held and not any(task.status == "pending" for task in ours):
        return Sighting(taken=Taken.DONE, evidence=f"its effect is there: {look.evidence}")
    return None


def conclusion(step: Step, mark: Mark, looks: Iterable[Look], ended: str = "") -> Sighting:
    """What several looks together prove when none of them settled it."""
    looks = tuple(looks)
    last = looks[-1]
    if ended:
        told = f"{last.evidence}, as before" if mark.held else last.evidence
        return Sighting(taken=Taken.UNKNOWN, evidence=told or "no effect of it can be looked for")
    candidates = [t for t in _candidates(step, mark, last.inventory) if not _is_anothers(t, step, last.inventory)]
    if len(candidates) == 1:
        return _attached(candidates[0], last, certain=False)
    if len(candidates) > 1:
        return _unknown(f"{plural(len(candidates), 'new task')} could be this call's")
    if any(set(_operations(step, look.inventory)) - set(mark.operations) for look in looks):
        return _unknown("the operation runs on the object, but not in a task that could be this call's")
    doubt = _doubt(step, mark, looks)
    if doubt:
        return _unknown(doubt)
    return Sighting(
        taken=Taken.NOT_TAKEN,
        evidence=f"In {plural(len(looks), 'look')} at the pool no task of the call was there, no such operation ran"
        " and nothing had changed.",
    )


def restarted(task: Mapping[str, Any], inventory: Inventory) -> bool:
    """Has the toolstack that a task (its record) ran on started anew since the task was made? Then the pool has
    cancelled the task, and the host may go on with what was begun (xapi's Cancel_tasks).
    """
    host = inventory.get(Host, str(task.get("resident_on", "")))
    created = moment(str(task.get("created", "")))
    if host is None or created is None:
        return False
    try:
        return float(host.other_config.get("agent_start_time", "")) > created.timestamp()
    except ValueError:
        return False


def lost_host(task_uuid: str, inventory: Inventory) -> Host | None:
    """The host that the error of a task names, as the one that could not be contacted any more."""
    task = inventory.by_uuid(Task, task_uuid)
    return next((host for ref in task.refs("error_info") if (host := inventory.get(Host, ref))), None) if task else None


def _doubt(step: Step, mark: Mark, looks: tuple[Look, ...]) -> str:
    """Why the absence of every trace proves nothing, or ""."""
    last = looks[-1]
    finished = sum(1 for task in last.inventory.all(Task) if task.status not in ("pending", "cancelling"))
    if not step.asynchronous:
        return "a call that is not asynchronous leaves no task to look for"
    if _life(last.inventory) != mark.coordinator:
        return "the coordinator or its toolstack is another since, and with it all tasks are gone"
    if last.inventory.read_at - mark.at > PROOF_SECONDS or finished > PROOF_FINISHED_TASKS:
        return "its task may have come and gone since"
    if len(looks) < 2:
        return "one look is not enough"
    if any(look.holds for look in looks):
        return "what it should have done is so, but it was so before"
    if step.expect and last.holds is None:
        return "whether it had an effect cannot be told"
    return ""


def _attached(task: Task, look: Look, *, certain: bool) -> Sighting:
    how = "Its task was found" if certain else "The only new task of this call was found"
    if task.status == "success" and look.holds is False:
        if not certain:
            return _unknown(f"a task of this call ended well, but {look.evidence}")
        return Sighting(taken=Taken.RUNNING, evidence=f"{how}; it has ended.", task_uuid=task.uuid)
    if task.status == "success" and look.holds:
        return Sighting(taken=Taken.DONE, evidence=f"{how}, it has ended; {look.evidence}", task_uuid=task.uuid)
    return Sighting(taken=Taken.RUNNING, evidence=f"{how} ({task.status}).", task_uuid=task.uuid)


def _unknown(why: str) -> Sighting:
    return Sighting(taken=Taken.UNKNOWN, evidence=f"It cannot be told: {why}.")


def _candidates(step: Step, mark: Mark, inventory: Inventory) -> list[Task]:
    """New tasks with the call's name."""
    name = f"Async.{step.call}" if step.asynchronous else step.call
    known = set(mark.tasks)
    return [task for task in inventory.all(Task) if task.uuid not in known and task.text("name_label") == name]


def _does_it(task: Task, step: Step, inventory: Inventory) -> bool:
    """Does the traced object name the task?"""
    return any(_outermost(ref, inventory, task.ref) for ref in _operations(step, inventory))


def _is_blamed(task: Task, step: Step, inventory: Inventory) -> bool:
    """Does the task's error name the object? So does that of somebody else's same call, refused because ours runs."""
    traced = _traced(step, inventory)
    return traced is not None and traced.ref in task.refs("error_info")


def _is_anothers(task: Task, step: Step, inventory: Inventory) -> bool:
    """Does another object of the traced one's class name the task, or the task's error only others?"""
    traced = _traced(step, inventory)
    if traced is None:
        return False
    kind = type(traced)
    others = (entity for entity in inventory.all(kind) if entity.ref != traced.ref)
    if any(_outermost(ref, inventory, task.ref) for other in others for ref in other.mapping("current_operations")):
        return True
    named = {ref for ref in task.refs("error_info") if inventory.get(kind, ref) is not None}
    return bool(named) and traced.ref not in named


def _outermost(ref: str, inventory: Inventory, wanted: str) -> bool:
    """Is the task behind `ref` the wanted one, or a part of it?"""
    for _ in range(_DEEPEST_SUBTASK):
        if ref == wanted:
            return True
        task = inventory.get(Task, ref)
        if task is None:
            return False
        ref = task.text("subtask_of")
    return False


def _traced(step: Step, inventory: Inventory) -> Entity | None:
    if step.trace is None or step.trace.object.cls not in _KINDS:
        return None
    return inventory.by_uuid(_KINDS[step.trace.object.cls], step.trace.object.uuid)


def _operations(step: Step, inventory: Inventory) -> list[str]:
    """References of the tasks that do the traced operation on the traced object."""
    traced = _traced(step, inventory)
    if traced is None or step.trace is None:
        return []
    return [ref for ref, name in traced.mapping("current_operations").items() if name == step.trace.operation]


def _life(inventory: Inventory) -> str:
    coordinator = inventory.pool.coordinator
    if coordinator is None:
        return ""
    return f"{coordinator.uuid}/{coordinator.other_config.get('agent_start_time', '')}"
