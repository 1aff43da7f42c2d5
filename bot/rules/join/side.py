"""The two sides of a joining: the pool, and the host that stands alone; and how one check of them ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.inventory import Host, Inventory
from bot.model import Finding, ObjectId, Verdict
from bot.rules import versions
from bot.rules.check import advised

Records = Mapping[str, Mapping[str, Any]]
"""A class's records by reference."""

MORE = ("SM", "SDN_controller", "Cluster", "Cluster_host")
"""Classes that only these checks look at, read when a joining is planned."""


@dataclass(frozen=True)
class Side:
    """One of the two databases. `more` holds the classes of :data:`MORE` that could be read; a class that this version
    does not have is there, and empty.
    """

    inventory: Inventory
    name: str
    """What people call it: the pool's or the host's name in the configuration."""
    more: Mapping[str, Records] = field(default_factory=dict)

    @property
    def host(self) -> Host:
        """The coordinator; of a host that stands alone, the host itself.

        :raises LookupError: the database names none.
        """
        found = self.inventory.pool.coordinator
        if found is None:
            raise LookupError(f"the database of {self.name} names no coordinator")
        return found

    def records(self, cls: str) -> Records | None:
        """None when it is not known what there is."""
        return self.more.get(cls)

    def since(self, *product: int) -> bool:
        """Is the product of this version or later? False when the host does not say its version."""
        return versions.product_version(self.host.software_version) >= product

    def toolstack(self) -> tuple[int, ...]:
        """As :func:`bot.rules.versions.toolstack`."""
        return versions.toolstack(self.host)

    def software(self, key: str) -> str:
        return self.host.software_version.get(key, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Who joins whom: `own` is the host's own database, as in pool.join, which the host itself evaluates."""

    pool: Side
    own: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One check, decided. `against` is the evidence that it fails, `unknown` why it cannot be told; with neither it
    passed.
    """

    id: str
    code: str
    """What pool.join answers when it fails; "" where the toolstack does not look."""
    title: str
    subject: ObjectId
    against: str = ""
    unknown: str = ""
    remedy: str = ""
    forced: bool = False
    """pool.join_force skips it."""
    insist: bool = False
    """It is refused here even then."""
    advice: bool = False
    """A reason to think, none to refuse."""

    @property
    def blocks(self) -> bool:
        return bool(self.against) and not self.advice

    def finding(self, force: bool = False) -> Finding:
        """`force`: as it counts for pool.join_force."""
        skipped = force and self.forced and self.blocks and not self.insist
        if self.blocks and not skipped:
            verdict = Verdict.BLOCK
        else:
            verdict = Verdict.WARN if self.against or self.unknown else Verdict.PASS
        return Finding(
            id=self.id,
            verdict=verdict,
            subject=self.subject,
            title=self._told(verdict, skipped),
            evidence=self.against or self.unknown,
            remedy=self.remedy if (self.against or self.unknown) and not skipped else "",
            code=self.code if verdict is Verdict.BLOCK and not (force and self.forced) else "",
        )

    def _told(self, verdict: Verdict, skipped: bool) -> str:
        if verdict is not Verdict.WARN:
            return self.title
        if self.unknown:
            return f"cannot be told: {self.title}"
        return f"skipped by force: {self.title}" if skipped else advised(self.title)
