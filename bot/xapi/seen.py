"""What was read back, as a person says it: “web-1 runs on xs2” rather than “resident_on is xs2”."""

from __future__ import annotations

from collections.abc import Mapping

from bot.inventory import VBD, Inventory
from bot.model import Expect
from bot.text import quoted

_PHRASES: Mapping[tuple[str, str, str], Mapping[str, str]] = {
    ("VM", "resident_on", ""): {"": "{name} is on {now}"},
    ("VM", "power_state", ""): {
        "Running": "{name} is running",
        "Halted": "{name} is halted",
        "Suspended": "{name} is suspended",
        "Paused": "{name} is paused",
    },
    ("VM", "ha_restart_priority", ""): {
        "restart": "{name} is protected: HA restarts it",
        "best-effort": "{name} is restarted if there is room",
        "empty": "{name} is not protected",
    },
    ("host", "enabled", ""): {"true": "{name} takes VMs", "false": "{name} takes no VMs any more"},
    ("host", "other_config", "MAINTENANCE_MODE"): {
        "true": "{name} is marked as in maintenance",
        "empty": "{name} is no longer marked as in maintenance",
    },
    ("host", "other_config", "MAINTENANCE_MODE_EVACUATED_VMS_MIGRATED"): {
        "empty": "no note is left of who lived on {name}",
        "": "it is noted who lived on {name}",
    },
    ("host", "other_config", "boot_time"): {"": "{name} has started anew"},
    ("pool", "ha_enabled", ""): {"true": "high availability is on", "false": "high availability is off"},
    ("pool", "ha_host_failures_to_tolerate", ""): {"": "the host failures to tolerate are {now}"},
    ("VBD", "empty", ""): {"true": "{name} is empty", "false": "{name} holds an image"},
}
"""Class, field, key of a map → the value in words → the sentence; "" is every other value."""


def so(expect: Expect, called: str, now: str, inventory: Inventory) -> str:
    """A sentence for an expectation that holds; "" when there is none. `called` is the object's name in a sentence."""
    sentences = _PHRASES.get((expect.object.cls, expect.field, expect.key), {})
    sentence = sentences.get(now) or sentences.get("", "")
    return sentence.format(name=_drive(expect, inventory) or called, now=now) if sentence else ""


def _drive(expect: Expect, inventory: Inventory) -> str:
    """A drive has no name of its own."""
    if expect.object.cls != "VBD":
        return ""
    vbd = inventory.by_uuid(VBD, expect.object.uuid)
    return f"the drive of {quoted(vbd.vm.name)}" if vbd is not None and vbd.vm is not None else "the drive"
