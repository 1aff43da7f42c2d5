"""The failures to tolerate: lowered while a host is in maintenance, noted in the pool, raised again afterwards."""

from __future__ import annotations

from bot.inventory import Inventory
from bot.model import Plan, Verdict
from bot.rules import lowered
from tests.commands.world import Made, World, world

SET = "pool.set_ha_host_failures_to_tolerate"
ADD, REMOVE = "pool.add_to_other_config", "pool.remove_from_other_config"


def number(found: World) -> str:
    (pool,) = found.api.pool.get_all_records().values()
    return str(pool["ha_host_failures_to_tolerate"])


def note(found: World) -> str | None:
    (pool,) = found.api.pool.get_all_records().values()
    value = pool["other_config"].get("xenia:failures-to-tolerate")
    return None if value is None else str(value)


def told(plan: Plan) -> tuple[Verdict, str]:
    (finding,) = [each for each in plan.findings if each.id == "ha.tolerates"]
    return finding.verdict, f"{finding.title}; {finding.evidence}; {finding.remedy}"


def test_it_is_noted_before_it_is_lowered_and_raised_when_the_host_is_back() -> None:
    with world("healthy") as found:
        assert number(found) == "1"
        on = found.done("host maintenance xs33 on")
        assert [step.call for step in on.steps[:2]] == [ADD, SET]
        assert (number(found), note(found)) == ("0", "1/0")
        off = found.done("host maintenance xs33 off")
        assert told(off)[0] is Verdict.PASS
        assert [step.call for step in off.steps[-2:]] == [SET, REMOVE]
        assert (number(found), note(found)) == ("1", None)
        assert found.record("host", "xs33")["enabled"] is True


def test_what_fails_half_way_takes_both_back() -> None:
    with world("healthy") as found:
        plan = found.plan("host maintenance xs33 on")
        found.perform(plan, steps=2)
        for step in reversed(plan.steps[:2]):
            found.undo(step)
        assert (number(found), note(found)) == ("1", None)


def test_a_number_that_somebody_has_set_since_is_left_alone() -> None:
    def roomy(made: Made) -> None:
        made.pool["ha_host_failures_to_tolerate"] = made.pool["ha_plan_exists_for"] = 0
        made.pool["other_config"] = {**made.pool["other_config"], "xenia:failures-to-tolerate": "2/1"}

    with world("healthy", roomy) as found:
        found.done("host maintenance xs33 on")
        assert (number(found), note(found)) == ("0", "2/1")
        off = found.done("host maintenance xs33 off")
        assert SET not in [step.call for step in off.steps]
        assert number(found) == "0"


def test_ha_tolerate_forgets_it() -> None:
    def lowered_to_none(made: Made) -> None:
        made.pool["ha_host_failures_to_tolerate"] = made.pool["ha_plan_exists_for"] = 0
        made.pool["other_config"] = {**made.pool["other_config"], "xenia:failures-to-tolerate": "2/0"}

    with world("healthy", lowered_to_none) as found:
        found.done("ha tolerate 1")
        assert (number(found), note(found)) == ("1", None)


def small(made: Made) -> None:
    """One host can hold everything."""
    for row in made.objects["VM"].values():
        if not row["is_control_domain"] and not row["is_a_template"]:
            made.memory(row["name_label"], 1)
    made.pool["ha_host_failures_to_tolerate"] = made.pool["ha_plan_exists_for"] = 2


def test_of_two_hosts_in_maintenance_each_gives_back_what_it_can() -> None:
    with world("healthy", small) as found:
        found.done("host maintenance xs33 on")
        assert (number(found), note(found)) == ("1", "2/1")
        found.done("host maintenance xs32 on")
        assert (number(found), note(found)) == ("0", "2/0")
        first = found.done("host maintenance xs33 off")
        verdict, words = told(first)
        assert verdict is Verdict.WARN
        assert "tolerates 1 host failure, not 2 as before" in words
        assert "more is not possible yet: " in words
        assert "“ha tolerate 2”" in words
        assert (number(found), note(found)) == ("1", "2/1")
        found.done("host maintenance xs32 off")
        assert (number(found), note(found)) == ("2", None)


def test_with_high_availability_off_the_number_comes_back_as_it_was() -> None:
    with world("healthy") as found:
        found.done("host maintenance xs33 on")
        found.api.pool.disable_ha()
        found.done("host maintenance xs33 off")
        assert (number(found), note(found)) == ("1", None)


def test_a_reboot_leaves_no_note() -> None:
    with world("healthy") as found:
        found.done("host reboot xs33")
        assert (number(found), note(found)) == ("1", None)


def test_a_note_that_is_none_is_no_note() -> None:
    for text in ("", "1", "0/1", "1/1", "x/0", "1/0/0", "-1/0"):
        with_note = {"uuid": "p", "other_config": {lowered.KEY: text}, "ha_host_failures_to_tolerate": "0"}
        assert lowered.noted(Inventory({"pool": {"p": with_note}, "host": {}}, 0.0)) is None, text
