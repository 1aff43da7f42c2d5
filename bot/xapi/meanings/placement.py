"""Why a VM cannot run on a host: the boot-here checks, which starting, resuming, migrating and evacuating share."""

from __future__ import annotations

from collections.abc import Mapping

from bot.xapi.meanings.meaning import Meaning, entry

_MEMORY_LIMITS = "Correct its memory limits while it is halted."
_ANOTHER_HOST = "Choose another host; vm migrate without a host proposes one."

TABLE: Mapping[str, tuple[Meaning, ...]] = {
    "HOST_NOT_LIVE": entry(
        "", "The host is not alive.", "Bring the host back, or choose another one.", see="host list"
    ),
    "HOST_OFFLINE": entry(
        "host", "{host} is offline.", "Bring the host back, or choose another one.", see="host show {host}"
    ),
    "HOST_DISABLED": entry(
        "host",
        "{host} is disabled (in maintenance), so no VM can start on it or move to it.",
        "Choose another host, or enable it.",
        do="host maintenance {host} off",
    ),
    "HOST_NOT_ENOUGH_FREE_MEMORY": (
        # Declared as (needed, available); plans for an evacuation send the VM alone (xapi HEAD).
        *entry(
            "needed available",
            "The host has not enough free memory: {needed} needed, {available} free.",
            "Choose another host, or make room on this one.",
            see="host list",
            only_with=2,
        ),
        *entry(
            "vm",
            "No other host has enough free memory for {vm}.",
            "Make room on a host, or shut the VM down.",
            see="host list",
            only_with=1,
        ),
        *entry(
            "",
            "The host has not enough free memory.",
            "Choose another host, or make room on this one.",
            see="host list",
        ),
    ),
    "HOST_NOT_ENOUGH_PCPUS": entry(
        "vcpus pcpus", "The VM has {vcpus} virtual CPUs, the host only {pcpus} CPUs.", _ANOTHER_HOST
    ),
    "NO_HOSTS_AVAILABLE": entry(
        "vm",
        "No host can do this with {vm} at the moment.",
        "It has to be alive and to have the VM's storage; and room, where the VM is to run. Each host has its reason.",
        see="vm why {vm}",
    ),
    "VM_INCOMPATIBLE_WITH_THIS_HOST": entry(
        "vm host reason",
        "{vm} cannot move to {host}: {reason}.",
        "Shut the VM down and start it again, so that it takes only what every host's CPU has; or choose another host.",
    ),
    "VM_REQUIRES_SR": entry(
        "vm sr",
        "{vm} needs the storage {sr}, which the host does not have plugged.",
        "Plug the storage on that host, eject a CD that lies on it, or choose another host.",
        see="vm show {vm}",
    ),
    "VM_REQUIRES_VDI": entry("vm vdi", "{vm} needs the disk {vdi}, which cannot be reached.", see="vm show {vm}"),
    "VM_REQUIRES_NETWORK": entry(
        "vm network",
        "{vm} needs the network {network}, which the host does not have.",
        "Connect the network on that host, or choose another one.",
        see="vm show {vm}",
    ),
    "HOST_CANNOT_ATTACH_NETWORK": entry(
        "host network",
        "{host} cannot connect to the network {network}.",
        "Check the host's NICs, or choose another host.",
    ),
    "NETWORK_SRIOV_INSUFFICIENT_CAPACITY": entry(
        "network", "No NIC on that host has a virtual function left for the network {network}.", _ANOTHER_HOST
    ),
    "VM_REQUIRES_IOMMU": entry("host", "The VM needs an IOMMU, which {host} does not have.", _ANOTHER_HOST),
    "VM_REQUIRES_GPU": entry("vm", "{vm} needs a GPU, which the host does not have.", _ANOTHER_HOST),
    "VM_REQUIRES_VGPU": entry("vm", "{vm} needs a virtual GPU, which the host cannot give.", _ANOTHER_HOST),
    "VM_REQUIRES_VUSB": entry("vm", "{vm} needs a USB device, which the host does not have.", _ANOTHER_HOST),
    "VM_HVM_REQUIRED": entry(
        "vm",
        "{vm} needs hardware virtualisation, which the host lacks or has switched off.",
        "Switch it on in the host's firmware, or choose another host.",
    ),
    "VM_HOST_INCOMPATIBLE_VERSION": entry("host vm", "{vm} needs a newer version than {host} has.", "Update the host."),
    "VM_HOST_INCOMPATIBLE_VERSION_MIGRATE": entry(
        # The data model has the host first, the toolstack sends the VM first.
        "",
        "It cannot move to a host whose version is older.",
        "A VM moves only to the same version or a newer one.",
    ),
    "VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION": entry(
        "host versions vm version",
        "{vm} uses a virtual hardware version ({version}) that {host} does not offer.",
        "Update the host, or choose another one.",
    ),
    "MEMORY_CONSTRAINT_VIOLATION": entry("reason", "The VM's memory settings do not fit: {reason}.", _MEMORY_LIMITS),
    "MEMORY_CONSTRAINT_VIOLATION_ORDER": entry(
        "",
        "The VM's memory limits are out of order: static minimum ≤ dynamic minimum ≤ dynamic maximum ≤ static maximum.",
        _MEMORY_LIMITS,
    ),
    "MEMORY_CONSTRAINT_VIOLATION_MAXPIN": entry(
        "reason", "The VM's memory settings do not fit: {reason}.", _MEMORY_LIMITS
    ),
    "VM_NOT_RESIDENT_HERE": entry("vm host", "{vm} is not on {host}.", "It moved meanwhile.", see="vm show {vm}"),
    "CANNOT_EVACUATE_HOST": entry(
        "",
        "The host cannot be emptied, and the pool does not say why.",
        "“host maintenance HOST on” says for each VM what keeps it there.",
    ),
    "HOST_EVACUATE_IN_PROGRESS": entry(
        "host", "{host} is being evacuated.", "Wait for it to end, or choose another host."
    ),
    "HOST_EVACUATE_VM_NOT_HA_PROTECTED": entry(
        "vm",
        "{vm} is not protected by high availability, so the pool does not move it away by itself.",
        "Move the VM, or shut it down.",
        see="vm show {vm}",
    ),
    "BALLOONING_TIMEOUT_BEFORE_MIGRATION": entry(
        "vm", "{vm} did not give back memory in time, so it was not moved.", "Try again when the VM is less busy."
    ),
    "VCPU_MAX_NOT_CORES_PER_SOCKET_MULTIPLE": entry(
        "vcpus cores",
        "The VM's {vcpus} virtual CPUs cannot be divided into sockets of {cores} cores.",
        "Change one of the two while it is halted.",
    ),
    "GPU_GROUP_CONTAINS_NO_PGPUS": entry(
        "", "No host has a GPU of the kind that the VM wants.", "Fit one, or take it from the VM."
    ),
    "VGPU_TYPE_NOT_ENABLED": entry("", "The host's GPU does not offer the VM's kind of virtual GPU.", _ANOTHER_HOST),
    "VGPU_TYPE_NOT_SUPPORTED": entry("", "The host's GPU cannot offer the VM's kind of virtual GPU.", _ANOTHER_HOST),
    "VGPU_TYPE_NOT_COMPATIBLE": entry("", "The host's GPU does not take this kind of virtual GPU.", _ANOTHER_HOST),
    "VGPU_TYPE_NOT_COMPATIBLE_WITH_RUNNING_TYPE": entry(
        "", "The host's GPU runs virtual GPUs of another kind now.", _ANOTHER_HOST
    ),
    "PGPU_INSUFFICIENT_CAPACITY_FOR_VGPU": entry(
        "gpu", "The host's GPU has no room for the VM's virtual GPU.", _ANOTHER_HOST
    ),
    "VGPU_DESTINATION_INCOMPATIBLE": entry(
        "reason vgpu host", "The virtual GPU cannot move to {host}: {reason}.", _ANOTHER_HOST
    ),
    "VGPU_GUEST_DRIVER_LIMIT": entry(
        "reason vm host",
        "The GPU driver inside {vm} does not allow this: {reason}.",
        "Update the GPU driver inside the VM, or shut the VM down.",
    ),
    "VGPU_SUSPENSION_NOT_SUPPORTED": entry(
        "reason vgpu host", "The virtual GPU cannot be suspended: {reason}.", "Shut the VM down instead."
    ),
}
