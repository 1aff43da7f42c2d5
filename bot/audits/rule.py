"""A rule of an audit, and how rules are declared.

    @rule("storage.plugged", Level.BAD, title="…", why="…", source="…")
    def plugged(inventory: Inventory) -> Iterator[Found]: ...

One function per rule, in the modules of this package; the knowledge itself is in :mod:`bot.rules`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NotRequired, TypedDict, Unpack

from bot.findings import Drift
from bot.inventory import Inventory
from bot.model import Level, ObjectId
from bot.rules import versions
from bot.rules.limits import Known

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a rule's function yields. `level` only where it differs from the rule's own."""

    subject: ObjectId
    text: str
    evidence: str = ""
    remedy: str = ""
    about: str = ""
    level: Level | None = None


Check = Callable[[Inventory], Iterable[Found]]
JudgingCheck = Callable[[Inventory, Known], Iterable[Found]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What is looked for, as people read it. `since` and `before` bound the product versions that it applies to (by the
    coordinator's).
    """

    id: str
    level: Level
    title: str
    """What holds when all is well."""
    why: str
    """Why it matters, in a sentence or two."""
    source: str
    since: tuple[int, ...] = ()
    before: tuple[int, ...] = ()
    urgent: bool = False
    """Told by `pool status` too: it is wrong right now, not only a risk."""

    @property
    def versions(self) -> str:
        """The range in words."""
        bounds = [f"{word} {'.'.join(map(str, bound))}" for word, bound in self._bounds() if bound]
        return ", ".join(bounds) or "all"

    def drift(self, found: Found) -> Drift:
        """A finding of this rule."""
        return Drift(
            rule=self.id,
            level=found.level or self.level,
            subject=found.subject,
            text=found.text,
            evidence=found.evidence,
            remedy=found.remedy,
            about=found.about,
        )

    def _bounds(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        return (("from", self.since), ("before", self.before))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Declared):
    """A declared rule, and how it is asked."""

    check: JudgingCheck

    def applies(self, inventory: Inventory) -> bool:
        coordinator = inventory.pool.coordinator
        found = versions.product_version(coordinator.software_version) if coordinator is not None else ()
        if not found:
            return True
        return found >= self.since and (not self.before or found < self.before)

    def drifts(self, inventory: Inventory, known: Known) -> tuple[Drift, ...]:
        """What it finds. A rule that stumbles over a record is told as a finding; the other rules go on."""
        if not self.applies(inventory):
            return ()
        try:
            return tuple(self.drift(found) for found in self.check(inventory, known))
        except Exception:
            log.exception("the rule %s failed", self.id)
            text = f"The rule {self.id} could not be evaluated"
            stumbled = Found(
                subject=inventory.pool.id,
                text=text,
                evidence="a record that it cannot read; the bot's log has the details",
                remedy="Report it with the log: this is a defect of the bot, or of the pool's database.",
                level=Level.WARN,
            )
            return (self.drift(stumbled),)


class Declaration(TypedDict):
    """What a rule's decorator takes besides its id and level: see :class:`Declared`."""

    title: str
    why: str
    source: str
    since: NotRequired[tuple[int, ...]]
    before: NotRequired[tuple[int, ...]]
    urgent: NotRequired[bool]


def rule(id: str, level: Level, **declared: Unpack[Declaration]) -> Callable[[Check], Rule]:
    """Declare a rule; the function's name becomes the :class:`Rule`."""
    judging = limited(id, level, **declared)
    return lambda check: judging(lambda inventory, known: check(inventory))  # noqa: ARG005 - most rules need no more


def limited(id: str, level: Level, **declared: Unpack[Declaration]) -> Callable[[JudgingCheck], Rule]:
    """Declare a rule that depends on a limit of the configuration, or on what the bot remembers."""
    return lambda check: Rule(id=id, level=level, check=check, **declared)


def listed(parts: Iterable[str], limit: int = 6) -> str:
    """Several pieces of evidence in one line; beyond `limit` the rest is counted. Names in them are quoted already."""
    told = list(parts)
    if len(told) > limit:
        told = [*told[: limit - 1], f"{len(told) - limit + 1} more"]
    return "; ".join(told)


def declared(namespace: dict[str, object]) -> Iterator[Rule]:
    """The rules of a module (its `vars`), in the order in which they were written."""
    for value in namespace.values():
        if isinstance(value, Rule):
            yield value
