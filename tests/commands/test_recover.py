"""A pool whose coordinator is dead, or that has two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from bot.errors import NotFound, Refused, ToolstackRefusal, Unavailable
from bot.model import MemberTarget, ObjectId, Plan, Step, Verdict
from bot.ports import HostAnswer, KnownHost, KnownPool, PoolHands, Standpoint
from bot.rules import recovery
from bot.rules.recovery import Situation
from bot.run import Failed
from bot.xapi.identity import Forgetful
from commands import pool_recover
from tests.commands.world import Made, World, refused, world
from tests.waiting import eventually


def standpoints(found: World) -> dict[str, Standpoint]:
    return {each.called: each.standpoint for each in found.view.roll_call()}


def headless(found: World, *names: str) -> None:
    """Let the coordinator die, and the members notice."""
    found.view.inventory()
    found.lab.kill("xs1" if "xs1" in found.lab.hosts else "xs31")
    eventually(lambda: all(standpoints(found)[name] is Standpoint.LOST for name in names))


@pytest.fixture
def two() -> Iterator[World]:
    with world("tutorial", speed=300.0) as found:
        yield found


@pytest.fixture
def three() -> Iterator[World]:
    with world("healthy", lambda made: made.pool.update(ha_enabled=False), speed=300.0) as found:
        yield found


def findings(plan: Plan, verdict: Verdict) -> set[str]:
    return {each.id for each in plan.findings if each.verdict is verdict}


def test_every_host_says_what_it_is(two: World) -> None:
    two.view.inventory()
    assert standpoints(two) == {"xs1": Standpoint.COORDINATOR, "xs2": Standpoint.MEMBER}
    headless(two, "xs2")
    assert standpoints(two) == {"xs1": Standpoint.SILENT, "xs2": Standpoint.LOST}


def test_a_host_that_answers_nothing_useful_is_not_silent(two: World) -> None:
    two.view.inventory()
    two.lab.password = "another"
    answers = {each.called: each for each in two.view.roll_call()}
    assert answers["xs1"].standpoint is Standpoint.REFUSES
    assert "user name and password" in answers["xs1"].words


def test_it_is_refused_while_a_coordinator_answers(two: World) -> None:
    found = refused(two, "pool recover")
    assert "xs1 answers as the coordinator" in found.message
    assert any("xs2" in line for line in found.evidence)
    assert two.code_of("pool.emergency_transition_to_master") == "", "the toolstack makes nothing of it"


def test_a_survivor_takes_over_and_another_client_sees_it(three: World) -> None:
    headless(three, "xs32", "xs33")
    plan = three.plan("pool recover")
    assert not plan.blockers
    assert plan.title == "make xs32 the coordinator instead of xs31, which is dead"
    assert plan.confirm == "xs31 is off"
    assert plan.whole_pool
    assert findings(plan, Verdict.PASS) == {"recover.former", "recover.ha", "recover.survivor", "recover.identity"}
    assert findings(plan, Verdict.WARN) == {"recover.database"}
    assert [step.call for step in plan.steps[:2]] == ["", "pool.emergency_transition_to_master"]
    assert [isinstance(step.target, MemberTarget) and step.target.host.name for step in plan.steps[:2]] == [
        "xs31",
        "xs32",
    ]
    assert three.replanned(plan).digest() == plan.digest()
    evidence = three.perform(plan)
    assert any(line.startswith("xs31 ") and "looks in 3" in line for line in evidence), evidence
    assert "xs32 is the coordinator" in evidence
    assert any(line.startswith("xs33 says that the coordinator is") for line in evidence)
    api = three.host_api("xs32")
    (pool,) = api.pool.get_all_records().values()
    assert api.host.get_name_label(pool["master"]) == "xs32"
    assert standpoints(three) == {
        "xs31": Standpoint.SILENT, "xs32": Standpoint.COORDINATOR, "xs33": Standpoint.MEMBER,
    }  # fmt: skip


def test_a_coordinator_that_comes_back_in_time_stays_the_only_one(three: World) -> None:
    headless(three, "xs32", "xs33")
    plan = three.plan("pool recover with xs32")
    three.lab.start("xs31")
    eventually(lambda: standpoints(three)["xs31"] is not Standpoint.SILENT)
    with pytest.raises(Failed, match="xs31"):
        three.perform(plan)
    assert not three.lab.calls().get("pool.emergency_transition_to_master")


def test_another_survivor_can_be_named(three: World) -> None:
    headless(three, "xs32", "xs33")
    assert three.plan("pool recover with xs33").title.startswith("make xs33 the coordinator")
    with pytest.raises(NotFound, match="no host called xs9"):
        three.answer("pool recover with xs9")


def test_a_survivor_that_was_fit_is_preferred() -> None:
    def disabled(made: Made) -> None:
        made.pool.update(ha_enabled=False)
        made.row("host", "xs32")["enabled"] = False

    with world("healthy", disabled, speed=300.0) as found:
        headless(found, "xs32", "xs33")
        plan = found.plan("pool recover")
        assert "make xs33 the coordinator" in plan.title
        assert "xs33 was enabled and had all shared storage" in plan.reasons[0]


def test_the_plan_is_stale_when_the_coordinator_is_back(two: World) -> None:
    headless(two, "xs2")
    plan = two.plan("pool recover")
    two.lab.start("xs1")
    eventually(lambda: standpoints(two)["xs1"] is Standpoint.COORDINATOR)
    try:
        assert two.replanned(plan).digest() != plan.digest()
    except Refused as refusal:  # xs2 has found it again
        assert "answers as the coordinator" in refusal.message


def test_the_old_coordinator_comes_back_beside_the_new_one_and_is_made_a_member(three: World) -> None:
    headless(three, "xs32", "xs33")
    three.perform(three.plan("pool recover with xs32"))
    three.lab.start("xs31")
    eventually(lambda: standpoints(three)["xs31"] is Standpoint.COORDINATOR)
    assert "which of them is right" in refused(three, "pool recover").message.casefold()
    plan = three.plan("pool recover with xs32")
    assert plan.title == "make xs31 follow xs32 again"
    assert not plan.blockers
    three.perform(plan)
    assert standpoints(three) == {
        "xs31": Standpoint.MEMBER, "xs32": Standpoint.COORDINATOR, "xs33": Standpoint.MEMBER,
    }  # fmt: skip
    assert {host.name for host in three.view.inventory().hosts if host.is_coordinator} == {"xs32"}


def test_with_high_availability_it_is_blocked_as_the_toolstack_would() -> None:
    with world("healthy", speed=300.0) as found:
        inventory = found.view.inventory()
        assert inventory.pool.ha_enabled
        situation = Situation(found.view.roll_call(), _seen(found))
        survivor = next(each for each in situation.answers if each.called == "xs32")
        against = {check.id: check for check in recovery.checks(situation, survivor) if not check.ok}
        assert against["recover.ha"].code == "HA_IS_ENABLED"
        assert "host-emergency-ha-disable" in against["recover.ha"].remedy
        member = found.pools.hands(found.name, MemberTarget(_object(survivor), survivor.host.address))
        assert _code(member) == "HA_IS_ENABLED"


def test_a_member_that_has_not_noticed_yet_is_not_taken(two: World) -> None:
    two.lab.set_speed(1.0)
    two.view.inventory()
    two.lab.kill("xs1")
    found = refused(two, "pool recover")
    assert "No host of the pool can take" in found.message
    assert "notices" in found.remedy
    named = two.plan("pool recover with xs2")
    assert [each.id for each in named.blockers] == ["recover.survivor"]


def test_when_nobody_answers_it_says_what_each_one_said(two: World) -> None:
    two.view.inventory()
    two.lab.kill("xs1")
    two.lab.kill("xs2")
    found = refused(two, "pool recover")
    assert len(found.evidence) == 2
    assert "power" in found.remedy


def test_a_pool_that_was_never_seen_gets_exact_lines_and_what_each_host_says(three: World) -> None:
    three.lab.kill("xs31")
    eventually(lambda: [each.standpoint for each in three.view.roll_call()].count(Standpoint.LOST) == 2)
    with pytest.raises(Unavailable):
        three.view.inventory()
    found = refused(three, "pool recover")
    assert "has never read healthy while it had a coordinator" in found.message
    assert len(found.evidence) == 3
    assert any("10.0.0.132" in line and "has lost its coordinator" in line for line in found.evidence)
    assert "on one host that has lost its coordinator (10.0.0.132 and 10.0.0.133)" in found.remedy
    assert "xe pool-emergency-transition-to-master" in found.remedy
    three.lab.kill("xs32")
    three.lab.kill("xs33")
    assert "on a surviving host: xe" in refused(three, "pool recover").remedy


def test_a_bot_that_was_started_anew_recovers_a_pool_that_it_remembers(three: World) -> None:
    """Another process, which has never read the pool: what the store keeps of it is enough, and verified afterwards."""
    headless(three, "xs32", "xs33")
    memory = Forgetful()
    memory.remember(_seen(three))
    with three.restarted(memory) as later:
        assert later.view.latest() is None
        plan = later.plan("pool recover")
        assert not plan.blockers
        assert plan.title == "make xs32 the coordinator instead of xs31, which is dead"
        assert plan.confirm == "xs31 is off"
        assert "nothing tells xs32 from xs33" in plan.reasons[0]
        assert later.replanned(plan).digest() == plan.digest()
        evidence = later.perform(plan)
        assert "xs32 is the coordinator" in evidence
        assert {host.name for host in later.view.inventory().hosts if host.is_coordinator} == {"xs32"}


def test_a_host_that_did_not_answer_is_told_of_and_gathered_later(three: World) -> None:
    three.view.inventory()
    three.lab.kill("xs33")
    headless(three, "xs32")
    plan = three.plan("pool recover")
    left = [each for each in plan.warnings if each.id == "recover.left"]
    assert ["xs33" in each.title for each in left] == [True]
    three.perform(plan)
    assert "xs32 answers as the coordinator" in refused(three, "pool recover").message


# --- what the sandbox does not have: members that follow somebody else, and two coordinators --------------------------

XS1, XS2, XS3 = (KnownHost(uuid=f"h{number}", name=f"xs{number}", address=f"10.0.0.10{number}") for number in (1, 2, 3))
KNOWN = KnownPool(name="lab", uuid="p", label="lab", hosts=(XS1, XS2, XS3), coordinator="h1")


def answer(host: KnownHost, standpoint: Standpoint, coordinator: str = "") -> HostAnswer:
    return HostAnswer(host=host, standpoint=standpoint, words=f"is {standpoint}", coordinator=coordinator)


class Answers:
    """A pool's view that knows nothing but what hosts say."""

    name = "lab"

    def __init__(self, answers: tuple[HostAnswer, ...], known: KnownPool) -> None:
        self._answers = answers
        self._known = known

    def known(self) -> KnownPool:
        return self._known

    def latest(self) -> None:
        return None

    def roll_call(self) -> tuple[HostAnswer, ...]:
        return self._answers


def asked(survivor: str | None, *answers: HostAnswer, known: KnownPool = KNOWN) -> Plan:
    context: Any = SimpleNamespace(pool=Answers(answers, known))
    made = pool_recover.plan(pool_recover.Arguments(survivor), context)
    assert isinstance(made, Plan)
    return made


def test_members_that_have_lost_the_coordinator_that_is_are_gathered() -> None:
    plan = asked(
        None,
        answer(XS1, Standpoint.SILENT),
        answer(XS2, Standpoint.COORDINATOR),
        answer(XS3, Standpoint.LOST),
    )
    assert [step.call for step in plan.steps] == ["pool.recover_slaves", ""]
    assert plan.steps[1].title == "Wait until xs3 follows xs2"
    again = asked(
        None,
        answer(XS2, Standpoint.COORDINATOR),
        answer(XS3, Standpoint.MEMBER, "10.0.0.101"),
    )
    assert again.title == "tell xs3 to follow xs2"
    with pytest.raises(Refused, match="nothing is to be recovered"):
        asked(None, answer(XS2, Standpoint.COORDINATOR), answer(XS3, Standpoint.MEMBER, "10.0.0.102"))


def test_of_two_coordinators_a_person_names_the_right_one() -> None:
    both = (answer(XS1, Standpoint.COORDINATOR), answer(XS2, Standpoint.COORDINATOR))
    with pytest.raises(Refused) as refusal:
        asked(None, *both)
    assert [choice.command for choice in refusal.value.choices] == [
        "pool recover with xs1 in lab",
        "pool recover with xs2 in lab",
    ]
    plan = asked("xs2", *both)
    (step,) = plan.steps
    assert isinstance(step.target, MemberTarget)
    assert step.target.host.name == "xs1"
    assert (step.call, step.arguments[0].value) == ("pool.emergency_reset_master", "10.0.0.102")  # type: ignore[union-attr]
    assert findings(plan, Verdict.WARN) == {"recover.two"}


def test_a_former_coordinator_that_answers_something_blocks() -> None:
    plan = asked(None, answer(XS1, Standpoint.REFUSES), answer(XS2, Standpoint.LOST))
    assert [each.id for each in plan.blockers] == ["recover.former"]


def test_a_survivor_that_nobody_can_identify_blocks() -> None:
    """An address of the configuration at which no host was ever seen: what it becomes could not be verified."""
    stranger = KnownHost(uuid="", name="", address="10.0.0.109")
    plan = asked("10.0.0.109", answer(XS1, Standpoint.SILENT), answer(stranger, Standpoint.LOST))
    assert [each.id for each in plan.blockers] == ["recover.identity"]
    assert "xe pool-emergency-transition-to-master" in plan.blockers[0].remedy


def test_all_that_speaks_against_it_is_listed_at_once() -> None:
    plan = asked(
        "xs3",
        answer(XS1, Standpoint.REFUSES),
        answer(XS2, Standpoint.LOST),
        answer(XS3, Standpoint.MEMBER, "10.0.0.101"),
        known=replace(KNOWN, ha_enabled=True),
    )
    assert [each.id for each in plan.blockers] == ["recover.former", "recover.ha", "recover.survivor"]


def _seen(found: World) -> KnownPool:
    known = found.view.known()
    assert known is not None
    return known


def _object(each: HostAnswer) -> ObjectId:
    return ObjectId("host", each.host.uuid, each.called)


def _code(member: PoolHands) -> str:
    target = MemberTarget(ObjectId("host", "", ""), "")
    step = Step(title="x", target=target, call="pool.emergency_transition_to_master", asynchronous=False)
    try:
        member.send(step, {})
    except ToolstackRefusal as refusal:
        return refusal.code
    return ""


def test_who_led_is_known_from_the_members_that_have_lost_it() -> None:
    """The role may have moved since the bot saw the pool: who is to be off is who led last."""
    plan = asked(
        None,
        answer(XS1, Standpoint.LOST, "10.0.0.102"),
        answer(XS2, Standpoint.SILENT),
        answer(XS3, Standpoint.LOST, "10.0.0.102"),
    )
    assert plan.title == "make xs1 the coordinator instead of xs2, which is dead"
    assert (plan.confirm, plan.blockers) == ("xs2 is off", ())
    there = asked(
        "xs1",
        answer(XS1, Standpoint.LOST, "10.0.0.102"),
        answer(XS2, Standpoint.REFUSES),
        answer(XS3, Standpoint.LOST, "10.0.0.102"),
    )
    assert [each.id for each in there.blockers] == ["recover.former"]


def test_when_nobody_knows_who_led_every_host_that_may_have_is_to_be_off() -> None:
    """Two coordinators of one pool destroy its disks: nobody is made one because nothing is known of the other."""
    unknown = replace(KNOWN, coordinator="")
    for known in (KNOWN, unknown):
        plan = asked(
            "xs1",
            answer(XS1, Standpoint.LOST),
            answer(XS2, Standpoint.SILENT),
            answer(XS3, Standpoint.SILENT),
            known=known,
        )
        assert plan.confirm == "xs2 and xs3 are off"
        assert "xs2 and xs3 are off" in " ".join(plan.impact)
        there = asked(
            "xs1",
            answer(XS1, Standpoint.LOST),
            answer(XS2, Standpoint.SILENT),
            answer(XS3, Standpoint.REFUSES),
            known=known,
        )
        assert [each.id for each in there.blockers] == ["recover.former"]
        nobody = asked("xs1", answer(XS1, Standpoint.LOST), answer(XS2, Standpoint.LOST), known=known)
        assert nobody.confirm == "the coordinator is off"


def test_who_cannot_be_told_whom_to_follow_is_named_also_beside_a_coordinator() -> None:
    plan = asked(
        None, answer(XS1, Standpoint.COORDINATOR), answer(XS2, Standpoint.LOST), answer(XS3, Standpoint.SILENT)
    )
    assert ["xs3" in each.title for each in plan.warnings] == [True]
