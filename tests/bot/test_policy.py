"""Who may do what: every rule of the policy, and every reason to refuse."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import policy
from bot.errors import Denied
from bot.model import Actor, Ballot, ObjectId, Place, Requirement, Risk
from bot.policy import EVERYONE, Match, Rule, Subject
from bot.ports import Standing
from tests.bot.policies import (
    ANA,
    BEN,
    MEMBER,
    NOW,
    OLGA,
    RULED,
    RULES,
    SAM,
    SATURDAY,
    WEEKEND,
    plan,
    request,
    vote,
)

PROD = plan(tags=("prod",))
ONCALL = Standing(member=True, groups=frozenset({"S0ONCALL"}))


def denied(call: object, *words: str) -> Denied:
    assert isinstance(call, pytest.ExceptionInfo)
    error = call.value
    assert isinstance(error, Denied)
    for word in words:
        assert word in f"{error.message} {error.remedy} {' '.join(error.evidence)}"
    assert error.remedy, "a denial says what to do"
    return error


# --- looking ----------------------------------------------------------------------------------------------------------


def test_who_is_named_anywhere_may_look() -> None:
    for actor in (OLGA, ANA):
        policy.may_read(RULES, actor, MEMBER)
    policy.may_read(RULED, SAM, Standing(member=True, groups=frozenset({"C0LEADS"})))
    policy.may_read(RULED, SAM, ONCALL)
    policy.may_read(replace(RULES, readers=frozenset({EVERYONE})), SAM, MEMBER)
    with pytest.raises(Denied) as raised:
        policy.may_read(RULES, SAM, MEMBER)
    denied(raised, "not on the list", "readers")


def test_everyone_is_no_guest() -> None:
    with pytest.raises(Denied) as raised:
        policy.may_read(
            replace(RULES, readers=frozenset({EVERYONE})),
            OLGA,
            Standing(member=False, why_not="Guests cannot use this."),
        )
    denied(raised, "Guests")


# --- asking -----------------------------------------------------------------------------------------------------------


def test_without_rules_the_policy_says_it_all() -> None:
    asked = policy.requirement(RULES, OLGA, MEMBER, plan(), NOW)
    assert asked == Requirement(approvals=1, who="an approver other than the person who asks", expires_seconds=3600)
    assert policy.requirement(RULES, OLGA, MEMBER, plan(risk=Risk.DESTRUCTIVE), NOW).approvals == 2


def test_somebody_else_may_not_ask_and_is_told_who_may() -> None:
    with pytest.raises(Denied) as raised:
        policy.requirement(RULES, SAM, MEMBER, plan(), NOW)
    denied(raised, "olga (U0OLGA)", "the user group ops (S0OPS)")


def test_a_group_counts_and_its_silence_is_told() -> None:
    policy.requirement(RULES, SAM, Standing(member=True, groups=frozenset({"S0OPS"})), plan(), NOW)
    with pytest.raises(Denied) as raised:
        policy.requirement(RULES, SAM, Standing(member=True, groups_unknown="Slack is not asked here."), plan(), NOW)
    denied(raised, "Slack is not asked here.")


def test_a_login_is_no_slack_user_of_the_same_name() -> None:
    rules = replace(RULES, operators=frozenset({"os:root"}))
    policy.requirement(rules, Actor(kind="terminal", id="root", name="root"), MEMBER, plan(), NOW)
    with pytest.raises(Denied):
        policy.requirement(rules, Actor(kind="terminal", id="U0ANA", name="ana"), MEMBER, plan(), NOW)


def test_the_first_rule_that_matches_governs_and_leaves_the_rest_to_the_policy() -> None:
    asked = policy.requirement(RULED, OLGA, MEMBER, PROD, NOW)
    assert (asked.rule, asked.approvals, asked.type_name, asked.expires_seconds) == ("production", 2, "web-1", 3600)
    assert asked.who == "2 different approvers of the rule production other than the person who asks"
    assert policy.requirement(RULED, OLGA, MEMBER, plan(risk=Risk.ROUTINE), NOW).approvals == 0
    assert policy.requirement(RULED, OLGA, MEMBER, plan(risk=Risk.ROUTINE, tags=("prod",)), NOW).approvals == 2


def test_a_milder_rule_for_one_of_its_objects_makes_nothing_milder_for_the_others() -> None:
    mild = Rule(name="tests", match=Match(tags=frozenset({"dev"})), approvals=0, type_name=False)
    strict = Rule(name="production", match=Match(tags=frozenset({"prod"})), approvals=3, one_time_code=True)
    ruled = replace(RULES, rules=(mild, strict))
    one = plan(tags=("dev",))
    assert policy.requirement(ruled, OLGA, MEMBER, one, NOW).approvals == 0
    both = policy.requirement(ruled, OLGA, MEMBER, plan(tags=("dev", "prod"), tags_of_each=(("dev",), ("prod",))), NOW)
    assert (both.approvals, both.one_time_code) == (3, True)
    untagged = policy.requirement(ruled, OLGA, MEMBER, plan(tags=("dev",), tags_of_each=((), ("dev",))), NOW)
    assert untagged.approvals == 1


def test_who_may_for_one_of_its_objects_may_not_by_that_for_the_others() -> None:
    """Else a VM that is moved to a host would bring along who decides about the host."""
    devs = frozenset({"U0SAM", "UBOTH", "UDEV"})
    ruled = replace(
        RULES,
        operators=RULES.operators | {"UBOTH"},
        approvers=RULES.approvers | {"UBOTH"},
        rules=(Rule(name="tests", match=Match(tags=frozenset({"dev"})), operators=devs, approvers=devs, approvals=1),),
    )
    dev = Actor(kind="slack", id="T1/UDEV", name="dev")
    both = Actor(kind="slack", id="T1/UBOTH", name="both")
    mixed, own = plan(tags=("dev",), tags_of_each=((), ("dev",))), plan(tags=("dev",))
    assert policy.requirement(ruled, dev, MEMBER, own, NOW).approvals == 1
    for actor in (dev, OLGA, ANA):
        with pytest.raises(Denied) as raised:
            policy.requirement(ruled, actor, MEMBER, mixed, NOW)
        denied(raised, "whoever is among both")
    assert policy.requirement(ruled, both, MEMBER, mixed, NOW).approvals == 1
    asked = replace(request(), plan=mixed)
    for actor in (dev, ANA):
        with pytest.raises(Denied) as raised:
            policy.may_vote(ruled, actor, MEMBER, asked, Ballot.APPROVE, NOW)
        denied(raised, "not an approver of this")
    policy.may_vote(ruled, both, MEMBER, asked, Ballot.APPROVE, NOW)
    first = Rule(name="hosts", match=Match(commands=("vm *",)), approvals=1)
    policy.requirement(replace(ruled, rules=(first, *ruled.rules)), OLGA, MEMBER, mixed, NOW)


def test_a_risk_that_the_policy_does_not_mention_is_refused() -> None:
    with pytest.raises(Denied) as raised:
        policy.requirement(replace(RULES, approvals={Risk.ROUTINE: 0}), OLGA, MEMBER, plan(), NOW)
    denied(raised, "says nothing about disruptive")


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        (Match(), True),
        (Match(commands=("vm *",)), True),
        (Match(commands=("vm migrate",)), True),
        (Match(commands=("host *", "vm m*")), True),
        (Match(commands=("host *",)), False),
        (Match(commands=("vm",)), False),
        (Match(pools=("lab",)), True),
        (Match(pools=("l?b", "x")), True),
        (Match(pools=("prod-*",)), False),
        (Match(risks=frozenset({Risk.DISRUPTIVE})), True),
        (Match(risks=frozenset({Risk.ROUTINE})), False),
        (Match(tags=frozenset({"a", "x"})), True),
        (Match(tags=frozenset({"x"})), False),
        (Match(commands=("vm *",), tags=frozenset({"x"})), False),
        (Match(commands=("vm *",), pools=("lab",), risks=frozenset({Risk.DISRUPTIVE}), tags=frozenset({"b"})), True),
    ],
)
def test_a_match_takes_what_all_of_it_takes(match: Match, hit: bool) -> None:
    what = Subject(command="vm migrate", risk=Risk.DISRUPTIVE, pool="lab", tags=frozenset({"a", "b"}))
    assert match(what) == hit


# --- freezes ----------------------------------------------------------------------------------------------------------


def test_a_freeze_stops_what_it_matches_while_it_holds() -> None:
    policy.requirement(RULED, OLGA, MEMBER, plan(), NOW)
    with pytest.raises(Denied) as raised:
        policy.requirement(RULED, OLGA, MEMBER, plan(), SATURDAY)
    denied(raised, "weekend", "Mon 08:00 Europe/Amsterdam", "the user group S0ONCALL")
    assert policy.requirement(RULED, OLGA, MEMBER, plan(risk=Risk.ROUTINE), SATURDAY).approvals == 0


def test_no_rule_lets_a_change_slip_through_a_freeze() -> None:
    lenient = Rule(name="anything goes", approvals=0)
    with pytest.raises(Denied, match="weekend"):
        policy.requirement(replace(RULED, rules=(lenient,)), OLGA, MEMBER, plan(), SATURDAY)


def test_who_may_override_it_asks_all_the_same_and_still_needs_approval() -> None:
    asked = policy.requirement(RULED, OLGA, ONCALL, plan(), SATURDAY)
    assert asked.overrides == ("weekend",)
    assert asked.approvals == 1
    policy.may_vote(RULED, ANA, MEMBER, request(requirement=asked), Ballot.APPROVE, SATURDAY)
    assert policy.held(RULED, request(requirement=asked), SATURDAY) == ""


def test_overriding_one_freeze_overrides_no_other() -> None:
    other = replace(WEEKEND, name="year end", override=frozenset())
    with pytest.raises(Denied, match="year end") as raised:
        policy.requirement(replace(RULED, freezes=(WEEKEND, other)), OLGA, ONCALL, plan(), SATURDAY)
    denied(raised, "Nobody may override")


def test_a_freeze_that_begins_after_the_question_stops_approval_and_start() -> None:
    asked = request(requirement=policy.requirement(RULED, OLGA, MEMBER, plan(), NOW))
    with pytest.raises(Denied, match="weekend"):
        policy.may_vote(RULED, ANA, MEMBER, asked, Ballot.APPROVE, SATURDAY)
    policy.may_vote(RULED, ANA, MEMBER, asked, Ballot.REJECT, SATURDAY)
    assert "weekend" in policy.held(RULED, asked, SATURDAY)
    assert policy.held(RULED, asked, NOW) == ""


# --- voting -----------------------------------------------------------------------------------------------------------


def test_nobody_approves_their_own_unless_the_governing_rule_says_so() -> None:
    rules = replace(RULES, approvers=frozenset({"U0OLGA", "U0ANA"}))
    with pytest.raises(Denied) as raised:
        policy.may_vote(rules, OLGA, MEMBER, request(), Ballot.APPROVE, NOW)
    denied(raised, "somebody else", "withdraw")
    policy.may_vote(rules, OLGA, MEMBER, request(), Ballot.REJECT, NOW)
    policy.may_vote(replace(rules, self_approval=True), OLGA, MEMBER, request(), Ballot.APPROVE, NOW)
    alone = Rule(name="alone", match=Match(commands=("vm migrate",)), self_approval=True)
    policy.may_vote(replace(rules, rules=(alone,)), OLGA, MEMBER, request(), Ballot.APPROVE, NOW)
    strict = replace(alone, self_approval=False)
    with pytest.raises(Denied):
        policy.may_vote(
            replace(rules, self_approval=True, rules=(strict,)), OLGA, MEMBER, request(), Ballot.APPROVE, NOW
        )


def test_the_login_of_the_requester_approves_no_more_than_their_slack_user() -> None:
    rules = replace(RULES, approvers=frozenset({"U0OLGA"}))
    terminal = replace(OLGA, name="olga (terminal)")
    with pytest.raises(Denied, match="yourself"):
        policy.may_vote(rules, terminal, MEMBER, request(), Ballot.APPROVE, NOW)


def test_only_the_rules_approvers_decide() -> None:
    asked = request(PROD, requirement=policy.requirement(RULED, OLGA, MEMBER, PROD, NOW))
    policy.may_vote(RULED, ANA, MEMBER, asked, Ballot.APPROVE, NOW)
    policy.may_vote(RULED, SAM, Standing(member=True, groups=frozenset({"C0LEADS"})), asked, Ballot.APPROVE, NOW)
    for ballot in Ballot:
        with pytest.raises(Denied) as raised:
            policy.may_vote(RULED, BEN, MEMBER, asked, ballot, NOW)
        denied(raised, "not an approver", "ana (U0ANA)", "the members of the channel C0LEADS")


def test_outsiders_decide_nothing_whatever_group_they_are_in() -> None:
    outside = Standing(member=False, why_not="You belong to another workspace.", groups=frozenset({"C0LEADS"}))
    for ballot in Ballot:
        with pytest.raises(Denied, match="another workspace"):
            policy.may_vote(RULED, ANA, outside, request(PROD), ballot, NOW)
    with pytest.raises(Denied):
        policy.may_withdraw(RULED, OLGA, outside, request())
    with pytest.raises(Denied):
        policy.may_settle(RULED, ANA, outside, request())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"approvals": {}}, "nothing"),
        ({"approvals": {Risk.DISRUPTIVE: 2}}, "2 approvals"),
        ({"type_name": frozenset({Risk.DISRUPTIVE})}, "typed"),
        ({"one_time_code": frozenset({Risk.DISRUPTIVE})}, "one-time code"),
    ],
)
def test_what_was_asked_under_a_laxer_policy_has_to_be_asked_again(change: dict[str, object], why: str) -> None:
    asked = request(requirement=policy.requirement(RULES, OLGA, MEMBER, plan(), NOW))
    stricter = replace(RULES, **change)  # type: ignore[arg-type]
    with pytest.raises(Denied) as raised:
        policy.may_vote(stricter, ANA, MEMBER, asked, Ballot.APPROVE, NOW)
    denied(raised, "stricter", why, "ask again")
    policy.may_vote(stricter, ANA, MEMBER, asked, Ballot.REJECT, NOW)


def test_votes_are_counted_per_person_and_for_this_plan_only() -> None:
    two = Requirement(approvals=2, who="", expires_seconds=60)
    made = request(requirement=two)
    mine = made.digest
    assert policy.decided(made) is None
    assert policy.decided(replace(made, votes=(vote(ANA, mine), vote(ANA, mine)))) is None
    assert policy.decided(replace(made, votes=(vote(ANA, mine), vote(BEN, "0" * 64)))) is None
    assert policy.decided(replace(made, votes=(vote(ANA, mine), vote(BEN, mine)))) is Ballot.APPROVE
    rejected = (vote(ANA, mine), vote(BEN, mine), vote(SAM, mine, Ballot.REJECT))
    assert policy.decided(replace(made, votes=rejected)) is Ballot.REJECT


# --- taking back, settling, step-up -----------------------------------------------------------------------------------


def test_the_requester_or_an_approver_takes_it_back() -> None:
    policy.may_withdraw(RULES, OLGA, MEMBER, request())
    policy.may_withdraw(RULES, ANA, MEMBER, request())
    with pytest.raises(Denied) as raised:
        policy.may_withdraw(RULES, SAM, MEMBER, request())
    denied(raised, "olga", "ana (U0ANA)")


def test_an_approver_who_did_not_ask_settles_it() -> None:
    policy.may_settle(RULES, ANA, MEMBER, request())
    for actor in (OLGA, SAM):
        with pytest.raises(Denied) as raised:
            policy.may_settle(RULES, actor, MEMBER, request())
        denied(raised, "ana (U0ANA)")
    both = replace(RULES, approvers=frozenset({"U0OLGA"}))
    with pytest.raises(Denied, match="yourself"):
        policy.may_settle(both, OLGA, MEMBER, request())


@pytest.mark.parametrize(
    ("name", "typed", "right"),
    [
        ("web-1", "web-1", True),
        ("web-1", " web-1 ", True),
        ("web-1", "Web-1", False),
        ("web-1", "web-", False),
        ("web-1", "", False),
        ("web  1", "web 1", True),
        (" ", "", False),
        (" ", "uuid", True),
        ("a\nb", "a⏎b", True),
        ("a\nb", "a b", False),
    ],
)
def test_a_name_is_typed_as_it_is_shown(name: str, typed: str, right: bool) -> None:
    of = plan(touches=(ObjectId("VM", "uuid", name),))
    strict = replace(RULES, type_name=frozenset({Risk.DISRUPTIVE}))
    made = request(of, requirement=policy.requirement(strict, OLGA, MEMBER, of, NOW))
    if right:
        policy.check_typed_name(made, typed)
    else:
        with pytest.raises(Denied) as raised:
            policy.check_typed_name(made, typed)
        denied(raised, "typed exactly")
    policy.check_typed_name(request(of), typed)


def test_a_code_is_needed_where_the_policy_says_so_and_at_a_terminal_always() -> None:
    strict = replace(RULES, one_time_code=frozenset({Risk.DISRUPTIVE}))
    coded = request(requirement=policy.requirement(strict, OLGA, MEMBER, plan(), NOW))
    slack, terminal = Place(kind="slack", channel="C1"), Place(kind="terminal")
    assert policy.needs_code(coded, Ballot.APPROVE, slack)
    assert not policy.needs_code(coded, Ballot.REJECT, slack)
    assert not policy.needs_code(request(), Ballot.APPROVE, slack)
    assert all(policy.needs_code(request(), ballot, terminal) for ballot in Ballot)


def test_for_what_concerns_the_whole_pool_its_name_is_typed() -> None:
    assert policy.name_to_type(plan()) == "web-1"
    assert policy.name_to_type(plan(whole_pool=True)) == "lab"
    assert policy.name_to_type(plan(touches=())) == "lab"


def test_a_fact_that_only_people_know_is_confirmed_whatever_the_policy_says() -> None:
    lenient = replace(RULES, approvals={**RULES.approvals, Risk.DISRUPTIVE: 0}, type_name=frozenset())
    of = replace(plan(), confirm="xs1 is off")
    wanted = policy.requirement(lenient, OLGA, MEMBER, of, NOW)
    assert (wanted.approvals, wanted.type_name) == (1, "xs1 is off")
    assert wanted.who == "an approver other than the person who asks"
    made = request(of, requirement=wanted)
    policy.check_typed_name(made, " xs1  is off ")
    for typed in ("", "xs1", "web-1", "XS1 is off"):
        with pytest.raises(Denied) as raised:
            policy.check_typed_name(made, typed)
        denied(raised, "type exactly: xs1 is off")
    assert policy.requirement(lenient, OLGA, MEMBER, plan(), NOW).approvals == 0
