"""What a plan locks while it is carried out: the objects that it touches, or its whole pool; what it touches in other
pools; and a stand-alone host that it does something to, whole. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.model import HostTarget, ObjectId, Plan


def keys(plan: Plan) -> tuple[str, ...]:
    """The keys to take in the store, all or none: `POOL/UUID` for an object, `POOL/*` for a whole pool."""
    own = (_whole(plan.pool.uuid),) if plan.whole_pool else _of(plan.pool, plan.touches)
    others = (key for each in plan.elsewhere for key in _of(each.pool, each.touches))
    return tuple(dict.fromkeys((*own, *others, *_alone(plan))))


def _of(pool: ObjectId, touches: tuple[ObjectId, ...]) -> tuple[str, ...]:
    return tuple(f"{pool.uuid}/{touched.uuid}" for touched in touches)


def _alone(plan: Plan) -> Iterator[str]:
    """A host that stands alone is a pool by itself: who masks its CPU and who lets it join must not meet there."""
    for step in plan.steps:
        for each in (step, *step.undo):
            if isinstance(each.target, HostTarget) and each.target.pool_uuid:
                yield _whole(each.target.pool_uuid)


def _whole(pool_uuid: str) -> str:
    return f"{pool_uuid}/*"
