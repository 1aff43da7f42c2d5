"""What a person typed → the object that is meant. Never the nearest one: an exact name, or a refusal that offers the
near ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from bot.errors import Ambiguous, Choice, NotFound
from bot.grammar import near
from bot.inventory import SR, VDI, VM, Entity, Host, Inventory, Network
from bot.text import one_line, quoted, size

_SPACED = re.compile(r"[\w.\-:+@/]+( [\w.\-:+@/]+)+\Z")
"""Names that need nothing but quotes to be one word of a command."""

KIND_NAMES: dict[type[Entity], str] = {
    VM: "VM",
    Host: "host",
    SR: "storage repository",
    VDI: "disk",
    Network: "network",
}
_LISTS: dict[type[Entity], str] = {VM: "vm list", VDI: "vm show VM", Network: "xe network-list", SR: "pool status"}
"""Where a name that is not there can be looked up; “host list” else."""


def candidates(inventory: Inventory, kind: type[Entity]) -> Sequence[Entity]:
    """Objects of a class that people may name: of VMs only guests, neither templates nor snapshots nor control
    domains; of disks no snapshots, and no images of an ISO library.
    """
    if kind is VM:
        return inventory.guests
    if kind is Host:
        return inventory.hosts
    found = (each for each in inventory.all(kind) if not isinstance(each, VDI) or _is_disk(each))
    return sorted(found, key=lambda each: (each.name.casefold(), each.uuid))


def _is_disk(vdi: VDI) -> bool:
    return not vdi.is_snapshot and vdi.flag("managed", True) and not (vdi.sr and vdi.sr.content_type == "iso")


def matches(inventory: Inventory, kind: type[Entity], typed: str) -> tuple[Entity, ...]:
    """The objects that `typed` names exactly: by uuid, by name as written, or by name in another case (in this order,
    the first that hits). A disk also by its place, `web-1/0`, and each of a VM's by the VM's name.
    """
    everything = candidates(inventory, kind)
    tests: tuple[Callable[[Entity], bool], ...] = (
        lambda each: each.uuid == typed.lower(),
        lambda each: each.name == typed or one_line(each.name) == typed,
        lambda each: each.name.casefold() == typed.casefold(),
        lambda each: kind is Host and each.text("address") == typed,
    )
    for test in tests:
        hits = tuple(filter(test, everything))
        if hits:
            return hits
    return tuple(_placed(inventory, typed)) if kind is VDI else ()


def _placed(inventory: Inventory, typed: str) -> Iterator[VDI]:
    """What is in a VM's drive, CDs included; without a position, the VM's disks."""
    for vm in matches(inventory, VM, typed):
        yield from vm.disks if isinstance(vm, VM) else ()
    name, stroke, position = typed.rpartition("/")
    for vm in matches(inventory, VM, name) if stroke else ():
        drives = vm.vbds if isinstance(vm, VM) else ()
        yield from (vbd.vdi for vbd in drives if vbd.vdi is not None and vbd.text("userdevice") == position)


def place_of(vdi: VDI, vm: VM, inventory: Inventory) -> str:
    """The disk by where it is in its VM, `web-1/0`, which stays when it moves to other storage."""
    drives = sorted((vbd for vbd in vdi.vbds if vbd.vm == vm), key=lambda vbd: vbd.position)
    return f"{plain_spelling(vm, inventory)}/{drives[0].text('userdevice')}" if drives else vdi.uuid


def describe(entity: Entity) -> str:
    """An object told apart from its namesakes: a VM by where it is, a disk by whose it is and where it lies, one host's
    storage by that host, others by the head of their uuid.
    """
    short = entity.uuid[:8]
    if isinstance(entity, VDI):
        users = [f"{vbd.vm.name}/{vbd.text('userdevice')}" for vbd in entity.vbds if vbd.vm is not None]
        whose = f" of {quoted(min(users))}" if users else " of no VM"
        where = f" on {quoted(entity.sr.name)}" if entity.sr else ""
        return f"{quoted(entity.name)}{whose}, {size(entity.virtual_size)}{where} ({short})"
    if isinstance(entity, VM):
        host = entity.resident_on
        where = f"on {quoted(host.name)}" if host else entity.power_state.lower()
        return f"{quoted(entity.name)} {where} ({short})"
    if isinstance(entity, SR) and not entity.shared:
        home = next((pbd.host.name for pbd in entity.pbds if pbd.host), "")
        return f"{quoted(entity.name)}{f' of {quoted(home)}' if home else ''} ({short})"
    return f"{quoted(entity.name)} ({short})"


def find(
    inventory: Inventory, kind: type[Entity], typed: str, rewrite: Iterable[str] | None = None, *, called: str = ""
) -> Entity:
    """The one object that is meant. `rewrite` is the command line before and after the name, for the choices' commands;
    `called` is what the pool is called where it is another than the command's own.

    :raises NotFound: none; near names are offered.
    :raises Ambiguous: several have this name; each is offered by its uuid.
    """
    hits = matches(inventory, kind, typed)
    if len(hits) == 1:
        return hits[0]
    before, after = tuple(rewrite) if rewrite is not None else ("", "")
    noun, pool = KIND_NAMES.get(kind, kind.cls), quoted(inventory.pool.name)
    if hits:
        raise Ambiguous(
            f"{len(hits)} disks in {pool} can be meant by {quoted(typed)}."
            if kind is VDI
            else f"{len(hits)} {noun.removesuffix('y') + 'ie' if noun.endswith('y') else noun}s in {pool}"
            f" are called {quoted(typed)}.",
            remedy="Say which one is meant:",
            choices=tuple(Choice(describe(each), f"{before}{each.uuid}{after}") for each in hits[:10]),
        )
    by_name = {each.name: each for each in candidates(inventory, kind)}
    slips = near(typed, by_name)
    raise NotFound(
        f"Pool {pool} has no {noun} called {quoted(typed)}.",
        remedy="Did you mean one of these?" if slips else _listed(kind, called),
        choices=tuple(Choice(quoted(name), f"{before}{by_name[name].uuid}{after}") for name in slips),
    )


def _listed(kind: type[Entity], called: str) -> str:
    """Where to look; with xe it is typed on a host of that pool."""
    line = _LISTS.get(kind, "host list")
    if line.startswith("xe "):
        return f"On a host of {quoted(called)}: {line}" if called else f"“{line}” shows what there is."
    return f"“{line} in {quoted(called)}” shows what there is." if called else f"“{line}” shows what there is."


def spelling(entity: Entity, inventory: Inventory) -> str:
    """How to name the object in a command so that exactly it is meant: its name where that is plain and its own, in
    quotes where it has spaces; else its uuid.
    """
    word = typed(entity.name)
    return word if word and matches(inventory, type(entity), entity.name) == (entity,) else entity.uuid


def typed(name: str) -> str:
    """A name as one word of a command: in quotes where it has spaces; "" where it holds more than that."""
    if quoted(name) == name:
        return name
    return f'"{name}"' if _SPACED.match(name) else ""


def plain_spelling(entity: Entity, inventory: Inventory) -> str:
    """The same as one word, where quotes would be in the way: its uuid where the name has spaces."""
    found = spelling(entity, inventory)
    return entity.uuid if found.startswith('"') else found
