"""Each rule finds what it is meant to find, where it is, and nothing else does."""

from __future__ import annotations

import re

import pytest

from bot.audits import compatibility
from bot.audits.compatibility import RULES
from bot.audits.rule import rule
from bot.findings import Drift
from bot.inventory import Inventory
from bot.model import Level
from tests.audits.mutations import MUTATIONS, Mutation
from tests.audits.worlds import NOW, World, stamp


def found(world: World) -> dict[str, Drift]:
    """By key, which must be unique."""
    drifts = compatibility.audit(world.inventory())
    by_key = {drift.key: drift for drift in drifts}
    assert len(by_key) == len(drifts)
    return by_key


def test_nothing_is_found_in_the_healthy_lab() -> None:
    assert found(World("healthy")) == {}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_one_thing_broken_is_found_by_exactly_the_rules_meant_for_it(mutation: Mutation) -> None:
    world = World("healthy")
    mutation.break_it(world)
    drifts = found(world).values()
    assert {drift.rule for drift in drifts} == mutation.found.keys()
    for rule_id, evidence in mutation.found.items():
        assert any(evidence in drift.evidence for drift in drifts if drift.rule == rule_id)
    for drift in drifts:
        assert drift.text
        assert drift.evidence
        assert drift.remedy
        assert drift.subject.uuid


def test_every_rule_has_a_world_that_breaks_it() -> None:
    broken = {rule_id for mutation in MUTATIONS for rule_id in mutation.found}
    # What the pool's own database does not tell: tests/audits/test_limits.py.
    assert {each.id for each in RULES} == broken | {"backup.database"}


def test_rules_are_declared_once_and_say_why() -> None:
    assert len({each.id for each in RULES}) == len(RULES)
    for each in RULES:
        assert each.title
        assert each.why.endswith(".")
        assert each.source


def test_the_tutorial_s_lab_has_its_listed_flaws_and_what_else_is_true_of_it() -> None:
    listed = {("vm.local-iso", "files-1"), ("vm.local-disk", "build-1"), ("pool.size", "lab")}
    besides = {
        ("network.management-bonded", "xs1"),  # eth1 lies idle on both hosts
        ("network.management-bonded", "xs2"),
        ("vm.tools", "legacy-1"),
        ("vm.tools-old", "crm-1"),
        ("alerts.open", "crm-1"),
        ("alerts.open", "xs2"),
    }
    assert {(drift.rule, drift.subject.name) for drift in found(World("tutorial")).values()} == listed | besides
    alone = {(drift.rule, drift.subject.name) for drift in found(World("tutorial", pool=1)).values()}
    assert alone == {("network.management-bonded", "xs3")}


def test_the_current_lab_s_listed_flaws_are_found() -> None:
    rules = {(drift.rule, drift.subject.name) for drift in found(World("current")).values()}
    assert rules >= {
        ("updates.same", "xs23"),
        ("updates.recommended", "xs23"),
        ("clock.ntp", "xs22"),
        ("storage.plugged", "NFS archive"),
        ("network.link", "xs22"),
        ("vm.local-disk", "build-2"),
        ("ha.off", "current"),
    }


# --- what only old releases have --------------------------------------------------------------------------------------


def new_in(world: World, lab: str = "tutorial") -> dict[str, str]:
    """What is found in the world and not in the lab it was made of: rule → evidence."""
    before = found(World(lab))
    return {drift.rule: drift.evidence for key, drift in found(world).items() if key not in before}


def test_up_to_7_0_updates_are_patches() -> None:
    world = World("tutorial")
    row = world.ref("host_patch", host=world.host_ref("xs2"), name_label="XS65ESP1004")
    world.objects["host_patch"][row]["applied"] = False
    assert new_in(world) == {"updates.same": "missing: XS65ESP1004"}
    del world.objects["host_patch"][row]
    assert new_in(world) == {"updates.same": "missing: XS65ESP1004"}


def test_a_patch_applied_after_boot_that_wants_a_reboot_is_pending() -> None:
    world = World("tutorial")
    for name, expected in (
        ("XS65ESP1002", {"updates.pending": "restartHost for XS65ESP1002"}),
        ("XS65ESP1004", {}),  # wants only the toolstack restarted
    ):
        row = world.get("host_patch", host=world.host_ref("xs2"), name_label=name)
        was, row["timestamp_applied"] = row["timestamp_applied"], stamp(days=3)
        assert new_in(world) == expected
        row["timestamp_applied"] = was
    assert new_in(world) == {}


def test_before_7_5_multipathing_is_a_key_of_other_config() -> None:
    world = World("tutorial")
    del world.host("xs2")["other_config"]["multipathing"]
    assert new_in(world) == {"storage.multipath": "it uses “iSCSI storage”"}


def test_up_to_6_0_alerts_count_the_other_way_round() -> None:
    world = World("healthy")
    world.alert("SOMETHING", 5, "xs31")
    assert not found(world)
    for host in world.objects["host"].values():
        host["software_version"] |= {"product_version": "6.0.0"}
    assert {drift.rule: drift.level for drift in found(world).values()}["alerts.open"] is Level.BAD


# --- all of it --------------------------------------------------------------------------------------------------------


def test_what_is_wrong_on_two_hosts_is_two_findings_with_keys_that_stay() -> None:
    world = World("healthy")
    for name in ("xs31", "xs32"):
        world.host(name)["ntp_mode"] = "Disabled"
    keys = set(found(world))
    assert keys == {f"clock.ntp:host/{world.host(name)['uuid']}" for name in ("xs31", "xs32")}
    world.host("xs31")["name_label"] = "renamed"
    assert set(found(world)) == keys


def test_vms_that_use_the_same_each_get_their_own_way_out() -> None:
    world = World("healthy")
    world.add("VDI", "iso", name_label="old.iso", SR=world.local_sr("xs31"), virtual_size=1)
    for name in ("shop-1", "shop-2"):
        world.drive(name, "CD").update(VDI="OpaqueRef:iso", empty=False)
    bound = {drift.subject.name: drift for drift in found(world).values() if drift.rule == "ha.agile"}
    assert bound.keys() == {"shop-1", "shop-2"}
    for name, drift in bound.items():
        assert name in drift.remedy
        assert not [other for other in bound if other != name and other in drift.remedy]


def test_two_hosts_with_ha_on_are_grave() -> None:
    world = World("healthy")
    world.remove_host("xs33")
    assert [drift.level for drift in found(world).values()] == [Level.BAD]
    world.pool["ha_enabled"] = False
    assert [drift.level for drift in found(world).values()] == [Level.WARN]


def test_the_gravest_comes_first() -> None:
    levels = [drift.level for drift in compatibility.audit(World("current").inventory())]
    assert levels == sorted(levels, key=[Level.BAD, Level.WARN, Level.INFO].index)


def test_pool_status_tells_the_urgent_part() -> None:
    told = {drift.rule for drift in compatibility.urgent(World("tutorial").inventory())}
    assert told == {"alerts.open"}
    assert {each.id for each in RULES if each.urgent} >= {"host.live", "storage.plugged", "ha.overcommitted"}


def test_a_rule_that_stumbles_is_a_finding_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    @rule("test.stumbles", Level.BAD, title="t", why="w.", source="s")
    def stumbles(inventory: Inventory) -> tuple[()]:
        raise KeyError("half a record")

    world = World("healthy")
    world.host("xs32")["ntp_mode"] = "Disabled"
    monkeypatch.setattr(compatibility, "RULES", (stumbles, *RULES))
    assert {drift.rule for drift in found(world).values()} == {"test.stumbles", "clock.ntp"}


@pytest.mark.parametrize("cls", ["host", "PIF", "PBD", "SR", "VM", "VBD", "Bond", "pool", "Certificate", "message"])
def test_records_that_can_be_read_only_half_stop_no_rule(cls: str, caplog: pytest.LogCaptureFixture) -> None:
    world = World("current")
    world.alert("HOST_CLOCK_SKEW_DETECTED", 3, "xs22")
    for row in world.objects.get(cls, {}).values():
        for name in list(row):
            if name not in ("uuid", "is_a_snapshot", "is_a_template", "is_control_domain"):
                del row[name]
    compatibility.audit(world.inventory())
    assert not caplog.records


def test_version_ranges_are_kept() -> None:
    @rule("test.range", Level.INFO, title="t", why="w.", source="s", since=(7, 1), before=(8, 3))
    def ranged(inventory: Inventory) -> tuple[()]:
        return ()

    for version, applies in (("7.0.0", False), ("7.1.0", True), ("8.2.1", True), ("8.3.0", False), ("", True)):
        world = World("healthy")
        for host in world.objects["host"].values():
            host["software_version"] = {"product_version": version}
        assert ranged.applies(world.inventory()) is applies
    assert ranged.versions == "from 7.1, before 8.3"


def test_remedies_are_whole(caplog: pytest.LogCaptureFixture) -> None:
    """A remedy names objects by uuid, never by reference, and is one line."""
    for mutation in MUTATIONS:
        world = World("healthy")
        mutation.break_it(world)
        for drift in compatibility.audit(world.inventory(NOW)):
            assert "OpaqueRef" not in drift.remedy + drift.text
            assert "\n" not in drift.remedy
            assert not re.search(r"uuid=(\s|$)", drift.remedy)
