"""Taking a host into a pool: the plan, the refusals, the real join, and what a second client sees of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.errors import ParseError
from bot.model import HostTarget, Plan, Risk, Secret, Verdict
from sandbox.xapi.lab import load
from sandbox.xapi.world import Lab
from tests.commands.hosts import role
from tests.commands.world import REGISTRY, World, refused, world
from tests.rules.joining import NEW, OLD, Pair
from tests.waiting import eventually


def warned(plan: Plan) -> list[str]:
    """Without the clock: how far two clocks are proved to be apart depends on the machine's pace."""
    return [finding.id for finding in plan.warnings if finding.id != "join.clock"]


def test_a_host_of_the_same_kind_joins_and_another_client_sees_it() -> None:
    with world("tutorial-start") as found:
        plan = found.plan("host add xs2 to xs1")
        assert plan.blockers == ()
        assert warned(plan) == ["join.default-storage", "join.configuration"]
        lacking = "[pools.xs1] of the configuration: hosts does not name 10.0.0.102"
        assert lacking in [finding.evidence for finding in plan.warnings]
        assert plan.afterwards.startswith(f"{lacking}. Add 10.0.0.102 and its fingerprint to [pools.xs1]")
        assert (plan.risk, plan.whole_pool) == (Risk.DISRUPTIVE, True)
        assert found.replanned(plan).digest() == plan.digest()
        assert role(found, "xs2") == ""
        assert not REGISTRY.knows(plan.go_back), "what else it costs would be taken for a part of the host's name"
        evidence = found.perform(plan)
        assert "xs2 is alive and enabled" in evidence
        hosts = {row["name_label"]: row for row in found.api.host.get_all_records().values()}
        assert hosts.keys() == {"xs1", "xs2"}
        assert hosts["xs2"]["enabled"] is True
        assert role(found, "xs2") == "HOST_IS_SLAVE"
        assert "is in xs1 already" in refused(found, "host add xs2 to xs1").message


def test_between_vendors_neither_mask_nor_force_is_offered() -> None:
    pair = Pair.of(OLD)
    pair.own.host["cpu_info"].update(vendor="AuthenticAMD", features="00000001-00000001-00000001-00000001")
    with world(pair.lab()) as found:
        plan = found.plan("host add xs2")
        assert [finding.id for finding in plan.blockers] == ["cpu.vendor", "cpu.features"]
        assert plan.if_blocked == ()
        forced = found.plan("host add xs2 force")
        assert [(finding.id, finding.code) for finding in forced.blockers] == [("cpu.vendor", "")]


def test_the_password_is_named_and_nowhere_told() -> None:
    with world("tutorial-start") as found:
        plan = found.plan("host add xs2")
        step = next(step for step in plan.steps if step.call == "pool.join")
        assert isinstance(step.target, HostTarget)
        assert step.arguments[2] == Secret("pools.xs1.password")
        assert found.lab.password not in repr(plan)


def test_another_cpu_is_refused_with_its_features_and_the_mask_that_helps() -> None:
    with world("tutorial-start") as found:
        plan = found.plan("host add xs3 to xs1")
        (blocker,) = plan.blockers
        assert (blocker.id, blocker.code) == ("cpu.features", "HOSTS_NOT_HOMOGENEOUS")
        assert "movbe" in blocker.evidence
        assert "“host mask-cpu xs3 like xs1”" in blocker.remedy
        assert "“host add xs3 to xs1 force”" in blocker.remedy
        assert [each.command for each in plan.if_blocked] == ["host mask-cpu xs3 like xs1", "host add xs3 to xs1 force"]
        assert found.code_of_plan(plan) == blocker.code


def test_force_joins_what_differs_only_in_its_cpu() -> None:
    with world("tutorial-start") as found:
        plan = found.plan("host add xs3 to xs1 force")
        assert plan.blockers == ()
        assert plan.risk is Risk.DESTRUCTIVE
        assert "cpu.features" in warned(plan)
        assert [step.call for step in plan.steps if step.call] == ["pool.join_force"]
        assert found.replanned(plan).digest() == plan.digest()
        found.perform(plan)
        assert {row["name_label"] for row in found.api.host.get_all_records().values()} == {"xs1", "xs3"}


def test_force_is_no_way_round_anything_else() -> None:
    pair = Pair.of(OLD)
    pair.own.guest("Running", "db-9")
    with world(pair.lab()) as found:
        assert "nothing that force would skip" in refused(found, "host add xs2 force").message
    pair.own.host["cpu_info"]["features"] = "00000001-00000001-00000001-00000001"
    with world(pair.lab()) as found:
        plain = found.plan("host add xs2")
        assert not any("force" in finding.remedy for finding in plain.blockers)
        assert not any("force" in each.command for each in plain.if_blocked)
        plan = found.plan("host add xs2 force")
        assert [finding.id for finding in plan.blockers] == ["join.running"]
        assert "db-9" in plan.blockers[0].evidence


def test_with_high_availability_on_it_is_off_meanwhile_and_on_again() -> None:
    pair = Pair.of(NEW)
    with world(pair.lab()) as found:
        api = found.api
        (sr,) = (ref for ref, row in api.SR.get_all_records().items() if row["type"] == "lvmoiscsi")
        (pool,) = api.pool.get_all()
        api.pool.enable_ha([sr], {})
        api.pool.set_ha_host_failures_to_tolerate(pool, "0")
        plan = found.plan(f"host add {pair.own.host['name_label']}")
        assert plan.blockers == ()
        assert "join.pool-ha" in warned(plan)
        calls = [step.call for step in plan.steps]
        assert calls == ["pool.disable_ha", "pool.join", "", "PBD.plug", "pool.enable_ha"]
        assert plan.steps[0].undo
        assert found.replanned(plan).digest() == plan.digest()
        found.perform(plan)
        record = found.api.pool.get_record(pool)
        assert record["ha_enabled"] is True
        assert {found.api.VDI.get_SR(vdi) for vdi in record["ha_statefiles"]} == {sr}
        assert len(found.api.host.get_all()) == 2
        plugged = [row["currently_attached"] for row in found.api.PBD.get_all_records().values() if row["SR"] == sr]
        assert plugged == [True, True]


def test_high_availability_comes_back_when_the_host_cannot_join() -> None:
    pair = Pair.of(NEW)
    with world(pair.lab()) as found:
        (sr,) = (ref for ref, row in found.api.SR.get_all_records().items() if row["type"] == "lvmoiscsi")
        found.api.pool.enable_ha([sr], {})
        plan = found.plan(f"host add {pair.own.host['name_label']}")
        found.perform(plan, steps=1)
        (record,) = found.api.pool.get_all_records().values()
        assert record["ha_enabled"] is False
        found.undo(plan.steps[0])
        eventually(lambda: next(iter(found.api.pool.get_all_records().values()))["ha_enabled"])
        (record,) = found.api.pool.get_all_records().values()
        assert {found.api.VDI.get_SR(vdi) for vdi in record["ha_statefiles"]} == {sr}


def test_a_host_that_was_disabled_joins_as_such() -> None:
    with world("tutorial-start") as found:
        api = found.host_api("xs2")
        api.host.disable(api.host.get_all()[0])
        plan = found.plan("host add xs2")
        assert "join.enabled" in warned(plan)
        assert found.replanned(plan).digest() == plan.digest()
        found.perform(plan)
        assert role(found, "xs2") == "HOST_IS_SLAVE"


def test_ten_reasons_are_told_at_once() -> None:
    pair = Pair.of(OLD)
    pair.own.pool["ha_enabled"] = True
    pair.own.another_host(1)
    pair.own.guest("Running", "a")
    pair.own.guest(name="c")["current_operations"] = {"OpaqueRef:task": "copy"}
    pair.own.guest("Paused", "d")
    pair.own.version.update(platform_version="1.8.0", git_id="1a2b3c", network_backend="bridge")
    pair.own.host["cpu_info"]["features"] = "00000001-00000001-00000001-00000001"
    pair.own.host.update(edition="per-socket", external_auth_type="AD", external_auth_service_name="corp.example")
    pair.own.host["other_config"]["iscsi_iqn"] = pair.pool.host["other_config"]["iscsi_iqn"]
    with world(pair.lab()) as found:
        plan = found.plan("host add xs2")
        assert len(plan.blockers) >= 10
        assert [finding.id for finding in plan.blockers] == [
            "join.own-ha", "join.alone", "join.running", "join.busy", "join.product", "join.build", "cpu.features",
            "join.external-auth", "join.edition", "join.network-backend", "join.paused", "join.iqn",
        ]  # fmt: skip
        assert all(finding.evidence and finding.remedy for finding in plan.blockers)
        assert found.code_of_plan(plan) == plan.blockers[0].code


@pytest.mark.parametrize(("typed", "offered"), [("xs9", ["xs3", "xs2"]), ("xs1", ["xs3", "xs2"]), ("mailserver", [])])
def test_a_host_that_the_configuration_does_not_name_is_refused(typed: str, offered: list[str]) -> None:
    with world("tutorial-start") as found, pytest.raises(ParseError) as caught:
        found.plan(f"host add {typed} to xs1")
    assert "no host" in caught.value.message
    assert [choice.label for choice in caught.value.choices] == offered


def test_storage_that_the_coordinator_itself_lacks_is_not_waited_for() -> None:
    pair = Pair.of(NEW)
    pair.pool.pool["other_config"] = {**pair.pool.pool["other_config"], "sync_create_pbds": "nosync"}
    with world(pair.lab()) as found:
        plan = found.plan(f"host add {pair.own.host['name_label']}")
        (told,) = [finding for finding in plan.warnings if finding.id == "join.storage"]
        assert "nosync" in told.evidence
        assert [step.call for step in plan.steps] == ["pool.join", ""]
    pair.pool.pool["ha_enabled"] = True
    with world(pair.lab()) as found:
        (blocker,) = found.plan(f"host add {pair.own.host['name_label']}").blockers
        assert (blocker.id, blocker.code) == ("join.storage", "")


def guarded() -> Lab:
    """xs3 may not mount the pool's NFS export."""
    made = load("tutorial")
    assert made.storage is not None
    (server,) = made.storage.nfs
    exports = tuple(replace(each, access=("10.0.0.101", "10.0.0.102")) for each in server.exports)
    return replace(made, storage=replace(made.storage, nfs=(replace(server, exports=exports),)))


def plugged(found: World, host: str) -> dict[str, bool]:
    mine = found.ref("host", host)
    rows = [row for row in found.api.PBD.get_all_records().values() if row["host"] == mine]
    return {found.api.SR.get_name_label(row["SR"]): row["currently_attached"] for row in rows}


def test_storage_that_does_not_come_by_itself_is_plugged_or_told_with_its_reason() -> None:
    with world(guarded()) as found:
        plan = found.plan("host add xs3 to lab force")
        assert plan.blockers == ()
        titles = [step.title for step in plan.steps if step.mends]
        assert titles == [f"Plug “{name}” on xs3" for name in ("iSCSI storage", "ISO library", "NFS storage")]
        assert found.replanned(plan).digest() == plan.digest()
        found.perform(plan, steps=2)
        assert plugged(found, "xs3")["iSCSI storage"] is True
        assert plugged(found, "xs3")["NFS storage"] is False
        iscsi, mine = found.ref("SR", "iSCSI storage"), found.ref("host", "xs3")
        (pbd,) = (
            ref for ref, row in found.api.PBD.get_all_records().items() if (row["SR"], row["host"]) == (iscsi, mine)
        )
        found.api.PBD.unplug(pbd)
        run = found.run(replace(plan, steps=plan.steps[2:]))
        assert plugged(found, "xs3")["iSCSI storage"] is True
        assert plugged(found, "xs3")["NFS storage"] is False
        told = "; ".join(run.evidence)
        assert "“iSCSI storage” is plugged on xs3" in told
        assert "not done: Plug “NFS storage” on xs3 – " in told
        assert "NFS" in told.partition("Plug “NFS storage” on xs3 – ")[2]
        assert {titles[n] for n in run.missed} >= {"Plug “NFS storage” on xs3"}
        (offer,) = plan.steps[2 + run.missed[-1]].offers
        assert REGISTRY.knows(offer.command)


def test_a_clock_that_is_far_off_stops_it() -> None:
    with world(load("tutorial-start")) as found:
        found.lab.clock("xs2", offset=900.0)
        plan = found.plan("host add xs2")
        (blocker,) = plan.blockers
        assert (blocker.id, blocker.code, blocker.verdict) == ("join.clock", "", Verdict.BLOCK)
        assert "+9" in blocker.evidence or "+89" in blocker.evidence
