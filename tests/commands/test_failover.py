"""The planner of high availability: against an exhaustive search, against the sandbox's, and as people see it."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Level, Table
from bot.rules import failover, ha
from bot.rules.failover import Layout
from tests.commands.world import NULL, Changed, Made, world

GIB = 1 << 30


@st.composite
def layouts(draw: st.DrawFn) -> tuple[Layout, int]:
    hosts = [f"h{number}" for number in range(draw(st.integers(1, 4)))]
    sizes = {f"v{number}": draw(st.integers(1, 9)) for number in range(draw(st.integers(0, 6)))}
    homes = {vm: draw(st.sampled_from([*hosts, "gone"])) for vm in sizes}
    free = {host: draw(st.integers(0, 12)) for host in hosts}
    return Layout(free, sizes, {vm: home for vm, home in homes.items() if home != "gone"}), draw(st.integers(0, 4))


def fits(free: dict[str, int], sizes: list[int]) -> bool:
    """Exhaustively: is there any way at all to place these?"""
    return any(
        all(sum(size for size, host in zip(sizes, way, strict=True) if host == each) <= free[each] for each in free)
        for way in itertools.product(free, repeat=len(sizes))
    )


def greedy(free: dict[str, int], sizes: dict[str, int], vms: list[str]) -> dict[str, str] | None:
    """The rule, as plainly as it can be said: biggest first, onto the roomiest host; the first by uuid of equals."""
    free, placed = dict(free), {}
    for vm in sorted(vms, key=lambda vm: (-sizes[vm], vm)):
        host = max(free, key=lambda host: free[host], default=None)
        if host is None or free[host] < sizes[vm]:
            return None
        free[host] -= sizes[vm]
        placed[vm] = host
    return placed


def survives_every_order(layout: Layout, failures: int) -> bool:
    """Every order in which that many hosts can fail, one after the other."""
    waiting = [vm for vm in layout.sizes if vm not in layout.homes]
    first = greedy(dict(layout.free), dict(layout.sizes), waiting)
    if first is None:
        return False
    for order in itertools.permutations(layout.free, min(failures, len(layout.free))):
        free = dict(layout.free)
        homes = dict(layout.homes)
        for vm, host in first.items():
            free[host] -= layout.sizes[vm]
            homes[vm] = host
        for failing in order:
            del free[failing]
            lost = [vm for vm, home in homes.items() if home == failing]
            placed = greedy(free, dict(layout.sizes), lost)
            if placed is None:
                return False
            for vm, host in placed.items():
                free[host] -= layout.sizes[vm]
                homes[vm] = host
    return failures <= len(layout.free) or not layout.sizes


@settings(max_examples=600, deadline=None)
@given(layouts())
def test_a_plan_is_told_exactly_when_every_order_of_failures_is_survived(made: tuple[Layout, int]) -> None:
    layout, failures = made
    found = failover.gap(layout, failures)
    assert (found is None) == survives_every_order(layout, failures)
    if found is not None and not found.rough:
        assert set(found.vms) <= set(layout.sizes)
        assert set(found.hosts) <= set(layout.free)
        assert found.vms


@settings(max_examples=400, deadline=None)
@given(layouts())
def test_a_placement_never_overfills_and_what_it_promises_is_possible(made: tuple[Layout, int]) -> None:
    layout, _ = made
    placed = failover.place(layout.free, layout.sizes, layout.sizes)
    for host, room in layout.free.items():
        assert sum(layout.sizes[vm] for vm, target in placed.items() if target == host) <= room
    if None not in placed.values():
        assert fits(dict(layout.free), list(layout.sizes.values()))


@settings(max_examples=400, deadline=None)
@given(layouts())
def test_one_failure_that_is_promised_can_really_be_borne(made: tuple[Layout, int]) -> None:
    """Pessimism is allowed, a false promise is not."""
    layout, _ = made
    if failover.gap(layout, 1) is not None:
        return
    for failing in layout.free:
        lost = [size for vm, size in layout.sizes.items() if layout.homes.get(vm) == failing or vm not in layout.homes]
        rest = {host: room for host, room in layout.free.items() if host != failing}
        assert fits(rest, lost) or not lost


def test_the_rough_reckoning_of_big_pools_is_pessimistic() -> None:
    free = {f"h{number:02}": 10 for number in range(40)}
    sizes = {f"v{number:02}": 4 for number in range(40)}
    layout = Layout(free, sizes, {f"v{number:02}": f"h{number:02}" for number in range(40)})
    assert failover.gap(layout, 20) is None
    found = failover.gap(layout, 30)
    assert found is not None
    assert found.rough


def shaken(seed: int) -> Changed:
    """The healthy lab with other memory, other homes, other protection, and sometimes a host away."""

    def change(made: Made) -> None:
        chance = random.Random(seed)
        vms = [name for name in (row["name_label"] for row in made.objects["VM"].values()) if name[-2:-1] == "-"]
        for name in dict.fromkeys(vms):
            row = made.row("VM", name)
            if row["is_a_template"]:
                continue
            made.memory(name, chance.choice((8, 24, 48, 80)))
            made.protect(name, priority=chance.choice(("restart", "restart", "best-effort", "")))
            if chance.random() < 0.5:
                row["resident_on"] = made.ref("host", chance.choice(("xs31", "xs32", "xs33")))
            if chance.random() < 0.1:
                row["ha_restart_priority"], row["ha_always_run"] = "restart", True
                row.update(power_state="Halted", resident_on=NULL, domid=-1)
        if chance.random() < 0.3:
            made.row("host", "xs33")["enabled"] = False

    return change


@pytest.mark.parametrize("seed", range(12))
def test_the_planner_agrees_with_the_toolstack_s(seed: int) -> None:
    with world("healthy", shaken(seed)) as found:
        api, inventory = found.api, found.view.inventory()
        for failures in range(4):
            ours = not ha.why_no_plan(ha.situation(inventory), failures, inventory)
            assert ours == api.pool.ha_failover_plan_exists(str(failures)), failures
        assert ha.most_failures(inventory) == int(api.pool.ha_compute_max_host_failures_to_tolerate())
        chosen = [vm for vm in inventory.guests if vm.name.startswith("sql")]
        theirs = api.pool.ha_compute_hypothetical_max_host_failures_to_tolerate({vm.ref: "restart" for vm in chosen})
        assert ha.most_failures(inventory, only=chosen) == int(theirs)
        for host in inventory.hosts:
            vms = [vm for vm in host.resident_vms if vm.text("ha_restart_priority") == "restart"]
            restarts = api.pool.ha_compute_vm_failover_plan([host.ref], [vm.ref for vm in vms])
            for restart in ha.if_fails(host, inventory):
                if restart.vm in vms:
                    where = restart.host
                    assert (where is None) == ("error_code" in restarts[restart.vm.ref]), restart.vm.name


# --- as people see it -------------------------------------------------------------------------------------------------


def test_status_of_a_healthy_pool() -> None:
    with world("healthy") as found:
        report = found.report("ha status")
        assert report.level is Level.OK
        assert "tolerates 1 host failure" in report.title
        assert "no host has the memory" in report.summary or "protected" in report.summary


def test_status_names_who_is_not_agile_and_the_way_out() -> None:
    def protected(made: Made) -> None:
        made.protect("web-1", "files-1", "build-1")

    with world(change=protected) as found:
        report = found.report("ha status")
        assert "off" in report.title
        told = " ".join(
            f"{line.text}{line.detail}{line.remedy}"
            for part in report.parts
            if part.kind == "lines"
            for line in part.lines
        )
        assert "files-1: the ISO drivers.iso in its drive" in told
        assert "vm eject files-1" in told
        assert "build-1: it has a disk on “Local storage”" in told
        for name in ("files-1", "build-1"):
            vm = found.ref("VM", name)
            assert found.code_of("VM.assert_agile", vm) == "HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED"


@pytest.mark.parametrize("lab", ["tutorial", "current", "healthy"])
def test_agility_agrees_with_the_toolstack_s_first_reason(lab: str) -> None:
    from bot.rules import agility

    with world(lab) as found:
        inventory = found.view.inventory()
        for vm in inventory.guests:
            against = agility.against(vm, inventory)
            assert found.code_of("VM.assert_agile", vm.ref) == (against[0].code if against else ""), vm.name


def test_overcommitment_is_said_with_its_reason() -> None:
    def greedy_vm(made: Made) -> None:
        made.memory("sql-1", 160)

    with world("healthy", greedy_vm) as found:
        report = found.report("ha status")
        assert report.level is Level.BAD
        assert "overcommitted" in report.title
        assert "sql-1" in report.summary


def test_the_plan_says_when_nothing_is_protected() -> None:
    """And its tables have no columns that are empty."""
    with world() as found:
        report = found.report("ha plan for xs1")
    assert report.title == "lab: if one host fails, its VMs stay down: none is protected"
    (table,) = report.parts
    assert isinstance(table, Table)
    assert table.columns == ("VM", "Why not")
    assert [cell.text for cell in table.rows[0]] == ["build-1", "not protected: it stays down"]


def test_the_plan_tells_each_vm_s_fate() -> None:
    def some(made: Made) -> None:
        made.protect("web-1", "build-1", "db-1")
        made.protect("mail-1", priority="best-effort")

    with world(change=some) as found:
        report = found.report("ha plan for xs1")
        (table,) = report.parts
        assert isinstance(table, Table)
        rows = {row[0].text: (row[2].text, row[3].text) for row in table.rows}
        assert rows["web-1"] == ("xs2", "")
        assert rows["build-1"][0] == "–"
        assert "Local storage" in rows["build-1"][1]
        assert "best effort" in rows["mail-1"][1]
        assert "not protected" in rows["crm-1"][1]
        assert "1 protected VM would stay down" in report.title
