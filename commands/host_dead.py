"""`host dead HOST`: VMs that are still recorded as running on a dead host are recorded as halted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot import planning
from bot.errors import Refused
from bot.inventory import VM, Host, Inventory
from bot.lookup import spelling
from bot.model import Expect, Finding, MemberTarget, Object, Plan, PoolTarget, Risk, Step, Value, Verdict
from bot.planning import silence
from bot.ports import Context, KnownHost
from bot.registry import command
from bot.rules import dead
from bot.text import joined, one_line, plural, quoted

LIMIT_SECONDS = 900


@dataclass(frozen=True)
class Arguments:
    host: Host


@command(
    "host dead HOST",
    risk=Risk.DESTRUCTIVE,
    summary="Give a dead host up: its VMs count as halted, so that they can be started elsewhere.",
    details=(
        "Each approver confirms that its power is off: a VM that runs twice destroys its disks.",
        "Refused while the host answers; once approved it is asked for half a minute, and one answer ends it.",
        "With high availability on, the pool does this by itself.",
    ),
    examples=("host dead xs2", "host dead xs2 in lab"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    host, inventory = arguments.host, context.pool.inventory()
    vms = dead.stranded(host, inventory)
    if not vms:
        raise Refused(
            f"No VM is recorded as running on {quoted(host.name)}. Nothing was changed.",
            remedy=f"“host forget {spelling(host, inventory)}” takes a dead host out of the pool.",
        )
    answer = context.pool.answer_of(KnownHost(uuid=host.uuid, name=host.name, address=host.address))
    pool = planning.pool_id(context, inventory)
    return Plan(
        command="host dead",
        arguments=(("host", host.uuid),),
        pool=pool,
        risk=Risk.DESTRUCTIVE,
        title=f"count {plural(len(vms), 'VM')} of {quoted(host.name)}, which is dead, as halted",
        findings=(
            *planning.findings(dead.silence(host, answer, inventory), host.id),
            *_by_itself(host, inventory),
        ),
        steps=tuple(_steps(host, vms, inventory, PoolTarget(pool.uuid))),
        touches=(host.id, *(vm.id for vm in vms)),
        facts=(
            *((f"{quoted(vm.name)} is recorded as", f"{vm.power_state} on {quoted(host.name)}") for vm in vms),
            ("high availability is", "on" if inventory.pool.ha_enabled else "off"),
        ),
        confirm=f"{one_line(host.name).strip() or host.address} is off",
        impact=(
            *_heard(host),
            f"{joined((vm.name for vm in vms), limit=20)} can be started on other hosts afterwards.",
            f"If {quoted(host.name)} still runs, a VM started elsewhere runs twice, and its disks are destroyed.",
            f"Each approver confirms that the power of {quoted(host.name)} is off.",
        ),
        go_back="Nothing takes it back; what is needed again is started: "
        + ", ".join(f"“vm start {spelling(vm, inventory)}”" for vm in vms[:5]),
    )


def _heard(host: Host) -> Iterator[str]:
    """Without HA the coordinator counts a host as alive until it has been silent for ten minutes. That ends by itself,
    and so is no part of what is approved.
    """
    if host.live:
        yield (
            f"The coordinator has heard from {quoted(host.name)} within ten minutes or so: look at its console or its"
            " power supply before you approve."
        )


def _by_itself(host: Host, inventory: Inventory) -> Iterator[Finding]:
    if inventory.pool.ha_enabled:
        yield Finding(
            id="dead.ha",
            verdict=Verdict.WARN,
            subject=inventory.pool.id,
            title="high availability is on, and gives dead hosts up by itself",
            evidence=f"it fences {quoted(host.name)} and restarts its protected VMs within some minutes",
            remedy="Wait for it; “ha timeline” shows what it does.",
        )


def _steps(host: Host, vms: tuple[VM, ...], inventory: Inventory, target: PoolTarget) -> Iterator[Step]:
    yield silence.silent((MemberTarget(host.id, host.address),))
    halted = {vm: Expect(object=vm.id, field="power_state", equals=Value("Halted")) for vm in vms}
    if dead.can_be_declared(inventory):
        yield Step(
            title=f"Declare {quoted(host.name)} dead",
            target=target,
            call="host.declare_dead",
            arguments=(Object(host.id),),
            expect=tuple(halted.values()),
            limit_seconds=LIMIT_SECONDS,
        )
        return
    for vm in vms:
        yield Step(
            title=f"Count {quoted(vm.name)} as halted",
            target=target,
            call="VM.power_state_reset",
            arguments=(Object(vm.id),),
            expect=(halted[vm],),
            limit_seconds=LIMIT_SECONDS,
        )
