"""The compatibility audit: every rule over one pool's inventory, and what of it `pool status` tells."""

from __future__ import annotations

from bot.audits import availability, backups, guests, hosts, network, storage, trust
from bot.audits.rule import Rule, declared
from bot.findings import Drift, gravity
from bot.inventory import Inventory
from bot.rules.limits import Known

RULES: tuple[Rule, ...] = tuple(
    each
    for module in (hosts, availability, storage, network, trust, backups, guests)
    for each in declared(vars(module))
)
"""In the order in which findings of one level are told: what is urgent first."""


def audit(inventory: Inventory, known: Known = Known()) -> tuple[Drift, ...]:  # noqa: B008 - it is frozen
    """Everything that is found, gravest first."""
    return _found(inventory, known, RULES)


def urgent(inventory: Inventory, known: Known = Known()) -> tuple[Drift, ...]:  # noqa: B008 - it is frozen
    """What is wrong right now, gravest first: the part of the audit that somebody at 3 a.m. wants to hear."""
    return _found(inventory, known, tuple(each for each in RULES if each.urgent))


def _found(inventory: Inventory, known: Known, rules: tuple[Rule, ...]) -> tuple[Drift, ...]:
    found = [drift for each in rules for drift in each.drifts(inventory, known)]
    return tuple(sorted(found, key=lambda drift: -gravity(drift.level)))
