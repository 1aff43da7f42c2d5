"""`vm eject VM`: take the CD images out of a VM's drives."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from bot import planning
from bot.errors import Refused
from bot.inventory import VBD, VM
from bot.model import Expect, Finding, Object, Plan, PoolTarget, Risk, Step, Value
from bot.ports import Context
from bot.registry import command
from bot.rules.check import idle
from bot.text import joined, one_line, quoted

LIMIT_SECONDS = 300


@dataclass(frozen=True)
class Arguments:
    vm: VM


@command(
    "vm eject VM",
    risk=Risk.ROUTINE,
    summary="Take the CD images out of a VM's drives; an image on one host's own storage ties the VM to that host.",
    examples=("vm eject files-1",),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    vm, inventory = arguments.vm, context.pool.inventory()
    drives = tuple(sorted((vbd for vbd in vm.vbds if vbd.is_cd and not vbd.empty), key=lambda vbd: vbd.uuid))
    if not drives:
        raise Refused(f"There is nothing in a CD drive of {quoted(vm.name)}. Nothing was changed.")
    pool, images = planning.pool_id(context, inventory), [vbd.vdi.name if vbd.vdi else "?" for vbd in drives]
    return Plan(
        command="vm eject",
        arguments=(("vm", vm.uuid),),
        pool=pool,
        risk=Risk.ROUTINE,
        title=f"take {joined(images)} out of {quoted(vm.name)}",
        findings=tuple(_free(vbd, vm) for vbd in drives),
        steps=tuple(
            Step(
                title=f"Eject {quoted(image)}",
                target=PoolTarget(pool.uuid),
                call="VBD.eject",
                arguments=(Object(vbd.id),),
                expect=(Expect(object=vbd.id, field="empty", equals=Value(True)),),
                limit_seconds=LIMIT_SECONDS,
            )
            for vbd, image in zip(drives, images, strict=True)
        ),
        touches=(vm.id,),
        facts=tuple(("in the drive is", image) for image in images),
        impact=("What the guest still reads from it fails; a guest can have locked its drive.",),
        go_back=f"Insert it again: xe vm-cd-insert uuid={vm.uuid} cd-name={shlex.quote(one_line(images[0]))}"
        if len(images) == 1
        else f"Insert each again: xe vm-cd-insert uuid={vm.uuid} cd-name=…",
    )


def _free(vbd: VBD, vm: VM) -> Finding:
    return idle("vbd.busy", "nothing else is being done with the drive", vbd.under_way).finding(vm.id)
