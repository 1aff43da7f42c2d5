"""Shutting a whole pool down: in which order, what keeps a VM from going cleanly, and where the bot itself is in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from bot.errors import Refused
from bot.inventory import VM, Entity, Host, Inventory
from bot.lookup import matches
from bot.rules import operations
from bot.rules.check import Check
from bot.text import quoted

_ASKED_AWAY = frozenset({"vm.state", "vm.tools", "vm.busy"})
"""What keeps a VM from going cleanly, and not from being switched off."""


@dataclass(frozen=True, slots=True)
class Stop:
    """How a VM goes down: `operation` is clean_shutdown or hard_shutdown; `against` says why it cannot, so; `unclean`
    why it is switched off instead.
    """

    vm: VM
    operation: str
    against: tuple[Check, ...] = ()
    unclean: tuple[Check, ...] = ()


def stops(inventory: Inventory, *, force: bool, but: Entity | None) -> Iterator[Stop]:
    """Every VM that runs on a host that is alive, in reverse order of start: who starts last goes first."""
    running = [vm for vm in inventory.guests if vm.power_state in ("Running", "Paused") and vm != but]
    for vm in sorted(running, key=_start_order, reverse=True):
        home = vm.resident_on
        if home is None or not home.live:
            continue
        unclean = tuple(check for check in operations.checks(vm, "clean_shutdown", inventory) if not check.ok)
        if not unclean or not force or any(check.id not in _ASKED_AWAY for check in unclean):
            yield Stop(vm, "clean_shutdown", unclean)
            continue
        against = tuple(check for check in operations.checks(vm, "hard_shutdown", inventory) if not check.ok)
        yield Stop(vm, "hard_shutdown", against, unclean)


def turns(stops: Iterable[Stop]) -> tuple[tuple[Stop, ...], ...]:
    """Who goes down at once: those whose order of start is the same, as they come from :func:`stops`."""
    return tuple(tuple(turn) for _, turn in groupby(stops, key=lambda stop: _start_order(stop.vm)[:2]))


def stranded(inventory: Inventory) -> tuple[tuple[VM, Host], ...]:
    """VMs that are on record as running on a host that nobody hears from."""
    return tuple((vm, home) for vm in inventory.guests if (home := vm.resident_on) is not None and not home.live)


def _start_order(vm: VM) -> tuple[bool, int, str]:
    """VM.order as the toolstack starts by it: ascending, negative numbers last."""
    order = vm.number("order")
    return order < 0, order, vm.uuid


def own_place(runs_on: str, inventory: Inventory) -> tuple[Entity, Host] | None:
    """What the bot itself runs on, if it is in this pool: that VM or host, and the host.

    :raises Refused: several objects have the name, so which one it is cannot be told.
    """
    if not runs_on:
        return None
    found = matches(inventory, VM, runs_on) or matches(inventory, Host, runs_on)
    if len(found) > 1:
        raise Refused(
            f"The bot runs on {quoted(runs_on)}, and {len(found)} objects of this pool are called so.",
            remedy="Whoever runs the bot: give bot.runs_on the uuid instead.",
        )
    for entity in found:
        home = entity.resident_on if isinstance(entity, VM) else entity
        if isinstance(home, Host):
            return entity, home
    return None
