"""How plans are told when they are not executed: one that cannot be, and one that is no longer what was approved."""

from __future__ import annotations

from bot import remedies
from bot.model import Finding, Level, Line, Lines, Plan, Report, Request, Suggestion, Verdict
from bot.rules.check import required
from bot.text import plural

_VERDICTS = {Verdict.PASS: "yes", Verdict.WARN: "a warning", Verdict.BLOCK: "no"}
FEW = 8
"""Checks that passed and are named."""


def blocked(plan: Plan) -> Report:
    """A plan with blockers, for the person who asked: every blocker with evidence and remedy, every warning; the passes
    are counted, and named when they are few. What the remedies tell to type is offered, unless the plan offers better.
    """
    reasons = plural(len(plan.blockers), "reason")
    parts = [Lines(heading="What stands in the way", lines=tuple(_line(f, Level.BAD) for f in plan.blockers))]
    if plan.warnings:
        parts.append(Lines(heading="Besides", lines=tuple(_line(f, Level.WARN) for f in plan.warnings)))
    if plan.passes:
        passed = f"{plural(len(plan.passes), 'check')} passed"
        if len(plan.passes) <= FEW:
            passed += f": {'; '.join(f.title for f in plan.passes)}"
        parts.append(Lines(lines=(Line(text=passed, level=Level.OK),)))
    return Report(
        title=f"{plan.pool.name}: not possible – {plan.title}",
        level=Level.BAD,
        summary=f"{reasons} against it. Nothing was changed.",
        parts=tuple(parts),
        suggestions=plan.if_blocked or remedies.commands((f.remedy for f in plan.blockers), plan.pool.name),
    )


def _line(finding: Finding, level: Level) -> Line:
    """As on a card: what is found, the evidence, and what to do."""
    text = required(finding.title) if level is Level.BAD else finding.title
    return Line(text=text, level=level, detail=finding.evidence, remedy=finding.remedy)


def difference(approved: Plan, now: Plan) -> tuple[str, ...]:
    """What would be done differently now, in words; never empty when the digests differ."""
    lines: list[str] = []
    were, are = dict(approved.facts), dict(now.facts)
    for name in dict.fromkeys([*were, *are]):
        if were.get(name) != are.get(name):
            lines.append(f"{name}: was {were.get(name, 'not so')}, is now {are.get(name, 'not so')}")
    old, new = {_key(f): f for f in approved.findings}, {_key(f): f for f in now.findings}
    for key in dict.fromkeys([*old, *new]):
        before, after = old.get(key), new.get(key)
        if before is None or after is None or before.verdict is not after.verdict:
            found = after or before
            assert found is not None
            is_now = _VERDICTS[after.verdict] if after else "not looked at"
            was = _VERDICTS[before.verdict] if before else "not looked at"
            told = f"{found.title}: {is_now}; before: {was}"
            lines.append(f"{told} ({found.evidence})" if after and found.evidence else told)
    if approved.lines != now.lines:
        lines += [f"would have been done: {line}" for line in approved.lines]
        lines += [f"would be done now: {line}" for line in now.lines]
    return tuple(lines) or ("something that the approval covers has changed in a way that has no words yet",)


def _key(finding: Finding) -> tuple[str, str]:
    return finding.id, finding.subject.uuid if finding.subject else ""


def lapsed_note(request: Request, reasons: tuple[str, ...]) -> Report:
    """The note in the thread of an approved request of which something does not count any more."""
    return Report(
        title=f"Not begun: {request.plan.title}",
        level=Level.WARN,
        summary="Right before it began it was looked at again who asked and who approved. Nothing was done.",
        parts=(Lines(lines=tuple(Line(text=reason, level=Level.WARN) for reason in reasons)),),
    )


def stale_note(title: str, reasons: tuple[str, ...], command: str) -> Report:
    """The note in the thread of a request that went stale."""
    return Report(
        title=f"Not executed: {title}",
        level=Level.WARN,
        summary="What was approved is no longer what would be done, so nothing was done.",
        parts=(Lines(heading="What changed", lines=tuple(Line(text=reason, level=Level.WARN) for reason in reasons)),),
        suggestions=(Suggestion("Ask again", command),),
    )
