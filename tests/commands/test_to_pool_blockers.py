"""Every reason against a move to another pool, with the toolstack's own code, really asked."""

from __future__ import annotations

import pytest

from bot.model import Plan
from tests.commands.moves import without
from tests.commands.two_pools import HERE_TO, LAN, Both, asked, disabled, row_of, seen, two_pools
from tests.commands.world import Made, codes, world


def blocked(north: Made, _: Made) -> None:
    row_of(north)["blocked_operations"]["migrate_send"] = "the owner says no"


def pci(north: Made, _: Made) -> None:
    row_of(north)["attached_PCIs"] = ["OpaqueRef:pci"]


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


def older_xen(_: Made, south: Made) -> None:
    south.row("host", "s1")["software_version"]["xen"] = "4.17.5-2"


def cannot_send(north: Made, _: Made) -> None:
    without(north, "nfs", "VDI_MIRROR")


def cannot_receive(_: Made, south: Made) -> None:
    without(south, "nfs", "VDI_MIRROR", "VDI_MIRROR_IN")


def newer_hardware(north: Made, _: Made) -> None:
    row_of(north)["hardware_platform_version"] = 9


def too_many_cpus(north: Made, _: Made) -> None:
    row_of(north).update(VCPUs_max=4000, VCPUs_at_startup=4)


def twin(north: Made, south: Made) -> None:
    south.row("VM", "mail-8")["other_config"]["mac_seed"] = row_of(north)["other_config"]["mac_seed"]


def there_already(north: Made, south: Made) -> None:
    south.row("VM", "mail-8")["uuid"] = row_of(north)["uuid"]


def there_halted(north: Made, south: Made) -> None:
    south.halt("mail-8")
    south.row("VM", "mail-8")["uuid"] = row_of(north)["uuid"]


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


CASES: tuple[tuple[str, Both | None, tuple[str, ...]], ...] = (
    (HERE_TO, unlicensed_there, ("LICENCE_RESTRICTION",)),
    (HERE_TO, no_address, ("INTERFACE_HAS_NO_IP",)),
    (HERE_TO, blocked, ("OPERATION_BLOCKED",)),
    (HERE_TO, pci, ("VM_HAS_PCI_ATTACHED",)),
    (HERE_TO, unlicensed_here, ("LICENCE_RESTRICTION",)),
    (HERE_TO, older, ("VM_HOST_INCOMPATIBLE_VERSION_MIGRATE",)),
    (HERE_TO, older_xen, ("VM_HOST_INCOMPATIBLE_VERSION_MIGRATE",)),
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
        row_of(north)["version"] = 3

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


def test_a_vm_that_would_break_the_other_pool_s_failover_plan_is_refused() -> None:
    """The toolstack guards only those that come from its own hosts."""

    def planned(_: Made, south: Made) -> None:
        south.protect("mail-8")
        south.pool.update(ha_enabled=True, ha_host_failures_to_tolerate=1, ha_plan_exists_for=1)

    with world(two_pools(planned), all_pools=True) as found:
        assert unseen(asked(found, "build-7 to pool south host s2")) == ["ha.plan"]
        assert unseen(asked(found, "build-7 to pool south host s1")) == []


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
