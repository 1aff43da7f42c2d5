"""What a person typed → the object that is meant. Never the nearest one: an exact name, or a refusal that offers the
near ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bot.errors import Ambiguous, Choice, NotFound
from bot.grammar import near
from bot.inventory import SR, VM, Entity, Host, Inventory
from bot.text import one_line, quoted

KIND_NAMES: dict[type[Entity], str] = {VM: "VM", Host: "host", SR: "storage repository"}


def candidates(inventory: Inventory, kind: type[Entity]) -> Sequence[Entity]:
    """Objects of a class that people may name: of VMs only guests, neither templates nor snapshots nor control
    domains.
    """
    if kind is VM:
        return inventory.guests
    if kind is Host:
        return inventory.hosts
    return sorted(inventory.all(kind), key=lambda each: (each.name.casefold(), each.uuid))


def matches(inventory: Inventory, kind: type[Entity], typed: str) -> tuple[Entity, ...]:
    """The objects that `typed` names exactly: by uuid, by name as written, or by name in another case (in this order,
    the first that hits).
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
    return ()


def describe(entity: Entity) -> str:
    """An object told apart from its namesakes: a VM by where it is and its size, others by the head of their uuid."""
    short = entity.uuid[:8]
    if isinstance(entity, VM):
        host = entity.resident_on
        where = f"on {quoted(host.name)}" if host else entity.power_state.lower()
        return f"{quoted(entity.name)} {where} ({short})"
    return f"{quoted(entity.name)} ({short})"


def find(inventory: Inventory, kind: type[Entity], typed: str, rewrite: Iterable[str] | None = None) -> Entity:
    """The one object that is meant. `rewrite` is the command line before and after the name, for the choices' commands.

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
            f"{len(hits)} {noun}s in {pool} are called {quoted(typed)}.",
            remedy="Say which one is meant:",
            choices=tuple(Choice(describe(each), f"{before}{each.uuid}{after}") for each in hits[:10]),
        )
    by_name = {each.name: each for each in candidates(inventory, kind)}
    slips = near(typed, by_name)
    raise NotFound(
        f"Pool {pool} has no {noun} called {quoted(typed)}.",
        remedy="Did you mean one of these?"
        if slips
        else f"“{'vm' if kind is VM else 'host'} list” shows what there is.",
        choices=tuple(Choice(quoted(name), f"{before}{by_name[name].uuid}{after}") for name in slips),
    )


def spelling(entity: Entity, inventory: Inventory) -> str:
    """How to name the object in a command so that exactly it is meant: its name where that is plain and its own, else
    its uuid.
    """
    if quoted(entity.name) == entity.name and matches(inventory, type(entity), entity.name) == (entity,):
        return entity.name
    return entity.uuid
