"""The tutorial from beginning to end, by Slack commands only; storage and VMs are made by the witness."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import XenAPI

from bot.model import State
from tests.e2e.conftest import Town, eventually, town
from tests.e2e.test_everyday import done
from tests.e2e.test_hosts import approved_by_two

LONG = 240.0
GIB = 1 << 30
TARGET = "10.0.0.112"


def attached(api: Any) -> str:
    """The iSCSI storage of the tutorial, found and attached as a person would."""
    (coordinator,) = [row["master"] for row in api.pool.get_all_records().values()]
    config = {"target": TARGET}
    for key, tag in (("targetIQN", "TargetIQN"), ("SCSIid", "SCSIid")):
        try:
            api.SR.probe(coordinator, config, "lvmoiscsi", {})
        except XenAPI.Failure as choice:
            found = re.findall(rf"<{tag}>\s*([^<*\s]+)\s*</{tag}>", choice.details[3])
        config[key] = found[0]
    return str(api.SR.create(coordinator, config, "0", "iSCSI storage", "", "lvmoiscsi", "user", True, {}))


def virtual_machine(api: Any, name: str, sr: str) -> None:
    """A small one with a disk on that storage."""
    (template,) = api.VM.get_by_name_label("Other install media")
    vm = api.VM.clone(template, name)
    config = api.VM.get_other_config(vm)
    if "disks" in config:
        api.VM.remove_from_other_config(vm, "disks")
    api.VM.provision(vm)
    for vbd in api.VM.get_VBDs(vm):
        api.VBD.destroy(vbd)
    disk = {"SR": sr, "virtual_size": str(8 * GIB), "type": "user", "sharable": False, "read_only": False,
            "other_config": {}, "name_label": f"{name} disk", "name_description": "", "xenstore_data": {},
            "sm_config": {}, "tags": []}  # fmt: skip
    api.VBD.create({
        "VM": vm, "VDI": api.VDI.create(disk), "userdevice": "0", "bootable": True, "mode": "RW", "type": "Disk",
        "empty": False, "unpluggable": True, "other_config": {"owner": ""}, "qos_algorithm_type": "",
        "qos_algorithm_params": {},
    })  # fmt: skip


def running(place: Town, vm: str) -> str:
    """Where it runs; "" when it does not."""
    api = place.xenapi("xs1")
    (ref,) = api.VM.get_by_name_label(vm)
    record = api.VM.get_record(ref)
    return str(api.host.get_name_label(record["resident_on"])) if record["power_state"] == "Running" else ""


def serving(place: Town) -> set[str]:
    api = place.xenapi("xs1")
    records = api.host.get_all_records().values()
    return {row["name_label"] for row in records if row["enabled"] and api.host_metrics.get_live(row["metrics"])}


def test_three_servers_become_a_pool_that_survives_one_of_them(tmp_path: Path) -> None:
    with town(tmp_path, "tutorial-start", speed=200.0) as place:
        done(place, "host add xs2", LONG)
        done(place, "host mask-cpu xs3 like xs1", LONG)
        done(place, "host add xs3", LONG)
        assert serving(place) == {"xs1", "xs2", "xs3"}

        api = place.xenapi("xs1")
        sr = attached(api)
        assert [row["currently_attached"] for row in api.PBD.get_all_records().values() if row["SR"] == sr] == [
            True
        ] * 3
        for name in ("app-1", "app-2"):
            virtual_machine(api, name, sr)
            done(place, f"vm start {name} on xs2", LONG)
            done(place, f"ha protect {name} restart", LONG)
        done(place, "ha enable on iSCSI storage tolerate 1", LONG)
        assert "tolerates 1 host failure" in place.say("ha status")

        place.lab.kill("xs2")
        for name in ("app-1", "app-2"):
            eventually(lambda name=name: running(place, name) in ("xs1", "xs3"), f"{name} elsewhere", LONG)  # type: ignore[misc]
        assert "xs2" not in serving(place)
        assert "xs2" in place.say("pool status")

        place.lab.start("xs2")
        eventually(lambda: "xs2" in serving(place), "xs2 back", LONG)
        done(place, "ha disable", LONG)
        request_id = approved_by_two(place, "pool shutdown force", "xs1")
        request = place.ended(request_id, LONG)
        assert request.state is State.SUCCEEDED, request.result
        eventually(lambda: not any(host.alive for host in place.lab.estate.hosts.values()), "the end of all", LONG)
