"""`host list`: the hosts of a pool."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import Cell, Report, Risk, Table
from bot.ports import Context
from bot.registry import command
from bot.rules import placement, versions
from bot.rules.hosts import state
from bot.text import part_of, plural


@dataclass(frozen=True)
class Arguments:
    pass


@command(
    "host list",
    risk=Risk.READ,
    summary="The hosts of a pool, with address, state, memory and version.",
    examples=("host list", "host list in lab"),
)
def plan(_arguments: Arguments, context: Context) -> Report:
    inventory = context.pool.inventory()
    rows = []
    for host in inventory.hosts:
        used, total = placement.attached_memory(host)
        memory = Cell(part_of(used, total), bar=used / total) if total else Cell("unknown")
        rows.append(
            (
                Cell(host.name + (" (coordinator)" if host.is_coordinator else "")),
                Cell(host.address),
                state(host),
                memory,
                Cell(str(len(host.resident_vms))),
                Cell(versions.product(host.software_version)),
            )
        )
    return Report(
        title=f"{context.pool.name}: {plural(len(rows), 'host')}",
        parts=(Table(columns=("Host", "Address", "State", "Memory", "VMs", "Version"), rows=tuple(rows)),),
    )
