"""The checker of worlds finds each kind of impossibility."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.xapi import lab
from sandbox.xapi.values import NULL
from sandbox.xapi.world import Objects, PoolWorld
from sandbox.xapi.worlds import check

SOUND = lab.load("healthy", now=datetime(2026, 5, 4, tzinfo=UTC)).pools[0]


def first(objects: Objects, cls: str, **wanted: object) -> dict[str, Any]:
    return next(row for row in objects[cls].values() if all(row[name] == value for name, value in wanted.items()))


def web(objects: Objects) -> dict[str, Any]:
    return first(objects, "VM", name_label="shop-1")


def disk(objects: Objects) -> dict[str, Any]:
    return next(row for row in objects["VBD"].values() if objects["VM"][row["VM"]] is web(objects) and not row["empty"])


def management(objects: Objects) -> dict[str, Any]:
    return first(objects, "PIF", management=True)


def duplicate(objects: Objects, cls: str, **changes: object) -> None:
    original = next(iter(objects[cls].values()))
    objects[cls]["OpaqueRef:copy"] = copy.deepcopy(original) | {"uuid": "copy"} | changes


BREAKS: dict[str, tuple[Callable[[Objects], object], str]] = {
    "class": (lambda o: o.update(Flux={}), "has no class Flux"),
    "field": (lambda o: web(o).update(flux=1), "has no field flux"),
    "missing field": (lambda o: web(o).pop("tags"), "the field tags is missing"),
    "type": (lambda o: web(o).update(order="1"), "order is not a int"),
    "bool for int": (lambda o: web(o).update(order=True), "order is not a int"),
    "int for float": (lambda o: web(o).update(HVM_shadow_multiplier=1), "HVM_shadow_multiplier is not a float"),
    "enum": (lambda o: web(o).update(power_state="Asleep"), "power_state is not a enum"),
    "enum in a map": (lambda o: web(o).update(blocked_operations={"fly": "no"}), "blocked_operations is not a map"),
    "time": (lambda o: web(o).update(snapshot_time="yesterday"), "snapshot_time is not a datetime"),
    "uuid": (lambda o: duplicate(o, "VM_metrics", uuid=""), "have the uuid ''"),
    "same uuid": (lambda o: duplicate(o, "VM_metrics", uuid=first(o, "VM_metrics")["uuid"]), "2 objects of class"),
    "reference": (lambda o: web(o).update(affinity="OpaqueRef:no"), "affinity leads to no host"),
    "reference in a set": (
        lambda o: first(o, "pool").update(repositories=["x"]),
        "repositories leads to no Repository",
    ),
    "relation": (lambda o: first(o, "host").update(PBDs=[]), "host.PBDs of 1 objects"),
    "no pool": (lambda o: o["pool"].clear(), "0 pool records"),
    "no coordinator": (lambda o: first(o, "pool").update(master=NULL), "no coordinator"),
    "no management": (lambda o: management(o).update(management=False), "has 0 management interfaces"),
    "no dom0": (
        lambda o: first(o, "VM", is_control_domain=True).update(is_control_domain=False),
        "has 0 control domains",
    ),
    "free memory": (lambda o: first(o, "host_metrics").update(memory_free=1), "free memory is not"),
    "same device": (lambda o: duplicate(o, "PIF", MAC="x", physical=True), "has 2 interfaces"),
    "address": (lambda o: management(o).update(IP="192.0.2.1"), "address is not that of"),
    "MAC": (lambda o: first(o, "VIF").update(MAC=first(o, "PIF", physical=True)["MAC"]), "have the MAC address"),
    "bond": (lambda o: _move_bond_member(o), "members are not on the host"),
    "same PBD": (lambda o: duplicate(o, "PBD"), "has 2 PBDs"),
    "unshared": (lambda o: first(o, "SR", shared=True).update(shared=False), "the unshared SR"),
    "full": (lambda o: first(o, "SR", type="lvmoiscsi").update(physical_utilisation=1 << 60), "more than its size"),
    "running nowhere": (lambda o: web(o).update(domid=-1), "its host or domain says otherwise"),
    "no suspend image": (
        lambda o: web(o).update(power_state="Suspended", resident_on=NULL, domid=-1),
        "its suspend image says otherwise",
    ),
    "snapshot": (lambda o: web(o).update(is_a_snapshot=True), "is not a template"),
    "limits": (lambda o: web(o).update(memory_dynamic_min=1), "limits are out of order"),
    "empty and full": (lambda o: disk(o).update(empty=True), "both empty and full"),
    "detached": (lambda o: disk(o).update(currently_attached=False), "not as attached as"),
    "unplugged SR": (
        lambda o: [row.update(currently_attached=False) for row in o["PBD"].values()],
        "where its disk on iSCSI main is not attached",
    ),
    "same position": (lambda o: _move_drive(o), "2 drives at position 0"),
    "network": (lambda o: _cut_network(o), "runs where its network is not"),
    "alert": (lambda o: o.update(message={"M": _alert("nobody", 3)}), "is about no object"),
    "priority": (lambda o: o.update(message={"M": _alert(first(o, "pool")["uuid"], 7)}), "has the priority 7"),
}


def _move_bond_member(objects: Objects) -> None:
    member = next(row for row in objects["PIF"].values() if row["bond_slave_of"] != NULL)
    member["host"] = next(ref for ref in objects["host"] if ref != member["host"])
    member["device"] = "eth9"


def _move_drive(objects: Objects) -> None:
    for row in objects["VBD"].values():
        row["userdevice"] = "0"


def _cut_network(objects: Objects) -> None:
    network = first(objects, "VIF")["network"]
    for ref, row in list(objects["PIF"].items()):
        if row["network"] == network and row["host"] == web(objects)["resident_on"]:
            row["network"] = next(n for n in objects["network"] if n != network)
            assert ref


def _alert(obj_uuid: str, priority: int) -> dict[str, Any]:
    when = "20260504T00:00:00Z"
    return {
        "uuid": "m",
        "name": "ALARM",
        "cls": "Pool",
        "obj_uuid": obj_uuid,
        "priority": priority,
        "timestamp": when,
        "body": "",
    }


def test_a_sound_world_has_no_problems() -> None:
    assert check.problems(SOUND) == []


@pytest.mark.parametrize("name", BREAKS)
def test_each_impossibility_is_found(name: str) -> None:
    change, expected = BREAKS[name]
    objects = copy.deepcopy(SOUND.objects)
    change(objects)
    found = check.problems(PoolWorld(SOUND.release, objects))
    assert any(expected in problem for problem in found), found
