"""One check of a rule, and its result: what the rules of placement, power, agility and HA answer with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.model import Finding, ObjectId, Verdict
from bot.text import joined


@dataclass(frozen=True, slots=True)
class Check:
    """One check: the code that the toolstack would answer, whether it passes, and what was looked at."""

    id: str
    code: str
    ok: bool
    title: str
    evidence: str = ""
    remedy: str = ""

    def finding(self, subject: ObjectId) -> Finding:
        return Finding(
            id=self.id,
            verdict=Verdict.PASS if self.ok else Verdict.BLOCK,
            subject=subject,
            title=self.title,
            evidence=self.evidence,
            remedy="" if self.ok else self.remedy,
            code="" if self.ok else self.code,
        )

    @property
    def against(self) -> str:
        """Why not, in words."""
        return self.evidence or f"not met: {self.title}"


def required(title: str) -> str:
    """How a check that stands in the way is headed; `title` says what has to be so."""
    return f"required: {title}"


def advised(title: str) -> str:
    """How a check that only warns is headed; `title` says what would better be so."""
    return f"advised: {title}"


def idle(id: str, title: str, under_way: Iterable[str]) -> Check:
    """Nothing else is being done with something. `under_way`: what its `current_operations` name."""
    busy = joined(dict.fromkeys(under_way))
    return Check(
        id,
        "OTHER_OPERATION_IN_PROGRESS",
        not busy,
        title,
        f"now: {busy}" if busy else "",
        "Wait until that has ended, then ask again.",
    )
