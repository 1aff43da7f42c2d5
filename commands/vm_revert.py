"""`vm revert VM to SNAPSHOT`: a VM's disks and settings as they were when the snapshot was taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot import planning
from bot.errors import Choice, NotFound, Refused
from bot.inventory import VM, Inventory
from bot.lookup import spelling
from bot.model import Expect, Finding, Object, Plan, PoolTarget, Risk, Step, Suggestion, Trace, Value, Verdict
from bot.ports import Context
from bot.registry import command
from bot.rules import disks, snapshots
from bot.rules.times import moment
from bot.text import joined, plural, quoted, size

LIMIT_SECONDS = 3600


@dataclass(frozen=True)
class Arguments:
    vm: VM
    snapshot: str


@command(
    "vm revert VM to SNAPSHOT",
    risk=Risk.DESTRUCTIVE,
    summary="Take a VM back to a snapshot. What was written since is lost; a running VM is switched off.",
    details=(
        "The snapshot by its name or uuid, as “vm snapshots VM” shows it. It stays, and can be gone back to again.",
    ),
    examples=("vm revert db-1 to before the 5.6 upgrade",),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    vm, inventory = arguments.vm, context.pool.inventory()
    snapshot = _snapshot(vm, arguments.snapshot, inventory, context)
    pool, name = planning.pool_id(context, inventory), spelling(vm, inventory)
    taken = _taken(snapshot)
    keep = planning.line(f"vm snapshot {name}", context)
    return Plan(
        command="vm revert",
        arguments=(("vm", vm.uuid), ("snapshot", snapshot.uuid)),
        pool=pool,
        risk=Risk.DESTRUCTIVE,
        title=f"take {quoted(vm.name)} back to its snapshot {quoted(snapshot.name)} of {taken}",
        findings=(
            *planning.about(vm, "reverting", context.pool, inventory),
            *(planning.home_answers(vm)),
            *_of_the_snapshot(snapshot, context),
            *_left_behind(vm, snapshot, inventory),
        ),
        steps=(
            Step(
                title=f"Take {quoted(vm.name)} back to {quoted(snapshot.name)}",
                target=PoolTarget(pool.uuid),
                call="VM.revert",
                arguments=(Object(snapshot.id),),
                trace=Trace(object=vm.id, operation="reverting"),
                expect=(
                    Expect(object=vm.id, rule=disks.RENEWED, equals=Value(" ".join(vdi.uuid for vdi in vm.disks))),
                    Expect(object=vm.id, field="power_state", equals=Value(snapshot.power_state)),
                ),
                limit_seconds=LIMIT_SECONDS,
            ),
        ),
        touches=(vm.id,),
        facts=((f"{quoted(vm.name)} is", vm.power_state.lower()), ("the snapshot is of", taken)),
        impact=tuple(_impact(vm, snapshot, taken)),
        go_back=f"Nothing brings back what was written since; to keep it, before this: “{keep}”",
        on_success=(_next(snapshot, name, context),),
    )


def _taken(snapshot: VM) -> str:
    at = moment(snapshot.text("snapshot_time"))
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "a time that is not known"


def _snapshot(vm: VM, typed: str, inventory: Inventory, context: Context) -> VM:
    """:raises NotFound: the VM has no such snapshot. :raises Refused: several have the name."""
    found = [each for each in vm.snapshots if typed in (each.uuid, each.name)]
    if len(found) == 1:
        return found[0]
    name = spelling(vm, inventory)
    choices = tuple(
        Choice(
            f"{quoted(each.name)} of {_taken(each)}",
            planning.line(f"vm revert {name} to {each.uuid}", context),
        )
        for each in reversed(found or vm.snapshots)
    )
    if found:
        raise Refused(f"{len(found)} snapshots are called {quoted(typed)}.", remedy="Say which:", choices=choices[:10])
    told = "It has none." if not choices else "It has these:"
    raise NotFound(f"{quoted(vm.name)} has no snapshot called {quoted(typed)}.", remedy=told, choices=choices[:10])


def _of_the_snapshot(snapshot: VM, context: Context) -> tuple[Finding, ...]:
    return planning.second_opinion(
        (),
        context.pool,
        snapshot.id,
        "the toolstack lets the snapshot be gone back to",
        "VM.assert_operation_valid",
        Object(snapshot.id),
        Value("revert"),
    )


def _left_behind(vm: VM, snapshot: VM, inventory: Inventory) -> Iterator[Finding]:
    added = snapshots.added_since(vm, snapshot, inventory)
    if added:
        yield Finding(
            id="revert.left",
            verdict=Verdict.WARN,
            subject=vm.id,
            title="some of its disks are not in the snapshot",
            evidence=f"left behind, in no VM: {joined(vdi.name for vdi in added)}",
            remedy="Nothing in them is lost; attach them again afterwards.",
        )


def _impact(vm: VM, snapshot: VM, taken: str) -> Iterator[str]:
    held = snapshot.disks
    amount = size(sum(vdi.virtual_size for vdi in held))
    yield f"What was written to {plural(len(held), 'disk')} ({amount}) since {taken} is lost."
    if vm.power_state != "Halted":
        yield f"{quoted(vm.name)}, now {vm.power_state.lower()}, is switched off without being shut down."
    after = "halted" if snapshot.power_state == "Halted" else "suspended, with the memory of then"
    yield f"Afterwards it is {after}; its memory, CPUs and networks are those of then, too."


def _next(snapshot: VM, name: str, context: Context) -> Suggestion:
    if snapshot.power_state == "Suspended":
        return Suggestion("Let it go on", planning.line(f"vm resume {name}", context))
    return Suggestion("Start it", planning.line(f"vm start {name}", context))
