"""What the licence of a pool covers: the features in pool.restrictions (xapi's Pool_features)."""

from __future__ import annotations

from sandbox.xapi.failure import Failure
from sandbox.xapi.store import Database

_KEYS = {"HA": ("enable_xha", "false"), "Xen_motion": ("restrict_xen_motion", "true")}
"""Feature → its key, and the value with which it is not covered. A key that is missing covers it: every pool here says
what it has not.
"""


def require(db: Database, feature: str) -> None:
    """Raises Failure LICENCE_RESTRICTION."""
    key, uncovered = _KEYS[feature]
    if next(iter(db.rows("pool").values())).get("restrictions", {}).get(key) == uncovered:
        raise Failure("LICENCE_RESTRICTION", feature)
