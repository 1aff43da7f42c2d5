"""Which calls a plan may make."""

from __future__ import annotations

import pytest

from bot.errors import ToolstackRefusal
from bot.model import Object, ObjectId, Secret, Value
from bot.xapi.readonly import is_read_only
from tests.bot_xapi.conftest import PoolsWith, Serve, plain
from tests.bot_xapi.hosts import Failure, PretendPool


@pytest.mark.parametrize(
    "call",
    [
        "VM.get_possible_hosts",
        "VM.get_record",
        "VM.assert_can_boot_here",
        "host.get_servertime",
        "host.compute_free_memory",
        "host.get_vms_which_prevent_evacuation",
        "pool.ha_compute_hypothetical_max_host_failures_to_tolerate",
        "pool.ha_failover_plan_exists",
        "SR.assert_can_host_ha_statefile",
        "SR.probe",
    ],
)
def test_questions(call: str) -> None:
    assert is_read_only(call)


@pytest.mark.parametrize(
    "call",
    [
        "VM.pool_migrate",
        "VM.set_name_label",
        "VM.start",
        "host.ha_disarm_fencing",
        "pool.ha_prevent_restarts_for",
        "Async.VM.assert_can_boot_here",
        "Async.VM.get_possible_hosts",
        "secret.get_value",
        "secret.get_all_records",
        "VTPM.get_contents",
        "event.inject",
        "task.cancel",
        "session.login_with_password",
        "host.retrieve_wlb_evacuate_recommendations",
        "get_record",
        "VM.",
        ".get_record",
        "",
        "VM.start.get_x",
    ],
)
def test_anything_else_is_refused(call: str, serve: Serve, pools_with: PoolsWith) -> None:
    host = serve(PretendPool())
    with pytest.raises(ValueError, match="read-only"):
        pools_with(plain(host)).view("lab").ask(call)
    assert not host.requests


def test_objects_are_resolved_and_failures_explained(serve: Serve, pools_with: PoolsWith) -> None:
    pool = PretendPool()

    def refuse(method: str, arguments: list[str]) -> object:
        assert arguments == ["OpaqueRef:v1", "OpaqueRef:h2"]
        raise Failure("VM_REQUIRES_SR", "OpaqueRef:v1", "OpaqueRef:NULL")

    pool.extra["VM.assert_can_boot_here"] = refuse
    view = pools_with(plain(serve(pool))).view("lab")
    vm, host = Object(ObjectId("VM", "v1-uuid", "web-1")), Object(ObjectId("host", "h2-uuid", "xs2"))
    with pytest.raises(ToolstackRefusal) as caught:
        view.ask("VM.assert_can_boot_here", vm, host)
    assert caught.value.code == "VM_REQUIRES_SR"
    assert caught.value.message.startswith("web-1 needs the storage, which")


def test_an_object_that_appeared_meanwhile_is_found(serve: Serve, pools_with: PoolsWith) -> None:
    pool = PretendPool()
    pool.extra["VM.get_possible_hosts"] = lambda method, arguments: arguments
    view = pools_with(plain(serve(pool))).view("lab")
    view.inventory()
    pool.put("VM", "OpaqueRef:v9", uuid="v9-uuid", name_label="new")
    assert view.ask("VM.get_possible_hosts", Object(ObjectId("VM", "v9-uuid", "new"))) == ["OpaqueRef:v9"]


def test_an_object_that_is_gone_is_said(serve: Serve, pools_with: PoolsWith) -> None:
    view = pools_with(plain(serve(PretendPool()))).view("lab")
    with pytest.raises(ToolstackRefusal, match="old-vm"):
        view.ask("VM.get_possible_hosts", Object(ObjectId("VM", "no-uuid", "old-vm")))


def test_an_object_of_a_class_outside_the_inventory_is_asked_for(serve: Serve, pools_with: PoolsWith) -> None:
    pool = PretendPool({**PretendPool().records, "VLAN": {"OpaqueRef:l1": {"uuid": "l1-uuid"}}})
    pool.extra["VLAN.get_tag"] = lambda method, arguments: arguments[0]
    view = pools_with(plain(serve(pool))).view("lab")
    assert view.ask("VLAN.get_tag", Object(ObjectId("VLAN", "l1-uuid", ""))) == "OpaqueRef:l1"


def test_values_go_over_the_wire_as_xenapi_takes_them(serve: Serve, pools_with: PoolsWith) -> None:
    pool = PretendPool()
    seen: list[object] = []
    pool.extra["VM.get_possible_hosts"] = lambda method, arguments: seen.extend(arguments)
    view = pools_with(plain(serve(pool))).view("lab")
    view.ask(
        "VM.get_possible_hosts", Value(2**40), Value(True), Value(("a",)), Value({"k": "v"}), Value(None), Value("é")
    )
    assert seen == [str(2**40), True, ["a"], {"k": "v"}, "OpaqueRef:NULL", "é"]


@pytest.mark.parametrize("argument", [Value("bell \x07"), Secret("password")])
def test_what_cannot_be_asked_is_a_bug(argument: Value | Secret, serve: Serve, pools_with: PoolsWith) -> None:
    view = pools_with(plain(serve(PretendPool()))).view("lab")
    with pytest.raises(ValueError, match=r"XML|secret"):
        view.ask("VM.get_record", argument)
