"""Operations on VMs: states, guests that do not answer, migration itself."""

from __future__ import annotations

from collections.abc import Mapping

from bot.xapi.meanings.meaning import BUG, Meaning, entry

_LOG = "The host's /var/log/SMlog and /var/log/xensource.log say more about it."
_TOOLS = "Install or update the guest tools in the VM."
_PLAIN_SNAPSHOT = "Check the guest tools and the VSS service inside the VM, or take a snapshot without quiescing."
_HARD = "Ask inside the VM, or use a hard shutdown if its data may be lost."

TABLE: Mapping[str, tuple[Meaning, ...]] = {
    "VM_BAD_POWER_STATE": entry(
        "vm expected actual", "{vm} is {actual}; this needs it to be {expected}.", see="vm show {vm}"
    ),
    "OPERATION_BLOCKED": entry(
        "object reason",
        "Somebody has blocked this operation on {object}: {reason}.",
        "Whoever blocked it can lift the block (the field blocked-operations).",
    ),
    "VM_IS_TEMPLATE": entry(
        "vm", "{vm} is a template.", "Name a VM; a new one can be made from the template first.", see="vm list"
    ),
    "VM_IS_SNAPSHOT": entry("vm", "{vm} is a snapshot.", "Name the VM that the snapshot is of.", see="vm list"),
    "VM_IS_IMMOBILE": entry(
        "vm",
        "{vm} is set up so that it cannot move (nomigrate, or nested virtualisation).",
        "Shut it down and start it on the other host.",
    ),
    "VM_IS_USING_NESTED_VIRT": entry(
        "vm",
        "{vm} runs virtual machines itself, so it cannot move while it runs.",
        "Shut it down and start it on the other host.",
    ),
    "VM_NON_SUSPENDABLE": entry("vm reason", "{vm} cannot be suspended or moved: {reason}.", "Shut it down instead."),
    "VM_LACKS_FEATURE": entry(
        "vm", "The guest in {vm} does not take part: guest tools are missing or too old.", _TOOLS
    ),
    "VM_MISSING_PV_DRIVERS": entry("vm", "{vm} has no guest tools.", _TOOLS),
    "VM_OLD_PV_DRIVERS": entry("vm", "The guest tools of {vm} are too old.", _TOOLS),
    "VM_PV_DRIVERS_IN_USE": entry(
        "vm", "{vm} is using the drivers that this would take away.", "Shut the VM down first."
    ),
    "VM_HAS_PCI_ATTACHED": entry(
        "vm", "{vm} has a PCI device passed through, which ties it to its host.", "Shut it down to move it."
    ),
    "VM_HAS_VGPU": entry("vm", "{vm} has a virtual GPU, which does not allow this.", "Shut it down to move it."),
    "VM_HAS_VUSBS": entry(
        "vm",
        "{vm} has a USB device passed through, which ties it to its host.",
        "Detach the USB device, or shut the VM down.",
    ),
    "VM_HAS_SRIOV_VIF": entry(
        "vm", "{vm} has an SR-IOV network interface, which ties it to its host.", "Shut it down to move it."
    ),
    "VM_MIGRATE_FAILED": entry(
        "vm source destination reason",
        "The migration of {vm} from {source} to {destination} failed: {reason}.",
        "The VM should still run where it was; make sure before you try again.",
        see="vm show {vm}",
    ),
    "VM_MIGRATE_CONTACT_REMOTE_SERVICE_FAILED": entry(
        "", "The two hosts cannot reach each other for the migration.", "Check the management network between them."
    ),
    "VM_CRASHED": entry(
        "vm", "{vm} crashed meanwhile.", "Look at its console before you start it.", see="vm show {vm}"
    ),
    "VM_HALTED": entry("vm", "{vm} shut itself down meanwhile.", see="vm show {vm}"),
    "VM_REBOOTED": entry("vm", "{vm} rebooted meanwhile.", "Try again.", see="vm show {vm}"),
    "VM_SHUTDOWN_TIMEOUT": entry("vm seconds", "{vm} did not shut down within {seconds} s.", _HARD),
    "VM_FAILED_SHUTDOWN_ACKNOWLEDGMENT": entry("vm", "The guest in {vm} did not react to the shutdown.", _HARD),
    "VM_SUSPEND_TIMEOUT": entry(
        "vm seconds", "{vm} did not suspend within {seconds} s.", "Try again, or shut it down."
    ),
    "VM_FAILED_SUSPEND_ACKNOWLEDGMENT": entry("vm", "The guest in {vm} did not react to the suspend.", _TOOLS),
    "VM_NO_VCPUS": entry(
        "vm", "{vm} has no virtual CPU.", "Give it one.", xe="vm-param-set uuid={vm} VCPUs-max=1 VCPUs-at-startup=1"
    ),
    "VM_TOO_MANY_VCPUS": entry(
        "vm", "{vm} has more virtual CPUs than it may have.", "Lower the number of its virtual CPUs."
    ),
    "VM_MEMORY_SIZE_TOO_LOW": entry(
        "vm", "{vm} has too little memory to start.", "Raise its memory limits while it is halted."
    ),
    "VM_NO_SUSPEND_SR": entry(
        "vm", "There is no storage to keep the suspended memory of {vm}.", "Set a suspend image SR for the pool."
    ),
    "VM_HAS_NO_SUSPEND_VDI": entry(
        "vm",
        "The suspended memory of {vm} is not there.",
        "It cannot be resumed any more: throw the rest of its memory away, then start it.",
        do="vm shutdown {vm} force",
    ),
    "SUSPEND_IMAGE_NOT_ACCESSIBLE": entry(
        "vdi", "The host cannot reach the suspended memory of the VM.", "Resume it on the host whose storage holds it."
    ),
    "VM_NO_EMPTY_CD_VBD": entry(
        "vm", "{vm} has no empty CD drive.", "Eject the CD that is in its drive.", do="vm eject {vm}"
    ),
    "VM_UNSAFE_BOOT": entry(
        "vm", "{vm} ended abnormally; starting it again now may damage its data.", "Check its disks first."
    ),
    "VM_IS_PROTECTED": entry(
        "vm", "{vm} is protected by high availability, which does not allow this.", see="vm show {vm}"
    ),
    "VM_IS_PART_OF_AN_APPLIANCE": entry(
        "vm",
        "{vm} belongs to a vApp and cannot be handled alone.",
        "Handle the vApp as a whole, or take the VM out of it.",
    ),
    "VM_ASSIGNED_TO_PROTECTION_POLICY": entry(
        "vm",
        "{vm} has a protection policy, which does not allow this.",
        "Take the VM out of its protection policy first.",
    ),
    "VM_ASSIGNED_TO_SNAPSHOT_SCHEDULE": entry(
        "vm",
        "{vm} has a snapshot schedule, which does not allow this.",
        "Take the VM out of its snapshot schedule first.",
        xe="vm-param-set uuid={vm} snapshot-schedule=",
    ),
    "VM_HAS_CHECKPOINT": entry(
        "vm",
        "{vm} has a checkpoint, which does not allow this.",
        "Remove its checkpoints first, once nobody needs them.",
        see="vm show {vm}",
    ),
    "VM_DUPLICATE_VBD_DEVICE": entry(
        "vm vbd device",
        "{vm} has two drives at the position {device}.",
        "Give one of the two another position, or remove it.",
        see="vm show {vm}",
    ),
    "VM_SNAPSHOT_FAILED": entry("vm", "The snapshot of {vm} failed.", _LOG, see="vm show {vm}"),
    "VM_CHECKPOINT_SUSPEND_FAILED": entry(
        "vm", "{vm} could not be suspended for the checkpoint.", f"{_TOOLS} A snapshot without memory needs none."
    ),
    "VM_CHECKPOINT_RESUME_FAILED": entry(
        "vm",
        "{vm} did not come back after its memory was kept for the checkpoint.",
        "Look at the VM at once.",
        see="vm show {vm}",
    ),
    "VM_HAS_TOO_MANY_SNAPSHOTS": entry(
        "vm", "{vm} has too many snapshots for this.", "Remove those that nobody needs.", see="vm show {vm}"
    ),
    "VM_PCI_BUS_FULL": entry("vm", "{vm} has no place for another device.", "Take a device away first."),
    "TOO_MANY_VUSBS": entry("number", "The VM has {number} USB devices, the most it may have.", "Detach one first."),
    "DUPLICATE_VM": entry("vm", "The other pool has {vm} already.", "Remove the copy that is not needed."),
    "VM_TO_IMPORT_IS_NOT_NEWER_VERSION": entry(
        "vm",
        "The other pool has {vm} already, and not an older one.",
        "Look which of the two is meant, and delete the other.",
    ),
    "DUPLICATE_MAC_SEED": entry(
        "seed",
        "The other pool has a VM that makes its MAC addresses from the same seed ({seed}): one is a copy of the other.",
        "Give that one another seed: xe vm-param-set uuid=… other-config:mac_seed=$(uuidgen)",
    ),
    "VM_REVERT_FAILED": entry("vm", "{vm} could not be taken back to its snapshot.", _LOG, see="vm show {vm}"),
    "REVERT_ONLY_ALLOWED_ON_SNAPSHOT": entry("", "Only a snapshot can be reverted to.", "Name a snapshot."),
    "PROVISION_ONLY_ALLOWED_ON_TEMPLATE": entry("", "Only a template can be provisioned.", "Name a template."),
    "VM_CANNOT_DELETE_DEFAULT_TEMPLATE": entry(
        "vm", "{vm} is one of the product's own templates.", "Leave it; it belongs to the product."
    ),
    "NOT_SYSTEM_DOMAIN": entry("vm", "{vm} is not a system domain.", BUG),
    "CANNOT_RESET_CONTROL_DOMAIN": entry("vm", "{vm} is a host's control domain, whose state cannot be reset.", BUG),
    "DOMAIN_EXISTS": entry("vm", "{vm} really runs on its host, so its state cannot be reset.", see="vm show {vm}"),
    "VMS_FAILED_TO_COOPERATE": entry("vms", "Some VMs did not give back memory: {vms}.", _TOOLS),
    "VM_MEMORY_TARGET_WAIT_TIMEOUT": entry("vm", "{vm} did not reach its memory target in time.", _TOOLS),
    "DOMAIN_BUILDER_ERROR": entry("function code reason", "Xen could not build the VM: {reason}.", see="host list"),
    "FAILED_TO_START_EMULATOR": entry(
        "vm emulator reason",
        "A helper process of {vm} did not start: {reason}.",
        "Try again, perhaps on another host. The host's /var/log/daemon.log says more about it.",
        see="vm why {vm}",
    ),
    "BOOTLOADER_FAILED": entry(
        "vm reason",
        "The boot loader of {vm} failed: {reason}.",
        "Check the VM's boot settings and its first disk.",
        see="vm show {vm}",
    ),
    "UNKNOWN_BOOTLOADER": entry(
        "vm bootloader",
        "{vm} wants the boot loader {bootloader}, which does not exist.",
        "Name one that exists.",
        xe="vm-param-set uuid={vm} PV-bootloader=pygrub",
    ),
    "VDI_NOT_IN_MAP": entry("vdi", "For the disk {vdi} it was not said to which storage it should move.", BUG),
    "VIF_NOT_IN_MAP": entry("vif", "For a virtual NIC ({vif}) it was not said to which network it should move.", BUG),
    "TOO_MANY_STORAGE_MIGRATES": entry(
        "number",
        "The host already moves {number} disks, the most it does at once.",
        "Wait for one to end, then try again.",
    ),
    "MIRROR_FAILED": entry(
        "vdi",
        "Copying the disk {vdi} to the other storage failed.",
        "The VM should still run where it was; make sure before you try again.",
    ),
    "VDI_COPY_FAILED": entry(
        "",
        "Copying a disk failed.",
        "Make sure that there is room on the other storage. The host's /var/log/SMlog says more about it.",
    ),
    "VM_BIOS_STRINGS_ALREADY_SET": entry(
        "",
        "The VM's BIOS strings are set already and cannot be changed.",
        "Leave them as they are; only a new VM can have others.",
    ),
    "VM_CALL_PLUGIN_RATE_LIMIT": entry(
        "vm interval wait", "{vm} was asked too often; try again in {wait} s.", "Wait, then ask again."
    ),
}

PREFIXES: Mapping[str, Meaning] = {
    "XEN_VSS_REQ_ERROR_": Meaning(
        ("vm", "code"), "The quiesced snapshot of {vm} failed inside Windows ({code}).", _PLAIN_SNAPSHOT
    ),
    "VM_SNAPSHOT_WITH_QUIESCE_": Meaning(("vm", "reason"), "The quiesced snapshot of {vm} failed.", _PLAIN_SNAPSHOT),
    "IMPORT_ERROR": Meaning(("reason",), "The import failed: {reason}.", "Check the file, then import it again."),
}
