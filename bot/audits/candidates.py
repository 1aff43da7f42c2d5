"""The audit of hosts that stand alone: could each of them join this pool today?"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from bot.audits import joining
from bot.audits.auditor import Looked
from bot.audits.rule import Declared, Found
from bot.errors import UserError
from bot.findings import Drift
from bot.model import Level, ObjectId
from bot.ports import Clock, Pools, PoolView
from bot.rules.check import advised, required
from bot.rules.join import Row, Side, Sides
from bot.text import quoted

AT_ONCE = 8
"""Hosts that are read at the same time."""

SILENT = Declared(
    id="candidate.answers",
    level=Level.WARN,
    title="Every host that the configuration names beside the pools answers",
    why="A host that cannot be asked cannot join; or it has joined a pool, and its entry is left over.",
    source="XenAPI, with the address and account of [hosts]",
)
JOINS = Declared(
    id="candidate.joins",
    level=Level.WARN,
    title="Every host that the configuration names beside the pools could join",
    why="What stands in its way is mended in peace now rather than in a hurry when the host is needed. Each check of"
    " `host add` is a finding of its own; what would only be advised against, or cannot be told, is for information.",
    source="xapi: pool.join's checks in their order, and our own (clocks, NICs, networks)",
)
RULES = (SILENT, JOINS)


def look(pool: PoolView, pools: Pools, clock: Clock) -> Looked:
    """Hold every host that stands alone against this pool's checks. Both are only read.

    :raises Unavailable: the pool itself does not answer.
    """
    there = joining.side(pool)
    members = {host.uuid for host in there.inventory.hosts}
    names = pools.candidates()
    with ThreadPoolExecutor(min(AT_ONCE, max(len(names), 1)), thread_name_prefix="candidates") as threads:
        found = threads.map(lambda name: tuple(_of(name, there, members, pool, pools, clock)), names)
        return Looked(tuple(drift for each in found for drift in each))


def _of(name: str, there: Side, members: set[str], pool: PoolView, pools: Pools, clock: Clock) -> Iterator[Drift]:
    view = pools.candidate(name)
    try:
        own = joining.side(view)
        host = own.host
    except UserError as error:
        if name not in {each.name for each in there.inventory.hosts}:  # a member sends whoever asks to its coordinator
            yield _silent(name, error)
        return
    if host.uuid in members:
        return
    for row in joining.rows(Sides(pool=there, own=own), pool, view, clock):
        if row.against or row.unknown:
            yield _drift(row, host.id, name, pool.name)


def _silent(name: str, error: UserError) -> Drift:
    return SILENT.drift(
        Found(
            subject=ObjectId("host", name, name),
            text=f"The host {quoted(name)} could not be asked whether it could join",
            evidence="; ".join((error.message, *error.evidence)),
            remedy=error.remedy or f"Look at it, or take [hosts.{name}] out of the configuration.",
        )
    )


def _drift(row: Row, host: ObjectId, name: str, pool: str) -> Drift:
    if row.blocks:
        text, level = f"{quoted(name)} could not join {quoted(pool)} today; {required(row.title)}", JOINS.level
    elif row.against:
        text, level = f"Before {quoted(name)} joins {quoted(pool)}, {advised(row.title)}", Level.INFO
    else:
        text, level = f"Whether {quoted(name)} could join {quoted(pool)} cannot be told: {row.title}", Level.INFO
    return Drift(
        rule=row.id,
        level=level,
        subject=host,
        # Checks of one kind differ by what they are about: a network, a NIC, an SR.
        about=row.subject.uuid if row.subject.uuid != host.uuid else "",
        text=text,
        evidence=row.against or row.unknown,
        remedy=row.remedy or f"“host add {quoted(name)} to {quoted(pool)}” tells every reason.",
    )
