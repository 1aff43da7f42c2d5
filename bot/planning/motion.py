"""A VM that goes to other storage with all its disks, on its host or to another one of the pool, as a plan."""

from __future__ import annotations

from collections.abc import Iterator

from bot.errors import Refused
from bot.inventory import SR, VDI, VM, Host, Inventory
from bot.lookup import spelling
from bot.model import Expect, Finding, MapOf, Object, ObjectMap, Plan, PoolTarget, Risk, Step, Trace, Value
from bot.planning.common import findings, line, pool_id, second_opinion
from bot.planning.disks import COPY_SECONDS, able, lies_on
from bot.planning.vms import about, home_answers, in_state, runs_on
from bot.ports import Context
from bot.rules import memory, motion, network, placement
from bot.rules.check import Check
from bot.rules.motion import Journey
from bot.text import joined, plural, quoted, size

RECEIVE_SECONDS = 300
_WITHOUT_STORAGE = "VM_REQUIRES_SR"
"""Dry runs do not know that the disks come along."""


def with_disks(vm: VM, wanted: Host | None, sr: SR, context: Context) -> Plan:
    """The plan of `vm migrate VM [to HOST] storage SR`: `VM.migrate_send` within the pool.

    :raises Refused: nothing would move, or no host can take it.
    """
    inventory = context.pool.inventory()
    in_state(vm, "migrate_send", "to be moved with its disks it has to be", inventory)
    moves = {vdi: sr for vdi in vm.disks if vdi.sr != sr}
    host, reasons = (wanted, ()) if wanted is not None else _proposed(vm, sr, moves, inventory)
    if not moves:
        raise Refused(
            f"All disks of {quoted(vm.name)} are on {quoted(sr.name)} already. Nothing was changed.",
            remedy=f"To another host without them: “vm migrate {spelling(vm, inventory)} to HOST”"
            if vm.power_state == "Running"
            else "",
        )
    pool, journey, source = pool_id(context, inventory), Journey(vm, host, moves, inventory), vm.resident_on
    away = source is not None and source != host
    there = f"{quoted(host.name)} and {quoted(sr.name)}" if away else quoted(sr.name)
    return Plan(
        command="vm migrate",
        arguments=(("vm", vm.uuid), ("host", host.uuid), ("sr", sr.uuid)),
        pool=pool,
        risk=Risk.DISRUPTIVE,
        title=f"move {quoted(vm.name)} with {plural(len(moves), 'disk')} to {there}",
        findings=_found(journey, context),
        steps=_steps(journey, PoolTarget(pool.uuid)),
        touches=(vm.id,),
        facts=tuple(_facts(vm)),
        impact=(*_stands_still(journey), *motion.impact(journey)),
        reasons=reasons,
        go_back=_back(journey, context),
    )


def _facts(vm: VM) -> Iterator[tuple[str, str]]:
    host = vm.resident_on
    yield f"{quoted(vm.name)} is", f"{vm.power_state.lower()} on {host.name}" if host else vm.power_state.lower()
    for vdi in vm.disks:
        yield f"{quoted(vdi.name)} is on", vdi.sr.name if vdi.sr else "nothing known"


def _proposed(vm: VM, sr: SR, moves: dict[VDI, SR], inventory: Inventory) -> tuple[Host, tuple[str, ...]]:
    """The VM's own host where that has the storage, else the one with the most memory left that has.

    :raises Refused: no host has it and could take the VM.
    """
    kept = tuple(vdi.sr for vdi in vm.disks if vdi.sr is not None and vdi not in moves)
    seeing = [host for host in inventory.hosts if not motion.sees_all(host, (sr, *kept))]
    if vm.resident_on in seeing:
        return vm.resident_on, ()
    against = {
        host: [check for check in placement.against(vm, host, inventory) if check.code != _WITHOUT_STORAGE]
        for host in seeing
    }
    fit = [host for host in seeing if not against[host]]
    if not fit:
        raise Refused(
            f"No host that has {quoted(sr.name)} can take {quoted(vm.name)}. Nothing was changed.",
            evidence=tuple(
                f"{quoted(host.name)} cannot: {'; '.join(check.against for check in why)}"
                for host, why in against.items()
            )
            or (f"no host has {joined(each.name for each in dict.fromkeys((sr, *kept)))} plugged",),
            remedy="The reasons say what would have to change.",
        )
    chosen = max(fit, key=lambda host: (memory.free(host, inventory), host.is_coordinator, host.uuid))
    alone = "only" if len(fit) == 1 else "roomiest"
    return chosen, (f"{quoted(chosen.name)} is the {alone} host that has {quoted(sr.name)} and can take it",)


def _found(journey: Journey, context: Context) -> tuple[Finding, ...]:
    vm, host, inventory = journey.vm, journey.host, journey.inventory
    found = findings((motion.since(inventory), reachable(host)), host.id)
    found += (*about(vm, "migrate_send", context.pool, inventory), *home_answers(vm))
    found += findings(motion.checks(journey, able(context.pool)), host.id)
    if vm.resident_on == host:
        return found
    opinion = second_opinion(
        found,
        context.pool,
        host.id,
        f"the toolstack would run it on {quoted(host.name)}",
        "VM.assert_can_boot_here",
        Object(vm.id),
        Object(host.id),
    )
    return (*found, *(each for each in opinion if each.code != _WITHOUT_STORAGE))


def reachable(host: Host) -> Check:
    """Disks come over the host's management network."""
    pif = network.management(host)
    ok = pif is not None and pif.network is not None and bool(pif.text("IP"))
    return Check(
        "host.address",
        "INTERFACE_HAS_NO_IP",
        ok,
        f"{quoted(host.name)} can be sent disks",
        "" if ok else "its management interface has no address",
        "Give it one: xe host-management-reconfigure pif-uuid=…",
    )


def receive(host: Host, target: PoolTarget, pool: str = "") -> Step:
    """The destination says where to send to, and lets the sender in: a token that only the next step gets. `pool` is
    told where it is another one.
    """
    pif = network.management(host)
    ways = (Object(pif.network.id),) if pif is not None and pif.network is not None else ()
    return Step(
        title=f"Let {quoted(host.name)}{f' in {quoted(pool)}' if pool else ''} receive it",
        target=target,
        call="host.migrate_receive",
        arguments=(Object(host.id), *ways, Value({})),
        asynchronous=False,
        limit_seconds=RECEIVE_SECONDS,
        prepares=True,
    )


def _steps(journey: Journey, target: PoolTarget) -> tuple[Step, ...]:
    vm, host, moves = journey.vm, journey.host, journey.moves
    disks = tuple((vdi.id, (moves[vdi] if vdi in moves else vdi.sr or moves[next(iter(moves))]).id) for vdi in vm.disks)
    drives = [vbd for vbd in vm.vbds if vbd.vdi in moves]
    after: tuple[Expect, ...] = tuple(lies_on(vbd, moves[vbd.vdi]) for vbd in drives if vbd.vdi is not None)
    running = runs_on(vm, host) if vm.power_state == "Running" else ()
    return (
        receive(host, target),
        Step(
            title=f"Move {quoted(vm.name)} with its disks",
            target=target,
            call="VM.migrate_send",
            arguments=(Object(vm.id), MapOf(0), Value(True), ObjectMap(disks), Value({}), Value({})),
            trace=Trace(object=vm.id, operation="migrate_send"),
            expect=(*after, *running),
            limit_seconds=COPY_SECONDS,
        ),
    )


def _stands_still(journey: Journey) -> Iterator[str]:
    vm, source = journey.vm, journey.vm.resident_on
    if source is not None and source != journey.host:
        yield f"{quoted(vm.name)} keeps running; at the end it stands still for about a second."
        yield f"{size(vm.number('memory_dynamic_max'))} of memory go to {quoted(journey.host.name)}, too."
    elif source is not None:
        yield f"{quoted(vm.name)} keeps running on {quoted(source.name)}."


def _back(journey: Journey, context: Context) -> str:
    """To where all its disks came from, if that is one storage."""
    vm, inventory = journey.vm, journey.inventory
    origins = {vdi.sr for vdi in vm.disks}
    origin = origins.pop() if len(origins) == 1 else None
    if origin is None:
        return "Each disk for itself: “vm disk move DISK to SR”"
    where = f" to {spelling(vm.resident_on, inventory)}" if vm.resident_on is not None else ""
    return line(f"vm migrate {spelling(vm, inventory)}{where} storage {spelling(origin, inventory)}", context)
