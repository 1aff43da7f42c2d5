"""`host forget HOST`: take a host that is dead for good out of its pool's database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot import planning
from bot.inventory import Host, Inventory
from bot.model import Expect, Finding, MemberTarget, Object, Plan, PoolTarget, Risk, Step, Verdict
from bot.planning import silence
from bot.ports import Context, KnownHost
from bot.registry import command
from bot.rules import conditions, dead, leaving
from bot.rules.leaving import Loss
from bot.text import joined, one_line, plural, quoted, size

LIMIT_SECONDS = 900
_MOST = 8


@dataclass(frozen=True)
class Arguments:
    host: Host


@command(
    "host forget HOST",
    risk=Risk.DESTRUCTIVE,
    summary="Take a host that is dead for good out of its pool.",
    details=(
        "Its records go, and those of the storage that only it had; what is on its disks is not known any more.",
        "Each approver confirms that its power is off. A host that answers is removed with “host remove”.",
    ),
    examples=("host forget xs2", "host forget xs2 in lab"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    host, inventory = arguments.host, context.pool.inventory()
    answer = context.pool.answer_of(KnownHost(uuid=host.uuid, name=host.name, address=host.address))
    losses = leaving.losses(host, inventory)
    pool = planning.pool_id(context, inventory)
    vms = dict.fromkeys(vm for loss in losses for vm, _ in loss.vms)
    return Plan(
        command="host forget",
        arguments=(("host", host.uuid),),
        pool=pool,
        risk=Risk.DESTRUCTIVE,
        title=f"take {quoted(host.name)}, which is dead, out of the pool",
        findings=(
            *planning.findings(dead.silence(host, answer, inventory), host.id),
            *planning.findings(dead.forgettable(host, inventory), host.id),
            *(_lost(loss) for loss in losses),
            *leaving.defaults("forget.defaults", host, inventory),
        ),
        steps=(
            silence.silent((MemberTarget(host.id, host.address),)),
            Step(
                title=f"Forget {quoted(host.name)}",
                target=PoolTarget(pool.uuid),
                call="host.destroy",
                arguments=(Object(host.id),),
                expect=(Expect(object=host.id, rule=conditions.GONE),),
                limit_seconds=LIMIT_SECONDS,
            ),
        ),
        touches=(host.id, *(vm.id for vm in vms)),
        whole_pool=True,
        facts=(("hosts of the pool", joined(sorted(each.name for each in inventory.hosts), limit=64)),),
        confirm=f"{one_line(host.name).strip() or host.address} is off",
        impact=(*_impact(host, inventory), planning.copied_first(context)),
        go_back=f"Nothing takes it back. Installed anew, {quoted(host.name)} can join again: “host add”.",
    )


def _lost(loss: Loss) -> Finding:
    """One line for each storage that goes: what the pool still knows to be on it."""
    disks = dict.fromkeys((*(vdi for _, vdis in loss.vms for vdi in vdis), *loss.others))
    told = [f"{plural(len(disks), 'disk')}, {size(sum(vdi.virtual_size for vdi in disks))}"] if disks else []
    told += [f"of {joined((vm.name for vm, _ in loss.vms), limit=_MOST)}"] if loss.vms else []
    return Finding(
        id="forget.storage",
        verdict=Verdict.WARN if disks else Verdict.PASS,
        subject=loss.sr.id,
        title=f"{quoted(loss.sr.name)} is forgotten"
        if disks
        else f"{quoted(loss.sr.name)}, which is forgotten, is empty",
        evidence=" ".join(told),
        remedy="If its disks are whole, copy what is needed from them before the machine is installed anew."
        if disks
        else "",
    )


def _impact(host: Host, inventory: Inventory) -> Iterator[str]:
    yield f"The pool knows nothing of {quoted(host.name)} afterwards, nor of the storage that only it had."
    yield f"{quoted(host.name)} must not be started in this network again before it is installed anew."
    yield f"Each approver confirms that the power of {quoted(host.name)} is off."
    rest = len(inventory.hosts) - 1
    if rest < 3:
        yield f"{plural(rest, 'host')} stay{'s' if rest == 1 else ''}; high availability wants three."
