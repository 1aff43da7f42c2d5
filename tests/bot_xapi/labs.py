"""Whole labs as pools of the bot: how they are reached, and a VM of theirs that moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bot.clock import SystemClock
from bot.inventory import VM, Host, Inventory
from bot.model import Expect, Object, PoolTarget, Step, Trace, Value
from bot.ports import TaskStatus, TaskView
from bot.xapi import PoolSettings, XapiPools
from sandbox.xapi.running import RunningLab
from tests.waiting import eventually

COLD_CALLS = {"session.login_with_password": 1, "event.from": 1}
"""What reading a pool for the first time sends."""


def settings(lab: RunningLab, pool: str, **changes: Any) -> PoolSettings:
    hosts = lab.pools[pool]["hosts"]
    addresses = tuple(host.address for host in lab.estate.hosts.values() if host.name in hosts)
    assert set(addresses) <= set(lab.addresses), "nothing beyond this machine is dialled"
    given: dict[str, Any] = {
        "name": pool,
        "addresses": addresses,
        "username": lab.username,
        "password": lambda: lab.password,
        "plain_http": not lab.fingerprints,
        "fingerprints": tuple(lab.fingerprints.values()),
        "address_map": lab.addresses,
        "connect_seconds": 2.0,
        "answer_seconds": 10.0,
        "probe_seconds": 3.0,
    }
    return PoolSettings(**(given | changes))


@contextmanager
def connected(lab: RunningLab, pool: str, **changes: Any) -> Iterator[XapiPools]:
    pools = XapiPools([settings(lab, pool, **changes)], SystemClock())
    try:
        yield pools
    finally:
        pools.close()


def movable(pools: XapiPools, name: str) -> tuple[VM, Host]:
    """A running VM and another host that can take it, by the pool's own word."""
    view = pools.view(name)
    inventory = view.inventory()
    for vm in inventory.guests:
        if vm.power_state != "Running" or "pool_migrate" not in vm.refs("allowed_operations"):
            continue
        for ref in view.ask("VM.get_possible_hosts", Object(vm.id)):
            host = inventory.get(Host, ref)
            if host is not None and host != vm.resident_on:
                return vm, host
    raise AssertionError("no VM of the lab can move")


def migration(inventory: Inventory, vm: VM, host: Host) -> Step:
    return Step(
        title=f"Move {vm.name} to {host.name}",
        target=PoolTarget(inventory.pool.uuid),
        call="VM.pool_migrate",
        arguments=(Object(vm.id), Object(host.id), Value({"live": "true"})),
        trace=Trace(object=vm.id, operation="pool_migrate"),
        expect=(Expect(object=vm.id, field="resident_on", equals=Object(host.id)),),
    )


def until_ended(task: Callable[[], TaskView | None]) -> TaskView:
    def ended() -> TaskView | None:
        view = task()
        assert view is not None
        return None if view.status in (TaskStatus.PENDING, TaskStatus.CANCELLING) else view

    found = eventually(ended, "the task's end")
    assert found is not None
    return found
