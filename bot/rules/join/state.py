"""Joining: what the host and the pool must be like at that moment – alone, quiet, with nothing pending."""

from __future__ import annotations

from bot.inventory import VM
from bot.rules import network
from bot.rules.join.side import Row, Sides
from bot.text import joined, plural, quoted

FREE_HOSTS = 3
"""Hosts of a pool under a licence with a restricted pool size (8.0 and later)."""


def pooling(sides: Sides) -> Row:
    restricted = sides.own.inventory.pool.mapping("restrictions").get("restrict_pooling") == "true"
    return Row(
        id="join.licence",
        code="LICENCE_RESTRICTION",
        title="the host's licence allows pools",
        subject=sides.own.host.id,
        against="its licence restricts the feature “pooling”" if restricted else "",
        remedy=f"Give it a licence that has it: xe host-apply-edition host-uuid={sides.own.host.uuid} edition=…",
    )


def pool_size(sides: Sides) -> Row | None:
    if not sides.own.since(8, 0):
        return None
    # The toolstack asks the joining host's own licence, not the pool's.
    restricted = sides.own.inventory.pool.mapping("restrictions").get("restrict_pool_size") == "true"
    hosts = len(sides.pool.inventory.hosts)
    full = restricted and hosts >= FREE_HOSTS
    return Row(
        id="join.licensed-size",
        code="LICENCE_RESTRICTION",
        title="its licence allows so many hosts in a pool",
        subject=sides.own.host.id,
        against=f"the host's licence allows {FREE_HOSTS} hosts, the pool has {hosts}" if full else "",
        remedy=f"Give it the pool's licence first: xe host-apply-edition host-uuid={sides.own.host.uuid} edition=…",
    )


def booted(sides: Sides) -> Row:
    return Row(
        id="join.booted",
        code="HOST_STILL_BOOTING",
        title="the host has a management interface",
        subject=sides.own.host.id,
        against="" if network.management(sides.own.host) else "its database names no management interface",
        remedy="Wait until it has booted; if it has: xe host-management-reconfigure pif-uuid=… on its console.",
    )


def own_ha(sides: Sides) -> Row:
    return Row(
        id="join.own-ha",
        code="HA_IS_ENABLED",
        title="high availability is off on the host itself",
        subject=sides.own.host.id,
        against="it is on there" if sides.own.inventory.pool.ha_enabled else "",
        remedy=f"On {quoted(sides.own.name)}: xe pool-ha-disable",
    )


def clustering(sides: Sides) -> Row | None:
    if not sides.own.since(7, 6):
        return None
    members = sides.own.records("Cluster_host")
    return Row(
        id="join.clustering",
        code="CLUSTERING_ENABLED",
        title="the host is in no cluster",
        subject=sides.own.host.id,
        against="clustering is enabled on it" if any(each.get("enabled") for each in (members or {}).values()) else "",
        unknown="its clusters could not be read" if members is None else "",
        remedy=f"On {quoted(sides.own.name)}: detach its GFS2 storage, then xe cluster-pool-destroy cluster-uuid=…",
    )


def same_pool(sides: Sides) -> Row:
    there = sides.own.inventory.pool.uuid == sides.pool.inventory.pool.uuid
    return Row(
        id="join.itself",
        code="OPERATION_NOT_ALLOWED",
        title="the host is not in the pool yet",
        subject=sides.own.host.id,
        against="both addresses lead to the same pool" if there else "",
        remedy="It is there already; “host list” shows it.",
    )


def alone(sides: Sides) -> Row:
    others = [host.name for host in sides.own.inventory.hosts if host != sides.own.host]
    return Row(
        id="join.alone",
        code="JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS",
        title="the host stands alone",
        subject=sides.own.host.id,
        against=f"it is the coordinator of {joined(others)}" if others else "",
        remedy="Remove the others from its pool first, each with xe pool-eject host-uuid=…; a pool joins host by host.",
    )


def _named(vms: list[VM]) -> str:
    return f"{plural(len(vms), 'VM')}: {joined((vm.name for vm in vms), limit=8)}"


def running(sides: Sides) -> Row:
    vms = [vm for vm in sides.own.inventory.guests if vm.power_state == "Running"]
    return Row(
        id="join.running",
        code="JOINING_HOST_CANNOT_HAVE_RUNNING_VMS",
        title="no VM runs on the host",
        subject=sides.own.host.id,
        against=f"it runs {_named(vms)}" if vms else "",
        remedy="Shut them down or suspend them there: "
        + "; ".join(f"xe vm-shutdown uuid={vm.uuid}" for vm in vms[:4])
        + ("; …" if len(vms) > 4 else ""),
    )


def paused(sides: Sides) -> Row:
    vms = [vm for vm in sides.own.inventory.guests if vm.power_state == "Paused"]
    return Row(
        id="join.paused",
        code="",
        title="no VM is paused on the host",
        subject=sides.own.host.id,
        against=f"paused there, and lost from sight when it joins: {_named(vms)}" if vms else "",
        remedy=f"On {quoted(sides.own.name)}: "
        + "; ".join(f"xe vm-unpause uuid={vm.uuid}; xe vm-shutdown uuid={vm.uuid}" for vm in vms[:3])
        + ("; …" if len(vms) > 3 else ""),
    )


def busy(sides: Sides) -> Row:
    """Also of templates and snapshots."""
    vms = [vm for vm in sides.own.inventory.all(VM) if not vm.is_control_domain and vm.under_way]
    told = joined((f"{vm.name} ({', '.join(sorted(vm.under_way))})" for vm in vms), limit=4)
    return Row(
        id="join.busy",
        code="JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS",
        title="nothing is being done with its VMs",
        subject=sides.own.host.id,
        against=f"under way: {told}" if vms else "",
        remedy="Wait until that has ended, or cancel it: xe task-list, then xe task-cancel uuid=TASK",
    )


def guidance(sides: Sides) -> Row | None:
    """Asked since somewhere between 24.19 and 25.6; the field is older."""
    if not sides.own.host.has("pending_guidances"):
        return None
    waiting = [(side.host, side.host.refs("pending_guidances")) for side in (sides.own, sides.pool)]
    told = "; ".join(f"{quoted(host.name)}: {', '.join(found)}" for host, found in waiting if found)
    certain = sides.own.toolstack() >= (25, 6)
    if not certain and sides.own.toolstack() <= (24, 19, 999):
        return None
    return Row(
        id="join.guidance",
        code="HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY",
        title="no update waits for a restart, on the host or on the coordinator",
        subject=sides.own.host.id,
        against=told if certain else "",
        unknown="" if certain or not told else f"{told}; whether this version of the toolstack minds is not known",
        remedy="Do what the updates ask for first: reboot_host is a reboot, restart_toolstack xe-toolstack-restart.",
    )


def pool_ha(sides: Sides) -> Row:
    on = sides.pool.inventory.pool.ha_enabled
    return Row(
        id="join.pool-ha",
        code="HA_IS_ENABLED",
        title="high availability of the pool is off",
        subject=sides.pool.inventory.pool.id,
        against="it is on; while it is, no host joins" if on else "",
        remedy=f"“ha disable in {quoted(sides.pool.name)}” first.",
    )


def updating(sides: Sides) -> Row | None:
    if sides.own.toolstack() < (24, 19):
        return None
    busy_ones = [
        side.name
        for side in (sides.own, sides.pool)
        if any("apply_updates" in record.under_way for record in (side.inventory.pool, *side.inventory.hosts))
    ]
    return Row(
        id="join.updating",
        code="NOT_SUPPORTED_DURING_UPGRADE",
        title="no updates are being applied",
        subject=sides.own.host.id,
        against=f"updates are being applied in {joined(busy_ones)}" if busy_ones else "",
        remedy="Wait until they are.",
    )
