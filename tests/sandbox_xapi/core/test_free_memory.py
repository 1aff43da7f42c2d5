"""A host's free memory follows its VMs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.xapi.estate import Estate
from sandbox.xapi.worlds.check import problems
from tests.sandbox_xapi.core.two_pools import Lab
from tests.sandbox_xapi.core.world import GIB, Client, ref


@pytest.fixture
def estate() -> Iterator[Estate]:
    lab = Lab()
    lab.pool.guest("web", host="h1", sr="nfs", network="eth0 pool")
    lab.pool.guest("spare", sr="nfs", network="eth0 pool")
    made = lab.estate()
    yield made
    made.close()
    assert made.bugs == []


def free(client: Client) -> list[int]:
    return [client("host_metrics.get_record", ref(f"{host} metrics"))["memory_free"] for host in ("h1", "h2")]


def test_start_move_shutdown(estate: Estate) -> None:
    client = Client(estate)
    first, second = free(client)
    client("VM.start_on", ref("spare"), ref("h1"), False, False)
    taken = GIB + client("VM.get_memory_overhead", ref("spare"))
    assert free(client) == [first - taken, second]
    client("VM.pool_migrate", ref("spare"), ref("h2"), {})
    assert free(client) == [first, second - taken]
    assert problems(estate.dump()[0]) == []
    client("VM.clean_shutdown", ref("spare"))
    assert free(client) == [first, second]


def test_a_squeezed_vm_gives_memory_back(estate: Estate) -> None:
    client = Client(estate)
    client("VM.set_memory_static_range", ref("spare"), GIB // 4, 2 * GIB)
    client("VM.set_memory_dynamic_range", ref("spare"), GIB // 2, GIB)
    client("VM.start_on", ref("spare"), ref("h1"), False, False)
    before = free(client)[0]
    client("VM.set_memory_dynamic_range", ref("spare"), GIB // 2, GIB // 2)
    assert free(client)[0] == before + GIB // 2


def test_a_world_that_nobody_measured_keeps_its_figures() -> None:
    lab = Lab()
    lab.row("host_metrics", "h1 metrics")["memory_free"] = 5 * GIB
    lab.pool.guest("spare", sr="nfs", network="eth0 pool")
    estate = lab.estate()
    client = Client(estate)
    client("VM.start_on", ref("spare"), ref("h1"), False, False)
    assert free(client)[0] == 5 * GIB
    estate.close()
