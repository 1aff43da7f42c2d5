"""What a plan locks while it is carried out: the objects that it touches, or its whole pool. Pure."""

from __future__ import annotations

from bot.model import Plan


def keys(plan: Plan) -> tuple[str, ...]:
    """The keys to take in the store, all or none: `POOL/UUID` for an object, `POOL/*` for a whole pool."""
    if plan.whole_pool:
        return (f"{plan.pool.uuid}/*",)
    return tuple(f"{plan.pool.uuid}/{touched.uuid}" for touched in plan.touches)
