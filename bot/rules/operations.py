"""May this be done with a VM, wherever it is: the toolstack's checks for one operation, all of them.

The order and the codes are those of xapi's operation checks (Xapi_vm_lifecycle, as recorded). The toolstack stops at
the first reason; people get all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.inventory import VM, Inventory
from bot.lookup import spelling
from bot.rules import licences, versions
from bot.rules.check import Check, idle
from bot.text import joined, quoted

STATES = {
    "start_on": ("Halted",),
    "resume_on": ("Suspended",),
    "pool_migrate": ("Running",),
    "clean_shutdown": ("Running",),
    "hard_shutdown": ("Paused", "Suspended", "Running"),
    "clean_reboot": ("Running",),
    "hard_reboot": ("Paused", "Running"),
    "suspend": ("Running",),
    "migrate_send": ("Halted", "Suspended", "Running"),
    "snapshot": ("Halted", "Paused", "Suspended", "Running"),
    "reverting": ("Halted", "Paused", "Suspended", "Running"),
}
"""Operation → the power states in which it is possible."""

_WORDS = {
    "start_on": "starting it",
    "resume_on": "resuming it",
    "pool_migrate": "moving it",
    "clean_shutdown": "shutting it down",
    "hard_shutdown": "switching it off",
    "clean_reboot": "rebooting it",
    "hard_reboot": "resetting it",
    "suspend": "suspending it",
    "migrate_send": "moving its disks",
    "snapshot": "taking a snapshot of it",
    "reverting": "reverting it",
}
_MEANT_BY = {"start_on": "start", "resume_on": "resume"}
"""Whoever blocks starting means starting on any host."""
_KEEPS_RUNNING = frozenset({"pool_migrate", "suspend", "migrate_send"})
"""The running guest is frozen and goes on elsewhere or later; what is passed through to it cannot come along."""
_OVERTAKES = frozenset({"hard_shutdown", "hard_reboot"})
"""These end what is being done with the VM instead of waiting for it."""
# What a guest says that it can do without its tools' version being known.
_FEATURES = {
    "clean_shutdown": ("feature-shutdown", "feature-poweroff"),
    "clean_reboot": ("feature-shutdown", "feature-reboot"),
    "suspend": ("feature-suspend",),
    "pool_migrate": ("feature-suspend",),
    "migrate_send": ("feature-suspend",),
}
_TIES = {
    "PCI device": ("vm.pci", "VM_HAS_PCI_ATTACHED", "attached_PCIs"),
    "virtual GPU": ("vm.vgpu", "VM_HAS_VGPU", "VGPUs"),
    "USB device": ("vm.usb", "VM_HAS_VUSBS", "VUSBs"),
}
"""What is passed through to a VM → the finding, the toolstack's code, and the VM's field."""

BETTER_KNOWN = frozenset({"vm.vgpu", "vm.mobile"})
"""Checks that the toolstack decides by what no inventory holds: which kinds of virtual GPU can move, and with which
settings a VM was started. What it allows is no reason against it.
"""


def checks(vm: VM, operation: str, inventory: Inventory) -> Iterator[Check]:
    """Every reason against an operation of :data:`STATES`, in the toolstack's order."""
    blocks = vm.mapping("blocked_operations")
    key = next((name for name in (operation, _MEANT_BY.get(operation, "")) if name in blocks), "")
    yield Check(
        "vm.blocked",
        # The toolstack looks only at the operation's own name.
        "OPERATION_BLOCKED" if key == operation else "",
        not key,
        f"{_WORDS[operation]} is not forbidden by its owner",
        f"blocked_operations says: {blocks[key] or 'no reason given'}" if key else "",
        f"If that no longer holds: xe vm-param-remove uuid={vm.uuid} param-name=blocked-operations param-key={key}",
    )
    possible = STATES[operation]
    yield Check(
        "vm.state",
        "VM_BAD_POWER_STATE",
        vm.power_state in possible,
        f"it is {' or '.join(possible).lower()}",
        "" if vm.power_state in possible else f"it is {vm.power_state.lower()}",
    )
    yield idle("vm.busy", "nothing else is being done with it", () if operation in _OVERTAKES else vm.under_way)
    if operation in _KEEPS_RUNNING:
        yield from _mobile(vm, inventory)
    if vm.power_state in ("Running", "Paused"):
        yield from _guest(vm, operation, inventory)
    if operation in _KEEPS_RUNNING:
        ties = [what for what in _TIES if what != "virtual GPU" or vm.power_state != "Halted"]
        yield from _passed_through(vm, ties)
    elif operation == "snapshot":
        yield from _passed_through(vm, ["USB device"])
    if operation == "pool_migrate":
        yield licences.check(inventory, licences.LIVE_MIGRATION)


def _mobile(vm: VM, inventory: Inventory) -> Iterator[Check]:
    """Since 7.1. The toolstack goes by what a running VM was started with, which no inventory holds."""
    coordinator = inventory.pool.coordinator
    if coordinator is None or versions.before(coordinator, 7, 1):
        return
    platform = vm.mapping("platform")
    ties = [key for key in ("nomigrate", "nested-virt") if platform.get(key, "").lower() in ("1", "true")]
    yield Check(
        "vm.mobile",
        "VM_IS_IMMOBILE",
        not ties,
        "its settings let it leave its host",
        f"its platform says {joined(ties)}" if ties else "",
        f"“vm shutdown {spelling(vm, inventory)}”, or without that setting from its next start on:"
        f" xe vm-param-set uuid={vm.uuid} platform:{ties[0]}=false"
        if ties
        else "",
    )


def _guest(vm: VM, operation: str, inventory: Inventory) -> Iterator[Check]:
    """Does the running guest take part?"""
    if operation not in _FEATURES:
        return
    metrics = vm.guest_metrics
    told = metrics.mapping("other") if metrics else {}
    if operation in _KEEPS_RUNNING:
        reason = told.get("data-cant-suspend-reason")
        yield Check(
            "vm.suspendable",
            "VM_NON_SUSPENDABLE",
            reason is None,
            "the guest can be frozen",
            "" if reason is None else f"the guest says: {reason}",
            f"“vm shutdown {spelling(vm, inventory)}” instead.",
        )
    coordinator = inventory.pool.coordinator
    old = coordinator is not None and versions.before(coordinator, 7)
    helps = not _is_full_hvm(vm) or _has_tools(vm) or any(told.get(feature) == "1" for feature in _FEATURES[operation])
    yield Check(
        "vm.tools",
        "VM_MISSING_PV_DRIVERS" if old else "VM_LACKS_FEATURE",
        helps,
        "the guest takes part",
        "" if helps else "no guest tools were seen in it",
        _without_tools(vm, operation, inventory),
    )


def _without_tools(vm: VM, operation: str, inventory: Inventory) -> str:
    name = spelling(vm, inventory)
    if operation == "clean_shutdown":
        return f"Shut it down from inside, or “vm shutdown {name} force”; or install the guest tools in it."
    if operation == "clean_reboot":
        return f"Reboot it from inside, or “vm reboot {name} force”; or install the guest tools in it."
    return f"Install the guest tools in it; or “vm shutdown {name} force” and start it again."


def _passed_through(vm: VM, ties: Iterable[str]) -> Iterator[Check]:
    """Devices that tie a VM to its host."""
    for what in ties:
        finding_id, code, field = _TIES[what]
        if vm.has(field):
            yield Check(
                finding_id,
                code,
                not vm.refs(field),
                f"no {what} is passed through to it",
                f"it has {len(vm.refs(field))}" if vm.refs(field) else "",
                f"Shut {quoted(vm.name)} down, and take the {what} away from it.",
            )


def _is_full_hvm(vm: VM) -> bool:
    """Paravirtualised guests (PV, PVH) always hear the hypervisor. By domain_type since 7.5, before by boot policy."""
    kind = vm.text("domain_type")
    return bool(vm.text("HVM_boot_policy")) if kind in ("", "unspecified") else kind == "hvm"


def _has_tools(vm: VM) -> bool:
    """xapi believes the tools' version: a major and a minor number."""
    version = vm.guest_metrics.mapping("PV_drivers_version") if vm.guest_metrics else {}
    return version.get("major", "").isdecimal() and version.get("minor", "").isdecimal()
