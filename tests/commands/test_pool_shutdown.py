"""A whole pool is shut down: VMs in order, members, the coordinator last, and the bot's own place last of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from bot.clock import SystemClock
from bot.errors import Unavailable
from bot.model import Expect, Object, Plan, Verdict
from bot.rules import conditions
from bot.xapi import PoolSettings, XapiPools
from tests.commands.world import Changed, Made, World, codes, refused, world


@contextmanager
def housing(runs_on: str, lab: str = "tutorial", change: Changed | None = None) -> Iterator[World]:
    """A lab in which the bot itself runs on a VM or host."""
    with world(lab, change) as found:
        found.resolver = replace(found.resolver, runs_on=runs_on)
        yield found


def with_tools(made: Made) -> None:
    made.row("VM", "legacy-1")["HVM_boot_policy"] = ""


def ordered(made: Made) -> None:
    with_tools(made)
    for vm, order in (("web-1", 1), ("db-1", 5), ("mail-1", -1)):
        made.row("VM", vm)["order"] = order


def calls(plan: Plan) -> list[str]:
    return [step.call for step in plan.steps]


def stopped(plan: Plan) -> list[str]:
    return [step.title.rpartition(" ")[2] for step in plan.steps if step.call.startswith("VM.")]


def test_a_pool_goes_down_in_order_and_nothing_answers_afterwards() -> None:
    with world(change=ordered) as found:
        plan = found.plan("pool shutdown")
        assert not plan.blockers, plan.blockers
        assert found.replanned(plan).digest() == plan.digest()
        # Who starts last (negative: after all others) goes first.
        order = stopped(plan)
        assert order[:3] == ["mail-1", "db-1", "web-1"]
        first, second, third, rest, *_ = plan.stages
        assert [len(stage) for stage in (first, second, third)] == [1, 1, 1]
        assert stopped(replace(plan, steps=tuple(plan.steps[number] for number in rest))) == order[3:]
        assert len(rest) > 1
        assert plan.at_once == 8
        assert calls(plan)[-6:] == ["host.disable", "host.shutdown", "", "host.disable", "host.shutdown", ""]
        assert [step.title for step in plan.steps if step.call == "host.shutdown"] == ["Shut down xs2", "Shut down xs1"]
        down = next(number for number, step in enumerate(plan.steps) if step.call == "host.disable")
        found.perform(plan, steps=down)
        running = [vm for vm in found.api.VM.get_all_records().values() if vm["power_state"] == "Running"]
        assert all(vm["is_control_domain"] for vm in running)
        members = [host.uuid for host in found.view.inventory().hosts]
        told = [each.object.uuid for step in plan.steps for each in step.arguments if isinstance(each, Object)]
        assert {each.uuid for each in plan.touches} == set(told)
        assert set(members) < set(told)
        evidence = found.perform(replace(plan, steps=plan.steps[down:]))
        assert evidence[-1] == "no host answers as the coordinator of lab any more"
        assert not any(found.lab.estate.hosts[uuid].alive for uuid in members)
        with pytest.raises(Unavailable):
            found.view.inventory()


def test_what_to_do_to_come_back_is_told_in_words() -> None:
    with world("healthy") as found:
        plan = found.plan("pool shutdown")
        assert calls(plan)[0] == "pool.disable_ha"
        at_once = [[plan.steps[number].title for number in stage] for stage in plan.stages if len(stage) > 1]
        assert ["Shut down xs32", "Shut down xs33"] in map(sorted, at_once)
        assert plan.stages[-2:] == ((len(plan.steps) - 2,), (len(plan.steps) - 1,))  # the coordinator alone, and last
        assert plan.steps[0].undo[0].call == "pool.enable_ha"
        assert "Switch on xs31, the coordinator" in plan.go_back
        assert "“ha enable on " in plan.go_back
        assert "tolerate 1”" in plan.go_back
        assert "“vm start " in plan.go_back


def test_a_vm_without_tools_is_only_switched_off_when_asked() -> None:
    with world() as found:
        plan = found.plan("pool shutdown")
        (blocker,) = plan.blockers
        assert blocker.subject is not None
        assert (blocker.subject.name, blocker.code) == ("legacy-1", "VM_MISSING_PV_DRIVERS")
        assert "“pool shutdown force”" in blocker.remedy
        assert found.code_of("VM.clean_shutdown", found.ref("VM", "legacy-1")) == "VM_MISSING_PV_DRIVERS"
        forced = found.plan("pool shutdown force")
        assert not forced.blockers
        assert [step.title for step in forced.steps if step.call == "VM.hard_shutdown"] == ["Switch off legacy-1"]
        (told,) = [finding for finding in forced.warnings if finding.id == "vm.stops"]
        assert "as if its power had failed" in told.title


def test_what_its_owner_forbids_stays_forbidden_with_force() -> None:
    def change(made: Made) -> None:
        with_tools(made)
        made.row("VM", "web-1")["blocked_operations"] = {"clean_shutdown": "month's end"}

    with world(change=change) as found:
        for text in ("pool shutdown", "pool shutdown force"):
            plan = found.plan(text)
            assert codes(plan) == ["OPERATION_BLOCKED"]
            assert found.code_of("VM.clean_shutdown", found.ref("VM", "web-1")) == "OPERATION_BLOCKED"


def test_another_operation_of_the_pool_is_waited_for() -> None:
    def busy(made: Made) -> None:
        made.pool["current_operations"] = {"OpaqueRef:some-task": "ha_disable"}

    with world("healthy", busy) as found:
        plan = found.plan("pool shutdown")
        assert codes(plan) == ["HA_DISABLE_IN_PROGRESS"]
        assert found.code_of_plan(plan) == "HA_DISABLE_IN_PROGRESS"


def test_a_dead_member_is_left_as_it_is_and_told() -> None:
    def dead(made: Made) -> None:
        with_tools(made)
        made.host_metrics("xs2")["live"] = False

    with world(change=dead) as found:
        plan = found.plan("pool shutdown")
        assert not plan.blockers
        (told,) = [finding for finding in plan.warnings if finding.id == "host.live"]
        assert "on record there: db-2, dc-1" in told.evidence
        assert [step.title for step in plan.steps if step.call == "host.shutdown"] == ["Shut down xs1"]


# --- the bot's own place ----------------------------------------------------------------------------------------------


def test_what_the_bot_runs_on_is_said_first_and_has_to_be_named() -> None:
    with housing("mail-1", change=with_tools) as found:
        plan = found.plan("pool shutdown")
        first = plan.findings[0]
        assert (first.id, first.verdict) == ("pool.bot-inside", Verdict.BLOCK)
        assert "runs on mail-1 on xs1" in first.evidence
        assert first.remedy == "If that is meant: “pool shutdown including mail-1”"
        named = found.plan("pool shutdown including mail-1")
        assert not named.blockers
        assert named.findings[0].verdict is Verdict.WARN
        assert found.replanned(named).digest() == named.digest()
        assert "mail-1" not in stopped(named)
        # Nobody is left to see that the pool has gone silent.
        assert named.steps[-1].call == "host.shutdown"
        assert found.plan(f"pool shutdown including {found.record('VM', 'mail-1')['uuid']}").blockers == ()
        assert [f.id for f in found.plan("pool shutdown including web-1").blockers] == ["pool.bot-inside"]


def test_the_host_that_the_bot_runs_on_leads_so_that_it_goes_last() -> None:
    with housing("web-2", change=with_tools) as found:
        plan = found.plan("pool shutdown including web-2")
        assert not plan.blockers
        assert calls(plan)[0] == "pool.designate_new_master"
        assert [step.title for step in plan.steps if step.call == "host.shutdown"] == ["Shut down xs1", "Shut down xs2"]


def test_a_host_that_the_bot_runs_on_itself() -> None:
    with housing("xs2", change=with_tools) as found:
        plan = found.plan("pool shutdown including xs2")
        assert not plan.blockers
        assert plan.steps[-1].title == "Shut down xs2"
        assert "web-2" in stopped(plan)


def test_naming_what_is_not_the_bots_place_is_refused() -> None:
    with world(change=with_tools) as found:
        assert "needs no naming" in refused(found, "pool shutdown including web-1").message
    with housing("jenkins") as found:
        # Two VMs are called so.
        assert "2 objects of this pool are called so" in refused(found, "pool shutdown").message


def test_the_last_host_may_be_gone_before_its_answer_is_read() -> None:
    """At this speed the ten seconds until it goes down are over before the bot has looked at the call's task."""
    with world(change=with_tools, speed=200.0) as found:
        plan = found.plan("pool shutdown")
        last = next(
            number for number, step in enumerate(plan.steps) if step.title == "Disable xs1: no VM comes to it any more"
        )
        found.perform(plan, steps=last + 1)
        found.lab.set_speed(100_000.0)
        evidence = found.perform(replace(plan, steps=plan.steps[last + 1 :]))
        assert evidence[-1].endswith("no host answers as the coordinator of lab any more")
        assert str(evidence).count("no host answers") == 1


# --- silence that is none ---------------------------------------------------------------------------------------------


def _silence(found: World) -> list[Expect]:
    """What the plan takes for a sign that nobody leads the pool any more: of the last host, and of the pool."""
    plan = found.plan("pool shutdown")
    signs = [each for step in plan.steps for each in step.expect if each.rule in conditions.TRUE_OF_SILENCE]
    assert [each.rule for each in signs] == [conditions.LEFT, conditions.SILENT]
    return signs


def _closed(found: World, stack: ExitStack) -> XapiPools:
    """As when the bot itself is stopped."""
    found.pools.close()
    return found.pools


def _hanging(found: World, stack: ExitStack) -> XapiPools:
    found.lab.pause("xs1")
    return found.pools


def _another_password(found: World, stack: ExitStack) -> XapiPools:
    return stack.enter_context(_asking(found, password=lambda: "another"))


def _unknown_certificate(found: World, stack: ExitStack) -> XapiPools:
    return stack.enter_context(_asking(found, plain_http=False))


@contextmanager
def _asking(found: World, **changes: Any) -> Iterator[XapiPools]:
    lab = found.lab
    settings = PoolSettings(
        name=found.name,
        addresses=tuple(host.address for host in lab.estate.hosts.values()),
        username=lab.username,
        password=lambda: lab.password,
        plain_http=True,
        address_map=lab.addresses,
    )
    pools = XapiPools([replace(settings, **changes)], SystemClock())
    try:
        yield pools
    finally:
        pools.close()


@pytest.mark.parametrize("trouble", [_closed, _hanging, _another_password, _unknown_certificate])
def test_that_the_bot_cannot_ask_is_no_silence(trouble: Callable[[World, ExitStack], XapiPools]) -> None:
    with world(change=with_tools) as found, ExitStack() as stack:
        signs = _silence(found)
        hands = trouble(found, stack).hands(found.name)
        for sign in signs:
            with pytest.raises(Unavailable):
                assert hands.holds(sign, {}) is None, "the pool runs"
