"""`host maintenance HOST on|off`: empty a host and keep VMs away from it, and bring them back afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot import planning
from bot.errors import Refused
from bot.inventory import VM, Host, Inventory
from bot.lookup import spelling
from bot.model import Expect, Finding, Object, Plan, PoolTarget, Risk, Step, Trace, Value, Verdict
from bot.ports import Context
from bot.registry import command
from bot.rules import evacuation, ha, placement
from bot.rules.hosts import MAINTENANCE_KEY, in_maintenance
from bot.text import joined, plural, quoted, size

MOVED_KEY = "MAINTENANCE_MODE_EVACUATED_VMS_MIGRATED"
"""XenCenter's list of the VMs that left: uuids with commas."""
MOVE_LIMIT_SECONDS = 2 * 3600
LIMIT_SECONDS = 600


@dataclass(frozen=True)
class Arguments:
    host: Host
    choice: str


@command(
    "host maintenance HOST on|off",
    risk=Risk.DISRUPTIVE,
    summary="Empty a host and keep VMs away from it; or take it back into service, and its VMs back to it.",
    details=(
        "on: the host is disabled, its running VMs move live to others, and who left is noted as XenCenter does.",
        "off: the host is enabled, and the VMs that left it come back.",
    ),
    examples=("host maintenance xs2 on", "host maintenance xs2 off in lab"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    if arguments.choice == "on":
        return _on(arguments.host, context)
    return _off(arguments.host, context)


def _plan(host: Host, choice: str, context: Context, inventory: Inventory, title: str, **parts: object) -> Plan:
    pool = planning.pool_id(context, inventory)
    return Plan(
        command="host maintenance",
        arguments=(("host", host.uuid), ("choice", choice)),
        pool=pool,
        risk=Risk.DISRUPTIVE,
        title=title,
        go_back=planning.line(
            f"host maintenance {spelling(host, inventory)} {'off' if choice == 'on' else 'on'}", context
        ),
        **parts,  # type: ignore[arg-type]
    )


# --- on ---------------------------------------------------------------------------------------------------------------


def _on(host: Host, context: Context) -> Plan:
    inventory = context.pool.inventory()
    if in_maintenance(host) and not host.resident_vms:
        raise Refused(
            f"{quoted(host.name)} is in maintenance already, and empty. Nothing was changed.",
            remedy=f"“host maintenance {spelling(host, inventory)} off” takes it back into service.",
        )
    moves, pool = evacuation.moves(host, inventory), inventory.pool
    going = [move.vm for move in moves]
    noted = ",".join(vm.uuid for vm in going) or host.other_config.get(MOVED_KEY, "")
    lowered, guard = _tolerance(host, inventory)
    target = PoolTarget(pool.uuid)
    steps = [
        *((planning.tolerate(lowered, inventory),) if lowered is not None else ()),
        *((_disable(host, target),) if host.enabled else ()),
        *_keys(host, {MAINTENANCE_KEY: "true", MOVED_KEY: noted}, target),
        *(_move(move.vm, host, move.target, target) for move in moves if move.target is not None),
    ]
    return _plan(
        host,
        "on",
        context,
        inventory,
        f"empty {quoted(host.name)} for maintenance ({plural(len(going), 'VM')} to move)",
        findings=(*_alive(host), *guard, *(finding for move in moves for finding in _of_move(move, inventory))),
        steps=tuple(steps),
        touches=(host.id, *(vm.id for vm in going)),
        facts=(
            (f"{quoted(host.name)} takes VMs", "yes" if host.enabled else "no"),
            ("high availability is", "on" if pool.ha_enabled else "off"),
        ),
        impact=tuple(_impact(host, going, lowered, inventory)),
        reasons=tuple(
            f"{quoted(move.vm.name)} goes to {quoted(move.target.name)}" for move in moves if move.target is not None
        ),
    )


def _tolerance(host: Host, inventory: Inventory) -> tuple[int | None, tuple[Finding, ...]]:
    """With HA on: the number to tolerate meanwhile if the present one needs this host, and what is found about it."""
    change = ha.Change(disabled=frozenset({host}))
    guard = ha.guard(inventory, change) if host.enabled else None
    if guard is None:
        return None, ()
    if guard.ok:
        return None, (guard.finding(inventory.pool.id),)
    now = inventory.pool.number("ha_host_failures_to_tolerate")
    left = ha.situation(inventory, change)
    lower = next((n for n in range(now - 1, -1, -1) if not ha.why_no_plan(left, n, inventory)), None)
    if lower is None:
        return None, (guard.finding(inventory.pool.id),)
    told = Finding(
        id="ha.tolerates",
        verdict=Verdict.WARN,
        subject=inventory.pool.id,
        title=f"without it, high availability tolerates {plural(lower, 'host failure')} instead of {now}",
        evidence=guard.evidence,
        remedy=f"The number is lowered first; afterwards: “ha tolerate {now}”.",
    )
    return lower, (told,)


def _alive(host: Host) -> tuple[Finding, ...]:
    return (
        Finding(
            id="host.live",
            verdict=Verdict.PASS if host.live else Verdict.BLOCK,
            subject=host.id,
            title=f"{quoted(host.name)} is alive",
            evidence="" if host.live else "the coordinator has not heard from it",
            remedy="" if host.live else "Look at the host itself; nothing can be moved away from it.",
            code="" if host.live else "HOST_OFFLINE",
        ),
    )


def _of_move(move: evacuation.Move, inventory: Inventory) -> Iterator[Finding]:
    """One line per VM: where it goes, or every reason on every host, each remedy once."""
    if move.target is not None:
        title = f"{quoted(move.vm.name)} can move to another host"
        yield Finding(id="vm.leaves", verdict=Verdict.PASS, subject=move.vm.id, title=title)
        return
    told = "; ".join(f"{quoted(where)}: {check.against}" if where else check.against for where, check in move.against)
    remedies = dict.fromkeys(check.remedy for _, check in move.against if check.remedy)
    code = move.against[0][1].code if move.against else "NO_HOSTS_AVAILABLE"
    yield Finding(
        id="vm.leaves",
        verdict=Verdict.BLOCK,
        subject=move.vm.id,
        title=f"{quoted(move.vm.name)} can move to another host",
        evidence=told or "the pool has no other host",
        remedy=" ".join([*remedies, f"Or “vm shutdown {spelling(move.vm, inventory)}”."]),
        code=code,
    )


def _impact(host: Host, going: list[VM], lowered: int | None, inventory: Inventory) -> Iterator[str]:
    if going:
        amount = sum(vm.number("memory_dynamic_max") for vm in going)
        yield f"{joined((vm.name for vm in going), limit=6)} keep running; {size(amount)} of memory are copied."
    yield f"No VM starts on {quoted(host.name)} or moves to it until it is taken back."
    if host.is_coordinator:
        yield (
            "It stays the coordinator. Before it is rebooted, hand that role over: xe pool-designate-new-master "
            "host-uuid=…"
            if not inventory.pool.ha_enabled
            else "It stays the coordinator; when it goes down, high availability elects another, minutes without API."
        )
    if lowered is not None:
        yield f"Meanwhile {plural(lowered, 'host failure')} can be tolerated."


# --- off --------------------------------------------------------------------------------------------------------------


def _off(host: Host, context: Context) -> Plan:
    inventory = context.pool.inventory()
    listed = [uuid for uuid in host.other_config.get(MOVED_KEY, "").split(",") if uuid]
    marked = MAINTENANCE_KEY in host.other_config
    if host.enabled and not marked and not listed:
        raise Refused(f"{quoted(host.name)} is in service. Nothing was changed.")
    target = PoolTarget(inventory.pool.uuid)
    coming, staying = _returning(listed, host, inventory)
    steps = [
        *_keys(host, {MAINTENANCE_KEY: ""}, target),
        *(() if host.enabled else (_enable(host, target),)),
        *(_move(vm, home, host, target) for vm, home in coming),
        *_keys(host, {MOVED_KEY: ""}, target),
    ]
    return _plan(
        host,
        "off",
        context,
        inventory,
        f"take {quoted(host.name)} back into service ({plural(len(coming), 'VM')} to bring back)",
        findings=(*_alive(host), *staying),
        steps=tuple(steps),
        touches=(host.id, *(vm.id for vm, _ in coming)),
        facts=((f"{quoted(host.name)} takes VMs", "yes" if host.enabled else "no"),),
        impact=(f"{joined((vm.name for vm, _ in coming), limit=6)} move back, running.",) if coming else (),
    )


def _returning(
    listed: list[str], host: Host, inventory: Inventory
) -> tuple[list[tuple[VM, Host]], tuple[Finding, ...]]:
    """The VMs that can come back, with where they are; a warning for each that cannot."""
    coming, staying = [], []
    for uuid in listed:
        vm = inventory.by_uuid(VM, uuid)
        home = vm.resident_on if vm is not None else None
        if vm is None or vm.power_state != "Running" or home is None or home == host:
            continue
        # The host itself is enabled by then.
        why = [check for check in placement.against(vm, host, inventory) if check.code != "HOST_DISABLED"]
        if not why:
            coming.append((vm, home))
            continue
        staying.append(
            Finding(
                id="vm.returns",
                verdict=Verdict.WARN,
                subject=vm.id,
                title=f"{quoted(vm.name)} stays on {quoted(home.name)}",
                evidence="; ".join(check.against for check in why),
                remedy=" ".join(dict.fromkeys(check.remedy for check in why)),
            )
        )
    return coming, tuple(staying)


# --- steps ------------------------------------------------------------------------------------------------------------


def _step(title: str, call: str, host: Host, target: PoolTarget, enabled: bool, undo: tuple[Step, ...] = ()) -> Step:
    return Step(
        title=title,
        target=target,
        call=call,
        arguments=(Object(host.id),),
        expect=(Expect(object=host.id, field="enabled", equals=Value(enabled)),),
        limit_seconds=LIMIT_SECONDS,
        undo=undo,
    )


def _enable(host: Host, target: PoolTarget) -> Step:
    return _step(f"Enable {quoted(host.name)}", "host.enable", host, target, True)


def _disable(host: Host, target: PoolTarget) -> Step:
    undo = (_enable(host, target),)
    return _step(f"Disable {quoted(host.name)}: no VM comes to it any more", "host.disable", host, target, False, undo)


def _keys(host: Host, wanted: dict[str, str], target: PoolTarget) -> Iterator[Step]:
    """Set keys of other_config ("" takes them away). A key is taken away before it is added: adding twice is refused.

    The mark is undone when a later step fails; the list is not, so that “off” can bring back who has left.
    """

    def remove(key: str) -> Step:
        return Step(
            title=f"Take the note {key} away",
            target=target,
            call="host.remove_from_other_config",
            arguments=(Object(host.id), Value(key)),
            asynchronous=False,
            expect=(Expect(object=host.id, field="other_config", key=key, equals=Value("")),),
            limit_seconds=LIMIT_SECONDS,
        )

    for key, value in wanted.items():
        present = host.other_config.get(key, "")
        if present == value:
            continue
        if present:
            yield remove(key)
        if value:
            yield Step(
                title="Note that it is in maintenance" if key == MAINTENANCE_KEY else "Note who lived there",
                target=target,
                call="host.add_to_other_config",
                arguments=(Object(host.id), Value(key), Value(value)),
                asynchronous=False,
                expect=(Expect(object=host.id, field="other_config", key=key, equals=Value(value)),),
                limit_seconds=LIMIT_SECONDS,
                undo=(remove(key),) if key == MAINTENANCE_KEY else (),
            )


def _move(vm: VM, source: Host, to: Host, target: PoolTarget) -> Step:
    return Step(
        title=f"Move {quoted(vm.name)} from {quoted(source.name)} to {quoted(to.name)}",
        target=target,
        call="VM.pool_migrate",
        arguments=(Object(vm.id), Object(to.id), Value({"live": "true"})),
        trace=Trace(object=vm.id, operation="pool_migrate"),
        expect=planning.runs_on(vm, to),
        limit_seconds=MOVE_LIMIT_SECONDS,
    )
