"""What a plan locks."""

from __future__ import annotations

from dataclasses import replace

from bot import locks
from bot.model import Elsewhere, HostTarget, ObjectId, Plan, PoolTarget, Risk, Step

POOL = ObjectId("pool", "11111111-0000-4000-8000-000000000000", "lab")
VM = ObjectId("VM", "22222222-0000-4000-8000-000000000000", "web-1")
HOST = ObjectId("host", "33333333-0000-4000-8000-000000000000", "xs1")


OTHER = ObjectId("pool", "44444444-0000-4000-8000-000000000000", "prod")


def plan(*touches: ObjectId, whole_pool: bool = False, elsewhere: tuple[Elsewhere, ...] = ()) -> Plan:
    return Plan(
        command="vm migrate",
        arguments=(),
        pool=POOL,
        risk=Risk.DISRUPTIVE,
        title="Move it",
        touches=touches,
        whole_pool=whole_pool,
        elsewhere=elsewhere,
    )


def test_each_object_that_it_touches_is_locked_in_its_pool() -> None:
    assert locks.keys(plan(VM, HOST)) == (f"{POOL.uuid}/{VM.uuid}", f"{POOL.uuid}/{HOST.uuid}")


def test_a_whole_pool_is_one_lock_that_excludes_every_object_of_it() -> None:
    assert locks.keys(plan(VM, whole_pool=True)) == (f"{POOL.uuid}/*",)


def test_a_plan_that_touches_nothing_locks_nothing() -> None:
    assert locks.keys(plan()) == ()


def test_what_it_touches_in_another_pool_is_locked_there() -> None:
    there = (Elsewhere(pool=OTHER, touches=(VM,)),)
    assert locks.keys(plan(VM, elsewhere=there)) == (f"{POOL.uuid}/{VM.uuid}", f"{OTHER.uuid}/{VM.uuid}")
    assert locks.keys(plan(VM, whole_pool=True, elsewhere=there)) == (f"{POOL.uuid}/*", f"{OTHER.uuid}/{VM.uuid}")


def test_a_stand_alone_host_is_locked_whole_by_whatever_is_done_to_it() -> None:
    step = Step(title="Reboot it", target=HostTarget("xs3", OTHER.uuid), call="host.reboot")
    here = Step(title="Look", target=PoolTarget(POOL.uuid))
    alone = f"{OTHER.uuid}/*"
    assert locks.keys(replace(plan(), steps=(step, here, step))) == (alone,)
    assert locks.keys(replace(plan(VM), steps=(replace(here, undo=(step,)),))) == (f"{POOL.uuid}/{VM.uuid}", alone)
    # One that is still to become a pool of its own has no uuid to be known by.
    assert locks.keys(replace(plan(), steps=(replace(step, target=HostTarget("xs3", "")),))) == ()
