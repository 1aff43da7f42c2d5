"""What a plan locks while it is carried out: the objects that it touches, or its whole pool; and what it touches in
other pools. Pure.
"""

from __future__ import annotations

from bot.model import ObjectId, Plan


def keys(plan: Plan) -> tuple[str, ...]:
    """The keys to take in the store, all or none: `POOL/UUID` for an object, `POOL/*` for a whole pool."""
    whole = (f"{plan.pool.uuid}/*",)
    own = whole if plan.whole_pool else _of(plan.pool, plan.touches)
    return (*own, *(key for each in plan.elsewhere for key in _of(each.pool, each.touches)))


def _of(pool: ObjectId, touches: tuple[ObjectId, ...]) -> tuple[str, ...]:
    return tuple(f"{pool.uuid}/{touched.uuid}" for touched in touches)
