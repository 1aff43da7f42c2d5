"""Against whole labs over the real wire: a second implementation of XenAPI, which shares nothing with the bot."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Literal

import pytest
import XenAPI

from bot.errors import OutcomeUnknown, ToolstackRefusal, Unavailable
from bot.model import Object
from bot.ports import Taken, TaskStatus
from bot.xapi import XapiPools
from sandbox.xapi.lab import load
from sandbox.xapi.running import RunningLab, start
from tests.bot_xapi.labs import COLD_CALLS, connected, migration, movable, until_ended
from tests.waiting import eventually

CALL = "Async.VM.pool_migrate"


@pytest.fixture
def pool_name(lab: RunningLab) -> str:
    return next(iter(lab.pools))


@pytest.fixture
def pools(lab: RunningLab, pool_name: str) -> Iterator[XapiPools]:
    with connected(lab, pool_name) as pools:
        yield pools


@pytest.mark.parametrize("name", ["tutorial-start", "tutorial", "current", "healthy"])
def test_every_lab_is_read_as_it_is(name: str) -> None:
    with start(load(name)) as lab, ExitStack() as stack:
        for pool, described in lab.pools.items():
            pools = stack.enter_context(connected(lab, pool))
            inventory = pools.view(pool).inventory()
            assert sorted(host.name for host in inventory.hosts) == sorted(described["hosts"])
            assert inventory.pool.coordinator is not None
            assert inventory.pool.coordinator.name == described["coordinator"]
            other = XenAPI.Session(lab.hosts[described["coordinator"]])
            other.login_with_password(lab.username, lab.password, "1.0", "test")
            assert other.xenapi.VM.get_all_records().keys() == inventory.records["VM"].keys()
            other.xenapi.session.logout()


def test_a_cold_start_costs_the_same_calls_for_any_size() -> None:
    for fleet in ("3x10", "64x400"):
        with start(load(fleet=fleet)) as lab:
            pool = next(iter(lab.pools))
            with connected(lab, pool) as pools:
                assert len(pools.view(pool).inventory().hosts) == int(fleet.split("x")[0])
                assert lab.calls() == COLD_CALLS


def test_the_tutorial_s_hosts_speak_tls_1_0_only() -> None:
    with start(load("tutorial"), tls=True, tls10=None) as lab:
        with connected(lab, "lab") as pools, pytest.raises(Unavailable) as caught:
            pools.view("lab").inventory()
        assert "only speaks TLS 1.0" in " ".join(caught.value.evidence)
        with connected(lab, "lab", allow_tls1=True) as pools:
            assert pools.view("lab").inventory().pool.name == "lab"
            assert pools.view("lab").connection().tls == "TLSv1"


def test_a_migration_is_sent_followed_and_seen_by_another_client(
    lab: RunningLab, pools: XapiPools, pool_name: str
) -> None:
    hands = pools.hands(pool_name)
    vm, host = movable(pools, pool_name)
    step = migration(pools.view(pool_name).inventory(), vm, host)
    task_uuid = hands.send(step, {})
    assert until_ended(lambda: hands.task(task_uuid)).status is TaskStatus.SUCCESS
    assert hands.holds(step.expect[0], {})[0]
    other = XenAPI.Session(lab.hosts[lab.pools[pool_name]["coordinator"]])
    other.login_with_password(lab.username, lab.password, "1.0", "test")
    assert other.xenapi.VM.get_resident_on(vm.ref) == host.ref
    other.xenapi.session.logout()
    hands.forget(task_uuid)
    assert hands.task(task_uuid) is None


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_migration_that_is_cut_off_is_found_and_was_sent_once(
    lab: RunningLab, pools: XapiPools, pool_name: str, when: Literal["before", "after"]
) -> None:
    """Before it was taken: nothing of it is there. After: it is followed to its end."""
    hands = pools.hands(pool_name)
    vm, host = movable(pools, pool_name)
    step = migration(pools.view(pool_name).inventory(), vm, host)
    mark = hands.mark(step)
    lab.drop(lab.pools[pool_name]["coordinator"], when, method=CALL)
    with pytest.raises(OutcomeUnknown):
        hands.send(step, {})
    sighting = hands.look(step, mark)
    if when == "before":
        assert sighting.taken is Taken.NOT_TAKEN
        assert lab.calls().get(CALL, 0) == 0
        return
    assert sighting.taken in (Taken.RUNNING, Taken.DONE)
    assert until_ended(lambda: hands.task(sighting.task_uuid)).status is TaskStatus.SUCCESS
    assert hands.look(step, mark).taken is Taken.DONE
    assert lab.calls()[CALL] == 1


def test_a_check_that_fails_is_told_with_names(lab: RunningLab, pools: XapiPools, pool_name: str) -> None:
    view = pools.view(pool_name)
    vm, host = movable(pools, pool_name)
    other = XenAPI.Session(lab.hosts[lab.pools[pool_name]["coordinator"]])
    other.login_with_password(lab.username, lab.password, "1.0", "test")
    other.xenapi.host.disable(host.ref)
    with pytest.raises(ToolstackRefusal) as caught:
        view.ask("VM.assert_can_boot_here", Object(vm.id), Object(host.id))
    assert caught.value.code == "HOST_DISABLED"
    assert caught.value.message.startswith(f"{host.name} is disabled")
    other.xenapi.session.logout()


def test_a_killed_coordinator_is_told_with_each_host_s_answer(
    lab: RunningLab, pools: XapiPools, pool_name: str
) -> None:
    view = pools.view(pool_name)
    view.inventory()
    coordinator = lab.pools[pool_name]["coordinator"]
    lab.kill(coordinator)
    with pytest.raises(Unavailable) as caught:
        view.inventory()
    told = caught.value.evidence
    assert len(told) == len(lab.pools[pool_name]["hosts"])
    assert any(line.startswith(coordinator) and "refuses connections" in line for line in told)
    lab.start(coordinator)
    assert view.inventory().pool.coordinator is not None


def test_a_new_coordinator_is_found(lab: RunningLab, pools: XapiPools, pool_name: str) -> None:
    view = pools.view(pool_name)
    inventory = view.inventory()
    old = inventory.pool.coordinator
    new = next(host for host in inventory.hosts if host != old)
    other = XenAPI.Session(lab.hosts[lab.pools[pool_name]["coordinator"]])
    other.login_with_password(lab.username, lab.password, "1.0", "test")
    other.xenapi.pool.designate_new_master(new.ref)
    eventually(lambda: view.inventory().pool.coordinator == new, "the new coordinator", passing=(Unavailable,))
    assert view.connection().address == new.address


def test_a_session_that_is_gone_is_renewed(lab: RunningLab, pools: XapiPools, pool_name: str) -> None:
    view = pools.view(pool_name)
    view.inventory()
    coordinator = lab.pools[pool_name]["coordinator"]
    lab.kill(coordinator)
    lab.start(coordinator)
    assert view.inventory().hosts
    assert lab.calls()["session.login_with_password"] >= 2


def test_a_paused_host_costs_a_bounded_wait(lab: RunningLab, pool_name: str) -> None:
    with connected(lab, pool_name, answer_seconds=0.5, probe_seconds=0.5, connect_seconds=0.5) as pools:
        view = pools.view(pool_name)
        view.inventory()
        coordinator = lab.pools[pool_name]["coordinator"]
        lab.pause(coordinator)
        began = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            view.inventory()
        assert time.monotonic() - began < 20
        assert any("did not answer within" in line for line in caught.value.evidence)
        lab.resume(coordinator)
        assert view.inventory().hosts
