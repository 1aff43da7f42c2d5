"""The number of host failures to tolerate while a host is in maintenance: what it was before, noted in the pool.

XenCenter notes no such thing; it asks when the host is taken back. The key is the bot's own, in the pool's
other_config, so that another process of the bot knows. The note counts only while the number is what the bot has
lowered it to: who has set another one since has decided otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.inventory import VM, Host, Inventory
from bot.rules import ha

KEY = "xenia:failures-to-tolerate"
_NOTE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})")


@dataclass(frozen=True, slots=True)
class Lowered:
    """Lowered from one number to another, smaller one."""

    before: int
    to: int

    @property
    def note(self) -> str:
        return f"{self.before}/{self.to}"


def noted(inventory: Inventory) -> Lowered | None:
    """What the pool notes, if it still counts."""
    match = _NOTE.fullmatch(inventory.pool.other_config.get(KEY, ""))
    found = Lowered(int(match[1]), int(match[2])) if match else None
    now = inventory.pool.number("ha_host_failures_to_tolerate")
    return found if found is not None and found.to == now < found.before else None


def lower(to: int, inventory: Inventory) -> Lowered:
    """What is to be noted when the number is lowered (again)."""
    earlier = noted(inventory)
    return Lowered(earlier.before if earlier else inventory.pool.number("ha_host_failures_to_tolerate"), to)


@dataclass(frozen=True, slots=True)
class Raise:
    """How far the number can be raised again: `to`, at most what it was `before`; `why` it is less, "" if it is not."""

    before: int
    to: int
    why: str = ""


def back(host: Host, coming: Iterable[VM], inventory: Inventory) -> Raise | None:
    """How far when the host is taken back into service and those VMs are back on it; None: nothing was lowered."""
    found = noted(inventory)
    if found is None:
        return None
    if not inventory.pool.ha_enabled:
        return Raise(found.before, found.before)
    then = ha.situation(inventory, ha.Change(enabled=frozenset({host}), moved=tuple((vm, host) for vm in coming)))
    for number in range(found.before, found.to, -1):
        if not ha.why_no_plan(then, number, inventory):
            return Raise(found.before, number, _why(then, number, found, inventory))
    return Raise(found.before, found.to, _why(then, found.to, found, inventory))


def _why(then: ha.Situation, number: int, found: Lowered, inventory: Inventory) -> str:
    return ha.why_no_plan(then, number + 1, inventory) if number < found.before else ""
