"""The tutorial from its beginning to its end, by Slack commands: three servers become a pool that survives one of them
and is shut down. Storage and VMs are made by another XenAPI client, who also looks at the pool after each action.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import XenAPI

from bot.model import State
from tests.e2e.conftest import Town, text_of, town
from tests.e2e.people import approved_by_two, done, note
from tests.waiting import eventually

LONG = 300.0
SPEED = 400.0
"""HA's sixty seconds of patience and a reboot of minutes take less than a second."""
TARGET = "10.0.0.112"
TEMPLATE = "Debian Wheezy 7.0 (64-bit)"
APPS = {"app-1": "xs2", "app-2": "xs2", "app-3": "xs3"}
"""VM → host it is started on."""


@dataclass(frozen=True)
class Witness:
    """A second client, at the coordinator."""

    api: Any

    def hosts(self) -> set[str]:
        return {row["name_label"] for row in self.api.host.get_all_records().values()}

    def serving(self) -> set[str]:
        """The hosts that are enabled and alive."""
        rows = self.api.host.get_all_records().values()
        return {r["name_label"] for r in rows if r["enabled"] and self.api.host_metrics.get_live(r["metrics"])}

    def features(self, host: str) -> str:
        return str(self.api.host.get_cpu_info(self.ref("host", host))["features"])

    def pool(self) -> dict[str, Any]:
        (row,) = self.api.pool.get_all_records().values()
        return dict(row)

    def vm(self, name: str) -> dict[str, Any]:
        return dict(self.api.VM.get_record(self.ref("VM", name)))

    def where(self, name: str) -> str:
        """The host it runs on; "" where it does not run."""
        row = self.vm(name)
        return str(self.api.host.get_name_label(row["resident_on"])) if row["power_state"] == "Running" else ""

    def ref(self, kind: str, name: str) -> str:
        (found,) = getattr(self.api, kind).get_by_name_label(name)
        return str(found)

    def attach(self, name: str) -> str:
        """The target's free LUN as a shared SR, found as a person finds it: each refusal lists what there is."""
        coordinator, config = self.pool()["master"], {"target": TARGET}
        for key, tag in (("targetIQN", "TargetIQN"), ("SCSIid", "SCSIid")):
            try:
                self.api.SR.probe(coordinator, config, "lvmoiscsi", {})
            except XenAPI.Failure as choice:
                config[key] = re.findall(rf"<{tag}>\s*([^<*\s]+)\s*</{tag}>", choice.details[3])[0]
        return str(self.api.SR.create(coordinator, config, "0", name, "", "lvmoiscsi", "user", True, {}))

    def install(self, name: str, sr: str) -> None:
        """A VM of a template, its disk on that SR."""
        vm = self.api.VM.clone(self.ref("VM", TEMPLATE), name)
        disks = self.api.VM.get_other_config(vm)["disks"].replace('sr=""', f'sr="{self.api.SR.get_uuid(sr)}"')
        self.api.VM.remove_from_other_config(vm, "disks")
        self.api.VM.add_to_other_config(vm, "disks", disks)
        self.api.VM.provision(vm)


def called_lab(configuration: str) -> str:
    """The pool that xs1 is the first host of has a name of its own in the configuration."""
    assert '[pools."xs1"]' in configuration
    return configuration.replace('[pools."xs1"', '[pools."lab"').replace('default = "xs1"', 'default = "lab"').replace(
        'pools = ["xs1"]', 'pools = ["lab"]'
    )  # fmt: skip


def test_three_servers_become_a_pool_that_survives_one_of_them(tmp_path: Path) -> None:
    with town(tmp_path, "tutorial-start", speed=SPEED, change=called_lab) as place:
        witness = Witness(place.xenapi("xs1"))
        a_pool_of_three(place, witness)
        guests_on_iscsi(place, witness)
        protected_by_ha(place, witness)
        a_host_fails_and_comes_back(place, witness)
        everything_off(place, witness)


def a_pool_of_three(place: Town, witness: Witness) -> None:
    assert witness.hosts() == {"xs1"}
    done(place, "host add xs2", LONG)
    assert witness.serving() == {"xs1", "xs2"}

    answer = place.say("host add xs3")
    assert "not possible" in answer
    assert "host mask-cpu xs3 like lab" in answer
    alone = Witness(place.xenapi("xs3"))
    assert alone.features("xs3") != witness.features("xs1")
    done(place, "host mask-cpu xs3 like lab", LONG)
    alone = Witness(place.xenapi("xs3"))  # it was rebooted: older sessions are gone
    assert alone.features("xs3") == witness.features("xs1")
    done(place, "host add xs3", LONG)
    assert witness.serving() == {"xs1", "xs2", "xs3"}


def guests_on_iscsi(place: Town, witness: Witness) -> None:
    sr = witness.attach("iSCSI storage")
    plugged = [row["currently_attached"] for row in witness.api.PBD.get_all_records().values() if row["SR"] == sr]
    assert plugged == [True] * 3
    for name, host in APPS.items():
        witness.install(name, sr)
        done(place, f"vm start {name} on {host}", LONG)
        assert witness.where(name) == host


def protected_by_ha(place: Town, witness: Witness) -> None:
    done(place, "ha protect app-1 restart order 1", LONG)
    done(place, "ha protect app-2 best-effort", LONG)
    assert witness.vm("app-1")["order"] == "1"
    told = [witness.vm(name)["ha_restart_priority"] for name in APPS]
    assert told == ["restart", "best-effort", ""]

    done(place, "ha enable on iSCSI storage", LONG)
    pool = witness.pool()
    assert pool["ha_enabled"] is True
    assert pool["ha_host_failures_to_tolerate"] == pool["ha_plan_exists_for"] == "2"
    kept_on = {witness.api.SR.get_name_label(witness.api.VDI.get_SR(vdi)) for vdi in pool["ha_statefiles"]}
    assert kept_on == {"iSCSI storage"}
    assert "tolerates 2 host failures" in place.say("ha status")


def a_host_fails_and_comes_back(place: Town, witness: Witness) -> None:
    planned = place.say("ha plan for xs2")
    promised = re.search(r"^app-1\s+1\s+\W*(xs[13])$", planned, re.MULTILINE)
    assert promised, planned

    place.lab.kill("xs2")
    for name in ("app-1", "app-2"):
        eventually(lambda name=name: witness.where(name) in ("xs1", "xs3"), f"{name} elsewhere", LONG)  # type: ignore[misc]  # a lambda with a default
    assert witness.where("app-1") == promised[1]
    assert witness.serving() == {"xs1", "xs3"}
    assert "xs2 does not answer" in place.say("pool status")
    # The alert of the last restart may come a moment after the VM runs.
    eventually(lambda: "xs2 failed, 2 VMs started again" in place.say("ha timeline"), "both restarts told", LONG)

    witness.api.host.set_power_on_mode(witness.ref("host", "xs2"), "wake-on-lan", {})
    done(place, "host start xs2", LONG)
    assert witness.serving() == {"xs1", "xs2", "xs3"}
    done(place, "vm migrate app-1 to xs2", LONG)
    assert witness.where("app-1") == "xs2"


def everything_off(place: Town, witness: Witness) -> None:
    done(place, "ha disable", LONG)
    assert witness.pool()["ha_enabled"] is False
    request_id = approved_by_two(place, "pool shutdown force", "lab")
    request = place.ended(request_id, LONG)
    assert request.state is State.SUCCEEDED, request.result
    assert "Switch on xs1, the coordinator" in text_of(note(place, request))
    eventually(lambda: not any(host.alive for host in place.lab.estate.hosts.values()), "the end of all", LONG)
    assert "cannot be reached" in place.say("vm list")
