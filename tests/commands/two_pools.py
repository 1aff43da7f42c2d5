"""The lab of two pools, changed for one case, and a VM as a plain client sees it in either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.model import Plan
from sandbox.xapi.lab import load
from sandbox.xapi.world import Lab
from tests.commands.world import NULL, Made, World

LAN = "Pool-wide network associated with eth0"
GIB = 1 << 30
HERE_TO = "web-7 to pool south host s1"
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
    api = found.host_api(coordinator)
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


def row_of(made: Made, vm: str = "web-7") -> dict[str, Any]:
    return made.row("VM", vm)


def disabled(_: Made, south: Made) -> None:
    south.row("host", "s1")["enabled"] = False
