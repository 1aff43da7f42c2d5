"""`vm rename VM as TEXT`: give a VM another name."""

from dataclasses import dataclass

from bot.errors import Refused
from bot.inventory import VM
from bot.model import Expect, Finding, Object, ObjectId, Plan, PoolTarget, Risk, Step, Value, Verdict
from bot.ports import Context
from bot.registry import command
from bot.text import quoted


@dataclass(frozen=True)
class Arguments:
    vm: VM
    text: str


@command(
    "vm rename VM as TEXT",
    risk=Risk.ROUTINE,
    summary="Give a VM another name.",
    examples=("vm rename web-1 as web-old", "vm rename web-1 as web-old in lab"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    vm, new = arguments.vm, arguments.text
    if new == vm.name:
        raise Refused(f"The VM is called {quoted(new)} already. Nothing was changed.")
    inventory = context.pool.inventory()
    taken = any(other.name == new for other in inventory.guests)
    pool = ObjectId("pool", inventory.pool.uuid, context.pool.name)
    return Plan(
        command="vm rename",
        arguments=(("vm", vm.uuid), ("text", new)),
        pool=pool,
        risk=Risk.ROUTINE,
        title=f"rename {quoted(vm.name)} to {quoted(new)}",
        findings=(
            Finding(
                id="vm.rename.taken",
                verdict=Verdict.WARN if taken else Verdict.PASS,
                subject=vm.id,
                title="no other VM has the new name",
                evidence=f"another VM is called {quoted(new)}" if taken else "",
                remedy="Commands will have to tell them apart by uuid." if taken else "",
            ),
        ),
        steps=(
            Step(
                title=f"Rename {quoted(vm.name)} to {quoted(new)}",
                target=PoolTarget(pool.uuid),
                call="VM.set_name_label",
                arguments=(Object(vm.id), Value(new)),
                asynchronous=False,
                expect=(Expect(object=vm.id, field="name_label", equals=Value(new)),),
                limit_seconds=60,
            ),
        ),
        touches=(vm.id,),
        facts=(("the VM is called", vm.name),),
        impact=("Nothing is interrupted; whoever looks for the old name no longer finds it.",),
        go_back=f"vm rename {vm.uuid} as {quoted(vm.name)} in {quoted(context.pool.name)}",
    )
