"""A VM with a USB device of its host: what it cannot do, foretold with the code that the toolstack gives."""

from __future__ import annotations

import pytest

from bot.rules import agility
from tests.commands.world import NULL, Made, codes, world

VM = "shop-1"


def usb(made: Made) -> None:
    made.objects["VUSB"] = {
        "OpaqueRef:vusb": {
            "uuid": "7d1c02b8-5f0c-4b6e-9d8a-3f5f2f5b1c11",
            "VM": made.ref("VM", VM),
            "USB_group": NULL,
            "allowed_operations": [],
            "current_operations": {},
            "other_config": {},
            "currently_attached": True,
        }
    }


@pytest.mark.parametrize(
    "text",
    [
        "vm suspend {}",
        "vm snapshot {}",
        "vm migrate {}",
        "vm migrate {} storage NFS archive",
        "vm disk move {}/0 to NFS archive",
    ],
)
def test_what_it_cannot_do_is_foretold(text: str) -> None:
    with world("current", usb) as found:
        plan = found.plan(text.format(VM))
        assert codes(plan)[0] == "VM_HAS_VUSBS"
        told = plan.blockers[0]
        assert "it has 1" in told.evidence
        assert "take the USB device away" in told.remedy
        assert found.code_of_plan(plan) == "VM_HAS_VUSBS"


def test_high_availability_cannot_restart_it_elsewhere() -> None:
    with world("current", usb) as found:
        inventory = found.view.inventory()
        (vm,) = [each for each in inventory.guests if each.name == VM]
        assert agility.against(vm, inventory)[0].code == found.code_of("VM.assert_agile", vm.ref) == "VM_HAS_VUSBS"
        plan = found.plan(f"ha protect {VM} restart")
        assert any("USB" in finding.remedy for finding in plan.blockers)
