"""`vm snapshot VM [as NAME]`: keep a VM's disks as they are now."""

from __future__ import annotations

from dataclasses import dataclass

from bot import planning
from bot.errors import Refused
from bot.inventory import VM, Inventory
from bot.lookup import spelling, typed
from bot.model import Expect, Finding, Object, Plan, PoolTarget, Risk, Step, Trace, Value, Verdict
from bot.ports import Context
from bot.registry import command
from bot.rules import disks, operations, snapshots
from bot.text import joined, quoted

LIMIT_SECONDS = 1800
"""Seconds, as a rule; a driver that has to flush much takes minutes."""


@dataclass(frozen=True)
class Arguments:
    vm: VM
    name: str | None = None


@command(
    "vm snapshot VM [as NAME]",
    risk=Risk.ROUTINE,
    summary="Keep a VM's disks as they are now, to go back to; the VM keeps running.",
    details=(
        "Without a name it gets the VM's and the time (UTC).",
        "The disks are as after a sudden power failure; memory is not kept.",
    ),
    examples=("vm snapshot web-1", "vm snapshot web-1 as before the update"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    vm, inventory = arguments.vm, context.pool.inventory()
    name = arguments.name or f"{vm.name} {context.clock.now():%Y-%m-%d %H:%M}"
    if any(snapshot.name == name for snapshot in vm.snapshots):
        raise Refused(
            f"{quoted(vm.name)} has a snapshot called {quoted(name)} already. Nothing was changed.",
            remedy="Choose another name, so that each can be told from the others.",
        )
    pool = planning.pool_id(context, inventory)
    return Plan(
        command="vm snapshot",
        arguments=(("vm", vm.uuid), ("name", name)),
        pool=pool,
        risk=Risk.ROUTINE,
        title=f"take a snapshot of {quoted(vm.name)}, called {quoted(name)}",
        findings=(*_found(vm, context, inventory), *_crowded(vm)),
        steps=(
            Step(
                title=f"Take the snapshot {quoted(name)} of {quoted(vm.name)}",
                target=PoolTarget(pool.uuid),
                call="VM.snapshot",
                arguments=(Object(vm.id), Value(name)),
                trace=Trace(object=vm.id, operation="snapshot"),
                expect=(Expect(object=vm.id, rule=disks.SNAPSHOTTED, equals=Value(name)),),
                limit_seconds=LIMIT_SECONDS,
            ),
        ),
        touches=(vm.id,),
        facts=(("its disks", joined(vdi.name for vdi in vm.disks) or "none"),),
        impact=(
            f"{'1 disk is kept as it is' if len(vm.disks) == 1 else f'{len(vm.disks)} disks are kept as they are'} now."
            + ("" if vm.power_state == "Halted" else " What the guest has not written yet is not in it."),
            f"To go back: {_back(vm, name, inventory)}.",
            "It takes more and more room as the VM goes on writing, and makes its disks slower: delete it in time.",
        ),
        go_back=f"xe snapshot-list snapshot-of={vm.uuid} shows its uuid; then: xe snapshot-uninstall uuid=…",
    )


def _back(vm: VM, name: str, inventory: Inventory) -> str:
    which, word = spelling(vm, inventory), typed(name)
    if not word:
        return f"“vm snapshots {which}” shows its uuid, by which “vm revert” takes it"
    return f"“vm revert {which} to {word}”, which loses what was done since"


def _found(vm: VM, context: Context, inventory: Inventory) -> tuple[Finding, ...]:
    of_its_disks = snapshots.taking(vm, planning.able(context.pool), inventory)
    found = planning.findings((*operations.checks(vm, "snapshot", inventory), *of_its_disks), vm.id)
    title, call = "the toolstack allows it now", "VM.assert_operation_valid"
    return (*found, *planning.second_opinion(found, context.pool, vm.id, title, call, Object(vm.id), Value("snapshot")))


def _crowded(vm: VM) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            id="sr.crowded",
            verdict=Verdict.WARN,
            subject=sr.id,
            title=f"{quoted(sr.name)} is nearly full",
            evidence="what the VM writes from now on takes new room; when there is none, its VMs stop",
            remedy="Free space first, or delete the snapshot soon.",
        )
        for sr in snapshots.crowded(vm)
    )
