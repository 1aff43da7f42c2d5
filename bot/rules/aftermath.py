"""What followed when a host failed under high availability: from the messages that the pool keeps and the state now.

Nothing is remembered between two looks, so an observation survives a restart of the bot and another coordinator. Times
are the coordinator's clock, whole seconds; a new coordinator's clock may differ by theirs. Source: xapi's HA messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.inventory import VM, Host, Inventory, Message
from bot.model import Level
from bot.rules.times import moment
from bot.text import duration, plural, quoted

_FAILED, _FENCED, _LEADS = "HA_HOST_FAILED", "HA_HOST_WAS_FENCED", "POOL_MASTER_TRANSITION"
_STARTED, _NOT_STARTED = "VM_STARTED", "HA_PROTECTED_VM_RESTART_FAILED"
_WORDS = {
    _FENCED: ("{name} started anew without having been shut down: it had fenced itself, or lost its power", Level.INFO),
    _LEADS: ("{name} is the coordinator from now on", Level.INFO),
    _STARTED: ("{name} runs again", Level.OK),
    _NOT_STARTED: ("{name} could not be restarted; HA tries again", Level.BAD),
    "HA_POOL_OVERCOMMITTED": ("overcommitted: another failure would leave VMs down", Level.WARN),
    "HA_POOL_DROP_IN_PLAN_EXISTS_FOR": ("fewer host failures can be tolerated than before", Level.WARN),
    "HA_STATEFILE_LOST": ("{name} lost the heartbeat storage", Level.BAD),
}
"""What belongs to a failure, in words."""
_RANK = {_FAILED: 0, _LEADS: 1, _FENCED: 2, "HA_POOL_DROP_IN_PLAN_EXISTS_FOR": 3, "HA_POOL_OVERCOMMITTED": 4}
"""Of what has the same second, the cause comes first."""
SPAN = timedelta(hours=1)
"""What comes later than this has another cause."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; `name` is the message's own."""

    at: datetime
    name: str
    about_uuid: str
    text: str
    level: Level


@dataclass(frozen=True, slots=True)
class Failure:
    """A host that HA declared failed; `message` is the uuid of the alert that says so."""

    host_uuid: str
    host_name: str
    message: str
    at: datetime


def failures(inventory: Inventory, host: Host | None = None) -> tuple[Failure, ...]:
    """The failures that are on record, newest first; of one host, or of all."""
    found = []
    for message in inventory.all(Message):
        at = moment(message.text("timestamp"))
        if message.name != _FAILED or at is None or (host is not None and message.about_uuid != host.uuid):
            continue
        about = inventory.by_uuid(Host, message.about_uuid)
        name = about.name if about else message.about_uuid
        found.append(Failure(message.about_uuid, name, message.uuid, at))
    return tuple(sorted(found, key=lambda each: (each.at, each.message), reverse=True))


def latest(inventory: Inventory, host: Host) -> Failure | None:
    return next(iter(failures(inventory, host)), None)


def events(failure: Failure, inventory: Inventory) -> tuple[Event, ...]:
    """The failure itself and what followed, in order; until another host failed, or an hour later."""
    later = [each.at for each in failures(inventory) if each.at > failure.at and each.message != failure.message]
    until = min([*later, failure.at + SPAN])
    found = [
        Event(failure.at, _FAILED, failure.host_uuid, f"{quoted(failure.host_name)} was declared failed", Level.BAD)
    ]
    for message in inventory.all(Message):
        at, words = moment(message.text("timestamp")), _WORDS.get(message.name)
        if at is None or words is None or not failure.at <= at <= until:
            continue
        text = words[0].format(name=_called(message, inventory))
        found.append(Event(at, message.name, message.about_uuid, text, words[1]))
    return tuple(sorted(found, key=lambda each: (each.at, _RANK.get(each.name, len(_RANK)), each.text)))


def _called(message: Message, inventory: Inventory) -> str:
    about = inventory.any_by_uuid(message.about_uuid)
    if isinstance(about, VM) and message.name == _STARTED and about.resident_on is not None:
        return f"{quoted(about.name)} (on {quoted(about.resident_on.name)})"
    return quoted(about.name) if about is not None else "an object that is gone"


def bound(seconds: float) -> str:
    """In which time it surely was, when two times of whole seconds differ by so many: less than one more."""
    return duration(seconds + 1)


def since(failure: Failure, at: datetime) -> str:
    """`12:03:20, 85 s later`."""
    return f"{at:%H:%M:%S} UTC, {duration(max((at - failure.at).total_seconds(), 0))} later"


# --- one look of a drill: is it so yet, and what was seen -------------------------------------------------------------


def failed(host: Host, before: str, inventory: Inventory) -> tuple[bool, str]:
    """Was the host declared failed since the alert `before` (its uuid, "" for none)?"""
    found = latest(inventory, host)
    if found is not None and found.message != before:
        return True, f"{found.at:%H:%M:%S} UTC: {quoted(host.name)} was declared failed"
    if host.live:
        return False, f"{quoted(host.name)} is alive: cut its power now, if you want to"
    return False, f"{quoted(host.name)} is not heard from; high availability has not declared it failed yet"


def taken_over(host: Host, before: str, inventory: Inventory) -> tuple[bool, str]:
    """Does another host lead?"""
    now, failure = inventory.pool.coordinator, latest(inventory, host)
    if now is None or now == host:
        return False, "no other host has become the coordinator yet"
    leads = _message(_LEADS, now.uuid, failure, inventory) if failure and failure.message != before else None
    when = f"{leads:%H:%M:%S} UTC: " if leads else ""
    return True, f"{when}{quoted(now.name)} became the coordinator"


def settled(vm: VM, host: Host, before: str, patience: timedelta, inventory: Inventory) -> tuple[bool, str]:
    """Is the fate of a VM of the failed host known: does it run again, or has it had `patience` to?"""
    failure, name = latest(inventory, host), quoted(vm.name)
    if failure is None or failure.message == before:
        return False, f"{quoted(host.name)} has not been declared failed"
    home, started = vm.resident_on, _message(_STARTED, vm.uuid, failure, inventory)
    if vm.power_state == "Running" and home is not None and home != host:
        return True, f"{since(failure, started)}: {name} runs on {quoted(home.name)}" if started else (
            f"{name} runs on {quoted(home.name)}"
        )
    tries = sum(each.name == _NOT_STARTED and each.about_uuid == vm.uuid for each in events(failure, inventory))
    told = f" ({plural(tries, 'restart')} failed)" if tries else ""
    if datetime.fromtimestamp(inventory.read_at, UTC) - failure.at > patience:
        return True, f"{name} stays down{told}"
    return False, f"{name} is {vm.power_state.lower()}{told}"


def _message(name: str, about_uuid: str, failure: Failure, inventory: Inventory) -> datetime | None:
    """When the first such message about the object came after the failure."""
    return min(
        (each.at for each in events(failure, inventory) if each.name == name and each.about_uuid == about_uuid),
        default=None,
    )


def restarted(failure: Failure, inventory: Inventory) -> Iterator[tuple[VM, float]]:
    """The VMs that were started after the failure, with how many seconds later."""
    seen: set[str] = set()
    for event in events(failure, inventory):
        vm = inventory.by_uuid(VM, event.about_uuid) if event.name == _STARTED else None
        if vm is not None and vm.uuid not in seen:
            seen.add(vm.uuid)
            yield vm, (event.at - failure.at).total_seconds()
