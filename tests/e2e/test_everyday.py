"""Everyday actions from the slash command to the pool: power, maintenance, high availability."""

from __future__ import annotations

from typing import Any

from tests.e2e.conftest import Town
from tests.e2e.people import done


def vm(town: Town, name: str) -> dict[str, Any]:
    api = town.xenapi()
    (ref,) = api.VM.get_by_name_label(name)
    found: dict[str, Any] = api.VM.get_record(ref)
    return found


def test_a_vm_is_started_rebooted_and_shut_down(lab_town: Town) -> None:
    lab_town.lab.set_speed(200.0)
    done(lab_town, "vm start wiki-1 on xs2")
    assert lab_town.host_of("wiki-1") == "xs2"
    assert "running on xs2" in lab_town.say("vm start wiki-1")
    domid = vm(lab_town, "wiki-1")["domid"]
    done(lab_town, "vm reboot wiki-1")
    assert vm(lab_town, "wiki-1")["domid"] != domid
    done(lab_town, "vm shutdown wiki-1")
    assert vm(lab_town, "wiki-1")["power_state"] == "Halted"


def test_a_host_is_emptied_and_taken_back_once_nothing_ties_a_vm_to_it(lab_town: Town) -> None:
    lab_town.lab.set_speed(200.0)
    answer = lab_town.say("host maintenance xs2 on")
    assert "not possible" in answer
    assert "vm eject files-1" in answer
    assert "vm shutdown legacy-1" in answer
    done(lab_town, "vm eject files-1")
    done(lab_town, "vm shutdown legacy-1 force")
    done(lab_town, "host maintenance xs2 on")
    assert lab_town.host_of("files-1") == lab_town.host_of("web-2") == "xs1"
    done(lab_town, "host maintenance xs2 off")
    assert lab_town.host_of("files-1") == lab_town.host_of("web-2") == "xs2"


def test_high_availability_is_turned_on_for_a_protected_vm_and_off_again(lab_town: Town) -> None:
    lab_town.lab.set_speed(200.0)
    done(lab_town, "ha protect web-2 restart")
    done(lab_town, "ha enable tolerate 1")
    assert "tolerates 1 host failure" in lab_town.say("ha status")
    assert "web-2" in lab_town.say("ha plan for xs2")
    done(lab_town, "ha disable")
    assert "is off" in lab_town.say("ha status")
