"""The tags of what a plan is about, as the policy sees them: filled in by the bot, so that no command forgets them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from bot.errors import Denied, Unavailable
from bot.inventory import Inventory
from bot.model import ObjectId, Plan
from bot.ports import Pools
from bot.registry import Registry, Scope
from bot.text import quoted


def tagged(plan: Plan, pools: Pools, registry: Registry, watched: frozenset[str]) -> Plan:
    """The plan with the tags of what it touches and of its pools, read now, as far as they are watched.

    :param watched: the tags that the policy depends on.
    :raises Denied: something that it touches is not in the pool's database, so its tags cannot be told.
    :raises Unavailable: a pool cannot be read.
    """
    if not watched:
        return replace(plan, tags=(), tags_of_each=())
    read, tags_of = partial(_tagged_as, plan, pools, registry), partial(_tags, watched)
    coming = frozenset(touched.uuid for touched in plan.touches)
    elsewhere = tuple(replace(each, tags=tags_of(each.touches, read(each.pool), coming)) for each in plan.elsewhere)
    if plan.pool.name not in pools.names():
        return replace(plan, tags=(), tags_of_each=(), elsewhere=elsewhere)
    here = read(plan.pool)
    each = sorted({tags_of((touched,), here) for touched in plan.touches})
    return replace(
        plan,
        tags=tags_of(plan.touches, here),
        tags_of_each=tuple(each) if len(each) > 1 else (),
        elsewhere=elsewhere,
    )


def _tags(
    watched: frozenset[str], touches: tuple[ObjectId, ...], inventory: Inventory, coming: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """`coming` need not be there yet: what comes from the plan's pool is tagged there."""
    tags = set(inventory.pool.tags)
    for touched in touches:
        found = inventory.any_by_uuid(touched.uuid)
        if found is not None:
            tags.update(found.tags)
        elif touched.uuid not in coming:
            raise Denied(
                f"The tags of {quoted(touched.name)} cannot be read, so the policy cannot be evaluated.",
                remedy="It has to be in the pool's database. Ask whoever runs the bot if it cannot be.",
            )
    return tuple(sorted(tags & watched))


def _tagged_as(plan: Plan, pools: Pools, registry: Registry, pool: ObjectId) -> Inventory:
    """The database that says how everything in one of its pools is tagged: of a pool without a coordinator the one
    that was read last; also of one that does not answer, where only the bot itself is changed.

    :raises Denied: none was read. :raises Unavailable: the pool cannot be read.
    """
    view, command = pools.view(pool.name), registry[plan.command]
    if not command.headless:
        try:
            return view.inventory()
        except Unavailable:
            if command.scope is not Scope.NAMED:
                raise
    latest = view.latest()
    if latest is None:
        raise Denied(
            "The policy depends on tags, and nobody can read them now, so it cannot be evaluated.",
            remedy="Whoever runs the bot can let a rule for this command stand before those with tags.",
        )
    return latest
