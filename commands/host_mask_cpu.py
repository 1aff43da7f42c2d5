"""`host mask-cpu CANDIDATE like POOL`: hide what a host's CPU has beyond a pool's, so that it can join (up to 6.5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot import planning
from bot.errors import Refused
from bot.inventory import Host, Inventory
from bot.model import Expect, Finding, HostTarget, Object, Plan, Risk, Step, Suggestion, Value
from bot.planning import hosts, power
from bot.ports import Context
from bot.registry import command
from bot.rules import cpu_features, cpu_mask
from bot.rules.check import Check
from bot.text import joined, plural, quoted

_MOST = 12


@dataclass(frozen=True)
class Arguments:
    candidate: str


@command(
    "host mask-cpu CANDIDATE like POOL",
    risk=Risk.DISRUPTIVE,
    summary="Hide the features that a stand-alone host's CPU has beyond a pool's, so that it can join (up to 6.5).",
    details=(
        "The host is rebooted; the mask stays until it is taken off: xe host-reset-cpu-features uuid=HOST.",
        "From 7.0 on there is nothing to mask: a pool takes what all of its hosts have.",
    ),
    examples=("host mask-cpu xs3 like lab",),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    candidate = context.candidate(arguments.candidate)
    own, pool = candidate.inventory(), context.pool.inventory()
    host = own.pool.coordinator
    if host is None:
        raise Refused(f"The database of {quoted(candidate.name)} names no host. Nothing was changed.")
    wanted = _wanted(host, candidate.name, pool, context)
    target = HostTarget(candidate.name, own.pool.uuid)
    hidden = cpu_features.lacking(host.cpu_info.get("features", ""), wanted)
    again = f"host add {quoted(candidate.name)} to {quoted(context.pool.name)}"
    return Plan(
        command="host mask-cpu",
        arguments=(("candidate", candidate.name),),
        pool=planning.pool_id(context, pool),
        risk=Risk.DISRUPTIVE,
        title=f"mask the CPU of {quoted(host.name)} like the pool's, and reboot it",
        findings=tuple(_findings(host, own, wanted, pool)),
        steps=tuple(_steps(host, wanted, target)),
        facts=((f"{quoted(host.name)} will show", wanted), (f"{quoted(host.name)} shows", _shown(host))),
        impact=(
            f"{quoted(host.name)} is rebooted: five to fifteen minutes, as a rule.",
            f"VMs there will not see {joined(hidden, limit=_MOST)}." if hidden else "VMs there will see no less.",
            f"Afterwards: “{again}”.",
        ),
        go_back=f"On {quoted(host.name)}: xe host-reset-cpu-features uuid={host.uuid}, then a reboot",
        on_success=(Suggestion(f"Add {quoted(host.name)} to the pool", again),),
    )


def _shown(host: Host) -> str:
    return host.cpu_info.get("features", "")


def _wanted(host: Host, name: str, pool: Inventory, context: Context) -> str:
    """The features that the host is to show.

    :raises Refused: there is nothing to mask.
    """
    add = f"“host add {quoted(name)} to {quoted(context.pool.name)}”"
    if not cpu_mask.exists(host):
        raise Refused(
            f"{quoted(host.name)} runs 7.0 or later, where CPUs are not masked: a pool takes what all of its hosts "
            "have. Nothing was changed.",
            remedy=f"{add} says what the pool would lose.",
        )
    wanted = cpu_mask.target(pool)
    if wanted and cpu_mask.counted(_shown(host), pool) == cpu_mask.counted(wanted, pool):
        raise Refused(
            f"{quoted(host.name)} shows the same CPU features as {quoted(context.pool.name)} already. "
            "Nothing was changed.",
            remedy=f"{add} takes it into the pool.",
        )
    return wanted


def _findings(host: Host, own: Inventory, wanted: str, pool: Inventory) -> Iterator[Finding]:
    for check in (*_quiet(host, own), _vendor(host, pool), *cpu_mask.checks(host, wanted, pool)):
        yield check.finding(host.id)


def _vendor(host: Host, pool: Inventory) -> Check:
    leader = pool.pool.coordinator
    here, there = host.cpu_info.get("vendor", ""), leader.cpu_info.get("vendor", "") if leader else ""
    return Check(
        "mask.vendor",
        "",
        here == there,
        "the CPUs are of one vendor",
        f"{quoted(here or 'none')} on the host, {quoted(there or 'none')} in the pool" if here != there else "",
        "No mask makes one vendor's CPU look like another's: put the host into a pool of its own kind.",
    )


def _quiet(host: Host, own: Inventory) -> Iterator[Check]:
    """It is going to be rebooted."""
    here = host.resident_vms
    others = [each.name for each in own.hosts if each != host]
    yield Check(
        "mask.running",
        "",
        not here,
        f"no VM runs on {quoted(host.name)}",
        f"{plural(len(here), 'VM')} would be shut down by the reboot: {joined(vm.name for vm in here)}" if here else "",
        "Shut them down or suspend them there: " + "; ".join(f"xe vm-shutdown uuid={vm.uuid}" for vm in here[:4]),
    )
    yield Check(
        "mask.alone",
        "",
        not others,
        f"{quoted(host.name)} stands alone",
        f"it is the coordinator of {joined(others)}" if others else "",
        "A host is masked before it joins; in a pool of its own mask the members first, on their consoles.",
    )
    yield Check(
        "mask.ha",
        "",
        not own.pool.ha_enabled,
        "high availability is off there",
        "it is on" if own.pool.ha_enabled else "",
        f"On {quoted(host.name)}: xe pool-ha-disable",
    )


def _steps(host: Host, wanted: str, target: HostTarget) -> Iterator[Step]:
    if host.cpu_info.get("features_after_reboot") != wanted:
        yield _set(host, wanted, target, host.cpu_info.get("features_after_reboot", ""))
    if host.enabled:
        yield hosts.disable(host, target)
    yield power.down(host, "host.reboot", target)
    yield power.back(host, target, rebooted=True)
    yield Step(
        title=f"Wait until {quoted(host.name)} shows the pool's CPU features",
        target=target,
        expect=(Expect(object=host.id, field="cpu_info", key="features", equals=Value(wanted)),),
        limit_seconds=600,
    )


def _set(host: Host, features: str, target: HostTarget, before: str = "") -> Step:
    """Taken back by what it would have shown after its next reboot."""
    return Step(
        title=f"Let {quoted(host.name)} show the features {features} from its next boot on",
        target=target,
        call="host.set_cpu_features",
        arguments=(Object(host.id), Value(features)),
        asynchronous=False,
        expect=(Expect(object=host.id, field="cpu_info", key="features_after_reboot", equals=Value(features)),),
        limit_seconds=600,
        undo=(_set(host, before, target),) if before else (),
    )
