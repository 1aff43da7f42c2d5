"""Rules about the hosts themselves: there, alike, up to date."""

from __future__ import annotations

from collections.abc import Iterator

from bot.audits.rule import Found, listed, rule
from bot.inventory import Host, Inventory
from bot.lookup import spelling
from bot.model import Level
from bot.rules import cpu, cpu_features, host_power, updates, versions
from bot.rules.hosts import in_maintenance
from bot.text import joined, plural, quoted

MOST_FEATURES = 12
"""Names of CPU features in one sentence."""


@rule(
    "pool.coordinator",
    Level.BAD,
    title="The pool has a coordinator",
    why="Without one no operation of the pool works.",
    source="XenAPI: pool.master",
    urgent=True,
)
def coordinator(inventory: Inventory) -> Iterator[Found]:
    if inventory.pool.coordinator is None:
        yield Found(
            subject=inventory.pool.id,
            text="The pool's database names no coordinator",
            evidence="pool.master is no host of the pool",
            remedy="On a healthy host: xe pool-emergency-transition-to-master, then xe pool-recover-slaves",
        )


@rule(
    "pool.size",
    Level.WARN,
    title="A pool has at least three hosts",
    why="With two hosts neither can tell the other's failure from a broken network: HA is not supported, and one"
    " host's maintenance leaves no reserve.",
    source="XenServer's requirements for HA",
)
def size(inventory: Inventory) -> Iterator[Found]:
    if len(inventory.hosts) == 2:
        yield Found(
            subject=inventory.pool.id,
            text="The pool has only two hosts",
            evidence=joined(host.name for host in inventory.hosts),
            remedy="Add a third host.",
            level=Level.BAD if inventory.pool.ha_enabled else None,
        )


@rule(
    "host.metrics",
    Level.WARN,
    title="The pool knows how its hosts are",
    why="Without metrics nobody can tell from the database whether a host is alive, or how much memory it has.",
    source="XenAPI: host.metrics",
    urgent=True,
)
def metrics(inventory: Inventory) -> Iterator[Found]:
    unknown = [host.name for host in inventory.hosts if host.metrics is None]
    if unknown:
        yield Found(
            subject=inventory.pool.id,
            text=f"The pool's database has no metrics of {joined(unknown)}: nobody can tell from it who is alive",
            evidence="host.metrics names no object",
            remedy="Look at the hosts themselves.",
        )


@rule(
    "host.live",
    Level.BAD,
    title="Every host answers",
    why="A host that does not answer may still run its VMs, or may have lost them.",
    source="XenAPI: host_metrics.live",
    urgent=True,
)
def live(inventory: Inventory) -> Iterator[Found]:
    for host in inventory.hosts:
        if host.metrics is not None and not host.live:
            stuck = len(host.resident_vms)
            vms = f"; {plural(stuck, 'VM')} of it still count as running" if stuck else ""
            yield Found(
                subject=host.id,
                text=f"{quoted(host.name)} does not answer{vms}",
                evidence="the coordinator has not heard from it (without HA this shows after ten minutes)",
                remedy=_dead(host, inventory),
            )


def _dead(host: Host, inventory: Inventory) -> str:
    """With HA its protected VMs are restarted by themselves; without it a person has to be sure of its power first."""
    name = spelling(host, inventory)
    switch = f" “host start {name}” switches it on." if host_power.how(host) else ""
    if inventory.pool.ha_enabled:
        return f"“ha timeline of {name}” shows what HA has restarted. Look at its console and power.{switch}"
    freed = f" Then “host dead {name}” lets them start elsewhere." if host.resident_vms else ""
    return (
        f"Look at its console and power.{switch} Nothing of it may be started elsewhere before its power is surely"
        f" off.{freed}"
    )


@rule(
    "host.enabled",
    Level.WARN,
    title="Every host takes VMs",
    why="A disabled host is no reserve: nothing can start on it or move to it, and HA does not plan with it.",
    source="XenAPI: host.enabled",
    urgent=True,
)
def enabled(inventory: Inventory) -> Iterator[Found]:
    for host in inventory.hosts:
        if (host.live or host.metrics is None) and not host.enabled:
            why = "is in maintenance" if in_maintenance(host) else "is disabled: no VM can start on it or move to it"
            yield Found(
                subject=host.id,
                text=f"{quoted(host.name)} {why}",
                evidence=f"enabled is false; {plural(len(host.resident_vms), 'VM')} on it",
                remedy=f"When it is ready: “host maintenance {spelling(host, inventory)} off”",
            )


@rule(
    "version.same",
    Level.WARN,
    title="All hosts run the same version",
    why="While versions differ VMs move only towards the newer host, and most operations of the pool are refused.",
    source="xapi: rolling upgrade, Helpers.compare_host_platform_versions",
    urgent=True,
)
def version(inventory: Inventory) -> Iterator[Found]:
    if versions.mixed(inventory):
        told = ", ".join(f"{quoted(host.name)}: {versions.product(host.software_version)}" for host in inventory.hosts)
        yield Found(
            subject=inventory.pool.id,
            text=f"The hosts run different versions ({told})",
            evidence=told,
            remedy="Finish the update of the pool, the coordinator first.",
        )


@rule(
    "version.build",
    Level.WARN,
    title="All hosts run the same build",
    why="Hosts of one version with different builds of hypervisor, kernel or toolstack were updated differently.",
    source="XenAPI: host.software_version; XCP-ng's updates show only here",
)
def build(inventory: Inventory) -> Iterator[Found]:
    for part, told in updates.builds(inventory).items():
        yield Found(
            subject=inventory.pool.id,
            about=part,
            text=f"The hosts run different builds ({part})",
            evidence=listed(f"{quoted(name)}: {quoted(value)}" for name, value in told.items()),
            remedy="Bring all hosts to the same update level.",
        )


@rule(
    "updates.same",
    Level.WARN,
    title="All hosts have the same updates",
    why="A host without an update that others have behaves differently, and another host with that update cannot join.",
    source="host_patch up to 7.0, host.updates from 7.1 to 8.2, host.last_update_hash after that",
)
def same_updates(inventory: Inventory) -> Iterator[Found]:
    for difference in updates.differences(inventory):
        host = difference.host
        yield Found(
            subject=host.id,
            text=f"{quoted(host.name)} lacks updates that other hosts have",
            evidence=f"missing: {listed(difference.missing)}",
            remedy=_update_remedy(host.uuid, host.has("last_update_hash"), host.has("updates")),
        )


def _update_remedy(uuid: str, repositories: bool, pool_updates: bool) -> str:
    if repositories:
        return f"Empty it, then: xe host-apply-updates uuid={uuid} hash=HASH (the coordinator's last-update-hash)"
    if pool_updates:
        return "Apply them: xe update-list shows the uuids, then xe update-apply uuid=UPDATE host=" + uuid
    return "Apply them: xe patch-list shows the uuids, then xe patch-apply uuid=PATCH host-uuid=" + uuid


@rule(
    "updates.pending",
    Level.WARN,
    title="Nothing is left to do for updates to count",
    why="Until the host is rebooted (or what else is asked) it runs the old code, security holes included.",
    source="host.pending_guidances; host.updates_requiring_reboot from 7.1 to 8.2; patches applied after boot before",
)
def pending(inventory: Inventory) -> Iterator[Found]:
    for host in inventory.hosts:
        guidance = updates.guidance(host, inventory)
        if guidance:
            yield Found(
                subject=host.id,
                text=f"{quoted(host.name)} still has to do something for its updates",
                evidence=listed(guidance),
                remedy=_guidance_remedy(host.uuid, guidance),
            )


def _guidance_remedy(uuid: str, guidance: tuple[str, ...]) -> str:
    if any("reboot" in each.lower() or "restarthost" in each.lower() for each in guidance):
        return f"Empty it, then: xe host-disable uuid={uuid} and xe host-reboot uuid={uuid}"
    return "On the host: xe-toolstack-restart"


@rule(
    "updates.recommended",
    Level.INFO,
    title="Nothing is recommended after updates",
    why="The updates count already, but part of what they bring comes only after this.",
    source="host.pending_guidances_recommended (XenServer 8)",
)
def recommended(inventory: Inventory) -> Iterator[Found]:
    for host in inventory.hosts:
        found = host.refs("pending_guidances_recommended")
        if found:
            yield Found(
                subject=host.id,
                text=f"Something is recommended for {quoted(host.name)} after its updates",
                evidence=joined(found),
                remedy="On the host: xe-toolstack-restart"
                if set(found) == {"restart_toolstack"}
                else "At the host's next maintenance.",
            )


@rule(
    "cpu.vendor",
    Level.WARN,
    title="All CPUs are of one vendor",
    why="A running VM never moves between vendors.",
    source="XenAPI: host.cpu_info; VM_INCOMPATIBLE_WITH_THIS_HOST",
)
def vendor(inventory: Inventory) -> Iterator[Found]:
    leader = inventory.pool.coordinator
    wanted = leader.cpu_info.get("vendor", "") if leader is not None else ""
    for host in inventory.hosts:
        own = host.cpu_info.get("vendor", "")
        if wanted and own and own != wanted:
            yield Found(
                subject=host.id,
                text=f"{quoted(host.name)} has CPUs of another vendor than the coordinator",
                evidence=f"{own}, the coordinator {wanted}",
                remedy="Keep hosts of one vendor in a pool; VMs here can only be moved while shut down.",
            )


@rule(
    "cpu.features",
    Level.WARN,
    title="All CPUs have the same features",
    why="The pool offers VMs only what all hosts have; before 7.0 a VM simply cannot move to the weaker host.",
    source="XenAPI: host.cpu_info (features_hvm_host, features_hvm, features)",
    since=(5, 6),
)
def features(inventory: Inventory) -> Iterator[Found]:
    if len({host.cpu_info.get("vendor", "") for host in inventory.hosts}) > 1:
        return  # that is the graver finding, and explains this one
    lacked = cpu_features.lacked_by(inventory)
    for host in inventory.hosts:
        if host.ref in lacked:
            missing = lacked[host.ref]
            yield Found(
                subject=host.id,
                text=f"The CPU of {quoted(host.name)} lacks {plural(len(missing), 'feature')} that other hosts have",
                evidence=f"{host.cpu_info.get('modelname', 'its CPU')} lacks {joined(missing, limit=MOST_FEATURES)}",
                remedy="Nothing is broken by it; VMs started before it joined move there only after a restart.",
            )


@rule(
    "cpu.level",
    Level.WARN,
    title="Every host can run what the pool offers",
    why="A VM that is started now gets the pool's level; it cannot move to a host that lacks part of it.",
    source="XenAPI: pool.cpu_info against host.cpu_info (7.0 and later)",
    since=(7, 0),
)
def level(inventory: Inventory) -> Iterator[Found]:
    offered = inventory.pool.mapping("cpu_info")
    key = cpu_features.key_of_all([offered, *(host.cpu_info for host in inventory.hosts)])
    if not key:
        return
    for host in inventory.hosts:
        missing = cpu_features.lacking(offered[key], cpu.accepted(host.cpu_info, hvm=True) or "")
        if missing:
            yield Found(
                subject=host.id,
                text=f"{quoted(host.name)} cannot take VMs at the pool's CPU level",
                evidence=f"it lacks {joined(missing, limit=MOST_FEATURES)}",
                remedy="The level is worked out when a host's toolstack starts: on that host, xe-toolstack-restart",
            )
