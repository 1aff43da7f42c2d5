"""Objects that share their name: whoever approves knows them by it, and would not see which one is meant."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator

from bot.inventory import SR, VM, Entity, Host, Inventory
from bot.lookup import KIND_NAMES, candidates, describe
from bot.model import Finding, ObjectId, Verdict
from bot.text import one_line, quoted

_TOLD = 3
"""Others that are described; the rest is counted."""


def of_touched(touches: Iterable[ObjectId], inventory: Inventory) -> Iterator[Finding]:
    """A warning for each VM, host and shared storage among these that has a namesake in its pool; both are described so
    that they can be told apart. Disks and storage of one host are named by their VM and host anyway.
    """
    meant = {touched.uuid for touched in touches}
    for kind in (VM, Host, SR):
        alike = defaultdict[str, list[Entity]](list)
        for each in candidates(inventory, kind):
            if not isinstance(each, SR) or each.shared:
                alike[_looks(each.name)].append(each)
        for group in alike.values():
            others = [each for each in group if each.uuid not in meant]
            if others:
                yield from (_told(kind, this, others, inventory) for this in group if this.uuid in meant)


def _looks(name: str) -> str:
    """Equal for names that can hardly be told apart: case, width and blanks aside."""
    return " ".join(unicodedata.normalize("NFKC", one_line(name)).casefold().split())


def _told(kind: type[Entity], this: Entity, others: list[Entity], inventory: Inventory) -> Finding:
    rest = [f"{len(others) - _TOLD} more"] if len(others) > _TOLD else []
    named = "; ".join([*map(describe, others[:_TOLD]), *rest])
    noun = KIND_NAMES[kind]
    return Finding(
        id="name.shared",
        verdict=Verdict.WARN,
        subject=this.id,
        title=f"another {noun} of {quoted(inventory.pool.name)} is called {quoted(this.name)} too",
        evidence=f"meant is {describe(this)}; not {named}",
    )
