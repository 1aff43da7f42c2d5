"""What became different between the approval and the execution, in people's words."""

from __future__ import annotations

from dataclasses import replace

from bot import refusal
from bot.model import Finding, Lines, ObjectId, Plan, Risk, Suggestion, Verdict

POOL = ObjectId("pool", "11111111-1111-4111-8111-111111111111", "lab")


def plan(*findings: Finding, runs_on: str = "xs1") -> Plan:
    facts = (("web-1 runs on", runs_on),)
    return Plan(
        command="vm migrate",
        arguments=(),
        pool=POOL,
        risk=Risk.DISRUPTIVE,
        title="move",
        findings=findings,
        facts=facts,
    )


def check(verdict: Verdict, evidence: str = "") -> Finding:
    return Finding(id="host.enabled", verdict=verdict, title="xs2 takes VMs", evidence=evidence)


def test_a_check_that_has_turned_says_how_it_is_and_how_it_was() -> None:
    before, now = plan(check(Verdict.PASS)), plan(check(Verdict.BLOCK, "it is disabled"))
    assert refusal.difference(before, now) == ("xs2 takes VMs: no; before: yes (it is disabled)",)
    assert refusal.difference(now, before) == ("xs2 takes VMs: yes; before: no",)
    assert refusal.difference(before, plan()) == ("xs2 takes VMs: not looked at; before: yes",)
    assert refusal.difference(plan(), plan(check(Verdict.WARN))) == ("xs2 takes VMs: a warning; before: not looked at",)


def test_what_the_decision_rested_on_is_told_with_both_values() -> None:
    assert refusal.difference(plan(), plan(runs_on="xs2")) == ("web-1 runs on: was xs1, is now xs2",)


def test_a_plan_that_is_blocked_offers_what_its_remedies_name_unless_it_offers_better() -> None:
    blocker = replace(check(Verdict.BLOCK, "it is disabled"), remedy="“host maintenance xs2 off” lets it.")
    told = refusal.blocked(plan(blocker))
    assert [(each.label, each.command) for each in told.suggestions] == [
        ("host maintenance xs2 off", "host maintenance xs2 off in lab")
    ]
    better = Suggestion("Another host", "vm migrate web-1 in lab")
    assert refusal.blocked(replace(plan(blocker), if_blocked=(better,))).suggestions == (better,)


def test_what_has_to_be_so_and_is_not_is_told_as_required() -> None:
    part = refusal.blocked(plan(check(Verdict.BLOCK, "it is disabled"))).parts[0]
    assert isinstance(part, Lines)
    assert [(line.text, line.detail) for line in part.lines] == [("required: xs2 takes VMs", "it is disabled")]
