"""What would be done, step by step, as data: it is approved, executed and kept as it stands here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.model.fields import binding, bound, free, later
from bot.model.parts import Argument, Finding, ObjectId, Risk, Target, Value, Verdict
from bot.model.report import Suggestion

USUAL_AWAY_SECONDS = 60
"""How long a pool may stay away while a call to it runs, or is looked for, when nothing of that is normal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What must be true after a step, by reading it again: a field of an object equals an argument, or with `differs`
    is something else; or, with `rule`, a named condition of :mod:`bot.rules.conditions` holds for the object. An object
    that is not there (yet) makes it untrue.
    """

    object: ObjectId = bound()
    field: str = bound(default="")
    equals: Argument = bound(default=Value(None))
    differs: bool = bound(default=False)
    key: str = bound(default="")
    """Of a field that is a map: the key whose value is meant ("" for the whole field); a missing key reads as ""."""
    rule: str = bound(default="")
    at: Target | None = bound(default=None)
    """Where it is looked at; None: where the step's call goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Where a call shows while it runs, so that it can be found again after a broken connection: the object's
    current_operations hold `operation`.
    """

    object: ObjectId = bound()
    operation: str = bound()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call with effect, as data: the engine executes it, the approver reads it, the ledger keeps it. Without a call
    it sends nothing and waits until what it expects is so.
    """

    title: str = free()
    target: Target = bound()
    call: str = bound(default="")
    """Class and message, e.g. `VM.pool_migrate`; sent as `Async.VM.pool_migrate` when `asynchronous`. "": a wait."""
    arguments: tuple[Argument, ...] = bound(default=())
    asynchronous: bool = bound(default=True)
    trace: Trace | None = bound(default=None)
    expect: tuple[Expect, ...] = bound(default=())
    limit_seconds: int = bound(default=3600)
    """After this the step is UNKNOWN and announced; it is never assumed to have failed. A wait, which has sent nothing,
    has failed.
    """
    away_seconds: int = bound(default=USUAL_AWAY_SECONDS)
    """How long its pool (or host) may be away meanwhile before it counts as lost: longer where a toolstack restarts,
    a host reboots or the coordinator changes.
    """
    lasting_seconds: int = later(default=0)
    """Of a wait: what it expects has to be so at once, and in every look for so long; else it has failed."""
    undo: tuple[Step, ...] = bound(default=())
    """What takes this step back, if a later one fails."""
    final: bool = bound(default=False)
    """Once it is done, nothing before it is taken back: a host that was told to reboot has to come back first."""
    mends: bool = later(default=False)
    """It only mends what did not become so by itself: nothing is sent where what it expects is so already; where it
    does not succeed that is told, with `offers`, and the rest is done all the same.
    """
    offers: tuple[Suggestion, ...] = free(default=())
    prepares: bool = free(default=False)
    """It changes nothing that stays: what it answers is for a step after it. If the answer is lost, nothing is."""
    together: bool = later(default=False)
    """There is no order between it and the step before it: they are done at once. What follows them waits for all."""

    @property
    def waits(self) -> bool:
        """It sends nothing."""
        return not self.call


def together(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps as one stage: no order among them."""
    return tuple(replace(step, together=number > 0) for number, step in enumerate(steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a plan may be executed (UTC). None is "as soon as it is approved"."""

    not_before: datetime | None = bound(default=None)
    not_after: datetime | None = bound(default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Another pool that a plan is about: its rules, its locks and its record count as well."""

    pool: ObjectId = bound()
    touches: tuple[ObjectId, ...] = bound(default=())
    """What no other operation may touch there meanwhile; it may only come to be there."""
    tags: tuple[str, ...] = bound(default=())
    """As the plan's own, of that pool; filled in by the bot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be done, why it may or may not be done, and how to go back. Reading it changes nothing."""

    command: str = bound()
    arguments: tuple[tuple[str, str], ...] = bound()
    """Resolved and pinned, as the command's own argument texts (objects by uuid): planning again with them gives the
    same choices.
    """
    pool: ObjectId = bound()
    risk: Risk = bound()
    findings: tuple[Finding, ...] = bound(default=())
    steps: tuple[Step, ...] = bound(default=())
    touches: tuple[ObjectId, ...] = bound(default=())
    """What no other operation may touch meanwhile."""
    whole_pool: bool = bound(default=False)
    """No other operation at all may run in the pool meanwhile."""
    tags: tuple[str, ...] = bound(default=())
    """Tags of what it touches and of the pool, as far as the policy depends on them. Filled in by the bot, never by a
    command: none can forget them.
    """
    facts: tuple[tuple[str, str], ...] = bound(default=())
    """Facts the decision rests on (the VM's host now, HA on or off): if one changes, the approval is stale."""
    window: Window = bound(default=Window())
    title: str = free()
    impact: tuple[str, ...] = free(default=())
    """What will be interrupted, and for how long."""
    reasons: tuple[str, ...] = free(default=())
    """Why the bot chose what it chose."""
    go_back: str = free(default="")
    """The command that takes it back, or in words why nothing can."""
    afterwards: str = free(default="")
    """What people have to do when it is done, in words; the bot cannot."""
    confirm: str = bound(default="")
    """What each approver types first, whatever the policy says: a fact that only people at the machines can know."""
    if_blocked: tuple[Suggestion, ...] = free(default=())
    """What is offered instead when a check stands in the way."""
    on_success: tuple[Suggestion, ...] = free(default=())
    """What is offered when it is done: the step that usually comes next."""
    on_failure: tuple[Suggestion, ...] = free(default=())
    """What is offered when it has failed half-way: to go on, to bring back what was moved."""
    elsewhere: tuple[Elsewhere, ...] = later(default=())
    """The other pools that it is about."""
    at_once: int = later(default=8)
    """Of steps that are done together, so many at a time at most."""
    tags_of_each: tuple[tuple[str, ...], ...] = later(default=())
    """Where it touches objects that are tagged differently: their different tags, each with the pool's, as in `tags`.
    Filled in by the bot.
    """

    @property
    def stages(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of the steps, those that are done together side by side. What undoes is always done in order."""
        stages: list[tuple[int, ...]] = []
        for number, step in enumerate(self.steps):
            if step.together and stages:
                stages[-1] += (number,)
            else:
                stages.append((number,))
        return tuple(stages)

    @property
    def lines(self) -> tuple[str, ...]:
        """What is done, a line for each stage."""
        return tuple(self._line([self.steps[number] for number in stage]) for stage in self.stages)

    def _line(self, steps: Sequence[Step]) -> str:
        titles = [step.title or step.call or "wait" for step in steps]
        if len(titles) == 1:
            return titles[0]
        pace = f", {self.at_once} at a time at most" if len(titles) > self.at_once else ""
        return f"{len(titles)} at once{pace}: {'; '.join(titles)}"

    @property
    def pools(self) -> tuple[ObjectId, ...]:
        """Every pool that it is about, its own first."""
        return (self.pool, *(each.pool for each in self.elsewhere))

    @property
    def blockers(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.verdict is Verdict.BLOCK)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.verdict is Verdict.WARN)

    @property
    def passes(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.verdict is Verdict.PASS)

    def digest(self) -> str:
        """SHA-256 (hex) of every bound field, at any depth. Two plans with one digest would do the same thing."""
        return hashlib.sha256(json.dumps(binding(self), sort_keys=True, separators=(",", ":")).encode()).hexdigest()
