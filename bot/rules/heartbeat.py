"""High availability's own needs: a storage for heartbeat and metadata, hosts that are alive, NICs that are connected.

Order and codes of `pool.enable_ha` and `SR.assert_can_host_ha_statefile`, as recorded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.inventory import PIF, SR, VDI, Inventory
from bot.lookup import spelling
from bot.rules import hosts, licences, versions
from bot.rules.check import Check
from bot.text import joined, quoted, size

ADVISED = frozenset({"lvmoiscsi", "lvmohba", "lvmofcoe"})
"""Types that are advised, since several paths can lead to them; NFS works, with one."""
_UNSUITED = frozenset({"iso", "udev", "smb", "cifs", "tmpfs", "dummy"})
_SPACE, _OLD_SPACE = 3_992_977_408, 373_293_056
"""Bytes for statefile and redo log: since the XenServer 8 stream (xapi 23.30), and before."""
_SECONDS = re.compile("[0-9]{1,9}")


def in_use(inventory: Inventory) -> tuple[SR, ...]:
    """Where the statefiles are, by the pool's record; it keeps them when HA is off."""
    vdis = (inventory.get(VDI, ref) for ref in inventory.pool.refs("ha_statefiles"))
    return tuple(dict.fromkeys(vdi.sr for vdi in vdis if vdi is not None and vdi.sr is not None))


def configuration(inventory: Inventory) -> dict[str, str]:
    """What high availability was configured with the last time, to be said again: enabling replaces it, and with it the
    seconds (`timeout`) after which a silent host has failed. A `timeout` that the toolstack could not read is left out.
    """
    kept = dict(inventory.pool.mapping("ha_configuration"))
    if not _SECONDS.fullmatch(kept.get("timeout", "0")):
        del kept["timeout"]
    return kept


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


_BLOCKING = frozenset({
    "ha_enable", "ha_disable", "cluster_create", "designate_new_master", "tls_verification_enable",
    "configure_repositories", "sync_updates", "sync_bundle", "apply_updates",
})  # fmt: skip
"""Operations of the whole pool with a code of their own. Behind others (a host leaves, certificates are exchanged) the
toolstack lets a call wait, for two hours at most (xapi: Xapi_pool_helpers).
"""


def rotated(inventory: Inventory) -> Check:
    """Before every operation of the whole pool."""
    pending = inventory.pool.flag("is_psr_pending")
    return Check(
        "pool.secret",
        "POOL_SECRET_ROTATION_PENDING",
        not pending,
        "no change of the pool's secret is unfinished",
        "one is: it failed on a host, or goes on" if pending else "",
        "Bring all hosts back, and let it finish: xe pool-secret-rotate",
    )


def pool_checks(inventory: Inventory, operation: str) -> Iterator[Check]:
    """What concerns the whole pool: nothing else of the kind under way; to enable, also hosts and NICs."""
    yield rotated(inventory)
    under_way = inventory.pool.under_way
    busy, blocking = joined(under_way), next((each for each in under_way if each in _BLOCKING), "")
    yield Check(
        "pool.busy",
        f"{blocking.upper()}_IN_PROGRESS" if blocking else "OTHER_OPERATION_IN_PROGRESS",
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
    yield licences.check(inventory, licences.HIGH_AVAILABILITY)
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
