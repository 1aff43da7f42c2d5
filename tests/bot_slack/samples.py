"""Plans, requests and reports to be shown: plain ones, and ones whose every word comes from somebody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.model import (
    Actor,
    Ballot,
    Cell,
    Expect,
    Facts,
    Finding,
    Level,
    Line,
    Lines,
    Object,
    ObjectId,
    Place,
    Plan,
    PoolTarget,
    Progress,
    Report,
    Request,
    Requirement,
    Result,
    ResultOf,
    Risk,
    Secret,
    State,
    Step,
    Suggestion,
    Table,
    Value,
    Verdict,
    Vote,
)

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
TEAM = "T0EXAMPLE"
OLGA = Actor(kind="slack", id=f"{TEAM}/U0OLGA", name="olga")
ANA = Actor(kind="slack", id=f"{TEAM}/U0ANA", name="ana")
INFRA = Place(kind="slack", team=TEAM, channel="C0INFRA")
POOL = ObjectId("pool", "11111111-1111-4111-8111-111111111111", "lab")


def plan(word: str = "web-1", many: int = 1, **changes: Any) -> Plan:
    """A migration of a VM called `word`; `many` makes every list that long."""
    vm = ObjectId("VM", "22222222-2222-4222-8222-222222222222", word)
    host = ObjectId("host", "33333333-3333-4333-8333-333333333333", word)
    step = Step(
        title=f"Move {word}",
        target=PoolTarget(POOL.uuid),
        call="VM.pool_migrate",
        arguments=(Object(vm), Object(host), Value({"live": word}), ResultOf(0), Secret(word), Value((word, word))),
        expect=(Expect(object=vm, field="resident_on", equals=Object(host)),),
    )
    findings = [
        Finding(id=f"vm.{number}", verdict=verdict, title=word, evidence=word, remedy=word)
        for number in range(many)
        for verdict in (Verdict.PASS, Verdict.WARN)
    ]
    made = Plan(
        command="vm migrate",
        arguments=(("vm", vm.uuid), ("host", host.uuid)),
        pool=replace(POOL, name=word) if word != "web-1" else POOL,
        risk=Risk.DISRUPTIVE,
        findings=tuple(findings),
        steps=tuple(replace(step, undo=(step,) if number else ()) for number in range(many)),
        touches=(vm, host),
        facts=(("the VM's host now", word),),
        title=f"lab: Move {word} to xs2" if word == "web-1" else word,
        impact=(word,) * many,
        reasons=(word,) * many,
        go_back=word,
    )
    return replace(made, **changes)


def request(word: str = "web-1", many: int = 1, state: State = State.WAITING, **changes: Any) -> Request:
    shown = changes.pop("plan", None) or plan(word, many)
    vote = Vote(actor=ANA, ballot=Ballot.APPROVE, digest=shown.digest(), reason=word, at=NOW)
    made = Request(
        id="X-7",
        text=f"vm migrate {word}",
        actor=OLGA,
        place=INFRA,
        plan=shown,
        digest=shown.digest(),
        requirement=Requirement(approvals=2, who=word, expires_seconds=3600),
        state=state,
        opened_at=NOW,
        expires_at=NOW + timedelta(hours=1),
        progress=Progress(step=0, steps=2, fraction=0.5, text=word),
        result=Result(summary=word, lines=(word,) * many, remedy=word, seconds=42.0),
        successor="X-8",
        predecessor="X-6",
        votes=(vote,) * min(many, 20),
    )
    return replace(made, **changes)


def report(word: str = "web-1", many: int = 1) -> Report:
    cell = Cell(word, Level.WARN, 0.5)
    return Report(
        title=word,
        level=Level.BAD,
        summary=word,
        parts=(
            Table(heading=word, columns=(word, word, "n"), rows=((cell, Cell(word), Cell("7")),) * many, more=3),
            Lines(heading=word, lines=(Line(text=word, level=Level.BAD, detail=word),) * many),
            Facts(heading=word, pairs=((word, cell),) * many),
        ),
        suggestions=(Suggestion(word, f"vm show {word}"[:500]),) * min(many, 30),
    )
