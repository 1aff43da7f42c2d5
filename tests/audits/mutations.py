"""One thing broken in the lab `healthy`, and which rules are meant to find it, with a part of their evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.audits.worlds import NULL, World, higher, lower, stamp

GIB = 1024**3
AVX2 = 1 << 5  # of word 5
MOVDIR64B = 1 << 28  # of word 6; no CPU of the lab has it
SR = "iSCSI main"


@dataclass(frozen=True)
class Mutation:
    name: str
    break_it: Callable[[World], object]
    found: dict[str, str]
    """Rule → part of its evidence. Empty: so near to a limit that nothing must be found."""


def _host(name: str, **fields: object) -> Callable[[World], object]:
    return lambda world: world.host(name).update(fields)


def _pool(**fields: object) -> Callable[[World], object]:
    return lambda world: world.pool.update(fields)


def _software(name: str, **fields: str) -> Callable[[World], object]:
    return lambda world: world.host(name)["software_version"].update(fields)


def _cpu(name: str, key: str, word: int, bits: int) -> Callable[[World], object]:
    def change(world: World) -> None:
        info = world.host(name)["cpu_info"]
        info[key] = lower(info[key], word, bits)

    return change


def _pool_level(world: World) -> None:
    info = world.pool["cpu_info"]
    info["features_hvm_host"] = higher(info["features_hvm_host"], 6, MOVDIR64B)


def _boot_flags(world: World) -> None:
    flags = world.vm("sql-1")["last_boot_CPU_flags"]
    flags["features"] = higher(flags["features"], 6, MOVDIR64B)


def _unbonded(world: World) -> None:
    master = world.ref("PIF", host=world.host_ref("xs32"), device="bond0")
    address = {name: world.objects["PIF"][master][name] for name in ("IP", "netmask", "ip_configuration_mode")}
    del world.objects["Bond"][world.ref("Bond", master=master)]
    del world.objects["PIF"][master]
    for device in ("eth0", "eth1"):
        world.pif("xs32", device).update(bond_slave_of=NULL, currently_attached=True)
    world.pif("xs32", "eth0").update(address, management=True)


def _one_bond_member(world: World) -> None:
    world.pif("xs32", "eth1").update(bond_slave_of=NULL)


def _another_nic(world: World) -> None:
    metrics = world.add("PIF_metrics", "m4", carrier=True, speed=10000, duplex=True)
    network = world.add("network", "n4", name_label="spare", MTU=1500)
    pif = {**world.pif("xs31", "eth3"), "device": "eth4", "network": network, "metrics": metrics}
    pif |= {"IP": "", "ip_configuration_mode": "None", "other_config": {}}
    world.objects["PIF"]["OpaqueRef:p4"] = {**pif, "uuid": "uuid-of-p4"}


def _vlan(*hosts: str, user: str = "") -> Callable[[World], object]:
    def change(world: World) -> None:
        network = world.add("network", "vlan", name_label="VLAN 20", MTU=1500)
        for host in hosts:
            bond = world.pif(host, "bond0")
            mine = {"network": network, "VLAN": 20, "management": False, "IP": "", "ip_configuration_mode": "None"}
            world.objects["PIF"][f"OpaqueRef:vlan-{host}"] = {**bond, **mine, "uuid": f"uuid-of-vlan-{host}"}
        if user:
            world.get("VIF", VM=world.ref("VM", name_label=user))["network"] = network

    return change


def _cables_swapped(world: World) -> None:
    two, three = world.pif("xs33", "eth2"), world.pif("xs33", "eth3")
    two["network"], three["network"] = three["network"], two["network"]


def _paths(text: str) -> Callable[[World], object]:
    def change(world: World) -> None:
        config = world.pbd(SR, "xs32")["other_config"]
        config[next(key for key in config if key.startswith("mpath-"))] = text

    return change


def _full(part: float) -> Callable[[World], object]:
    def change(world: World) -> None:
        world.sr(SR)["physical_utilisation"] = int(world.sr(SR)["physical_size"] * part)

    return change


def _local_disk(world: World) -> None:
    disk = world.objects["VDI"][world.drive("shop-1", "Disk")["VDI"]]
    disk["SR"] = world.local_sr("xs31")


def _local_iso(world: World) -> None:
    world.add("VDI", "iso", name_label="old.iso", SR=world.local_sr("xs31"), virtual_size=GIB)
    world.drive("shop-1", "CD").update(VDI="OpaqueRef:iso", empty=False)


def _certificate(kind: str, days: float) -> Callable[[World], object]:
    def change(world: World) -> None:
        world.get("Certificate", host=world.host_ref("xs32"), type=kind)["not_after"] = stamp(days=-days)

    return change


def _licence(days: float) -> Callable[[World], object]:
    return lambda world: world.host("xs32")["license_params"].update(expiry=stamp(days=-days))


def _snapshot(days: float) -> Callable[[World], object]:
    def change(world: World) -> None:
        origin = world.ref("VM", name_label="sql-2")
        copied = {**world.objects["VM"][origin], "name_label": "before", "uuid": "uuid-of-s", "snapshot_of": origin}
        copied |= {"is_a_snapshot": True, "is_a_template": True, "power_state": "Halted", "resident_on": NULL}
        world.objects["VM"]["OpaqueRef:s"] = {**copied, "snapshot_time": stamp(days=days)}

    return change


def _guest_metrics(vm: str, **fields: object) -> Callable[[World], object]:
    return lambda world: world.objects["VM_guest_metrics"][world.vm(vm)["guest_metrics"]].update(fields)


def _update_of_8_2(lacking: str, homogeneous: bool = True) -> Callable[[World], object]:
    """The pool as 8.2 shows updates, with one that a host lacks."""

    def change(world: World) -> None:
        update = world.add("pool_update", "u", name_label="XS82E001", enforce_homogeneity=homogeneous)
        for row in world.objects["host"].values():
            for field in ("last_update_hash", "latest_synced_updates_applied"):
                row.pop(field)
            row["updates"] = [] if row["name_label"] == lacking else [update]

    return change


def _updates_reboot(world: World) -> None:
    _update_of_8_2("")(world)
    world.host("xs33")["updates_requiring_reboot"] = ["OpaqueRef:u"]


MUTATIONS = (
    Mutation("no coordinator", _pool(master=NULL), {"pool.coordinator": "no host of the pool"}),
    Mutation("two hosts", lambda world: world.remove_host("xs33"), {"pool.size": "xs31 and xs32"}),
    Mutation(
        "dead",
        lambda world: world.objects["host_metrics"][world.host("xs33")["metrics"]].update(live=False),
        {"host.live": "has not heard from it"},
    ),
    Mutation("disabled", _host("xs33", enabled=False), {"host.enabled": "3 VMs on it"}),
    Mutation("no metrics", _host("xs33", metrics=NULL), {"host.metrics": "no object"}),
    Mutation(
        "newer version", _software("xs31", product_version="8.5.0", platform_version="3.5.0"), {"version.same": "xs31"}
    ),
    Mutation("another build", _software("xs32", xen="4.17.5-14"), {"version.build": "xs32: 4.17.5-14"}),
    Mutation("build machine", _software("xs32", hostname="elsewhere", date="20260101T00:00:00Z"), {}),
    Mutation("older updates", _host("xs32", last_update_hash="0123456789"), {"updates.same": "01234567…"}),
    Mutation("lacks a 8.2 update", _update_of_8_2("xs32"), {"updates.same": "XS82E001"}),
    Mutation("lacks a 8.2 update that may differ", _update_of_8_2("xs32", homogeneous=False), {}),
    Mutation("8.2 update wants a reboot", _updates_reboot, {"updates.pending": "reboot_host for XS82E001"}),
    Mutation("guidance", _host("xs32", pending_guidances=["reboot_host"]), {"updates.pending": "reboot_host"}),
    Mutation(
        "recommendation",
        _host("xs32", pending_guidances_recommended=["restart_toolstack"]),
        {"updates.recommended": "restart_toolstack"},
    ),
    Mutation(
        "another vendor",
        lambda world: world.host("xs33")["cpu_info"].update(vendor="AuthenticAMD"),
        {"cpu.vendor": "AuthenticAMD, the coordinator GenuineIntel", "vm.cpu": "GenuineIntel"},
    ),
    Mutation("weaker CPU", _cpu("xs33", "features_hvm_host", 5, AVX2), {"cpu.features": "lacks avx2"}),
    Mutation("a bit that firmware varies", _cpu("xs33", "features_hvm_host", 9, 1 << 26), {}),
    Mutation("accepts less", _cpu("xs33", "features_hvm", 5, AVX2), {"cpu.level": "lacks avx2", "vm.cpu": "features"}),
    Mutation("pool level too high", _pool_level, {"cpu.level": "movdir64b"}),
    Mutation("VM from elsewhere", _boot_flags, {"vm.cpu": "features that this host's CPU does not have"}),
    Mutation(
        "DHCP",
        lambda world: world.pif("xs31", "bond0").update(ip_configuration_mode="DHCP"),
        {"network.management-static": "bond0: 10.0.0.131"},
    ),
    Mutation(
        "one subnet twice",
        lambda world: world.pif("xs31", "eth3").update(IP="10.0.2.231"),
        {"network.one-per-subnet": "10.0.2.0/24: eth2 10.0.2.131; eth3 10.0.2.231"},
    ),
    Mutation(
        "unbonded",
        _unbonded,
        {"network.management-bonded": "eth0", "network.everywhere": "used by", "ha.agile": "xs32 cannot reach"},
    ),
    Mutation(
        "one storage cable",
        lambda world: world.pif("xs31", "eth3").update(IP="", ip_configuration_mode="None"),
        {"network.storage-bonded": "no second interface"},
    ),
    Mutation(
        "member down",
        lambda world: world.link("xs31", "eth1").update(carrier=False, speed=0),
        {"network.bond-members": "1 of 2 members up"},
    ),
    Mutation(
        "lone member",
        _one_bond_member,
        {"network.bond-members": "eth0", "network.bond-mode": "xs32: lacp, 1 NICs", "network.everywhere": "no VM"},
    ),
    Mutation(
        "bond mode",
        lambda world: world.get("Bond", master=world.ref("PIF", host=world.host_ref("xs33"), device="bond0")).update(
            mode="active-backup"
        ),
        {"network.bond-mode": "xs33: active-backup"},
    ),
    Mutation(
        "link down",
        lambda world: world.link("xs33", "eth3").update(carrier=False, speed=0, duplex=False),
        {"network.link": "up on xs31 and xs32"},
    ),
    Mutation("fifth NIC", _another_nic, {"network.nics": "eth4", "network.everywhere": "no VM uses it"}),
    Mutation("slow", lambda world: world.link("xs32", "eth2").update(speed=1000), {"network.speed": "eth2"}),
    Mutation("half duplex", lambda world: world.link("xs32", "eth2").update(duplex=False), {"network.speed": "eth2"}),
    Mutation("MTU", lambda world: world.pif("xs32", "eth2").update(MTU=9000), {"network.mtu": "xs32: 9000"}),
    Mutation("VLAN of two hosts", _vlan("xs31", "xs32"), {"network.everywhere": "no VM uses it"}),
    Mutation(
        "VLAN of two hosts in use",
        _vlan("xs31", "xs32", user="sql-1"),
        {"network.everywhere": "used by sql-1", "ha.agile": "xs33 cannot reach"},
    ),
    Mutation("VLAN everywhere", _vlan("xs31", "xs32", "xs33", user="sql-1"), {}),
    Mutation("cables swapped", _cables_swapped, {"network.mapping": "xs33: eth3"}),
    Mutation(
        "unplugged",
        lambda world: world.pbd(SR, "xs32").update(currently_attached=False),
        {"storage.plugged": "1 of 3 connections", "ha.agile": "xs32 cannot reach"},
    ),
    Mutation(
        "no connection",
        lambda world: world.objects["PBD"].pop(world.pbd_ref(SR, "xs32")),
        {"storage.plugged": "no PBD", "ha.agile": "xs32 cannot reach"},
    ),
    Mutation(
        "single path",
        _host("xs33", multipathing=False),
        {"storage.multipath": "iSCSI main", "network.storage-bonded": "multipathing is off"},
    ),
    Mutation("path lost", _paths("[1, 2]"), {"storage.paths": "1 of 2 up"}),
    Mutation("no path left", _paths("[0, 2]"), {"storage.paths": "0 of 2 up"}),
    Mutation("one path in all", _paths("[1, 1]"), {"storage.paths": "1 path in all"}),
    Mutation("no default", _pool(default_SR=NULL), {"storage.default": "is empty"}),
    Mutation("default gone", _pool(default_SR="OpaqueRef:gone"), {"storage.default": "gone"}),
    Mutation(
        "local default", lambda world: world.pool.update(default_SR=world.local_sr("xs31")), {"storage.default": "lvm"}
    ),
    Mutation("nearly full", _full(0.92), {"storage.full": "92% of 6.0 TiB used"}),
    Mutation("89 per cent", _full(0.89), {}),
    Mutation("local disk", _local_disk, {"vm.local-disk": "Local storage", "ha.agile": "one host's own"}),
    Mutation("local ISO", _local_iso, {"vm.local-iso": "old.iso", "ha.agile": "old.iso"}),
    Mutation("HA off", _pool(ha_enabled=False), {"ha.off": "3 hosts"}),
    Mutation("overcommitted", _pool(ha_overcommitted=True), {"ha.overcommitted": "1 to tolerate"}),
    Mutation("no plan", _pool(ha_plan_exists_for=0), {"ha.plan": "1 to tolerate"}),
    Mutation(
        "unprotected",
        lambda world: world.vm("sql-3").update(ha_restart_priority=""),
        {"ha.unprotected": "1 running VM"},
    ),
    Mutation("best effort", lambda world: world.vm("sql-3").update(ha_restart_priority="best-effort"), {}),
    Mutation("GPU", lambda world: world.vm("sql-3").update(VGPUs=["OpaqueRef:g"]), {"ha.agile": "it has 1"}),
    Mutation("statefile on NFS", lambda world: world.sr(SR).update(type="nfs"), {"ha.statefile": "type nfs"}),
    Mutation("statefile gone", _pool(ha_statefiles=["OpaqueRef:gone"]), {"ha.statefile": "gone"}),
    Mutation(
        "too big",
        lambda world: world.vm("sql-1").update(memory_dynamic_min=180 * GIB),
        {"memory.reserve": "sql-1"},
    ),
    Mutation("certificate", _certificate("host", 20), {"certificate.expiry": "2026-12-13"}),
    Mutation("internal certificate out", _certificate("host_internal", -2), {"certificate.expiry": "2026-11-21"}),
    Mutation("certificate for 31 days", _certificate("host", 31), {}),
    Mutation("unchecked TLS", _pool(tls_verification_enabled=False), {"tls.verification": "false"}),
    Mutation("licence", _licence(10), {"licence.expiry": "2026-12-03"}),
    Mutation("licence for 31 days", _licence(31), {}),
    Mutation("alert", lambda world: world.alert("HOST_CLOCK_SKEW_DETECTED", 3, "xs32"), {"alerts.open": "priority 3"}),
    Mutation("failed logins", lambda world: world.alert("FAILED_LOGIN_ATTEMPTS", 5, "xs31"), {"alerts.open": "5"}),
    Mutation("information", lambda world: world.alert("VM_STARTED", 5, "xs31"), {}),
    Mutation("no NTP", _host("xs32", ntp_mode="Disabled"), {"clock.ntp": "Disabled"}),
    Mutation("no tools", lambda world: world.vm("sql-2").update(guest_metrics=NULL), {"vm.tools": "reports nothing"}),
    Mutation("old tools", _guest_metrics("sql-2", PV_drivers_up_to_date=False), {"vm.tools-old": "9.4.1"}),
    Mutation("old snapshot", _snapshot(31), {"vm.snapshots": "2026-10-23"}),
    Mutation("young snapshot", _snapshot(29), {}),
)
