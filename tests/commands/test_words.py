"""What people read besides plans: help at a glance, names that can be typed again, a dead host, what was read back."""

from __future__ import annotations

import pytest

from bot.audits import compatibility
from bot.inventory import SR, VM, Host
from bot.lookup import find, plain_spelling, spelling
from bot.model import Facts, Table
from tests.commands.world import REGISTRY, Made, World, world


def test_help_shows_every_command_at_a_glance_and_all_of_one_kind(tutorial: World) -> None:
    overview = tutorial.report("help")
    facts = overview.parts[0]
    assert isinstance(facts, Facts)
    shown = [verb for _, cell in facts.pairs for verb in cell.text.split(" · ")]
    names = {command.name for command in REGISTRY}
    assert len(shown) == len(names)
    assert all(any(name == verb or name.endswith(f" {verb}") for name in names) for verb in shown)
    assert "host maintenance HOST on|off" in str(tutorial.report("help host"))


@pytest.mark.parametrize("name", ["iSCSI storage", "two  spaces", 'a "quoted" one', "to", "ends with on", "„low“ one"])
def test_a_spelling_names_exactly_that_object_in_a_command(name: str) -> None:
    def change(made: Made) -> None:
        made.row("SR", "NFS storage")["name_label"] = name if name != "iSCSI storage" else "NFS storage"

    with world("tutorial", change) as found:
        inventory = found.view.inventory()
        for sr in inventory.all(SR):
            _, parsed = REGISTRY.parse(f"ha enable on {spelling(sr, inventory)} tolerate 1")
            assert find(inventory, SR, parsed.values["sr"].text) == sr
            assert '"' not in plain_spelling(sr, inventory)
        for vm in inventory.guests:
            assert find(inventory, VM, spelling(vm, inventory)) == vm


def remedy(found: World, about: str) -> str:
    return next(each.remedy for each in compatibility.urgent(found.view.inventory()) if about in each.text)


def test_a_dead_host_is_told_with_what_ha_does_and_what_a_person_has_to_do() -> None:
    def dead(made: Made) -> None:
        made.host_metrics("xs33")["live"] = False

    def without_ha(made: Made) -> None:
        dead(made)
        made.pool["ha_enabled"] = False
        made.row("host", "xs33")["power_on_mode"] = "wake-on-lan"

    with world("healthy", dead) as found:
        told = remedy(found, "xs33 does not answer")
        assert "ha timeline of xs33" in told
        assert "host start" not in told, "nothing is configured that could switch it on"
        assert "host dead" not in told, "HA restarts its VMs itself"
    with world("healthy", without_ha) as found:
        told = remedy(found, "xs33 does not answer")
        assert "“host start xs33”" in told
        assert "before its power is surely off. Then “host dead xs33”" in told


def test_what_was_read_back_is_told_in_words(tutorial: World) -> None:
    seen = tutorial.perform(tutorial.plan("vm eject files-1"))
    assert seen == ["the drive of files-1 is empty"]
    seen = tutorial.perform(tutorial.plan("vm shutdown legacy-1 force"))
    assert "legacy-1 is halted" in seen
    seen = tutorial.perform(tutorial.plan("host maintenance xs2 on"))
    assert "xs2 takes no VMs any more" in seen
    assert "it is noted who lived on xs2" in seen
    assert "web-2 is on xs1" in seen
    inventory = tutorial.view.inventory()
    uuids = [entity.uuid for entity in (*inventory.all(Host), *inventory.guests)]
    assert not any(uuid in line for line in seen for uuid in uuids)
    seen = tutorial.perform(tutorial.plan("host maintenance xs2 off"))
    assert "xs2 is no longer marked as in maintenance" in seen


def test_a_list_tells_namesakes_apart(tutorial: World) -> None:
    (table,) = tutorial.report("vm list").parts
    assert isinstance(table, Table)
    names = [row[0].text for row in table.rows]
    uuids = {each.uuid[:8] for each in tutorial.view.inventory().guests if each.name == "jenkins"}
    assert {name for name in names if "jenkins" in name} == {f"jenkins ({head})" for head in uuids}
    assert "web-1" in names
