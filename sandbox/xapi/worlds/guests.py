"""The VMs that people run: with disks, a network interface, tools or none, and snapshots."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.xapi.values import EPOCH, NULL
from sandbox.xapi.worlds import memory
from sandbox.xapi.worlds.builder import GIB
from sandbox.xapi.worlds.hardware import add_console
from sandbox.xapi.worlds.network import mac
from sandbox.xapi.worlds.storage import add_vdi
from sandbox.xapi.worlds.templates import boot_fields

if TYPE_CHECKING:
    from sandbox.xapi.worlds.builder import PoolBuilder
    from sandbox.xapi.worlds.products import Product


@dataclass(frozen=True)
class System:
    """An operating system as the guest agent reports it."""

    name: str
    distro: str
    major: str
    minor: str
    template: str
    paravirtual_65: bool = False
    """Runs paravirtualised on 6.5; the XenServer 8 stream has no such VMs."""


DEBIAN_7 = System("Debian 7.11", "debian", "7", "11", "Debian Wheezy 7.0 (64-bit)", paravirtual_65=True)
UBUNTU_14 = System("Ubuntu 14.04.5 LTS", "ubuntu", "14", "04", "Ubuntu Trusty Tahr 14.04", paravirtual_65=True)
CENTOS_7 = System("CentOS Linux release 7.2.1511 (Core)", "centos", "7", "2", "CentOS 7")
WINDOWS_2012 = System(
    "Microsoft Windows Server 2012 R2 Standard|C:\\Windows|\\Device\\Harddisk0\\Partition2",
    "windows",
    "6",
    "3",
    "Windows Server 2012 R2 (64-bit)",
)
DEBIAN_12 = System("Debian GNU/Linux 12 (bookworm)", "debian", "12", "5", "Debian Bookworm 12")
ROCKY_9 = System("Rocky Linux 9.4 (Blue Onyx)", "rocky", "9", "4", "Rocky Linux 9")
WINDOWS_2022 = System(
    "Microsoft Windows Server 2022 Standard|C:\\Windows|\\Device\\Harddisk0\\Partition3",
    "windows",
    "10",
    "0",
    "Windows Server 2022 (64-bit)",
)


@dataclass(frozen=True)
class Guest:
    """One VM.  `disks` are (SR, GiB) pairs; `on` is the name of the host it runs on."""

    name: str
    system: System
    memory: int
    vcpus: int
    disks: tuple[tuple[str, int], ...]
    on: str | None = None
    state: str = "Running"
    key: str = ""
    """Tells two VMs of the same name apart."""
    description: str = ""
    network: str = "eth0"
    ip: str = ""
    tags: tuple[str, ...] = ()
    folder: str = ""
    cd: str | None = None
    """The image in its drive; None for an empty drive."""
    tools: str = "current"
    """Guest tools: current, stale, none."""
    dynamic_min: int | None = None
    up_days: float = 12
    ha_priority: str = ""
    order: int = 0


def add_guest(pool: PoolBuilder, product: Product, guest: Guest) -> str:
    """Make the VM with its disks, drive, interface, metrics and consoles; return its reference."""
    key = guest.key or guest.name
    paravirtual = guest.system.paravirtual_65 and not pool.knows("VM", "domain_type")
    running = guest.state in ("Running", "Paused")
    if running != (guest.on is not None):
        raise ValueError(f"{key} is {guest.state} and has the host {guest.on}")
    host = pool.ref("host", guest.on) if guest.on else NULL
    boot_host = host if running else next(iter(pool.objects["host"]))
    other_config = {
        "mac_seed": pool.uuid("mac_seed", key),
        "base_template_name": guest.system.template,
        "install-methods": "cdrom,nfs,http,ftp",
    }
    if guest.folder:
        other_config["folder"] = guest.folder
    vm = pool.add(
        "VM",
        key,
        name_label=guest.name,
        name_description=guest.description,
        power_state=guest.state,
        resident_on=host,
        affinity=host,
        domid=_next_domid(pool, host) if running else -1,
        domain_type="pv" if paravirtual else "hvm",
        metrics=_add_metrics(pool, guest, key, running=running, paravirtual=paravirtual),
        guest_metrics=_add_guest_metrics(pool, product, guest, key) if running and guest.tools != "none" else NULL,
        user_version=1,
        VCPUs_max=guest.vcpus,
        VCPUs_at_startup=guest.vcpus,
        memory_static_min=min(guest.memory, guest.dynamic_min or guest.memory) // 2,
        memory_dynamic_min=guest.dynamic_min or guest.memory,
        memory_dynamic_max=guest.memory,
        memory_static_max=guest.memory,
        memory_target=guest.memory if running else 0,
        memory_overhead=memory.overhead(pool.release, guest.memory, vcpus=guest.vcpus, paravirtual=paravirtual),
        last_boot_CPU_flags={} if guest.state == "Halted" else _boot_flags(pool, boot_host),
        **boot_fields(paravirtual=paravirtual, installed=True),
        other_config=other_config,
        tags=list(guest.tags),
        ha_restart_priority=guest.ha_priority,
        ha_always_run=running and guest.ha_priority == "restart",
        order=guest.order,
        has_vendor_device=False,
        generation_id="0:0",
    )
    _add_devices(pool, guest, key, vm, running=running)
    if running and guest.on:
        address = pool.record("host", host)["address"]
        for protocol in ("vt100", "rfb") if paravirtual else ("rfb",):
            add_console(pool, f"{key}/{protocol}", vm, protocol, address)
    if guest.state == "Suspended":
        sr = guest.disks[0][0]
        size = guest.memory + guest.memory // 16
        image = add_vdi(pool, sr, f"{key}/suspend", "Suspend image", size=size, used=0.7, type="suspend")
        pool.record("VM", vm).update(suspend_VDI=image, suspend_SR=sr)
    return vm


def _add_metrics(pool: PoolBuilder, guest: Guest, key: str, *, running: bool, paravirtual: bool) -> str:
    return pool.add(
        "VM_metrics",
        key,
        memory_actual=guest.memory if running else 0,
        VCPUs_number=guest.vcpus if running else 0,
        VCPUs_utilisation={str(n): 0.0 for n in range(guest.vcpus)} if running else {},
        start_time=pool.ago(days=guest.up_days),
        install_time=pool.ago(days=300),
        last_updated=pool.ago(minutes=1),
        current_domain_type=("pv" if paravirtual else "hvm") if running else "unspecified",
        hvm=running and not paravirtual,
    )


def _add_devices(pool: PoolBuilder, guest: Guest, key: str, vm: str, *, running: bool) -> None:
    """Disks, a CD drive, and one interface."""
    for position, (sr, gib) in enumerate(guest.disks):
        disk = add_vdi(pool, sr, f"{key}/{position}", f"{guest.name} disk {position}", size=gib * GIB, used=0.6)
        _add_drive(pool, vm, key, position, disk, running=running)
    _add_drive(pool, vm, key, 3, guest.cd, running=running, cd=True)
    pool.add(
        "VIF",
        f"{key}/0",
        VM=vm,
        network=pool.ref("network", guest.network),
        device="0",
        MAC=mac(pool, f"VM {key}", prefix="5e:3a:0c"),
        MAC_autogenerated=True,
        MTU=1500,
        currently_attached=running,
        locking_mode="network_default",
    )


def _next_domid(pool: PoolBuilder, host: str) -> int:
    pool.domains[host] += 1
    return pool.domains[host]


def _boot_flags(pool: PoolBuilder, host: str) -> dict[str, str]:
    info = pool.record("host", host)["cpu_info"]
    return {"vendor": info["vendor"], "features": info.get("features_hvm_host", info.get("features", ""))}


def _add_drive(
    pool: PoolBuilder, vm: str, key: str, position: int, vdi: str | None, *, running: bool, cd: bool = False
) -> None:
    pool.add(
        "VBD",
        f"{key}/{position}",
        VM=vm,
        VDI=vdi or NULL,
        empty=vdi is None,
        userdevice=str(position),
        device=f"xvd{'abcdefgh'[position]}" if running else "",
        bootable=position == 0,
        mode="RO" if cd else "RW",
        type="CD" if cd else "Disk",
        unpluggable=not cd,
        currently_attached=running,
        other_config={} if cd else {"owner": ""},
        metrics=NULL,
    )


def _add_guest_metrics(pool: PoolBuilder, product: Product, guest: Guest, key: str) -> str:
    major, minor, micro, build = product.tools
    if guest.tools == "stale":
        major, minor, build = major - 1, 2, build - 400
    version = {"major": major, "minor": minor, "micro": micro, "build": build}
    system = guest.system
    return pool.add(
        "VM_guest_metrics",
        key,
        os_version={"name": system.name, "distro": system.distro, "major": system.major, "minor": system.minor},
        PV_drivers_version={name: str(number) for name, number in version.items()},
        PV_drivers_up_to_date=guest.tools == "current",
        PV_drivers_detected=True,
        networks={"0/ip": guest.ip} if guest.ip else {},
        other={
            **dict.fromkeys(("feature-balloon", "feature-shutdown", "feature-reboot", "feature-suspend"), "1"),
            "platform-feature-multiprocessor-suspend": "1",
        },
        last_updated=pool.ago(days=guest.up_days),
        live=True,
        can_use_hotplug_vbd="yes",
        can_use_hotplug_vif="yes",
    )


def add_snapshot(pool: PoolBuilder, vm: str, name: str, *, days: float, description: str = "") -> str:
    """A disk snapshot of the VM, taken so many days ago; return its reference."""
    taken = pool.ago(days=days)
    original = pool.record("VM", vm)
    key = f"snapshot {name} of {original['name_label']}"
    fields = copy.deepcopy(original) | {
        "name_label": name,
        "name_description": description,
        "is_a_snapshot": True,
        "is_a_template": True,
        "snapshot_of": vm,
        "snapshot_time": taken,
        "snapshot_info": {"power-state-at-snapshot": original["power_state"], "disk-snapshot-type": "crash_consistent"},
        "transportable_snapshot_id": "",
        "power_state": "Halted",
        "resident_on": NULL,
        "affinity": NULL,
        "domid": -1,
        "memory_target": 0,
        "ha_always_run": False,
        "ha_restart_priority": "",
        "guest_metrics": NULL,
        "metrics": pool.add("VM_metrics", key, start_time=EPOCH, install_time=EPOCH, last_updated=taken),
    }
    snapshot = pool.add("VM", key, **fields)
    original["parent"] = snapshot
    for cls, skip in (("VBD", "CD"), ("VIF", None)):
        for ref, row in list(pool.objects[cls].items()):
            if row["VM"] != vm or row.get("type") == skip:
                continue
            change: dict[str, object] = {"VM": snapshot, "currently_attached": False, "device": row["device"]}
            if cls == "VBD":
                change |= {"VDI": _snapshot_disk(pool, row["VDI"], f"{key}/{row['userdevice']}", taken), "device": ""}
            pool.add(cls, f"{key}/{ref}", **(copy.deepcopy(row) | change))
    return snapshot


def _snapshot_disk(pool: PoolBuilder, disk: str, key: str, taken: str) -> str:
    original = pool.record("VDI", disk)
    return add_vdi(
        pool,
        original["SR"],
        key,
        original["name_label"],
        size=original["virtual_size"],
        used=0.4,
        is_a_snapshot=True,
        snapshot_of=disk,
        snapshot_time=taken,
    )
