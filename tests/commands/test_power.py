"""Starting, stopping, suspending: a world and a command give a plan or every reason against it, and the toolstack,
really asked, gives the first of these.
"""

from __future__ import annotations

import pytest

from bot.model import Risk
from tests.commands.blocked import Case, compare
from tests.commands.changes import guest_says_no, host_dead, host_disabled, other_cpu, pci
from tests.commands.world import NULL, Changed, Made, World, codes, refused, world


def blocked(operation: str, vm: str) -> Changed:
    return lambda made: made.row("VM", vm)["blocked_operations"].update({operation: "the owner says no"})


def unplugged(made: Made) -> None:
    for pbd in made.pbds("NFS storage", "xs2"):
        pbd["currently_attached"] = False


def no_network(made: Made) -> None:
    """wiki-1 is on a network that only xs1 has."""
    network = dict(made.row("network", "Pool-wide network associated with eth0"), uuid="0" * 8, name_label="only xs1")
    made.objects["network"]["OpaqueRef:only"] = network
    pif = next(row for row in made.objects["PIF"].values() if row["host"] == made.ref("host", "xs1"))
    made.objects["PIF"]["OpaqueRef:pif"] = dict(pif, uuid="1" * 8, network="OpaqueRef:only", device="eth9")
    made.vifs("wiki-1")[0]["network"] = "OpaqueRef:only"


def no_virtualisation(made: Made) -> None:
    made.row("host", "xs2")["capabilities"] = ["xen-3.0-x86_64"]
    made.row("VM", "wiki-1")["HVM_boot_policy"] = "BIOS order"


def many_vcpus(made: Made) -> None:
    made.row("VM", "wiki-1").update(VCPUs_max=200, VCPUs_at_startup=2)


def too_big(made: Made) -> None:
    made.memory("wiki-1", 60)


def everything(made: Made) -> None:
    for change in (host_disabled, unplugged, no_network, no_virtualisation, too_big, many_vcpus):
        change(made)
    blocked("start_on", "wiki-1")(made)


def halted_giant(made: Made) -> None:
    """shop-1 is halted, protected and so big that no other host could take it over."""
    row = made.row("VM", "shop-1")
    for each in made.vbds("shop-1") + made.vifs("shop-1"):
        each["currently_attached"] = False
    row.update(power_state="Halted", resident_on=NULL, domid=-1, ha_always_run=False, guest_metrics=NULL)
    made.memory("shop-1", 165)


def old_hardware(made: Made) -> None:
    made.row("VM", "spare-1")["hardware_platform_version"] = 9


def wrong_parameters(made: Made) -> None:
    made.row("VM", "wiki-1")["actions_after_crash"] = "rename_restart"


def without_tools(made: Made) -> None:
    metrics = made.row("VM", "shop-1")["guest_metrics"]
    made.objects["VM_guest_metrics"][metrics].update(PV_drivers_version={}, other={})


def no_suspend_storage(made: Made) -> None:
    made.pool.update(suspend_image_SR=NULL, default_SR=NULL)
    for host in ("xs1", "xs2"):
        made.row("host", host)["suspend_image_sr"] = NULL


CASES = (
    Case("vm start wiki-1 on xs2", ("OPERATION_BLOCKED",), blocked("start_on", "wiki-1")),
    Case("vm start wiki-1 on xs2", ("HOST_DISABLED",), host_disabled),
    Case("vm start wiki-1 on xs2", ("HOST_NOT_LIVE",), host_dead),
    Case("vm start wiki-1 on xs2", ("VM_REQUIRES_SR",), unplugged),
    Case("vm start wiki-1 on xs2", ("VM_REQUIRES_NETWORK",), no_network),
    Case("vm start wiki-1 on xs2", ("VM_HVM_REQUIRED",), no_virtualisation),
    Case("vm start wiki-1 on xs2", ("HOST_NOT_ENOUGH_PCPUS",), many_vcpus),
    Case("vm start analysis-1 on xs1", ("HOST_NOT_ENOUGH_FREE_MEMORY",)),
    Case("vm start wiki-1 on xs2", ("VALUE_NOT_SUPPORTED",), wrong_parameters, forecast=False),
    Case(
        "vm start spare-1 on xs22",
        ("VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION",),
        old_hardware,
        lab="current",
    ),
    Case(
        "vm start wiki-1 on xs2",
        (
            "OPERATION_BLOCKED",
            "HOST_DISABLED",
            "VM_REQUIRES_SR",
            "VM_REQUIRES_NETWORK",
            "VM_HVM_REQUIRED",
            "HOST_NOT_ENOUGH_FREE_MEMORY",
            "HOST_NOT_ENOUGH_PCPUS",
        ),
        everything,
    ),
    Case("vm start shop-1 on xs31", ("HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN",), halted_giant, lab="healthy"),
    Case("vm resume report-1 on xs2", ("HOST_DISABLED",), host_disabled),
    Case("vm resume report-1 on xs2", ("OPERATION_BLOCKED",), blocked("resume_on", "report-1")),
    Case("vm shutdown legacy-1", ("VM_MISSING_PV_DRIVERS",)),
    Case("vm shutdown shop-1", ("VM_LACKS_FEATURE",), without_tools, lab="current"),
    Case("vm shutdown web-1", ("OPERATION_BLOCKED",), blocked("clean_shutdown", "web-1")),
    Case("vm shutdown web-1 force", ("OPERATION_BLOCKED",), blocked("hard_shutdown", "web-1")),
    Case("vm shutdown web-2", ("HOST_OFFLINE",), host_dead),
    Case("vm reboot legacy-1", ("VM_MISSING_PV_DRIVERS",)),
    Case("vm reboot web-1", ("OPERATION_BLOCKED",), blocked("clean_reboot", "web-1")),
    Case("vm suspend legacy-1", ("VM_MISSING_PV_DRIVERS",)),
    Case("vm suspend web-1", ("VM_NON_SUSPENDABLE",), guest_says_no),
    Case("vm suspend web-1", ("VM_HAS_PCI_ATTACHED",), pci),
    Case("vm suspend web-1", ("VM_NO_SUSPEND_SR",), no_suspend_storage),
    Case("vm migrate web-1 to xs2", ("VM_INCOMPATIBLE_WITH_THIS_HOST",), other_cpu),
    Case("vm migrate legacy-1 to xs1", ("VM_MISSING_PV_DRIVERS",)),
    Case("vm migrate build-1 to xs2", ("VM_REQUIRES_SR",)),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_blocker_is_told_and_the_toolstack_says_the_first(case: Case) -> None:
    with world(case.lab, case.change) as found:
        compare(case, found)


@pytest.mark.parametrize(
    ("text", "words", "call", "arguments"),
    [
        ("vm start web-1", "is running on xs1", "VM.start_on", ("xs1", False, False)),
        ("vm start report-1", "is suspended", "VM.start_on", ("xs1", False, False)),
        ("vm resume web-1", "is running on xs1", "VM.resume_on", ("xs1", False, False)),
        ("vm shutdown wiki-1", "is halted", "VM.clean_shutdown", ()),
        ("vm shutdown report-1", "is suspended", "VM.clean_shutdown", ()),
        ("vm reboot wiki-1", "is halted", "VM.clean_reboot", ()),
        ("vm suspend wiki-1", "is halted", "VM.suspend", ()),
        ("vm migrate wiki-1", "is halted", "VM.pool_migrate", ("xs1", {})),
    ],
)
def test_what_is_so_already_is_said(
    tutorial: World, text: str, words: str, call: str, arguments: tuple[object, ...]
) -> None:
    refusal = refused(tutorial, text)
    assert words in refusal.message
    assert refusal.remedy
    vm = tutorial.ref("VM", text.split()[2])
    sent = [tutorial.ref("host", each) if each == "xs1" else each for each in arguments]
    assert tutorial.code_of(call, vm, *sent) == "VM_BAD_POWER_STATE"


def test_starting_without_a_host_takes_the_home_server_or_the_roomiest() -> None:
    def at_home(made: Made) -> None:
        made.row("VM", "wiki-1")["affinity"] = made.ref("host", "xs1")

    with world(change=at_home) as found:
        plan = found.plan("vm start wiki-1")
        assert plan.title == "start wiki-1 on xs1"
        assert "home server" in plan.reasons[0]
        assert found.replanned(plan).digest() == plan.digest()


def test_no_host_at_all_is_refused_with_each_host_s_reasons(tutorial: World) -> None:
    refusal = refused(tutorial, "vm start analysis-1")
    assert len(refusal.evidence) == 2
    assert "56.5 GiB needed" in refusal.evidence[0]
    assert tutorial.code_of("VM.start", tutorial.ref("VM", "analysis-1"), False, False) == "NO_HOSTS_AVAILABLE"


def test_who_blocks_starting_means_every_host() -> None:
    with world(change=blocked("start", "wiki-1")) as found:
        plan = found.plan("vm start wiki-1")
        assert [finding.id for finding in plan.blockers] == ["vm.blocked"]
        assert codes(plan) == [""]


def test_a_vm_lives_through_all_of_it_and_another_client_sees_it() -> None:
    """Each plan is replanned to the same digest, done step by step, and read by a second client."""
    with world() as found:
        found.done("vm start wiki-1 on xs1")
        assert (found.record("VM", "wiki-1")["power_state"], found.host_of("wiki-1")) == ("Running", "xs1")
        domid = found.record("VM", "wiki-1")["domid"]
        assert found.done("vm reboot wiki-1").risk is Risk.DISRUPTIVE
        assert found.record("VM", "wiki-1")["domid"] != domid
        back = found.done("vm suspend wiki-1").go_back
        assert found.record("VM", "wiki-1")["power_state"] == "Suspended"
        assert back == "vm resume wiki-1 on xs1 in lab"
        found.done(back)
        assert (found.record("VM", "wiki-1")["power_state"], found.host_of("wiki-1")) == ("Running", "xs1")
        assert found.done("vm shutdown wiki-1").go_back == "vm start wiki-1 on xs1 in lab"
        assert found.record("VM", "wiki-1")["power_state"] == "Halted"
        found.done("vm shutdown report-1 force")
        assert found.record("VM", "report-1")["power_state"] == "Halted"


def test_a_reboot_that_did_not_happen_is_not_believed() -> None:
    """Running before and running after proves nothing; the same domain does."""
    with world() as found:
        step = found.plan("vm reboot web-1").steps[0]
        hands = found.pools.hands(found.name)
        assert hands.holds(step.expect[0], {})[0]
        holds, words = hands.holds(step.expect[1], {})
        assert not holds
        assert "as before" in words


def test_shutting_a_protected_vm_down_says_what_ha_will_do() -> None:
    with world("healthy") as found:
        assert "HA does not restart it" in " ".join(found.plan("vm shutdown shop-1").impact)


@pytest.mark.parametrize("lab", ["tutorial", "current", "healthy"])
def test_free_memory_is_what_the_toolstack_reckons(lab: str) -> None:
    from bot.rules import memory

    with world(lab) as found:
        api, inventory = found.api, found.view.inventory()
        for host in inventory.hosts:
            assert memory.free(host, inventory) == int(api.host.compute_free_memory(host.ref))


def test_why_names_every_host_and_every_reason() -> None:
    with world(change=host_disabled) as found:
        report = found.report("vm why build-1")
        rows = {row[0].text: (row[1].text, row[3].text) for row in report.parts[0].rows}  # type: ignore[union-attr]
        assert rows["xs1"] == ("runs here", "")
        assert rows["xs2"][0] == "no"
        assert "disabled" in rows["xs2"][1]
        assert "Local storage" in rows["xs2"][1]
        assert "no other host could take it" in report.summary
        assert not report.suggestions


@pytest.mark.parametrize("lab", ["tutorial", "current", "healthy"])
def test_why_agrees_with_the_toolstack_on_every_vm_and_host(lab: str) -> None:
    with world(lab) as found:
        inventory = found.view.inventory()
        for vm in inventory.guests:
            rows = found.report(f"vm why {vm.uuid}").parts[0].rows  # type: ignore[union-attr]
            # At home the toolstack counts the VM's memory twice; what runs there can.
            elsewhere = [host for host in inventory.hosts if host != vm.resident_on]
            ours = {row[0].text for row in rows if not row[3].text and row[1].text != "runs here"}
            theirs = {host.name for host in elsewhere if not found.code_of("VM.assert_can_boot_here", vm.ref, host.ref)}
            assert ours == theirs, vm.name
