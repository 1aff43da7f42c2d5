"""Answers that are said otherwise than xapi says them are the same answers."""

from __future__ import annotations

import pytest
import XenAPI

from bot.inventory import VM
from bot.ports import TaskStatus
from sandbox.xapi.running import RunningLab
from tests.bot_xapi.labs import connected, migration, movable, until_ended
from tests.bot_xapi.middlemen import Say, between, chunked, dripping, going_on, http_1_0, of_tomorrow, rude


@pytest.mark.parametrize(
    "say", [chunked, http_1_0, rude, going_on, dripping, of_tomorrow], ids=lambda say: str(say.__name__)
)
def test_they_are_understood(lab: RunningLab, say: Say) -> None:
    """The whole, a change, and a call with effect whose task is followed."""
    (name,) = lab.pools
    with between(lab.addresses, say) as there, connected(lab, name, address_map=there) as pools:
        vm, host = movable(pools, name)
        witness = XenAPI.Session(lab.hosts[lab.pools[name]["coordinator"]])
        witness.login_with_password(lab.username, lab.password, "1.0", "witness")
        witness.xenapi.VM.set_name_label(vm.ref, "Grüße 🎉")
        inventory = pools.view(name).inventory()
        found = inventory.get(VM, vm.ref)
        assert found is not None
        assert found.name == "Grüße 🎉"
        hands = pools.hands(name)
        step = migration(inventory, vm, host)
        task = hands.send(step, {})
        assert until_ended(lambda: hands.task(task)).status is TaskStatus.SUCCESS
        assert hands.holds(step.expect[0], {})[0]
        assert witness.xenapi.VM.get_resident_on(vm.ref) == host.ref
