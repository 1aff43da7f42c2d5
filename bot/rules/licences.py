"""What the licence of a pool covers: every host of it has to (pool.restrictions; xapi: Pool_features)."""

from __future__ import annotations

from dataclasses import dataclass

from bot.inventory import Inventory
from bot.rules.check import Check


@dataclass(frozen=True, slots=True)
class Feature:
    """`key` of the restrictions is `lacking` where the feature is not covered."""

    what: str
    key: str
    lacking: str


HIGH_AVAILABILITY = Feature("high availability", "enable_xha", "false")
LIVE_MIGRATION = Feature("moving running VMs", "restrict_xen_motion", "true")


def check(inventory: Inventory, feature: Feature) -> Check:
    """A key that a version does not have restricts nothing."""
    lacks = inventory.pool.mapping("restrictions").get(feature.key) == feature.lacking
    return Check(
        "pool.licence",
        "LICENCE_RESTRICTION",
        not lacks,
        f"the licence covers {feature.what}",
        f"the pool's restrictions say {feature.key}={feature.lacking}" if lacks else "",
        "License every host for it: xe pool-apply-edition edition=…" if lacks else "",
    )
