"""A 26.9 toolstack loads an old database: each upgrade rule, and four databases that a real one loaded."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.xapi import lab
from sandbox.xapi.model import model
from sandbox.xapi.values import NULL
from sandbox.xapi.world import Objects, PoolWorld
from sandbox.xapi.worlds import check, dump, upgrade
from sandbox.xapi.worlds.builder import MIB, derived_fields, fresh_record, stored_defaults

from .shared import DUMPS, SHOWN_BY_26_9, needs_pools

FILES = Path(__file__).parent / "files"


def old(release: str, **tables: dict[str, dict[str, Any]]) -> PoolWorld:
    """A pool of that release with the given objects; what they leave out has the old release's defaults."""
    given: dict[str, dict[str, dict[str, Any]]] = {"pool": {"P": {"master": "H"}}, "host": {"H": {}}, **tables}
    objects: Objects = {
        cls: {ref: fresh_record(release, cls) | {"uuid": ref} | row for ref, row in rows.items()}
        for cls, rows in given.items()
    }
    return PoolWorld(release, objects)


def after(world: PoolWorld, cls: str, ref: str) -> dict[str, Any]:
    return upgrade.upgraded(world).objects[cls][ref]


def test_new_fields_have_their_defaults_and_old_values_stay() -> None:
    host = after(old("tampa", host={"H": {"name_label": "xs1", "enabled": True}}), "host", "H")
    assert host.keys() == stored_defaults("26.9.0", "host").keys()
    assert (host["name_label"], host["enabled"], host["ntp_mode"], host["ssl_legacy"]) == (
        "xs1",
        True,
        "Factory",
        False,
    )


def test_a_current_world_is_not_touched() -> None:
    world = old("26.9.0")
    assert upgrade.upgraded(world) is world


def test_the_file_itself_is_not_changed() -> None:
    world = old(
        "boston",
        pool={"P": {"master": "H", "other_config": {"mail-min-priority": "10"}}},
        VM={"V": {"platform": {"acpi": "1"}, "HVM_boot_policy": "BIOS order"}},
        PBD={"B": {"device_config": {"SRmaster": "true"}}},
    )
    before = copy.deepcopy(world.objects)
    upgrade.upgraded(world)
    assert world.objects == before


@pytest.mark.parametrize(
    ("fields", "domain_type", "platform"),
    [
        ({"HVM_boot_policy": "BIOS order"}, "hvm", {"device-model": "qemu-upstream-compat"}),
        ({"HVM_boot_policy": "BIOS order", "platform": {"device-model": "qemu-trad"}}, "hvm", None),
        ({"HVM_boot_policy": "BIOS order", "is_a_template": True}, "hvm", {}),
        ({"PV_bootloader": "pygrub"}, "pv", {}),
        ({"is_control_domain": True}, "pv", {}),
    ],
)
def test_domain_types_and_device_models(
    fields: dict[str, Any], domain_type: str, platform: dict[str, str] | None
) -> None:
    vm = after(old("tampa", VM={"V": fields}), "VM", "V")
    assert vm["domain_type"] == domain_type
    assert vm["platform"] == ({"device-model": "qemu-upstream-compat"} if platform is None else platform)
    assert vm["has_vendor_device"] is False


def test_snapshot_metadata_gets_the_device_model_too() -> None:
    saved = "(('name__label' 'it\\'s') ('platform' '((\\'acpi\\' \\'1\\'))'))"
    world = old("tampa", VM={"V": {"HVM_boot_policy": "BIOS order", "snapshot_metadata": saved}})
    platform = "((\\'device-model\\' \\'qemu-upstream-compat\\') (\\'acpi\\' \\'1\\'))"
    expected = f"(('name__label' 'it\\'s') ('platform' '{platform}'))"
    assert after(world, "VM", "V")["snapshot_metadata"] == expected


@pytest.mark.parametrize(
    ("priority", "config", "expected"),
    [
        ("2", {}, ("restart", 2)),
        ("best-effort", {}, ("best-effort", 0)),
        ("", {"auto_poweron": "true"}, ("best-effort", 0)),
        ("1", {"auto_poweron": "true"}, ("restart", 1)),
        ("", {}, ("", 0)),
    ],
)
def test_restart_priorities_of_5_6(priority: str, config: dict[str, str], expected: tuple[str, int]) -> None:
    vm = after(old("cowley", VM={"V": {"ha_restart_priority": priority, "other_config": config}}), "VM", "V")
    assert (vm["ha_restart_priority"], vm["order"]) == expected


def test_restart_priorities_of_6_x_stay() -> None:
    vm = after(old("tampa", VM={"V": {"ha_restart_priority": "restart", "order": 7}}), "VM", "V")
    assert (vm["ha_restart_priority"], vm["order"]) == ("restart", 7)


@pytest.mark.parametrize(
    ("before", "later"), [("11", "0"), ("10", "1"), ("7", "2"), ("5", "3"), ("4", "4"), ("1", "5")]
)
def test_the_scale_of_mail_priorities_turns_round(before: str, later: str) -> None:
    pool = {"P": {"master": "H", "other_config": {"mail-min-priority": before}}}
    assert after(old("tampa", pool=pool), "pool", "P")["other_config"] == {"mail-min-priority": later}
    assert after(old("cream", pool=pool), "pool", "P")["other_config"] == {"mail-min-priority": before}


def test_snapshots_of_5_5_are_linked() -> None:
    snapshots = {
        f"S{day}": {"snapshot_of": "V", "snapshot_time": f"2009010{day}T00:00:00Z", "is_a_snapshot": True}
        for day in (2, 1, 3)
    }
    vms = upgrade.upgraded(old("george", VM={"V": {}, **snapshots})).objects["VM"]
    assert {ref: vm["parent"] for ref, vm in vms.items()} == {"S1": NULL, "S2": "S1", "S3": NULL, "V": "S3"}
    assert vms["V"]["bios_strings"]["system-product-name"] == "HVM domU"


def test_interfaces() -> None:
    world = old(
        "boston",
        PIF={
            "physical": {"physical": True, "metrics": "M1"},
            "vlan": {"metrics": "M2", "VLAN": 7},
            "bond": {"metrics": "M3"},
        },
        PIF_metrics={"M1": {}, "M2": {}, "M3": {}},
        VLAN={"W": {"tagged_PIF": "physical", "untagged_PIF": "vlan"}},
        Bond={"B": {"master": "bond"}},
    )
    objects = upgrade.upgraded(world).objects
    assert {ref: row["properties"] for ref, row in objects["PIF"].items()} == {
        "physical": {"gro": "on"},
        "vlan": {},
        "bond": {"gro": "on"},
    }
    assert objects["PIF"]["vlan"]["metrics"] == "M1"
    assert objects["PIF_metrics"].keys() == {"M1", "M3"}


def test_passwords_of_storage_become_secrets() -> None:
    pbd = {"B": {"device_config": {"target": "t", "chappassword": "hunter2", "SRmaster": "true"}}}
    objects = upgrade.upgraded(old("tampa", PBD=pbd)).objects
    (secret,) = objects["secret"].values()
    assert secret["value"] == "hunter2"
    assert objects["PBD"]["B"]["device_config"] == {"target": "t", "chappassword_secret": secret["uuid"]}


def test_what_was_removed_or_replaced() -> None:
    world = old(
        "cowley",
        VMPP={"policy": {}},
        VM={"V": {"protection_policy": "policy", "is_snapshot_from_vmpp": True}},
        VBD={"D": {"metrics": "gone", "VM": "V"}},
        VDI={"redo": {"type": "metadata"}},
        VM_guest_metrics={"G": {"memory": {"a": "b"}, "os_version": {"name": "Debian"}}},
        user={"U": {}},
    )
    objects = upgrade.upgraded(world).objects
    assert objects.keys() & {"VMPP", "user"} == set()
    assert (objects["VM"]["V"]["protection_policy"], objects["VM"]["V"]["is_snapshot_from_vmpp"]) == (NULL, False)
    assert objects["VBD"]["D"]["metrics"] == NULL
    assert objects["VDI"]["redo"]["type"] == "redo_log"
    assert objects["VM_guest_metrics"]["G"]["os_version"] == {"name": "Debian"}
    assert objects["VM_guest_metrics"]["G"]["memory"] == {}


def test_gpus_support_passthrough() -> None:
    objects = upgrade.upgraded(old("boston", PGPU={"G": {}}, VGPU={"W": {}})).objects
    ((ref, gpu_type),) = objects["VGPU_type"].items()
    assert gpu_type["identifier"] == "0001:passthrough"
    assert objects["PGPU"]["G"]["supported_VGPU_types"] == objects["PGPU"]["G"]["enabled_VGPU_types"] == [ref]
    assert objects["VGPU"]["W"]["type"] == ref
    assert "VGPU_type" not in upgrade.upgraded(old("boston")).objects


def test_recommendations_controllers_networks_and_guidance() -> None:
    world = old(
        "creedence",
        pool={"P": {"master": "H", "vswitch_controller": "192.0.2.7"}},
        VM={"V": {"recommendations": '<r><restriction field="allow-gpu-passthrough" value="0"></restriction></r>'}},
        network={"N": {"bridge": "xapi3", "other_config": {"is_guest_installer_network": "true"}}},
    )
    objects = upgrade.upgraded(world).objects
    assert 'field="allow-vgpu" value="0"' in objects["VM"]["V"]["recommendations"]
    assert 'field="allow-gpu-passthrough" value="1"' in objects["VM"]["V"]["recommendations"]
    (controller,) = objects["SDN_controller"].values()
    assert (controller["address"], controller["port"], controller["protocol"]) == ("192.0.2.7", 6632, "ssl")
    assert objects["network"]["N"]["bridge"] == "xenapi"


def test_what_updates_ask_for_became_a_recommendation() -> None:
    asked = ["restart_toolstack", "reboot_host_on_livepatch_failure"]
    host = after(old("23.18.0", host={"H": {"pending_guidances": asked}}), "host", "H")
    assert host["pending_guidances"] == []
    assert set(host["pending_guidances_recommended"]) == {
        "restart_toolstack",
        "reboot_host_on_kernel_livepatch_failure",
        "reboot_host_on_xen_livepatch_failure",
    }
    kept = after(old("24.19.0", host={"H": {"pending_guidances": ["reboot_host"]}}), "host", "H")
    assert kept["pending_guidances"] == ["reboot_host"]


def test_memory_overhead_grows() -> None:
    fields = {"HVM_boot_policy": "BIOS order", "memory_static_max": 1024 * MIB, "VCPUs_max": 8, "memory_overhead": 1}
    assert after(old("tampa", VM={"V": fields}), "VM", "V")["memory_overhead"] == 20 * MIB


def test_notes_say_that_it_is_upgraded() -> None:
    world = upgrade.upgraded(dump.read((FILES / "escapes.xml").read_bytes()))
    assert world.release == "26.9.0"
    assert world.notes[-1] == "Shown as xapi 26.9.0 shows it after loading."
    known = model("26.9.0")
    for cls, rows in world.objects.items():
        for row in rows.values():
            assert row.keys() == stored_defaults("26.9.0", cls).keys()
            assert all(check.fits(known, known.classes[cls].fields[name].type, value) for name, value in row.items())


# Measured by the running toolstack; the real one had no hypervisor to measure.
MEASURED = {("VM_metrics", "memory_actual"), ("host_metrics", "memory_free")}
# One new object, to which the toolstack gives a reference of its own.
NEW = {("PGPU", "supported_VGPU_types"), ("PGPU", "enabled_VGPU_types")}


@needs_pools
@pytest.mark.parametrize("shown", SHOWN_BY_26_9, ids=lambda path: path.stem)
def test_it_is_as_a_real_26_9_shows_it(shown: Path) -> None:
    real: Objects = json.loads(shown.read_bytes())
    path = next(path for path in DUMPS if path.stem == shown.stem)
    ours = lab.load(db=path, upgrade=True).pools[0].objects
    assert ours.keys() == real.keys()
    differing = set()
    for cls, rows in ours.items():
        if cls == "VGPU_type":
            continue
        assert rows.keys() == real[cls].keys()
        for ref, row in rows.items():
            for name, value in row.items():
                other = real[cls][ref][name]
                if value != other or _kind(value) != _kind(other):
                    differing.add((cls, name))
    assert differing <= MEASURED | NEW
    for cls, rows in real.items():
        derived = next(iter(rows.values())).keys() - next(iter(ours[cls].values())).keys()
        assert {(cls, name) for name in derived} <= derived_fields("26.9.0")


def _kind(value: object) -> type:
    return str if isinstance(value, str) else type(value)
