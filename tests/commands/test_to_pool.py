"""VMs that go to another pool: done and seen in both by another client; every reason against it with the toolstack's
own code, really asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.errors import Denied, NotFound, Refused
from bot.execution.calls import is_needed
from bot.forms import Forms
from bot.model import MapOf, ObjectMap, Place, Plan, PoolTarget, Verdict
from bot.ports import Taken, TaskStatus
from bot.scope import Scopes
from sandbox.xapi.lab import Lab, load
from tests.commands.test_disk_move import without
from tests.commands.world import HERE, NULL, OLGA, REGISTRY, Made, World, codes, refused, world

LAN = "Pool-wide network associated with eth0"
GIB = 1 << 30
Both = Callable[[Made, Made], None]


def two_pools(change: Both | None = None) -> Lab:
    lab = load("two-pools")
    if change is not None:
        change(*(Made(pool.objects) for pool in lab.pools))
    return lab


def asked(found: World, text: str) -> Plan:
    return found.plan(f"vm migrate {text} in north")


@dataclass(frozen=True)
class Seen:
    """A VM as a plain client sees it in a pool."""

    state: str
    host: str
    disks: tuple[str, ...]
    networks: tuple[str, ...]
    macs: tuple[str, ...]
    snapshots: int
    tags: tuple[str, ...]


def seen(found: World, coordinator: str, uuid: str) -> Seen | None:
    """None: that pool does not know it."""
    api = found.leader(coordinator)
    refs = [ref for ref, row in api.VM.get_all_records().items() if row["uuid"] == uuid]
    if not refs:
        return None
    (vm,) = refs
    row = api.VM.get_record(vm)
    vbds = [vbd for vbd in map(api.VBD.get_record, row["VBDs"]) if vbd["type"] == "Disk"]
    vifs = sorted((api.VIF.get_record(vif) for vif in row["VIFs"]), key=lambda vif: vif["device"])
    return Seen(
        row["power_state"],
        "" if row["resident_on"] == NULL else api.host.get_name_label(row["resident_on"]),
        tuple(api.SR.get_name_label(api.VDI.get_SR(vbd["VDI"])) for vbd in sorted(vbds, key=lambda v: v["userdevice"])),
        tuple(api.network.get_name_label(vif["network"]) for vif in vifs),
        tuple(vif["MAC"] for vif in vifs),
        len(row["snapshots"]),
        tuple(row["tags"]),
    )


# --- done, and verified in both ---------------------------------------------------------------------------------------


def done(found: World, plan: Plan) -> list[str]:
    assert codes(plan) == []
    assert found.replanned(plan).digest() == plan.digest()
    return found.perform(plan)


@pytest.mark.parametrize(
    ("text", "host", "sr", "network"),
    [
        ("web-7 to pool south", "s1", "NFS south", LAN),
        ("build-7 to pool south host s2", "s2", "NFS south", LAN),
        ("sql-7 to pool south host s1 storage NFS south", "s1", "NFS south", LAN),
        ("proxy-7 to pool south network Backup", "s1", "NFS south", "Backup"),
        ("wiki-7 to pool south", "", "NFS south", LAN),
    ],
)
def test_it_is_there_as_it_was_and_here_no_more_and_comes_back(text: str, host: str, sr: str, network: str) -> None:
    with world(two_pools(), all_pools=True) as found:
        plan = asked(found, text)
        uuid = plan.touches[0].uuid
        before = seen(found, "n1", uuid)
        assert before is not None
        done(found, plan)
        there = seen(found, "s1", uuid)
        assert there == replace(before, host=host, disks=(sr,) * len(before.disks), networks=(network,))
        assert seen(found, "n1", uuid) is None
        back = found.plan(plan.go_back)
        done(found, back)
        home = seen(found, "n1", uuid)
        assert home is not None
        assert replace(home, host="") == replace(before, host="")
        assert seen(found, "s1", uuid) is None


def test_a_vm_without_disks_or_networks_goes_too() -> None:
    def bare(north: Made, _: Made) -> None:
        vm = north.ref("VM", "wiki-7")
        for cls in ("VBD", "VIF"):
            north.objects[cls] = {ref: row for ref, row in north.objects[cls].items() if row["VM"] != vm}

    with world(two_pools(bare), all_pools=True) as found:
        plan = asked(found, "wiki-7 to pool south")
        done(found, plan)
        there = seen(found, "s1", plan.touches[0].uuid)
        assert there is not None
        assert (there.state, there.disks, there.networks) == ("Halted", (), ())


def test_the_verification_looks_at_both_pools() -> None:
    """What was expected before the move is not so: neither there nor here."""
    with world(two_pools(), all_pools=True) as found:
        plan = asked(found, "web-7 to pool south")
        step = plan.steps[1]
        hands = found.resolver.hands(found.request(plan), step.target)
        told = [hands.holds(expect, {}) for expect in step.expect]
        assert not any(holds for holds, _ in told)
        assert {"web-7 is not in south", "web-7 is still in north"} <= {words for _, words in told}
        found.perform(plan)
        assert all(hands.holds(expect, {})[0] for expect in step.expect)
        wrong = replace(step.expect[0], at=PoolTarget("11111111-2222-3333-4444-555555555555"))
        with pytest.raises(Refused, match="another pool"):
            hands.holds(wrong, {})


def begun(found: World, text: str) -> tuple[Plan, Any, str, str]:
    """The plan, the hands of its last step, that step's mark and its task, just begun."""
    plan = asked(found, text)
    request = found.request(plan)
    receive, send = plan.steps
    token = found.resolver.hands(request, receive.target).send(receive, {})
    hands = found.resolver.hands(request, send.target)
    mark = hands.mark(send)
    return plan, hands, mark, hands.send(send, {0: token})


def test_a_lost_answer_is_found_also_while_the_other_pool_is_away() -> None:
    with world(two_pools(), all_pools=True, speed=2) as found:
        plan, hands, mark, task = begun(found, "web-7 to pool south host s2")
        found.lab.kill("s1")
        sighting = hands.look(plan.steps[1], mark)
        assert (sighting.taken, sighting.task_uuid) == (Taken.RUNNING, task)


def test_what_the_other_pool_has_is_called_by_its_name_in_errors() -> None:
    with world(two_pools(disabled), all_pools=True) as found:
        _, hands, _, task = begun(found, HERE_TO)
        limit = time.monotonic() + 60
        while (view := hands.task(task)).status is TaskStatus.PENDING:
            assert time.monotonic() < limit
            time.sleep(0.02)
        text, remedy = hands.explain(view.error)
        assert "s1" in text
        assert "OpaqueRef" not in f"{text} {remedy}"


# --- every blocker ----------------------------------------------------------------------------------------------------


def _row(made: Made, vm: str = "web-7") -> dict[str, Any]:
    return made.row("VM", vm)


def blocked(north: Made, _: Made) -> None:
    _row(north)["blocked_operations"]["migrate_send"] = "the owner says no"


def pci(north: Made, _: Made) -> None:
    _row(north)["attached_PCIs"] = ["OpaqueRef:pci"]


def unlicensed_here(north: Made, _: Made) -> None:
    north.row("host", "n2")["license_params"] = {"restrict_storage_xen_motion": "true"}


def unlicensed_there(_: Made, south: Made) -> None:
    south.row("host", "s2")["license_params"] = {"restrict_storage_xen_motion": "true"}


def no_address(_: Made, south: Made) -> None:
    for pif in south.objects["PIF"].values():
        if pif["host"] == south.ref("host", "s1"):
            pif["IP"] = ""


def older(_: Made, south: Made) -> None:
    south.row("host", "s1")["software_version"]["platform_version"] = "3.0.0"


def cannot_send(north: Made, _: Made) -> None:
    without(north, "nfs", "VDI_MIRROR")


def cannot_receive(_: Made, south: Made) -> None:
    without(south, "nfs", "VDI_MIRROR", "VDI_MIRROR_IN")


def newer_hardware(north: Made, _: Made) -> None:
    _row(north)["hardware_platform_version"] = 9


def disabled(_: Made, south: Made) -> None:
    south.row("host", "s1")["enabled"] = False


def too_many_cpus(north: Made, _: Made) -> None:
    _row(north).update(VCPUs_max=4000, VCPUs_at_startup=4)


def twin(north: Made, south: Made) -> None:
    south.row("VM", "mail-8")["other_config"]["mac_seed"] = _row(north)["other_config"]["mac_seed"]


def there_already(north: Made, south: Made) -> None:
    south.row("VM", "mail-8")["uuid"] = _row(north)["uuid"]


def there_halted(north: Made, south: Made) -> None:
    south.halt("mail-8")
    south.row("VM", "mail-8")["uuid"] = _row(north)["uuid"]


def too_big(north: Made, _: Made) -> None:
    north.memory("web-7", 180)


def other_cpu(_: Made, south: Made) -> None:
    south.row("host", "s1")["cpu_info"].update(vendor="AuthenticAMD")


def tracked(north: Made, _: Made) -> None:
    north.row("VDI", "web-7 disk 0")["cbt_enabled"] = True


def encrypted(north: Made, _: Made) -> None:
    north.row("VDI", "web-7 disk 0")["sm_config"]["key_hash"] = "…"


def reset(north: Made, _: Made) -> None:
    north.row("VDI", "web-7 disk 0")["on_boot"] = "reset"


def unplugged(_: Made, south: Made) -> None:
    for pbd in list(south.objects["PBD"]):
        row = south.objects["PBD"][pbd]
        if (row["SR"], row["host"]) == (south.ref("SR", "NFS south"), south.ref("host", "s1")):
            del south.objects["PBD"][pbd]


def everything(north: Made, south: Made) -> None:
    for change in (blocked, pci, cannot_receive, disabled, twin, too_big, other_cpu, encrypted):
        change(north, south)


HERE_TO = "web-7 to pool south host s1"
CASES: tuple[tuple[str, Both | None, tuple[str, ...]], ...] = (
    (HERE_TO, unlicensed_there, ("LICENCE_RESTRICTION",)),
    (HERE_TO, no_address, ("INTERFACE_HAS_NO_IP",)),
    (HERE_TO, blocked, ("OPERATION_BLOCKED",)),
    (HERE_TO, pci, ("VM_HAS_PCI_ATTACHED",)),
    (HERE_TO, unlicensed_here, ("LICENCE_RESTRICTION",)),
    (HERE_TO, older, ("VM_HOST_INCOMPATIBLE_VERSION_MIGRATE",)),
    (HERE_TO, cannot_send, ("SR_DOES_NOT_SUPPORT_MIGRATION",)),
    (HERE_TO, cannot_receive, ("SR_DOES_NOT_SUPPORT_MIGRATION",)),
    (HERE_TO, newer_hardware, ("VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION",)),
    (HERE_TO, disabled, ("HOST_DISABLED",)),
    (HERE_TO, too_many_cpus, ("HOST_NOT_ENOUGH_PCPUS",)),
    ("proxy-7 to pool south", None, ("VIF_NOT_IN_MAP",)),
    (HERE_TO, twin, ("DUPLICATE_MAC_SEED",)),
    (HERE_TO, there_already, ("VM_BAD_POWER_STATE",)),
    (HERE_TO, there_halted, ("VM_TO_IMPORT_IS_NOT_NEWER_VERSION",)),
    (HERE_TO, too_big, ("HOST_NOT_ENOUGH_FREE_MEMORY",)),
    (HERE_TO, other_cpu, ("VM_INCOMPATIBLE_WITH_THIS_HOST",)),
    (HERE_TO, tracked, ("VDI_CBT_ENABLED",)),
    (HERE_TO, encrypted, ("VDI_IS_ENCRYPTED",)),
    (HERE_TO, reset, ("VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION",)),
    (HERE_TO, unplugged, ("SR_NOT_ATTACHED",)),
    (
        HERE_TO,
        everything,
        (
            "OPERATION_BLOCKED",
            "VM_HAS_PCI_ATTACHED",
            "SR_DOES_NOT_SUPPORT_MIGRATION",
            "HOST_DISABLED",
            "DUPLICATE_MAC_SEED",
            "HOST_NOT_ENOUGH_FREE_MEMORY",
            "VM_INCOMPATIBLE_WITH_THIS_HOST",
            "VDI_IS_ENCRYPTED",
        ),
    ),
)


@pytest.mark.parametrize(
    ("text", "change", "expected"), CASES, ids=lambda each: getattr(each, "__name__", str(each))[:60]
)
def test_every_blocker_is_told_and_the_toolstack_says_the_first(
    text: str, change: Both | None, expected: tuple[str, ...]
) -> None:
    with world(two_pools(change), all_pools=True) as found:
        plan = asked(found, text)
        assert tuple(codes(plan)) == expected
        assert all(finding.evidence and finding.title and finding.remedy for finding in plan.blockers)
        assert found.code_of_plan(plan) == expected[0]
        assert seen(found, "n1", plan.touches[0].uuid) is not None


def test_a_host_that_is_dead_there_cannot_be_contacted() -> None:
    def gone(_: Made, south: Made) -> None:
        south.host_metrics("s2")["live"] = False

    with world(two_pools(gone), all_pools=True) as found:
        plan = asked(found, "web-7 to pool south host s2")
        assert codes(plan) == ["CANNOT_CONTACT_HOST"]
        found.lab.estate.kill(next(h.uuid for h in found.lab.estate.hosts.values() if h.name == "s2"))
        assert found.code_of_plan(plan) == "CANNOT_CONTACT_HOST"


def unseen(plan: Plan) -> list[str]:
    """Blockers that the toolstack would not notice in time."""
    return [finding.id for finding in plan.blockers if not finding.code]


def test_what_the_toolstack_does_not_look_at_is_told_too() -> None:
    def older_copy(north: Made, south: Made) -> None:
        there_halted(north, south)
        _row(north)["version"] = 3

    def shared(north: Made, _: Made) -> None:
        disk = north.ref("VDI", "web-7 disk 0")
        (drive,) = [vbd for vbd in north.vbds("wiki-7") if vbd["type"] == "Disk"]
        drive["VDI"] = disk

    def no_network(_: Made, south: Made) -> None:
        lan, host = south.ref("network", LAN), south.ref("host", "s2")
        pifs = south.objects["PIF"]
        (pif,) = [each for each in pifs.values() if (each["network"], each["host"]) == (lan, host)]
        pif["network"] = south.ref("network", "Backup")

    def graphics(north: Made, _: Made) -> None:
        card = {"uuid": "77777777-0000-4000-8000-000000000000", "VM": north.ref("VM", "wiki-7")}
        north.objects["VGPU"] = {"OpaqueRef:vgpu": card}

    for text, change, finding in (
        (HERE_TO, older_copy, "vm.uuid"),
        (HERE_TO, shared, "disk.shared"),
        ("web-7 to pool south host s2", no_network, "host.networks"),
        ("wiki-7 to pool south", graphics, "vm.vgpu"),
    ):
        with world(two_pools(change), all_pools=True) as found:
            assert unseen(asked(found, text)) == [finding], finding


def test_high_availability_of_the_other_pool_counts() -> None:
    def protected(north: Made, south: Made) -> None:
        north.protect("web-7")
        south.pool.update(ha_enabled=True, ha_allow_overcommit=True)

    def off(north: Made, _: Made) -> None:
        north.protect("web-7")

    local = "web-7 to pool south host s1 storage {}"
    with world(two_pools(protected), all_pools=True) as found:
        assert codes(asked(found, HERE_TO)) == []
        (own,) = [
            pbd.sr.uuid
            for host in found.pools.view("south").inventory().hosts
            if host.name == "s1"
            for pbd in host.pbds
            if pbd.sr is not None and pbd.sr.name == "Local storage"
        ]
        assert unseen(asked(found, local.format(own))) == ["ha.agile"]
    with world(two_pools(off), all_pools=True) as found:
        assert "ha.lost" in [finding.id for finding in asked(found, HERE_TO).warnings]


# --- what has to be said ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pools() -> Any:
    with world(two_pools(), all_pools=True) as found:
        yield found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("web-7 to pool north", "is in north already"),
        ("web-7 to n2 to pool south", "n2 is in north"),
        ("web-7 to pool south network Backup", "has its namesake"),
    ],
)
def test_what_makes_no_sense_together_is_refused(pools: World, text: str, words: str) -> None:
    told = refused(pools, f"vm migrate {text} in north")
    assert words in told.message
    assert told.remedy


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("web-7 to pool sout", "no pool called"),
        ("web-7 to pool south host n1", "no host called n1"),
        ("web-7 to pool south storage NFS north", "no storage repository called"),
        ("web-7 to pool south network DMZ", "no network called DMZ"),
    ],
)
def test_names_after_the_pool_are_names_of_that_pool(pools: World, text: str, words: str) -> None:
    with pytest.raises(Exception, match=words):
        asked(pools, text)


def test_a_pool_that_cannot_be_named_here_cannot_be_gone_to(pools: World) -> None:
    limited = replace(pools.resolver, scopes=Scopes(channel_pools={"C0NORTH": ("north",)}))
    place = Place(kind="slack", team="T0", channel="C0NORTH")
    command, parsed = REGISTRY.parse("vm migrate web-7 to pool south in north")
    with pytest.raises((Denied, NotFound)) as here:
        limited.resolve(command, parsed, OLGA, place)
    own, asked_for = REGISTRY.parse("vm list in south")
    with pytest.raises((Denied, NotFound)) as same:
        limited.resolve(own, asked_for, OLGA, place)
    assert here.value.message == same.value.message


def test_without_shared_default_storage_where_to_has_to_be_said() -> None:
    def none(_: Made, south: Made) -> None:
        south.pool["default_SR"] = NULL

    def own(_: Made, south: Made) -> None:
        south.pool["default_SR"] = south.ref("SR", "Local storage")

    def full(_: Made, south: Made) -> None:
        row = south.row("SR", "NFS south")
        row["physical_utilisation"] = row["physical_size"] - GIB

    for change, words in ((none, "no default storage"), (own, "one host's own"), (full, "no room")):
        with world(two_pools(change), all_pools=True) as found:
            told = refused(found, "vm migrate web-7 to pool south in north")
            assert words in told.message
            assert any("NFS south" in line for line in told.evidence)


def test_no_host_that_fits_is_refused_with_each_one_s_reasons() -> None:
    def full(north: Made, south: Made) -> None:
        north.memory("sql-7", 250)
        disabled(north, south)

    with world(two_pools(full), all_pools=True) as found:
        told = refused(found, "vm migrate sql-7 to pool south in north")
        assert [line.split()[0] for line in told.evidence] == ["s1", "s2"]


def test_a_form_offers_what_the_other_pool_has(pools: World) -> None:
    command = REGISTRY["vm migrate"]
    forms = Forms(pools=pools.pools, scopes=Scopes())

    def offered(field: str, **values: str) -> list[str]:
        return [each.label for each in forms.options(command, field, "", {"pool": "north", **values}, HERE, OLGA)]

    assert offered("destination") == ["north", "south"]
    assert offered("member", destination="south") == ["s1", "s2"]
    assert offered("host", destination="south") == ["n1", "n2"]
    assert "Backup" in offered("network", destination="south")
    assert "DMZ" not in offered("network", destination="south")
    text = forms.text(command, {"vm": "web-7", "destination": "south", "member": "s1", "pool": "north"})
    assert pools.plan(text).title == "move web-7 from pool north to pool south"


# --- what is approved, and what spoils it -----------------------------------------------------------------------------


def test_the_plan_is_about_both_pools(pools: World) -> None:
    plan = asked(pools, "web-7 to pool south")
    assert [pool.name for pool in plan.pools] == ["north", "south"]
    receive, send = plan.steps
    assert (receive.target, send.target) == (PoolTarget(plan.pools[1].uuid), PoolTarget(plan.pool.uuid))
    assert MapOf(0) in send.arguments
    assert not is_needed(plan, 0), "what lets the sender in is kept by nobody"
    assert {each.at for each in send.arguments if isinstance(each, ObjectMap)} == {receive.target}


def differs(change: Callable[[World], None], text: str = "web-7 to pool south") -> bool:
    """Does the same plan, made again after a change, differ from what was approved (or is it blocked by now)?"""
    with world(two_pools(), all_pools=True) as found:
        plan = asked(found, text)
        change(found)
        again = found.replanned(plan)
        return again.digest() != plan.digest()


def test_what_changes_there_makes_the_approval_stale_and_what_does_not_matter_does_not() -> None:
    def host_disabled(found: World) -> None:
        api = found.leader("s1")
        api.host.disable(api.host.get_by_name_label("s1")[0])

    def network_gone(found: World) -> None:
        api = found.leader("s1")
        api.network.set_name_label(api.network.get_by_name_label(LAN)[0], "another")

    def moved_here(found: World) -> None:
        api = found.leader("n1")
        (vm,), (host,) = api.VM.get_by_name_label("web-7"), api.host.get_by_name_label("n2")
        api.VM.pool_migrate(vm, host, {})

    def another_starts(found: World) -> None:
        api = found.leader("n1")
        api.VM.start(api.VM.get_by_name_label("wiki-7")[0], False, False)

    assert differs(host_disabled)
    assert differs(network_gone)
    assert differs(moved_here)
    assert not differs(another_starts)


def test_storage_that_is_gone_there_is_said() -> None:
    with world(two_pools(), all_pools=True) as found:
        plan = asked(found, "web-7 to pool south")
        other = replace(plan, arguments=tuple((k, "gone" if k == "sr" else v) for k, v in plan.arguments))
        with pytest.raises(Refused, match="not in the pool any more"):
            found.replanned(other)


def test_warnings_are_told(pools: World) -> None:
    plan = asked(pools, "web-7 to pool south")
    assert [finding.id for finding in plan.findings if finding.verdict is Verdict.WARN] == ["pools.reach"]
    assert "10.0.0.151" in plan.warnings[0].evidence


def test_what_stays_behind_and_what_is_there_twice_is_warned_of() -> None:
    def ties(north: Made, south: Made) -> None:
        _row(north)["appliance"] = "OpaqueRef:vapp"
        south.row("VM", "mail-8")["name_label"] = "web-7"
        south.vifs("web-7")[0]["MAC"] = north.vifs("web-7")[0]["MAC"]

    with world(two_pools(ties), all_pools=True) as found:
        warned = [finding.id for finding in asked(found, HERE_TO).warnings]
        assert {"vm.appliance", "vm.namesake", "vm.mac"} <= set(warned)
        assert found.plan(f"vm migrate {HERE_TO} in north").go_back.split()[2].count("-") == 4, (
            "named by its uuid there"
        )
