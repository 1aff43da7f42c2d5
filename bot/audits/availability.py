"""Rules about surviving a host's failure."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from bot.audits.rule import Found, rule
from bot.inventory import VDI, VM, Inventory
from bot.lookup import spelling
from bot.model import Level
from bot.rules import agility, ha, memory, spare
from bot.rules.check import Check
from bot.text import joined, plural, quoted, size

STATEFILE_ADVISED = frozenset({"lvmoiscsi", "lvmohba", "lvmofcoe", "gfs2"})
"""Storage on LUNs; NFS works too, but its time-outs are long beside HA's."""
STATEFILE_POSSIBLE = STATEFILE_ADVISED | {"nfs"}


@rule(
    "ha.off",
    Level.INFO,
    title="High availability is on",
    why="Without it nothing restarts the VMs of a failed host but a person.",
    source="XenAPI: pool.ha_enabled; told for pools of three hosts and more with shared storage",
)
def off(inventory: Inventory) -> Iterator[Found]:
    able = len(inventory.hosts) >= 3 and any(sr.type in STATEFILE_POSSIBLE for sr in inventory.shared_srs)
    if able and not inventory.pool.ha_enabled:
        yield Found(
            subject=inventory.pool.id,
            text="High availability is off",
            evidence=f"{plural(len(inventory.hosts), 'host')} and shared storage would allow it",
            remedy="“ha protect VM restart” for those that matter, then “ha enable”",
        )


@rule(
    "ha.overcommitted",
    Level.BAD,
    title="HA can restart what it protects",
    why="After a host's failure some protected VMs would stay down.",
    source="XenAPI: pool.ha_overcommitted",
    urgent=True,
)
def overcommitted(inventory: Inventory) -> Iterator[Found]:
    pool = inventory.pool
    wanted, covered = pool.number("ha_host_failures_to_tolerate"), pool.number("ha_plan_exists_for")
    if pool.ha_enabled and pool.flag("ha_overcommitted"):
        yield Found(
            subject=pool.id,
            text=f"HA is overcommitted: its plan covers {plural(covered, 'host failure')}, not {wanted}",
            evidence=f"{wanted} to tolerate, a plan exists for {covered}",
            remedy=f"Bring hosts back, free memory or protect fewer VMs; or promise less: “ha tolerate {covered}”.",
        )


@rule(
    "ha.plan",
    Level.WARN,
    title="HA's plan covers at least one host failure",
    why="With a plan for none, HA restarts only what happens to fit.",
    source="XenAPI: pool.ha_plan_exists_for, ha_host_failures_to_tolerate",
    urgent=True,
)
def plan(inventory: Inventory) -> Iterator[Found]:
    pool = inventory.pool
    if pool.ha_enabled and not pool.flag("ha_overcommitted") and pool.number("ha_plan_exists_for") < 1:
        yield Found(
            subject=pool.id,
            text="HA is on, but the plan covers no host failure",
            evidence=f"{pool.number('ha_host_failures_to_tolerate')} to tolerate",
            remedy="“ha tolerate 1”",
        )


@rule(
    "ha.unprotected",
    Level.WARN,
    title="Running VMs have a restart priority",
    why="HA does not restart a VM without one.",
    source="XenAPI: VM.ha_restart_priority (restart, best-effort)",
    urgent=True,
)
def unprotected(inventory: Inventory) -> Iterator[Found]:
    if not inventory.pool.ha_enabled:
        return
    bare = [
        vm
        for vm in inventory.guests
        if vm.power_state == "Running" and vm.text("ha_restart_priority") not in ("restart", "best-effort")
    ]
    if bare:
        yield Found(
            subject=inventory.pool.id,
            text=f"HA would not restart {joined((vm.name for vm in bare), limit=4)}",
            evidence=f"{plural(len(bare), 'running VM')} without a restart priority",
            remedy=f"“ha protect {spelling(bare[0], inventory)} restart”"
            + (", and so on for the others" if len(bare) > 1 else ""),
        )


@rule(
    "ha.agile",
    Level.WARN,
    title="Protected VMs can be restarted on every host",
    why="A protected VM that is bound to a host makes HA's plan void: the pool counts as overcommitted.",
    source="xapi: VM.assert_agile",
)
def agile(inventory: Inventory) -> Iterator[Found]:
    if not inventory.pool.ha_enabled:
        return
    # What a VM uses decides, and most use the same: each combination is looked at once.
    known: dict[Hashable, tuple[Check, ...]] = {}
    for vm in inventory.guests:
        if vm.text("ha_restart_priority") != ha.RESTART:
            continue
        used = _uses(vm)
        if used not in known:
            known[used] = agility.against(vm, inventory)
        # The way out of an ISO names the VM itself.
        isos = known[used] and any(vbd.is_cd and not vbd.empty for vbd in vm.vbds)
        reasons = agility.against(vm, inventory) if isos else known[used]
        if reasons:
            yield Found(
                subject=vm.id,
                text=f"{quoted(vm.name)} is protected, but bound to a host",
                evidence="; ".join(reason.against for reason in reasons),
                remedy=reasons[0].remedy,
            )


def _uses(vm: VM) -> Hashable:
    """Everything of a VM that its agility depends on; an ISO by itself, because the reason names it."""
    drives = frozenset(
        (vbd.vdi.text("SR"), vbd.vdi.name if vbd.is_cd else "")
        for vbd in vm.vbds
        if not vbd.empty and vbd.vdi is not None
    )
    return drives, frozenset(vif.text("network") for vif in vm.vifs), vm.refs("VGPUs"), vm.refs("VUSBs")


@rule(
    "ha.statefile",
    Level.INFO,
    title="HA's heartbeat is on storage that suits it",
    why="The statefile decides who lives: storage that answers late gets hosts fenced.",
    source="xapi: ha_supported_srs; LUNs are advised, NFS works",
)
def statefile(inventory: Inventory) -> Iterator[Found]:
    if not inventory.pool.ha_enabled:
        return
    for ref in inventory.pool.refs("ha_statefiles"):
        vdi = inventory.get(VDI, ref)
        sr = vdi.sr if vdi is not None else None
        if sr is None:
            yield Found(
                subject=inventory.pool.id,
                about="gone",
                text="HA's statefile is not on any storage that the pool knows",
                evidence="pool.ha_statefiles names a disk that is gone",
                remedy="“ha disable”, then “ha enable”.",
                level=Level.BAD,
            )
        elif sr.type not in STATEFILE_ADVISED:
            yield Found(
                subject=sr.id,
                text=f"HA's statefile is on {quoted(sr.name)}, which is not what is advised",
                evidence=f"type {sr.type}; iSCSI or Fibre Channel with multipathing is advised",
                remedy="“ha disable”, then “ha enable on SR”, one on a LUN.",
                level=None if sr.type in STATEFILE_POSSIBLE else Level.WARN,
            )


@rule(
    "memory.reserve",
    Level.WARN,
    title="The other hosts could take a failed host's VMs",
    why="Also without HA: maintenance of one host, or its failure, otherwise leaves VMs down.",
    source="memory by xapi's planner's packing, with every VM at its dynamic minimum",
)
def reserve(inventory: Inventory) -> Iterator[Found]:
    if len(inventory.hosts) < 2:
        return
    for host in inventory.hosts:
        homeless = spare.left_over(host, inventory) if ha.counts(host) else ()
        if homeless:
            need = sum(memory.needed(vm) for vm in homeless)
            yield Found(
                subject=host.id,
                text=f"If {quoted(host.name)} failed, the other hosts would have no room for"
                f" {plural(len(homeless), 'VM')} of it",
                evidence=f"{joined((vm.name for vm in homeless), limit=5)}, {size(need)} in all",
                remedy="Free memory on the other hosts, or lower dynamic minima: xe vm-memory-dynamic-range-set uuid=VM"
                " min=SIZE max=SIZE",
            )
