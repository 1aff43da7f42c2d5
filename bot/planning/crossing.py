"""A VM that goes to another pool with its disks, as a plan: read, done and verified in both pools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bot.errors import Refused
from bot.inventory import SR, VIF, VM, Host, Inventory, Network
from bot.lookup import matches, spelling
from bot.model import (
    Elsewhere,
    Expect,
    Finding,
    MapOf,
    Object,
    ObjectId,
    ObjectMap,
    Plan,
    PoolTarget,
    Risk,
    Step,
    Trace,
    Value,
    Verdict,
)
from bot.planning.common import findings, pool_id
from bot.planning.disks import COPY_SECONDS, able
from bot.planning.motion import reachable, receive
from bot.planning.vms import about, home_answers, in_power_state, in_state, runs_on
from bot.ports import Context, PoolView
from bot.rules import arrivals, crossing, drivers, memory, motion, placement
from bot.rules.check import Check
from bot.rules.crossing import Crossing, all_vifs
from bot.rules.crossing_notices import notices, storages
from bot.rules.motion import Journey
from bot.text import joined, quoted, size


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was said about where in the other pool it goes; None: not said."""

    host: Host | None = None
    sr: SR | None = None
    network: Network | None = None


def to_pool(vm: VM, there: PoolView, wanted: Wanted, context: Context) -> Plan:
    """The plan of `vm migrate VM to pool POOL …`: `VM.migrate_send` to another pool.

    :raises Refused: it is the VM's own pool, or where it should go has to be said. :raises Unavailable: one of the
    pools cannot be read.
    """
    own, other = context.pool.inventory(), there.inventory()
    if other.pool.uuid == own.pool.uuid:
        raise Refused(
            f"{quoted(vm.name)} is in {quoted(context.pool.name)} already. Nothing was changed.",
            remedy=f"To another host of it: “vm migrate {spelling(vm, own)} to HOST”",
        )
    in_state(vm, "migrate_send", "to be moved to another pool it has to be", own)
    sr = wanted.sr or _storage(vm, there, other)
    host, reasons = (wanted.host, ()) if wanted.host is not None else _host(vm, sr, there, other)
    networks = _networks(vm, wanted.network, there, other)
    moves = {vdi: sr for vdi in vm.disks if sr is not None}
    going = Crossing(Journey(vm, host, moves, own, other), networks, there.name)
    pool, far = pool_id(context, own), ObjectId("pool", other.pool.uuid, there.name)
    pinned = [("vm", vm.uuid), ("destination", there.name), ("member", host.uuid)]
    pinned += [("sr", sr.uuid)] if sr is not None else []
    pinned += [("network", wanted.network.uuid)] if wanted.network is not None else []
    return Plan(
        command="vm migrate",
        arguments=tuple(pinned),
        pool=pool,
        risk=Risk.DISRUPTIVE,
        title=f"move {quoted(vm.name)} from pool {quoted(pool.name)} to pool {quoted(far.name)}",
        findings=_found(going, context.pool, there),
        steps=_steps(going, PoolTarget(pool.uuid), PoolTarget(far.uuid)),
        touches=(vm.id,),
        elsewhere=(Elsewhere(pool=far, touches=(vm.id,)),),
        facts=tuple(dict.fromkeys(_facts(going))),
        impact=tuple(_impact(going)),
        reasons=(*reasons, *_default(wanted, sr, there)),
        go_back=_back(going, context),
    )


# --- where to ---------------------------------------------------------------------------------------------------------


def _storage(vm: VM, there: PoolView, other: Inventory) -> SR | None:
    """The other pool's default storage, if every host can have it and it has room; None for a VM without disks.

    :raises Refused: another one has to be chosen.
    """
    if not vm.disks:
        return None
    sr = other.pool.default_sr
    left = drivers.room(sr) if sr is not None else None
    need = sum(drivers.takes(vdi, sr) for vdi in vm.disks) if sr is not None else 0
    if sr is not None and sr.shared and (left is None or need <= left):
        return sr
    why = "names no default storage"
    if sr is not None:
        why = f"has {quoted(sr.name)} as its default storage, which "
        why += "is one host's own" if not sr.shared else f"has no room: {size(need)} needed, {size(left or 0)} free"
    raise Refused(
        f"Where should the disks of {quoted(vm.name)} go? {quoted(there.name)} {why}.",
        evidence=tuple(storages(other)),
        remedy=f"“vm migrate … to pool {quoted(there.name)} storage SR” says where.",
    )


def _host(vm: VM, sr: SR | None, there: PoolView, other: Inventory) -> tuple[Host, tuple[str, ...]]:
    """The host with the most memory left of those that have the storage and can take the VM.

    :raises Refused: none can; the evidence says why for each.
    """
    against: dict[Host, str] = {}
    for host in other.hosts:
        if sr is not None and motion.sees_all(host, (sr,)):
            against[host] = f"{quoted(sr.name)} is not plugged there"
        elif found := [check for check in placement.checks(vm, host, other) if not check.ok and _counts(check.id, vm)]:
            against[host] = "; ".join(check.against for check in found)
    fit = [host for host in other.hosts if host not in against]
    if not fit:
        raise Refused(
            f"No host of {quoted(there.name)} can take {quoted(vm.name)}. Nothing was changed.",
            evidence=tuple(f"{quoted(host.name)} cannot: {why}" for host, why in against.items()),
            remedy="The reasons say what would have to change; “… host HOST” names one all the same.",
        )
    chosen = max(fit, key=lambda host: (memory.free(host, other), host.uuid))
    alone = "the only host that can take it" if len(fit) == 1 else "the host with the most memory left"
    unable = tuple(f"{quoted(host.name)} cannot: {why}" for host, why in against.items())
    return chosen, (f"{quoted(chosen.name)} is {alone}", *unable)


def _counts(check_id: str, vm: VM) -> bool:
    """Storage and networks are the other pool's there."""
    if check_id in ("vm.storage", "vm.network", "host.network"):
        return False
    return check_id != "host.memory" or vm.power_state == "Running"


def _networks(vm: VM, wanted: Network | None, there: PoolView, other: Inventory) -> Mapping[VIF, Network | None]:
    """By name; what has no one namesake there goes to the network that was named.

    :raises Refused: a network was named, and every one has its namesake.
    """
    found = {vif: crossing.namesake(vif.network, other) for vif in all_vifs(vm)}
    if wanted is not None and None not in found.values():
        names = joined(dict.fromkeys(network.name for network in found.values() if network is not None))
        raise Refused(
            f"Each network of {quoted(vm.name)} has its namesake in {quoted(there.name)}; none is to be replaced.",
            evidence=(f"they are {names}",) if names else (),
            remedy="Leave “network …” out.",
        )
    return {vif: network or wanted for vif, network in found.items()}


def _default(wanted: Wanted, sr: SR | None, there: PoolView) -> Iterator[str]:
    if sr is not None and wanted.sr is None:
        yield f"{quoted(sr.name)} is the default storage of {quoted(there.name)}"


# --- what is found, done and said -------------------------------------------------------------------------------------


def _found(going: Crossing, here: PoolView, there: PoolView) -> tuple[Finding, ...]:
    vm, host, own = going.vm, going.host, going.journey.inventory
    found = findings((motion.since(own),), vm.id)
    found += findings((_licensed_there(going), reachable(host)), host.id)
    found += (*about(vm, "migrate_send", here, own), *home_answers(vm))
    found += findings(crossing.checks(going, able(here), able(there)), host.id)
    return (*found, *(_notice(vm.id, *each) for each in notices(going)))


def _licensed_there(going: Crossing) -> Check:
    title = f"the licence of {quoted(going.to)} covers moving disks"
    return replace(motion.licensed(going.there), id="pool.licence.there", title=title)


def _notice(subject: ObjectId, name: str, title: str, evidence: str, remedy: str) -> Finding:
    return Finding(id=name, verdict=Verdict.WARN, subject=subject, title=title, evidence=evidence, remedy=remedy)


def _facts(going: Crossing) -> Iterator[tuple[str, str]]:
    vm, host = going.vm, going.vm.resident_on
    yield f"{quoted(vm.name)} is", f"{vm.power_state.lower()} on {host.name}" if host else vm.power_state.lower()
    for vdi in vm.disks:
        yield f"{quoted(vdi.name)} is on", vdi.sr.name if vdi.sr else "nothing known"
    for vif, network in going.networks.items():
        if network is not None:
            yield f"what is on {quoted(vif.network.name) if vif.network else 'no network'} comes to", network.name
    yield f"high availability in {quoted(going.to)} is", "on" if going.there.pool.ha_enabled else "off"


def _steps(going: Crossing, here: PoolTarget, there: PoolTarget) -> tuple[Step, ...]:
    vm, host = going.vm, going.host
    disks = tuple((vdi.id, sr.id) for vdi, sr in going.journey.moves.items())
    networks = tuple((vif.id, each.id) for vif, each in going.networks.items() if each is not None)
    return (
        receive(host, there, going.to),
        Step(
            title=f"Move {quoted(vm.name)} with its disks to {quoted(host.name)} in {quoted(going.to)}",
            target=here,
            call="VM.migrate_send",
            arguments=(
                Object(vm.id),
                MapOf(0),
                Value(True),
                ObjectMap(disks, at=there),
                ObjectMap(networks, at=there),
                Value({}),
            ),
            trace=Trace(object=vm.id, operation="migrate_send"),
            expect=tuple(_expected(going, there)),
            limit_seconds=COPY_SECONDS,
        ),
    )


def _expected(going: Crossing, there: PoolTarget) -> Iterator[Expect]:
    """There as it was here, and here no more."""
    vm, moves = going.vm, going.journey.moves
    stored = {vbd.text("userdevice"): moves[vbd.vdi].uuid for vbd in vm.vbds if vbd.vdi in moves and vbd.vdi}
    connected = {
        place: network.uuid
        for place, vif in arrivals.of_nics(vm.vifs).items()
        if (network := going.networks[vif]) is not None
    }
    state = runs_on(vm, going.host) if vm.power_state == "Running" else (in_power_state(vm, vm.power_state),)
    rules = {arrivals.STORED: arrivals.places(stored), arrivals.CONNECTED: arrivals.places(connected)}
    yield from (replace(expect, at=there) for expect in state)
    for rule, text in rules.items():
        yield Expect(object=vm.id, rule=rule, equals=Value(text), at=there)
    for snapshot in vm.snapshots:
        yield Expect(object=snapshot.id, rule=arrivals.SNAPSHOT, equals=Value(arrivals.kept(snapshot, vm)), at=there)
    yield from (Expect(object=each.id, rule=arrivals.LEFT) for each in (vm, *vm.snapshots))


def _impact(going: Crossing) -> Iterator[str]:
    vm, source = going.vm, going.vm.resident_on
    if source is not None:
        yield f"{quoted(vm.name)} keeps running; at the end it stands still for about a second."
        yield f"{size(vm.number('memory_dynamic_max'))} of memory go to {quoted(going.host.name)}."
    if going.journey.all:
        yield from motion.impact(going.journey)
    changed = dict.fromkeys(
        (vif.network.name if vif.network else "no network", network.name)
        for vif, network in going.networks.items()
        if network is not None and (vif.network is None or vif.network.name != network.name)
    )
    for old, new in changed:
        yield f"What is on the network {quoted(old)} comes to {quoted(new)}."
    along = (
        "uuid, MAC addresses, tags, alerts and snapshots" if vm.snapshots else "uuid, MAC addresses, tags and alerts"
    )
    yield f"Its {along} come along; its figures of the past may not."


def _back(going: Crossing, context: Context) -> str:
    """The command for the way home, if all its disks come from one storage and its networks can be named."""
    vm, own = going.vm, going.journey.inventory
    origins = {vdi.sr for vdi in vm.disks}
    homeless = {
        vif.network
        for vif, network in going.networks.items()
        if network is not None and crossing.namesake(network, own) is None
    }
    home = next(iter(origins), None)
    line = next(iter(homeless), None)
    if len(origins) > 1 or len(homeless) > 1 or (homeless and line is None):
        return f"By “vm migrate … to pool {quoted(context.pool.name)}”: its disks or networks come from several there."
    called = vm.uuid if matches(going.there, VM, vm.name) else spelling(vm, own)
    parts = [f"vm migrate {called} to pool {quoted(context.pool.name)}"]
    parts += [f"host {spelling(vm.resident_on, own)}"] if vm.resident_on is not None else []
    parts += [f"storage {spelling(home, own)}"] if home is not None else []
    parts += [f"network {spelling(line, own)}"] if line is not None else []
    return f"{' '.join(parts)} in {quoted(going.to)}"
