"""A VM's domain coming up, moving and going: the fields that change, in one place."""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.xapi import allowed, free_memory
from sandbox.xapi.pool import Pool
from sandbox.xapi.registry import difference
from sandbox.xapi.rules import cpu, memory
from sandbox.xapi.store import Database
from sandbox.xapi.values import NULL, Row

difference(
    "VM.start",
    "A guest's tools report as soon as the VM runs, as they did when it ran last; a VM that is halted when the lab "
    "starts is taken to have them.",
    "No guest really boots here.",
)

_TOOLS: Row = {
    "os_version": {"name": "Debian GNU/Linux 12 (bookworm)", "distro": "debian"},
    "PV_drivers_version": {"major": "7", "minor": "30", "micro": "0", "build": "1"},
    "PV_drivers_detected": True,
    "PV_drivers_up_to_date": True,
    "other": {"feature-shutdown": "1", "feature-reboot": "1", "feature-suspend": "1"},
    "live": True,
    "can_use_hotplug_vbd": "yes",
    "can_use_hotplug_vif": "yes",
}


def _next_domid(db: Database, host: str) -> int:
    there = (int(db.value("VM", vm, "domid")) for vm in db.get("host", host)["resident_VMs"])
    return max((*there, 0)) + 1


def build(pool: Pool, ref: str, host: str, *, paused: bool, fresh: bool) -> None:
    """The VM now has a domain on `host`. `fresh` is a boot, else it comes back from a suspend image."""
    db, vm = pool.db, pool.db.get("VM", ref)
    changes: dict[str, Any] = {}
    if fresh:
        changes["last_boot_CPU_flags"] = cpu.boot_flags(db, vm, host)
        if "domain_type" in vm and memory.configured_type(vm) == "hvm" and "device-model" not in vm["platform"]:
            changes["platform"] = {**vm["platform"], "device-model": "qemu-upstream-compat"}
    if vm["ha_restart_priority"] == "restart":
        changes["ha_always_run"] = True
    if host in pool.measured:
        changes["memory_target"] = vm["memory_dynamic_max"]
    db.write("VM", ref, resident_on=host, scheduled_to_be_resident_on=NULL, domid=_next_domid(db, host), **changes)
    for vbd in vm["VBDs"]:
        record = db.get("VBD", vbd)
        db.write("VBD", vbd, currently_attached=True, device=record["device"] or device_name(record["userdevice"]))
    for vif in vm["VIFs"]:
        db.write("VIF", vif, currently_attached=True)
    _metrics(pool, ref, fresh)
    if db.find("VM_guest_metrics", vm["guest_metrics"]) is None:
        remembered = pool.guest_tools.get(ref, _TOOLS)
        if remembered:
            row = {**remembered, "uuid": str(uuid.uuid4()), "last_updated": pool.now()}
            db.write("VM", ref, guest_metrics=db.create("VM_guest_metrics", row))
    if not vm["consoles"]:
        _console(pool, ref, host)
    db.write("VM", ref, power_state="Paused" if paused else "Running")
    free_memory.follow(pool, host)
    allowed.refresh_vm(db, ref)


_BIOS = {
    "bios-vendor": "Xen",
    "bios-version": "",
    "system-manufacturer": "Xen",
    "system-product-name": "HVM domU",
    "system-version": "",
    "system-serial-number": "",
    "hp-rombios": "",
    "oem-1": "Xen",
    "oem-2": "MS_VM_CERT/SHA1/bdbeb6e0a816d43fa6d3fe8aaef04c2bad9d3e3d",
}
_NEWER_BIOS = ("manufacturer", "product-name", "version", "serial-number", "asset-tag", "location-in-chassis")


def prepare(db: Database, ref: str) -> None:
    """What a start does to the record before it looks for a host: generic BIOS strings, the cached overhead."""
    if not db.get("VM", ref).get("bios_strings", _BIOS):
        strings = dict(_BIOS)
        if db.model.at_least("inverness"):
            strings |= {f"baseboard-{name}": "" for name in _NEWER_BIOS} | {"enclosure-asset-tag": ""}
        db.write("VM", ref, bios_strings=strings)
    refresh_overhead(db, ref)


def refresh_overhead(db: Database, ref: str) -> None:
    """The cached overhead is made anew when what it depends on changes, and before a start."""
    vm = db.get("VM", ref)
    db.write("VM", ref, memory_overhead=memory.overhead(vm, memory.configured_type(vm)))


def device_name(position: str) -> str:
    """`xvda` for position 0, and so on; what is not a number is a device's name already."""
    if not position.isdigit():
        return position
    letters, number = "", int(position)
    while number >= 0:
        letters = chr(ord("a") + number % 26) + letters
        number = number // 26 - 1
    return "xvd" + letters


def _metrics(pool: Pool, ref: str, fresh: bool) -> None:
    db, vm = pool.db, pool.db.get("VM", ref)
    if db.find("VM_metrics", vm["metrics"]) is None:
        db.write("VM", ref, metrics=db.create("VM_metrics", {}))
    now: dict[str, Any] = {"VCPUs_number": vm["VCPUs_at_startup"], "memory_actual": vm["memory_dynamic_max"]}
    if fresh:
        now |= {"start_time": pool.now(), "current_domain_type": memory.configured_type(vm)}
    db.write("VM_metrics", vm["metrics"], last_updated=pool.now(), **now)


def _console(pool: Pool, ref: str, host: str) -> None:
    console = pool.db.create("console", {"VM": ref, "protocol": "rfb"})
    address = pool.db.value("host", host, "address")
    pool.db.write("console", console, location=f"https://{address}/console?ref={console}")


def tear_down(pool: Pool, ref: str, state: str, *, protect: bool = False) -> None:
    """The VM has no domain any more: Halted or Suspended. `protect` keeps ha_always_run, as when a host died."""
    db, vm = pool.db, pool.db.get("VM", ref)
    host = vm["resident_on"]
    changes: dict[str, Any] = {} if protect else {"ha_always_run": False}
    if host in pool.measured:
        changes["memory_target"] = 0
    db.write("VM", ref, power_state=state, **changes)
    for cls, field in (("VBD", "VBDs"), ("VIF", "VIFs")):
        for device in vm[field]:
            db.write(cls, device, currently_attached=False, **({"current_operations": {}} if state == "Halted" else {}))
    guest = db.find("VM_guest_metrics", vm["guest_metrics"])
    pool.guest_tools[ref] = {k: v for k, v in guest.items() if k != "uuid"} if guest else {}
    if state == "Halted" and guest is not None:
        db.destroy("VM_guest_metrics", vm["guest_metrics"])
        db.write("VM", ref, guest_metrics=NULL)
    for console in list(vm["consoles"]):
        db.destroy("console", console)
    db.write("VM", ref, resident_on=NULL, scheduled_to_be_resident_on=NULL, domid=-1, requires_reboot=False)
    free_memory.follow(pool, host)
    allowed.refresh_vm(db, ref)


def move(pool: Pool, ref: str, host: str) -> None:
    """The domain runs on another host now: one write, as xapi does it."""
    home = pool.db.value("VM", ref, "resident_on")
    if home == host:
        return
    pool.db.write("VM", ref, resident_on=host, scheduled_to_be_resident_on=NULL, domid=_next_domid(pool.db, host))
    free_memory.follow(pool, home, host)


def suspend_sr(pool: Pool, ref: str) -> str | None:
    """Where a suspend image goes: the VM's choice, its host's, the pool's, the pool's default."""
    db, vm = pool.db, pool.db.get("VM", ref)
    host = db.find("host", vm["resident_on"]) or {}
    wishes = (
        vm.get("suspend_SR", NULL),
        host.get("suspend_image_sr", NULL),
        pool.record["suspend_image_SR"],
        pool.record["default_SR"],
    )
    return next((sr for sr in wishes if db.find("SR", sr) is not None), None)
