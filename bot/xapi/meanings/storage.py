"""Storage: repositories, their connections to hosts, disks and drives."""

from __future__ import annotations

from collections.abc import Mapping

from bot.xapi.meanings.meaning import BUG, Meaning, entry

_LOG = "The host's /var/log/SMlog says more about it."

TABLE: Mapping[str, tuple[Meaning, ...]] = {
    "SR_HAS_NO_PBDS": entry(
        "sr",
        "The storage {sr} is not plugged on every host.",
        "Plug it on the hosts that miss it.",
        do="sr repair {sr}",
    ),
    "SR_HAS_PBD": entry("sr", "The storage {sr} is still plugged.", "Unplug it on all hosts first."),
    "SR_NOT_ATTACHED": entry("sr", "The storage {sr} is not plugged.", "Plug it first.", do="sr repair {sr}"),
    "SR_ATTACH_FAILED": entry("sr", "The storage {sr} could not be plugged.", _LOG),
    "SR_FULL": entry(
        "needed available",
        "The storage is full: {needed} needed, {available} to be had.",
        "Remove what nobody needs (snapshots first), or choose other storage.",
    ),
    "SR_SOURCE_SPACE_INSUFFICIENT": entry(
        "sr", "The storage {sr} has not enough free space.", "Make room on it, or choose other storage."
    ),
    "SR_SUSPEND_SPACE_INSUFFICIENT": entry(
        "sr",
        "The storage {sr} has no room for the VM's suspended memory.",
        "Make room on it, or shut the VM down instead.",
    ),
    "SR_OPERATION_NOT_SUPPORTED": entry("sr", "The storage {sr} cannot do this.", "Choose storage of another type."),
    "SR_UNKNOWN_DRIVER": entry(
        "type",
        "The host has no driver for storage of the type {type}.",
        "Install the driver there, as on the other hosts.",
        xe="sm-list",
    ),
    "SR_NOT_SHARABLE": entry(
        "sr host",
        "The storage {sr} cannot be shared, so {host} cannot have it too.",
        "Use storage that can be shared (NFS, iSCSI, Fibre Channel).",
    ),
    "SR_NOT_SHARED": entry(
        "sr", "The storage {sr} is not shared between hosts.", "Choose storage that every host has."
    ),
    "SR_NOT_EMPTY": entry("", "There are still disks on the storage.", "Move or remove them first."),
    "SR_INDESTRUCTIBLE": entry(
        "sr",
        "The storage {sr} is marked as not to be destroyed.",
        "Whoever marked it can take the mark away (other-config, key indestructible).",
    ),
    "SR_IS_CACHE_SR": entry("host", "{host} uses the storage as its cache.", "Choose another cache there first."),
    "SR_HAS_MULTIPLE_PBDS": entry(
        "", "The storage is connected to more than one host.", "Take it from all hosts but one first."
    ),
    "LOCATION_NOT_UNIQUE": entry(
        "sr location",
        "The storage {sr} has two disks at {location}.",
        "Look at the storage itself, then scan it.",
        xe="sr-scan uuid={sr}",
    ),
    "UNIMPLEMENTED_IN_SM_BACKEND": entry(
        "reason", "The storage's driver cannot do this ({reason}).", "Choose other storage."
    ),
    "SR_UUID_EXISTS": entry("uuid", "The pool knows this storage already.", "Use it as it is, or forget it first."),
    "SR_DEVICE_IN_USE": entry(
        "", "The storage's device is in use already.", "Find out which storage uses it; never format it a second time."
    ),
    "SR_DOES_NOT_SUPPORT_MIGRATION": entry(
        "sr",
        "Disks cannot move away from the storage {sr} while they are in use.",
        "Shut the VM down, then copy its disks.",
    ),
    "SR_REQUIRES_UPGRADE": entry(
        "sr",
        "The storage {sr} must be upgraded first.",
        "Plug it again on the coordinator, which upgrades it.",
        do="sr repair {sr}",
    ),
    "SR_UNHEALTHY": entry(
        "sr health fix", "The storage {sr} is not healthy ({health}): {fix}.", "Mend what it names, then ask again."
    ),
    "SR_VDI_LOCKING_FAILED": entry("", "A disk is locked by another host, or was not unlocked.", _LOG),
    "SR_BACKEND_FAILURE": entry("status ignored reason", "The storage driver failed: {reason} {status}.", _LOG),
    "SM_PLUGIN_COMMUNICATION_FAILURE": entry("driver", "The storage driver {driver} does not answer.", _LOG),
    "PBD_EXISTS": entry(
        "sr host", "{host} has a connection to the storage {sr} already.", "Plug that one.", do="sr repair {sr}"
    ),
    "OUT_OF_SPACE": entry("location", "There is no space left on {location}.", "Make room there, then ask again."),
    "VDI_IN_USE": entry("vdi operation", "The disk {vdi} is in use ({operation}).", "Wait, or shut down what uses it."),
    "VDI_NOT_AVAILABLE": entry("vdi", "The disk {vdi} cannot be reached.", _LOG),
    "VDI_MISSING": entry(
        "sr vdi",
        "The disk {vdi} is not on the storage {sr} any more.",
        "Find out who removed it; a scan of the storage brings the pool's view up to date.",
        xe="sr-scan uuid={sr}",
    ),
    "VDI_LOCATION_MISSING": entry(
        "sr location",
        "{location} is not on the storage {sr} any more.",
        "Find out who removed it; a scan of the storage brings the pool's view up to date.",
        xe="sr-scan uuid={sr}",
    ),
    "VDI_READONLY": entry(
        "vdi", "The disk {vdi} can only be read.", "Attach it for reading only, or use another disk."
    ),
    "VDI_IS_A_PHYSICAL_DEVICE": entry(
        "vdi", "{vdi} is a physical device, which does not allow this.", "Use a virtual disk."
    ),
    "VDI_NOT_MANAGED": entry("vdi", "The disk {vdi} is internal to its storage.", "Name a disk of a VM."),
    "VDI_CBT_ENABLED": entry(
        "vdi",
        "Changed block tracking is on for the disk {vdi}, which does not allow this.",
        "Switch it off for this disk; the backup software then makes a full copy once.",
        xe="vdi-disable-cbt uuid={vdi}",
    ),
    "VDI_IS_ENCRYPTED": entry(
        "vdi", "The disk {vdi} is encrypted, which does not allow this.", "Leave the disk where it is."
    ),
    "VDI_NEEDS_VM_FOR_MIGRATE": entry(
        "vdi",
        "The disk {vdi} can only move while a VM uses it.",
        "Start the VM, or copy the disk.",
        xe="vdi-copy uuid={vdi} sr-uuid=SR",
    ),
    "VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION": entry(
        "",
        "A disk that is reset at each boot does not allow this.",
        "Let the disk keep its contents first (its field on-boot), while the VM is halted.",
    ),
    "VDI_INCOMPATIBLE_TYPE": entry(
        "vdi type", "A disk of the type {type} does not allow this ({vdi}).", "Name an ordinary disk of a VM."
    ),
    "VDI_NO_CBT_METADATA": entry("vdi", "There is no changed block tracking of the disk {vdi}.", "Name another disk."),
    "VDI_TOO_SMALL": entry("vdi needed", "The disk {vdi} is too small: at least {needed}.", "Choose a larger one."),
    "VDI_TOO_LARGE": entry(
        "vdi available",
        "The disk {vdi} is too large: at most {available}.",
        "Choose a smaller one, or storage of a type that takes larger ones.",
    ),
    "VDI_IO_ERROR": entry("device", "Reading or writing a disk failed.", _LOG),
    "VBD_IS_EMPTY": entry("vbd", "There is nothing in the drive.", "Nothing is left to do."),
    "VBD_NOT_EMPTY": entry("vbd", "There is something in the drive already.", "Eject it first."),
    "VBD_NOT_REMOVABLE_MEDIA": entry("vbd", "This drive is not one for CDs.", "Name a VM with a CD drive."),
    "VBD_NOT_UNPLUGGABLE": entry("vbd", "The drive cannot be unplugged while the VM runs.", "Shut the VM down first."),
    "VBD_TRAY_LOCKED": entry("vbd", "The guest has locked the CD drive.", "Unmount the CD inside the VM."),
    "VBD_CDS_MUST_BE_READONLY": entry("", "A CD can only be read.", BUG),
    "VBD_MISSING": entry("", "A drive of the VM is not there any more.", "Ask again to see what is there now."),
    "HOST_CD_DRIVE_EMPTY": entry("", "The host's CD drive is empty.", "Insert a CD there first."),
    "DEVICE_ALREADY_ATTACHED": entry("device", "The device is attached already.", "Nothing is left to do."),
    "DEVICE_ALREADY_DETACHED": entry("device", "The device is detached already.", "Nothing is left to do."),
    "DEVICE_ALREADY_EXISTS": entry(
        "device", "The VM already has a device at the position {device}.", "Choose another position."
    ),
    "DEVICE_ATTACH_TIMEOUT": entry("kind object", "A device could not be attached in time.", _LOG),
    "DEVICE_DETACH_TIMEOUT": entry(
        "kind object", "The guest did not release a device in time.", "Stop using it inside the VM."
    ),
    "DEVICE_DETACH_REJECTED": entry(
        "kind object reason", "The guest does not release a device: {reason}.", "Stop using it inside the VM."
    ),
    "DEVICE_NOT_ATTACHED": entry("vbd", "The device is not attached.", "Nothing is left to do."),
    "INVALID_DEVICE": entry("device", "{device} is not a position for a device.", "Choose another position."),
    "PROVISION_FAILED_OUT_OF_SPACE": entry(
        "", "There is not enough space for the VM's disks.", "Make room, or choose other storage."
    ),
    "DEFAULT_SR_NOT_FOUND": entry("sr", "The pool's default storage does not exist.", "Set a default SR for the pool."),
    "NO_LOCAL_STORAGE": entry("", "The host has no local storage.", "Choose shared storage."),
}
