"""Commands that are refused: every reason is told, and the toolstack, really asked, gives the first."""

from __future__ import annotations

from dataclasses import dataclass

from tests.commands.world import Changed, World, codes


@dataclass(frozen=True)
class Case:
    """`codes`: the toolstack's codes of all blockers, in its order; "": it would not notice."""

    text: str
    codes: tuple[str, ...]
    change: Changed | None = None
    lab: str = "tutorial"
    forecast: bool = True
    """The bot finds it out by itself; else only the toolstack's dry run does."""

    @property
    def id(self) -> str:
        return f"{self.text}: {self.codes[0]}x{len(self.codes)}"


def compare(case: Case, found: World, text: str = "") -> None:
    """`text` is what is typed, where the case's own is only a part of it."""
    plan = found.plan(text or case.text)
    assert tuple(codes(plan)) == case.codes
    own = [finding for finding in plan.blockers if not finding.id.startswith("toolstack")]
    assert (own == list(plan.blockers)) is case.forecast
    assert all(finding.title and finding.evidence for finding in plan.blockers)
    assert all(finding.remedy for finding in own)
    assert found.code_of_plan(plan) == case.codes[0]
