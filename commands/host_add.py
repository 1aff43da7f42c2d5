"""`host add CANDIDATE [to POOL] [force]`: take a stand-alone host into a pool."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot import planning
from bot.audits import joining
from bot.errors import Refused, Unavailable
from bot.inventory import SR, Inventory
from bot.lookup import spelling
from bot.model import (
    Connection,
    Expect,
    Finding,
    HostTarget,
    Plan,
    PoolTarget,
    Risk,
    Step,
    Suggestion,
    Value,
    Verdict,
)
from bot.ports import Context, KnownHost, PoolView
from bot.registry import command
from bot.rules import conditions
from bot.rules.join import Row, Sides, can_be_masked, mask_command
from bot.text import joined, plural, quoted

JOIN_SECONDS = 1800
"""The call itself ends within a minute or two."""
READY_SECONDS = 1800
"""The toolstack of the host restarts and comes back as a member: one to five minutes, as a rule."""
STORAGE_SECONDS = 900
"""A storage server that does not answer is waited for by its driver, minutes per path."""
NO_CONNECTIONS = "sync_create_pbds"
"""Key of pool.other_config: with `nosync` the pool connects no storage to a new host."""


@dataclass(frozen=True)
class Arguments:
    candidate: str
    force: bool = False


@command(
    "host add CANDIDATE [to POOL] [force]",
    risk=Risk.DISRUPTIVE,
    summary="Take a stand-alone host into a pool, after every check of the toolstack and some more.",
    details=(
        "The host stands in the configuration ([hosts.NAME]), with its address and account.",
        "With high availability on, it is turned off first and on again afterwards, with the same storage and number.",
        "force: although its CPU or build differs, when nothing else stands in the way. Another vendor never.",
    ),
    examples=("host add xs3 to lab", "host add xs3", "host add xs3 to lab force"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    candidate = context.candidate(arguments.candidate)
    sides = _sides(context.pool, candidate)
    rows = joining.rows(sides, context.pool, candidate, context.clock)
    blocking = [row for row in rows if row.blocks and not _handled(row)]
    if arguments.force and not any(row.forced for row in blocking):
        raise Refused(
            f"There is nothing that force would skip: neither the build nor the CPU of {quoted(candidate.name)} "
            "stands in the way. Nothing was changed.",
            remedy=f"“{planning.line(f'host add {quoted(candidate.name)}', context)}” says what else there is.",
        )
    inventory, host = sides.pool.inventory, sides.own.host
    known = _known(sides, context.pool)
    return Plan(
        command="host add",
        arguments=(("candidate", candidate.name), *((("force", "force"),) if arguments.force else ())),
        pool=planning.pool_id(context, inventory),
        risk=Risk.DESTRUCTIVE if arguments.force else Risk.DISRUPTIVE,
        title=f"take {quoted(host.name)} into the pool{' by force' if arguments.force else ''}",
        findings=(*_findings(rows, arguments.force, sides, _can_be_forced(blocking)), known),
        steps=tuple(_steps(sides, candidate, inventory, arguments.force, context.pool)),
        whole_pool=True,
        facts=(
            ("high availability is", "on" if inventory.pool.ha_enabled else "off"),
            ("hosts of the pool", joined(sorted(each.name for each in inventory.hosts), limit=64)),
            (f"{quoted(host.name)} has", _holdings(sides.own.inventory)),
        ),
        impact=(*_impact(sides, arguments.force), planning.copied_first(context)),
        if_blocked=tuple(_instead(sides, blocking)),
        afterwards=f"{known.evidence}. {known.remedy}" if known.remedy else "",
        on_failure=planning.on_again(inventory, context),
        go_back=f"“{planning.line(f'host remove {quoted(host.name)}', context)}” takes it out again, and destroys what"
        " is on its disks.",
    )


# --- reading both sides -----------------------------------------------------------------------------------------------


def _sides(pool: PoolView, candidate: PoolView) -> Sides:
    """:raises Refused: the host is a member of the pool already. :raises Unavailable: one of them does not answer."""
    there = joining.side(pool)
    try:
        sides = Sides(pool=there, own=joining.side(candidate))
    except Unavailable:  # a member says so to whoever logs in
        if candidate.name not in {host.name for host in there.inventory.hosts}:
            raise
    else:
        if sides.own.inventory.pool.uuid != there.inventory.pool.uuid:
            return sides
    raise Refused(
        f"{quoted(candidate.name)} is in {quoted(pool.name)} already. Nothing was changed.",
        remedy=f"“host list in {quoted(pool.name)}” shows its hosts.",
    )


def _handled(row: Row) -> bool:
    """High availability of the pool stands in the way, too; but the plan turns it off and on again."""
    return row.id == "join.pool-ha"


# --- the plan ---------------------------------------------------------------------------------------------------------


def _can_be_forced(blocking: list[Row]) -> bool:
    """Does only that stand in the way which pool.join_force skips (and which is not refused all the same)?"""
    return bool(blocking) and all(row.forced and not row.insist for row in blocking)


def _force_command(sides: Sides) -> str:
    return f"host add {quoted(sides.own.name)} to {quoted(sides.pool.name)} force"


def _instead(sides: Sides, blocking: list[Row]) -> Iterator[Suggestion]:
    if any(row.id == "cpu.features" for row in blocking) and can_be_masked(sides):
        yield Suggestion("Mask its CPU", mask_command(sides))
    if _can_be_forced(blocking):
        yield Suggestion("Add it by force", _force_command(sides))


def _findings(rows: tuple[Row, ...], force: bool, sides: Sides, can_be_forced: bool) -> Iterator[Finding]:
    inventory = sides.pool.inventory
    for row in rows:
        if _handled(row) and row.blocks:
            remedy = "If the host cannot join, it is turned on again as well."
            yield planning.unprotected(row.id, row.subject, inventory, remedy)
        elif row.blocks and can_be_forced and not force:
            told = f"{row.remedy} Or “{_force_command(sides)}” joins it as it is."
            yield replace(row, remedy=told.strip()).finding()
        else:
            yield row.finding(force)
    yield _storage(inventory)


def _storage(inventory: Inventory) -> Finding:
    """With high availability on every host needs the heartbeat's storage, or it cannot be turned on again."""
    why, ha_on = _unconnected(inventory), inventory.pool.ha_enabled
    remedy = "Connect it afterwards: xe pbd-create sr-uuid=… host-uuid=… device-config:…=…, then “sr repair SR”."
    if ha_on:
        remedy = "Else high availability could not be turned on again: mend that first, or “ha disable” for longer."
    return Finding(
        id="join.storage",
        verdict=Verdict.PASS if not why else Verdict.BLOCK if ha_on else Verdict.WARN,
        subject=inventory.pool.id,
        title="the pool connects all its storage to a new host by itself",
        evidence=why,
        remedy=remedy if why else "",
    )


def _known(sides: Sides, view: PoolView) -> Finding:
    """When the coordinator dies, the bot looks for another where the configuration says, and trusts whom it says."""
    host, name, section = sides.own.host, quoted(sides.own.host.name), f"[pools.{view.name}]"
    lacking = view.lacking(KnownHost(uuid=host.uuid, name=host.name, address=host.address))
    return Finding(
        id="join.configuration",
        verdict=Verdict.WARN if lacking else Verdict.PASS,
        subject=host.id,
        title=f"the bot {'would lose' if lacking else 'keeps'} the pool if {name} comes to lead it",
        evidence=f"{section} of the configuration: {'; '.join(lacking)}" if lacking else "",
        remedy=f"Add {host.address} and its fingerprint to {section}, and start the bot anew." if lacking else "",
    )


def _coming(inventory: Inventory) -> tuple[SR, ...]:
    """The shared storage to which the pool connects a new host by itself: what its coordinator has."""
    if inventory.pool.other_config.get(NO_CONNECTIONS) == "nosync":
        return ()
    coordinator = inventory.pool.coordinator
    return tuple(sr for sr in inventory.shared_srs if coordinator in [pbd.host for pbd in sr.pbds])


def _unconnected(inventory: Inventory) -> str:
    """Why not every shared storage will come to the new host, "" when it will: it gets what the coordinator has."""
    if inventory.pool.other_config.get(NO_CONNECTIONS) == "nosync":
        return f"the pool is told not to: other_config has {NO_CONNECTIONS}=nosync"
    coming = _coming(inventory)
    lacking = [sr.name for sr in inventory.shared_srs if sr not in coming]
    return f"the coordinator itself has no connection to {joined(lacking)}" if lacking else ""


def _steps(sides: Sides, candidate: PoolView, inventory: Inventory, force: bool, view: PoolView) -> Iterator[Step]:
    off, on = planning.paused(inventory) if inventory.pool.ha_enabled else (None, None)
    if off is not None:
        yield off
    yield _join(sides, candidate, force, view)
    host, there = sides.own.host, PoolTarget(inventory.pool.uuid)
    awaited = "alive and enabled" if host.enabled else "alive"
    coming = _coming(inventory)
    yield Step(
        title=f"Wait until {quoted(host.name)} is back as a member, {awaited}",
        target=there,
        expect=(Expect(object=host.id, rule=conditions.SERVES),) if host.enabled else tuple(_alive(sides, coming)),
        limit_seconds=READY_SECONDS,
        away_seconds=READY_SECONDS,
    )
    yield from (_plug(sr, sides, there) for sr in coming)
    if on is not None:
        yield on


def _alive(sides: Sides, coming: tuple[SR, ...]) -> Iterator[Expect]:
    """A host that takes VMs has its storage by then, as far as it could be plugged; another is alive before."""
    yield Expect(object=sides.own.host.id, rule=conditions.LIVE)
    for sr in coming:
        yield Expect(object=sides.own.host.id, rule=conditions.CONNECTED, equals=Value(sr.uuid))


def _plug(sr: SR, sides: Sides, there: PoolTarget) -> Step:
    """The pool has connected it by then, or tried to and told nobody but the log."""
    host, inventory = sides.own.host, sides.pool.inventory
    repair = f"sr repair {spelling(sr, inventory)} in {quoted(sides.pool.name)}"
    return Step(
        title=f"Plug {quoted(sr.name)} on {quoted(host.name)}",
        target=there,
        call="PBD.plug",
        arguments=(Connection(host.id, sr.id),),
        expect=(Expect(object=host.id, rule=conditions.PLUGGED, equals=Value(sr.uuid)),),
        limit_seconds=STORAGE_SECONDS,
        mends=True,
        offers=(Suggestion(f"Plug {quoted(sr.name)}", repair),),
    )


def _join(sides: Sides, candidate: PoolView, force: bool, view: PoolView) -> Step:
    """The call goes to the joining host, and its effect shows in the pool: that host's own database ends with it."""
    host, pool = sides.own.host, sides.pool.inventory.pool
    return Step(
        title=f"{quoted(host.name)} joins {quoted(sides.pool.name)}{' by force' if force else ''}",
        target=HostTarget(candidate.name, sides.own.inventory.pool.uuid),
        call="pool.join_force" if force else "pool.join",
        arguments=(Value(sides.pool.host.address), Value(view.account.username), view.account.password),
        expect=(Expect(object=host.id, rule=conditions.KNOWN, at=PoolTarget(pool.uuid)),),
        limit_seconds=JOIN_SECONDS,
        away_seconds=JOIN_SECONDS,
    )


def _local(inventory: Inventory) -> tuple[SR, ...]:
    srs = (sr for sr in inventory.all(SR) if not sr.shared and not sr.is_tools and sr.content_type == "user")
    return tuple(sorted(srs, key=lambda sr: (sr.name, sr.uuid)))


def _holdings(inventory: Inventory) -> str:
    return plural(len(inventory.guests), "VM")


def _impact(sides: Sides, force: bool) -> Iterator[str]:
    own, host = sides.own.inventory, sides.own.host
    yield f"The pool that {quoted(host.name)} is by itself ends; its toolstack restarts, for one to five minutes."
    brought = [plural(len(own.guests), "halted or suspended VM")] if own.guests else []
    brought += [f"the local storage {joined(sr.name for sr in _local(own))}"] if _local(own) else []
    if brought:
        yield f"It brings along {' and '.join(brought)}; uuids stay."
    yield "Each of its NICs comes to the pool's network of the same bridge; the pool's bonds and VLANs are made on it."
    if force:
        yield "VMs that start on one kind of host cannot move to another kind that lacks a feature of theirs."
    yield f"Nothing that runs in {quoted(sides.pool.name)} is interrupted."
