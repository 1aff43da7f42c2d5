"""What hosts of different versions, a licence and the settings of a VM forbid: told beforehand, with the codes that the
toolstack, really asked, gives.
"""

from __future__ import annotations

from unittest import mock

import pytest

from tests.commands.blocked import Case, compare
from tests.commands.world import Changed, Made, codes, world

UPGRADE = "NOT_SUPPORTED_DURING_UPGRADE"


def older(host: str, **version: str) -> Changed:
    return lambda made: made.row("host", host)["software_version"].update(version)


def flagged(made: Made) -> None:
    """As between two hosts of an upgrade."""
    older("xs2", platform_version="1.8.0")(made)
    made.pool["other_config"]["rolling_upgrade_in_progress"] = "true"


def restricted(**keys: str) -> Changed:
    return lambda made: made.pool["restrictions"].update(keys)


def tied(vm: str, key: str) -> Changed:
    def change(made: Made) -> None:
        row = made.row("VM", vm)
        row["platform"][key] = "true"
        made.objects["VM_metrics"][row["metrics"]][key.replace("-", "_")] = True

    return change


CASES = (
    Case("vm migrate web-1 to xs2", (UPGRADE,), older("xs2", platform_version="1.8.0")),
    Case("vm start wiki-1 on xs2", (UPGRADE,), flagged),
    Case("vm resume report-1 on xs2", (UPGRADE,), flagged),
    Case("vm migrate web-1 to xs2", ("LICENCE_RESTRICTION",), restricted(restrict_xen_motion="true")),
    Case("vm migrate shop-2 to xs23", ("VM_IS_IMMOBILE",), tied("shop-2", "nested-virt"), lab="current"),
    Case("vm suspend shop-2", ("VM_IS_IMMOBILE",), tied("shop-2", "nomigrate"), lab="current"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.text}: {case.codes[0]}")
def test_every_blocker_is_told_and_the_toolstack_says_the_same(case: Case) -> None:
    with world(case.lab, case.change) as found:
        compare(case, found)


def test_a_newer_host_takes_what_an_older_one_may_not_start() -> None:
    with world(change=flagged) as found:
        plan = found.plan("vm start wiki-1")
        assert not plan.blockers
        assert plan.title == "start wiki-1 on xs1"
        assert any("xs2 cannot: it runs" in reason and "an upgrade is under way" in reason for reason in plan.reasons)


@pytest.mark.parametrize("key", ["xen", "xapi_build"])
def test_no_vm_goes_back_to_an_older_hypervisor_or_toolstack(key: str) -> None:
    """The toolstack keeps only its own evacuation from it, so each move would be taken."""
    behind = {"xen": "4.17.5-2", "xapi_build": "26.8.9"}[key]

    def change(made: Made) -> None:
        for name in ("xs21", "xs23"):
            older(name, **{key: behind})(made)

    with world("current", change) as found:
        plan = found.plan("host maintenance xs22 on")
        left = [finding for finding in plan.blockers if finding.id == "vm.leaves"]
        assert left
        assert all(behind in finding.evidence for finding in left)
        prevented = found.api.host.get_vms_which_prevent_evacuation(found.ref("host", "xs22"))
        assert {error[0] for error in prevented.values()} == {"NO_HOSTS_AVAILABLE"}
        assert len(prevented) == len(left)


def test_up_to_24_only_the_platform_counts() -> None:
    with world(change=older("xs2", xen="4.4.0-1")) as found:
        assert not found.plan("vm migrate web-1 to xs2").blockers


def test_a_vm_that_its_settings_tie_keeps_its_host_from_being_emptied() -> None:
    with world("current", tied("shop-2", "nested-virt")) as found:
        (vm,) = [ref for ref, row in found.api.VM.get_all_records().items() if row["name_label"] == "shop-2"]
        home = found.api.host.get_name_label(found.api.VM.get_resident_on(vm))
        blockers = found.plan(f"host maintenance {home} on").blockers
        (left,) = [each for each in blockers if each.subject is not None and each.subject.name == "shop-2"]
        assert left.code == "VM_IS_IMMOBILE"
        assert "platform:nested-virt=false" in left.remedy
        assert found.api.host.get_vms_which_prevent_evacuation(found.ref("host", home))[vm][0] == "VM_IS_IMMOBILE"


def test_an_older_product_does_not_know_such_settings() -> None:
    with world(change=lambda made: made.row("VM", "web-1")["platform"].update({"nomigrate": "true"})) as found:
        assert "VM_IS_IMMOBILE" not in codes(found.plan("vm migrate web-1 to xs2"))


# --- operations of the whole pool -------------------------------------------------------------------------------------


def unrotated(made: Made) -> None:
    made.pool["is_psr_pending"] = True


POOL_CASES = (
    Case("ha enable on iSCSI storage", ("LICENCE_RESTRICTION",), restricted(enable_xha="false")),
    Case("ha enable on iSCSI storage", (UPGRADE,), older("xs2", platform_version="1.8.0")),
    Case("ha disable", ("POOL_SECRET_ROTATION_PENDING",), unrotated, lab="healthy"),
    Case("pool coordinator xs22", ("POOL_SECRET_ROTATION_PENDING",), unrotated, lab="current"),
)


@pytest.mark.parametrize("case", POOL_CASES, ids=lambda case: f"{case.text}: {case.codes[0]}")
def test_what_the_whole_pool_forbids_is_told_and_the_toolstack_says_the_same(case: Case) -> None:
    with world(case.lab, case.change) as found:
        compare(case, found)


def test_no_host_leaves_while_the_secret_is_being_changed() -> None:
    with world("current", unrotated) as found:
        assert codes(found.plan("host remove xs22"))[0] == "POOL_SECRET_ROTATION_PENDING"
        assert found.code_of("pool.eject", found.ref("host", "xs22")) == "POOL_SECRET_ROTATION_PENDING"


@pytest.mark.parametrize(
    ("operation", "code"), [("sync_updates", "SYNC_UPDATES_IN_PROGRESS"), ("eject", "OTHER_OPERATION_IN_PROGRESS")]
)
def test_what_goes_on_in_the_pool_has_the_code_that_the_toolstack_has_for_it(operation: str, code: str) -> None:
    def busy(made: Made) -> None:
        made.pool["current_operations"] = {"OpaqueRef:somebody": operation}

    with world("current", busy) as found:
        (blocker,) = [each for each in found.plan("pool coordinator xs22").blockers if each.id == "pool.busy"]
        assert blocker.code == code
        assert operation in blocker.evidence


# --- what the toolstack knows better ----------------------------------------------------------------------------------


def test_a_setting_that_was_made_after_the_start_ties_no_running_vm() -> None:
    def later(made: Made) -> None:
        row = made.row("VM", "shop-2")
        row["platform"]["nested-virt"] = "true"
        made.objects["VM_metrics"][row["metrics"]]["nested_virt"] = False

    with world("current", later) as found:
        assert not found.plan("vm migrate shop-2 to xs23").blockers
        found.done("vm migrate shop-2 to xs23")


def test_a_virtual_gpu_that_the_toolstack_would_move_is_no_reason_against_it() -> None:
    def card(made: Made) -> None:
        made.objects["VGPU"] = {"OpaqueRef:vgpu": {"uuid": "7" * 8, "VM": made.ref("VM", "shop-2")}}

    with world("current", card) as found:
        plan = found.plan("vm migrate shop-2 to xs23")
        assert "VM_HAS_VGPU" in codes(plan)
        ask = type(found.view).ask
        allowed = lambda view, call, *more: None if call.startswith("VM.assert_") else ask(view, call, *more)  # noqa: E731
        with mock.patch.object(type(found.view), "ask", allowed):
            assert not found.plan("vm migrate shop-2 to xs23").blockers


def test_a_host_is_emptied_of_such_a_vm_too_and_gets_it_back() -> None:
    def later(made: Made) -> None:
        tied("shop-3", "nested-virt")(made)
        made.objects["VM_metrics"][made.row("VM", "shop-3")["metrics"]]["nested_virt"] = False

    with world("healthy", later) as found:
        home = found.host_of("shop-3")
        found.done(f"host maintenance {home} on")
        assert found.host_of("shop-3") not in ("", home)
        found.done(f"host maintenance {home} off")
        assert found.host_of("shop-3") == home


def test_a_vm_that_is_really_tied_to_its_host_keeps_it_from_going_down() -> None:
    with world("healthy", tied("shop-3", "nested-virt")) as found:
        for ask in ("reboot xs33", "shutdown xs33"):
            (blocker,) = [each for each in found.plan(f"host {ask}").blockers if each.id == "vm.leaves"]
            assert blocker.subject is not None
            assert (blocker.subject.name, blocker.code) == ("shop-3", "VM_IS_IMMOBILE")


@pytest.mark.parametrize("with_card", ["xs31", "xs32"])
def test_a_virtual_gpu_that_the_toolstack_would_move_goes_where_a_card_is(with_card: str) -> None:
    group, kind, cards = "OpaqueRef:group", "OpaqueRef:kind", [f"OpaqueRef:card {host}" for host in ("xs33", with_card)]

    def card(made: Made) -> None:
        hosts = [made.ref("host", host) for host in ("xs33", with_card)]
        made.objects["GPU_group"] = {group: {"uuid": "6" * 8, "PGPUs": cards}}
        made.objects["PGPU"] = {
            ref: {"uuid": ref, "host": host, "GPU_group": group} for ref, host in zip(cards, hosts, strict=True)
        }
        made.objects["VGPU_type"] = {kind: {"uuid": "5" * 8, "framebuffer_size": 1 << 30}}
        vgpu = {"uuid": "7" * 8, "VM": made.ref("VM", "shop-3"), "GPU_group": group, "type": kind}
        made.objects["VGPU"] = {"OpaqueRef:vgpu": vgpu}

    with world("healthy", card) as found:
        (blocker,) = found.plan("host maintenance xs33 on").blockers
        assert blocker.code == "VM_HAS_VGPU"
        ask, call = type(found.view).ask, "VM.assert_operation_valid"
        allowed = lambda view, asked, *more: None if asked == call else ask(view, asked, *more)  # noqa: E731
        with mock.patch.object(type(found.view), "ask", allowed):
            plan = found.plan("host maintenance xs33 on")
        assert not plan.blockers
        (move,) = [step for step in plan.steps if step.trace and step.trace.object.name == "shop-3"]
        assert move.title.endswith(f" to {with_card}")
