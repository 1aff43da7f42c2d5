"""The number of failures to tolerate, lowered while a host is in maintenance, and raised again: as parts of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.inventory import VM, Host, Inventory
from bot.model import Expect, Finding, Object, PoolTarget, Step, Value, Verdict
from bot.planning.availability import tolerate
from bot.rules import lowered
from bot.text import plural

LIMIT_SECONDS = 600


def lower(to: int, inventory: Inventory) -> Iterator[Step]:
    """Note what the number is, and lower it. Both are undone if a later step fails."""
    yield from _note(inventory.pool.other_config.get(lowered.KEY, ""), lowered.lower(to, inventory).note, inventory)
    yield tolerate(to, inventory)


def raised(to: int, inventory: Inventory) -> Iterator[Step]:
    """Within one run, after :func:`lower`: the number and the note as they were before."""
    yield tolerate(inventory.pool.number("ha_host_failures_to_tolerate"), inventory, undone=False)
    was = inventory.pool.other_config.get(lowered.KEY, "")
    yield from _note(lowered.lower(to, inventory).note, was, inventory, undone=False)


def back(host: Host, coming: Iterable[VM], inventory: Inventory) -> tuple[tuple[Step, ...], tuple[Finding, ...]]:
    """The number raised as far as it can be when the host is in service again, and what is found about it."""
    found, now = lowered.back(host, coming, inventory), inventory.pool.number("ha_host_failures_to_tolerate")
    if found is None:
        return (), ()
    whole = found.to == found.before
    told = Finding(
        id="ha.tolerates",
        verdict=Verdict.PASS if whole else Verdict.WARN,
        subject=inventory.pool.id,
        title=f"high availability tolerates {plural(found.to, 'host failure')} again"
        if whole
        else f"high availability tolerates {plural(found.to, 'host failure')}, not {found.before} as before",
        evidence=f"more is not possible yet: {found.why}" if found.why else "",
        remedy="" if whole else f"“ha tolerate {found.before}” when it is, or take the other hosts back into service.",
    )
    if found.to == now:
        return (), (told,)
    note = "" if whole else lowered.Lowered(found.before, found.to).note
    present = inventory.pool.other_config.get(lowered.KEY, "")
    return (
        (tolerate(found.to, inventory, undone=False), *_note(present, note, inventory, undone=False)),
        (told,),
    )


def forgotten(inventory: Inventory) -> tuple[Step, ...]:
    """A person sets the number: what it was before a maintenance counts no more."""
    return tuple(_note(inventory.pool.other_config.get(lowered.KEY, ""), "", inventory, undone=False))


def _note(before: str, value: str, inventory: Inventory, *, undone: bool = True) -> Iterator[Step]:
    """A key is taken away before it is added: adding twice is refused."""
    if before == value:
        return
    if before:
        yield _without(inventory, (_with(before, inventory),) if undone else ())
    if value:
        yield _with(value, inventory, (_without(inventory),) if undone else ())


def _with(value: str, inventory: Inventory, undo: tuple[Step, ...] = ()) -> Step:
    return Step(
        title="Note how many failures were tolerated before",
        target=PoolTarget(inventory.pool.uuid),
        call="pool.add_to_other_config",
        arguments=(Object(inventory.pool.id), Value(lowered.KEY), Value(value)),
        asynchronous=False,
        expect=(Expect(object=inventory.pool.id, field="other_config", key=lowered.KEY, equals=Value(value)),),
        limit_seconds=LIMIT_SECONDS,
        undo=undo,
    )


def _without(inventory: Inventory, undo: tuple[Step, ...] = ()) -> Step:
    return Step(
        title="Take the note of how many failures were tolerated away",
        target=PoolTarget(inventory.pool.uuid),
        call="pool.remove_from_other_config",
        arguments=(Object(inventory.pool.id), Value(lowered.KEY)),
        asynchronous=False,
        expect=(Expect(object=inventory.pool.id, field="other_config", key=lowered.KEY, equals=Value("")),),
        limit_seconds=LIMIT_SECONDS,
        undo=undo,
    )
