"""`host remove HOST`: a host leaves its pool for good, and what is on its own disks is destroyed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot import planning
from bot.inventory import VDI, VM, Host, Inventory
from bot.lookup import plain_spelling, spelling
from bot.model import Expect, Finding, HostTarget, Object, Plan, PoolTarget, Risk, Step, Suggestion, Trace, Verdict
from bot.planning import hosts
from bot.ports import Context
from bot.registry import command
from bot.rules import conditions, leaving
from bot.rules.leaving import Loss
from bot.text import joined, plural, quoted, size

LIMIT_SECONDS = 1800
BOOT_SECONDS = 3600
"""It reboots and makes its storage anew: five to fifteen minutes, as a rule."""
_MOST_DISKS = 6


@dataclass(frozen=True)
class Arguments:
    host: Host


@command(
    "host remove HOST",
    risk=Risk.DESTRUCTIVE,
    summary="Take a host out of its pool for good. What is on its local disks is destroyed.",
    details=(
        "It reboots and is a pool of its own afterwards, with an empty local storage; address and password stay.",
        "Every disk and VM that is lost is listed. Shared storage is left alone.",
        "With high availability on, it is turned off first and on again afterwards, with the same storage and number.",
    ),
    examples=("host remove xs2", "host remove xs2 in lab"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    host, inventory = arguments.host, context.pool.inventory()
    losses = leaving.losses(host, inventory)
    stranded = dict.fromkeys(each for loss in losses for each in (loss.sr, *(vm for vm, _ in loss.vms), *_disks(loss)))
    return Plan(
        command="host remove",
        arguments=(("host", host.uuid),),
        pool=planning.pool_id(context, inventory),
        risk=Risk.DESTRUCTIVE,
        title=f"take {quoted(host.name)} out of the pool{_destroying(losses)}",
        findings=(
            *_checked(host, inventory),
            *(finding for loss in losses for finding in _lost(loss)),
            *leaving.defaults("leave.defaults", host, inventory),
        ),
        steps=tuple(_steps(host, inventory, context)),
        touches=(host.id, *(each.id for each in stranded)),
        whole_pool=True,
        facts=(
            ("hosts of the pool", joined(sorted(each.name for each in inventory.hosts), limit=64)),
            ("high availability is", "on" if inventory.pool.ha_enabled else "off"),
        ),
        impact=(*_impact(host, inventory, context), planning.copied_first(context)),
        go_back=_back(host, context),
        confirm=plain_spelling(host, inventory),
        on_failure=(
            Suggestion(
                f"Take {quoted(host.name)} back into service",
                planning.line(f"host maintenance {spelling(host, inventory)} off", context),
            ),
            # Its storage is unplugged one by one before anything else, and stays so where one of it cannot be.
            Suggestion("What is not plugged", planning.line("pool status", context)),
            *planning.on_again(inventory, context),
        ),
    )


def _disks(loss: Loss) -> tuple[VDI, ...]:
    return tuple(dict.fromkeys((*(vdi for _, vdis in loss.vms for vdi in vdis), *loss.others)))


def _destroying(losses: tuple[Loss, ...]) -> str:
    disks = sum(len(_disks(loss)) for loss in losses)
    return f" and destroy {plural(disks, 'disk')} on it" if disks else ""


def _checked(host: Host, inventory: Inventory) -> Iterator[Finding]:
    """High availability stands in the way, too; but the plan turns it off and on again, with fewer hosts."""
    for check in leaving.checks(host, inventory):
        if check.id == leaving.HA and not check.ok:
            remedy = "If the host cannot leave, it is turned on again as well."
            yield planning.unprotected(check.id, inventory.pool.id, inventory, remedy)
            yield leaving.tolerable(host, inventory).finding(inventory.pool.id)
        else:
            yield check.finding(host.id)


# --- what is lost -----------------------------------------------------------------------------------------------------


def _lost(loss: Loss) -> Iterator[Finding]:
    """One line for the storage, one for each VM that loses disks, one for all disks of no VM."""
    sr = loss.sr
    disks, noun = _disks(loss), "image" if sr.content_type == "iso" else "disk"
    yield Finding(
        id="leave.storage",
        verdict=Verdict.WARN if disks else Verdict.PASS,
        subject=sr.id,
        title=f"{quoted(sr.name)} is destroyed" if disks else f"{quoted(sr.name)}, which is destroyed, is empty",
        evidence=f"{plural(len(disks), noun)}, {size(sum(vdi.virtual_size for vdi in disks))}" if disks else "",
    )
    for vm, vdis in loss.vms:
        yield Finding(
            id="leave.vm",
            verdict=Verdict.WARN,
            subject=vm.id,
            title=f"{_kind(vm)} {quoted(vm.name)} {_extent(vm, vdis)}",
            evidence=_named(vdis),
            remedy=_rescue(vm),
        )
    if loss.others:
        yield Finding(
            id="leave.disks",
            verdict=Verdict.WARN,
            subject=sr.id,
            title=f"{plural(len(loss.others), noun)} of no VM {'is' if len(loss.others) == 1 else 'are'} lost",
            evidence=_named(loss.others),
        )


def _kind(vm: VM) -> str:
    return "the snapshot" if vm.is_snapshot else "the template" if vm.is_template else "the VM"


def _extent(vm: VM, lost: tuple[VDI, ...]) -> str:
    whole = {vbd.vdi for vbd in vm.vbds if vbd.vdi is not None and not vbd.is_cd}
    if whole <= set(lost):
        return f"is lost, with {plural(len(lost), 'disk')}"
    return f"loses {len(lost)} of its disks, or its suspended memory"


def _named(vdis: tuple[VDI, ...]) -> str:
    return joined((f"{vdi.name} ({size(vdi.virtual_size)})" for vdi in vdis), limit=_MOST_DISKS)


def _rescue(vm: VM) -> str:
    if vm.is_snapshot or vm.is_template:
        return ""
    return f"To keep it: xe vm-copy vm={vm.uuid} sr-uuid=… new-name-label=… onto shared storage first."


# --- the run ----------------------------------------------------------------------------------------------------------


def _steps(host: Host, inventory: Inventory, context: Context) -> Iterator[Step]:
    there = PoolTarget(inventory.pool.uuid)
    off, on = planning.paused(inventory) if inventory.pool.ha_enabled else (None, None)
    if off is not None:
        yield off
    if host.enabled:
        yield hosts.disable(host, there)
    yield Step(
        title=f"{quoted(host.name)} leaves the pool",
        target=there,
        call="pool.eject",
        arguments=(Object(host.id),),
        trace=Trace(object=inventory.pool.id, operation="eject"),
        expect=(Expect(object=host.id, rule=conditions.GONE),),
        limit_seconds=LIMIT_SECONDS,
        final=True,
    )
    if on is not None:
        yield on
    alone = _configured(host, context)
    if alone:
        yield Step(
            title=f"Wait until {quoted(host.name)} answers as a pool of its own",
            target=there,
            # Which pool it will be by itself is not known yet.
            expect=(Expect(object=host.id, rule=conditions.COORDINATES, at=HostTarget(alone, "")),),
            limit_seconds=BOOT_SECONDS,
            away_seconds=BOOT_SECONDS,
        )


def _configured(host: Host, context: Context) -> str:
    """The host's name under [hosts] of the configuration; "" when the bot cannot reach it by itself."""
    return next((name for name in context.candidates if name.casefold() == host.name.casefold()), "")


def _impact(host: Host, inventory: Inventory, context: Context) -> Iterator[str]:
    yield f"{quoted(host.name)} reboots into a pool of its own, with an empty local storage; address and password stay."
    if not _configured(host, context):
        yield f"Nobody waits for it: the configuration has no [hosts.{host.name}] by which it could be asked."
    if host.text("external_auth_type"):
        where = quoted(host.text("external_auth_service_name") or host.text("external_auth_type"))
        yield f"It forgets the directory {where}; its computer account stays there until somebody deletes it."
    gained = leaving.gained_features(host, inventory)
    if gained:
        yield f"VMs that start in the pool from then on can use {joined(gained, limit=8)}."
    rest = len(inventory.hosts) - 1
    if rest < 3:
        yield f"{plural(rest, 'host')} stay{'s' if rest == 1 else ''}; high availability wants three."


def _back(host: Host, context: Context) -> str:
    again = planning.line(f"host add {quoted(host.name)}", context)
    return f"Nothing brings back what was on its disks. “{again}” takes the host back, empty."
