"""`host show HOST`: everything about one host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.inventory import PIF, Host, Inventory, Network
from bot.model import Cell, Facts, Level, Part, Report, Risk, Suggestion, Table
from bot.ports import Context
from bot.registry import command
from bot.rules import memory, placement, versions
from bot.rules.hosts import state
from bot.text import part_of, quoted, size

MOST_VMS = 30


@dataclass(frozen=True)
class Arguments:
    host: Host


@command(
    "host show HOST",
    risk=Risk.READ,
    summary="One host: state, memory, CPU, NICs, storage paths and the VMs on it.",
    examples=("host show xs1", "host show xs1 in lab"),
)
def plan(arguments: Arguments, context: Context) -> Report:
    host, inventory = arguments.host, context.pool.inventory()
    vms = sorted(host.resident_vms, key=lambda vm: -memory.needed(vm))
    parts: list[Part] = [
        Facts(pairs=tuple(_facts(host))),
        Table(heading="NICs", columns=("NIC", "Network", "Address", "Link"), rows=tuple(_nics(host, inventory))),
        Table(heading="Storage", columns=("SR", "Kind", "Path"), rows=tuple(_storage(host))),
        Table(
            heading="VMs",
            columns=("VM", "Memory"),
            rows=tuple((Cell(vm.name), Cell(size(vm.number("memory_dynamic_max")))) for vm in vms[:MOST_VMS]),
            more=max(len(vms) - MOST_VMS, 0),
        ),
    ]
    return Report(
        title=f"{context.pool.name}: host {quoted(host.name)}",
        parts=tuple(part for part in parts if not isinstance(part, Table) or part.rows),
        suggestions=(Suggestion("All hosts", f"host list in {quoted(context.pool.name)}"),),
    )


def _facts(host: Host) -> Iterator[tuple[str, Cell]]:
    yield "State", state(host)
    yield "Role", Cell("coordinator" if host.is_coordinator else "member")
    yield "Address", Cell(host.address)
    yield "Version", Cell(versions.product(host.software_version))
    used, total = placement.attached_memory(host)
    yield "Memory", Cell(part_of(used, total), bar=used / total) if total else Cell("unknown")
    cpu = host.cpu_info
    if cpu.get("modelname"):
        sockets = f", {cpu['socket_count']} sockets" if cpu.get("socket_count") else ""
        yield "CPU", Cell(f"{cpu.get('cpu_count', '?')} × {cpu['modelname'].strip()}{sockets}")
    if host.text("name_description"):
        yield "Description", Cell(host.text("name_description"))
    yield "UUID", Cell(host.uuid)


def _nics(host: Host, inventory: Inventory) -> Iterator[tuple[Cell, ...]]:
    pifs = sorted((pif for pif in inventory.all(PIF) if pif.text("host") == host.ref), key=lambda pif: pif.name)
    for pif in pifs:
        network = inventory.get(Network, pif.text("network"))
        tag = pif.number("VLAN", -1)
        name = pif.name if tag < 0 else f"{pif.name} VLAN {tag}"
        management = " (management)" if pif.flag("management") else ""
        address = pif.text("IP") or "–"
        yield Cell(name + management), Cell(network.name if network else "–"), Cell(address), _link(pif)


def _link(pif: PIF) -> Cell:
    if not pif.flag("currently_attached"):
        return Cell("not plugged", Level.WARN)
    return Cell("no link", Level.WARN) if pif.has_link is False else Cell("up", Level.OK)


def _storage(host: Host) -> Iterator[tuple[Cell, ...]]:
    paths = [(pbd.sr, pbd) for pbd in host.pbds if pbd.sr is not None and not pbd.sr.is_tools]
    for sr, pbd in sorted(paths, key=lambda pair: (not pair[0].shared, pair[0].name.casefold())):
        path = Cell("plugged", Level.OK) if pbd.attached else Cell("not plugged", Level.BAD)
        yield Cell(sr.name), Cell(f"{sr.type}, {'shared' if sr.shared else 'local'}"), path
