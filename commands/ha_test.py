"""`ha test HOST`: a guided drill. The bot says what should happen when somebody cuts a host's power, and watches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot import planning
from bot.errors import Refused
from bot.inventory import Host, Inventory
from bot.lookup import spelling
from bot.model import Expect, Finding, Plan, PoolTarget, Risk, Step, Suggestion, Value, Verdict
from bot.ports import Context
from bot.registry import command
from bot.rules import aftermath, closing, conditions, ha
from bot.rules.check import Check, advised
from bot.rules.ha import Restart
from bot.rules.hosts import alive
from bot.text import duration, joined, quoted

CUT_SECONDS = 3600
"""How long somebody has to cut the power."""
PATIENCE_SECONDS = 900
"""How long a VM has to run again: two to five minutes after the power is gone, as a rule, and HA tries every two."""
PASS_SECONDS = 30


@dataclass(frozen=True)
class Arguments:
    host: Host


@command(
    "ha test HOST",
    risk=Risk.ROUTINE,
    summary="A drill: what should happen when you cut a host's power, and then what does happen.",
    details=(
        "The bot cuts nothing and changes nothing: you cut the power, it watches. Nothing else has to wait meanwhile.",
        "It says when HA declares the host failed, who leads, and when each VM runs again, and whether all are back.",
        "Cancel ends it at any time; “ha timeline” shows afterwards what happened.",
    ),
    examples=("ha test xs2", "ha test xs2 in lab"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    host, inventory = arguments.host, context.pool.inventory()
    if not inventory.pool.ha_enabled:
        raise Refused(
            f"High availability of {quoted(context.pool.name)} is off: nothing would be restarted.",
            remedy="“ha plan” says what would happen if it were on; “ha enable” turns it on.",
        )
    restarts = sorted(ha.if_fails(host, inventory), key=lambda each: (each.vm.number("order"), each.vm.name))
    certain = [each for each in restarts if each.vm.text("ha_restart_priority") == ha.RESTART]
    perhaps = [each for each in restarts if each.vm.text("ha_restart_priority") == ha.BEST_EFFORT]
    name = spelling(host, inventory)
    return Plan(
        command="ha test",
        arguments=(("host", host.uuid),),
        pool=planning.pool_id(context, inventory),
        risk=Risk.ROUTINE,
        title=f"watch what happens when the power of {quoted(host.name)} is cut",
        findings=(
            *planning.findings(_checks(host, context.runs_on, inventory), host.id),
            *_advice(host, certain, restarts, inventory),
        ),
        steps=tuple(_steps(host, certain, perhaps, inventory)),
        facts=(
            ("high availability is", "on"),
            (f"{quoted(host.name)} is the coordinator", "yes" if host.is_coordinator else "no"),
        ),
        impact=tuple(_expected(host, restarts)),
        on_success=(
            Suggestion("Timeline", planning.line(f"ha timeline of {name}", context)),
            Suggestion("Switch it on again", planning.line(f"host start {name}", context)),
        ),
        on_failure=(Suggestion("Timeline", planning.line(f"ha timeline of {name}", context)),),
    )


def _checks(host: Host, runs_on: str, inventory: Inventory) -> Iterator[Check]:
    yield alive(host, "A drill needs a host whose power can be cut.", code="")
    own = closing.own_place(runs_on, inventory)
    inside = own is not None and own[1] == host
    yield Check(
        "drill.bot-elsewhere",
        "",
        not inside,
        f"the bot does not run on {quoted(host.name)}",
        f"it runs on {quoted(own[0].name)}, so it could watch nothing" if own and inside else "",
        "Cut another host's power, or move the bot's VM first.",
    )


def _advice(host: Host, certain: list[Restart], all_of_it: list[Restart], inventory: Inventory) -> Iterator[Finding]:
    """What would make it worse than a drill."""
    lost = [each for each in certain if each.host is None]
    bare = [each.vm.name for each in all_of_it if not each.vm.text("ha_restart_priority")]
    most = ha.most_failures(inventory)
    reasons = "; ".join(f"{quoted(each.vm.name)}: {each.reason}" for each in lost)
    for finding_id, ok, title, evidence, remedy in (
        ("drill.tolerated", most > 0, "one host failure can be tolerated", "not even one now", "“ha status” says why."),
        ("drill.placed", not lost, f"every protected VM of {quoted(host.name)} has a place", reasons,
         "“ha plan” says more."),
        ("drill.protected", not bare, f"every VM of {quoted(host.name)} is protected",
         f"{joined(bare, limit=6)} would stay down, and lose what they have not written",
         "Move or shut them down before."),
        ("drill.something", bool(certain), f"a protected VM runs on {quoted(host.name)}",
         "none does: there is nothing to see but the host's failure", "“vm migrate” brings one there."),
    ):  # fmt: skip
        yield Finding(
            id=finding_id,
            verdict=Verdict.PASS if ok else Verdict.WARN,
            subject=host.id,
            title=title if ok else advised(title),
            evidence="" if ok else evidence,
            remedy="" if ok else remedy,
        )


def _steps(host: Host, certain: list[Restart], perhaps: list[Restart], inventory: Inventory) -> Iterator[Step]:
    """Waits only: nothing is sent."""
    target, known = PoolTarget(inventory.pool.uuid), aftermath.latest(inventory, host)
    before = known.message if known else ""

    def wait(title: str, limit: int, *expect: Expect) -> Step:
        return Step(title=title, target=target, expect=expect, limit_seconds=limit, away_seconds=PATIENCE_SECONDS)

    def fate(each: Restart, title: str) -> Step:
        words = f"{host.uuid}/{before}/{PATIENCE_SECONDS}"
        expect = Expect(object=each.vm.id, rule=conditions.SETTLED, equals=Value(words))
        return wait(title, PATIENCE_SECONDS * 2, expect)

    yield wait(
        f"Cut the power of {quoted(host.name)} yourself; wait until high availability declares it failed",
        CUT_SECONDS,
        Expect(object=host.id, rule=conditions.FAILED, equals=Value(before)),
    )
    if host.is_coordinator:
        yield wait(
            "Wait until another host leads",
            PATIENCE_SECONDS,
            Expect(object=host.id, rule=conditions.TAKEN_OVER, equals=Value(before)),
        )
    for each in certain:
        where = f" (planned: on {quoted(each.host.name)})" if each.host else " (no place is planned for it)"
        yield fate(each, f"Wait until {quoted(each.vm.name)} runs again{where}")
    for each in perhaps:
        yield fate(each, f"See whether {quoted(each.vm.name)} is started too, with best effort")
    if certain:
        yield wait(
            "Every protected VM runs again",
            PASS_SECONDS,
            *(Expect(object=each.vm.id, field="power_state", equals=Value("Running")) for each in certain),
        )


def _expected(host: Host, restarts: list[Restart]) -> Iterator[str]:
    yield (
        f"The bot cuts nothing. When the card says that it waits for it, cut the power of {quoted(host.name)}; "
        f"you have {duration(CUT_SECONDS)}."
    )
    yield "Within a minute or two HA notices; two to five minutes after the power is gone VMs should be starting."
    if host.is_coordinator:
        yield "It is the coordinator: another host takes its place, minutes without API."
    for each in restarts:
        if each.host is not None:
            yield f"{quoted(each.vm.name)} should run again on {quoted(each.host.name)}."
        else:
            yield f"{quoted(each.vm.name)}: {each.reason}."
