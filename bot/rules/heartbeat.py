"""High availability's own needs: a storage for heartbeat and metadata, hosts that are alive, NICs that are connected.

Order and codes of `pool.enable_ha` and `SR.assert_can_host_ha_statefile`, as recorded.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.inventory import PIF, SR, VDI, Inventory
from bot.lookup import spelling
from bot.rules import hosts, versions
from bot.rules.check import Check
from bot.text import joined, quoted, size

ADVISED = frozenset({"lvmoiscsi", "lvmohba", "lvmofcoe"})
"""Types that are advised, since several paths can lead to them; NFS works, with one."""
_UNSUITED = frozenset({"iso", "udev", "smb", "cifs", "tmpfs", "dummy"})
_SPACE, _OLD_SPACE = 3_992_977_408, 373_293_056
"""Bytes for statefile and redo log: since the XenServer 8 stream (xapi 23.30), and before."""


def in_use(inventory: Inventory) -> tuple[SR, ...]:
    """Where the statefiles are, by the pool's record; it keeps them when HA is off."""
    vdis = (inventory.get(VDI, ref) for ref in inventory.pool.refs("ha_statefiles"))
    return tuple(dict.fromkeys(vdi.sr for vdi in vdis if vdi is not None and vdi.sr is not None))


def sr_checks(sr: SR, inventory: Inventory) -> Iterator[Check]:
    """Could this storage hold the heartbeat?"""
    plugged = {pbd.text("host") for pbd in sr.pbds if pbd.attached}
    without = [host.name for host in inventory.hosts if host.ref not in plugged]
    yield Check(
        "heartbeat.plugged",
        "SR_HAS_NO_PBDS",
        not without and all(pbd.attached for pbd in sr.pbds),
        f"{quoted(sr.name)} is plugged on every host",
        f"not on {joined(without)}" if without else "",
        f"“sr repair {spelling(sr, inventory)}”, or take another storage.",
    )
    yield Check(
        "heartbeat.type",
        "INCOMPATIBLE_STATEFILE_SR",
        sr.type not in _UNSUITED,
        f"storage of its type ({sr.type}) suits",
        f"its type is {sr.type}" if sr.type in _UNSUITED else "",
        "Take iSCSI or Fibre Channel storage, or NFS.",
    )
    held = any(vdi.text("type") == "ha_statefile" and vdi.sr == sr for vdi in inventory.all(VDI))
    coordinator = inventory.pool.coordinator
    old = coordinator is not None and versions.before(coordinator, 8, 3)
    need, left = _OLD_SPACE if old else _SPACE, sr.physical_size - sr.physical_utilisation
    yield Check(
        "heartbeat.space",
        "SR_SOURCE_SPACE_INSUFFICIENT",
        held or left >= need,
        f"{quoted(sr.name)} has room for heartbeat and metadata",
        "" if held else f"{size(need)} needed, {size(max(left, 0))} free",
        "Free space on it, or take another storage.",
    )


def fitness(sr: SR) -> tuple[int, int]:
    """Smaller is better: the advised types first, then the emptier."""
    return (0 if sr.type in ADVISED else 1, sr.physical_utilisation - sr.physical_size)


def pool_checks(inventory: Inventory, operation: str) -> Iterator[Check]:
    """What concerns the whole pool: nothing else of the kind under way; to enable, also hosts and NICs."""
    under_way = inventory.pool.under_way
    busy, first = joined(under_way), next(iter(under_way), "")
    yield Check(
        "pool.busy",
        f"{first.upper()}_IN_PROGRESS" if first else "",
        not busy,
        "no other operation of the whole pool is under way",
        f"now: {busy}" if busy else "",
        "Wait until that has ended, then ask again.",
    )
    if operation != "ha_enable":
        return
    yield Check(
        "hosts.version",
        "NOT_SUPPORTED_DURING_UPGRADE",
        not versions.mixed(inventory),
        "all hosts have the same version",
        joined(f"{host.name}: {versions.product(host.software_version)}" for host in inventory.hosts)
        if versions.mixed(inventory)
        else "",
        "Finish the update of the pool.",
    )
    down = [pif for pif in inventory.all(PIF) if pif.flag("disallow_unplug") and not pif.flag("currently_attached")]
    named = ", ".join(f"{pif.name} of {quoted(pif.host.name) if pif.host else 'a host that is gone'}" for pif in down)
    yield Check(
        "hosts.nics",
        "REQUIRED_PIF_IS_UNPLUGGED",
        not down,
        "every NIC that must be connected is",
        f"not connected: {named}" if down else "",
        f"Connect them: xe pif-plug uuid={down[0].uuid}" if down else "",
    )
    yield hosts.all_alive(inventory, "every host is alive")
