"""Storage: repositories, their connections to hosts, disks and drives, and what the storage drivers report."""

from __future__ import annotations

from collections.abc import Mapping

from bot.xapi.meanings.meaning import Meaning, entry

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
    "SR_FULL": entry("needed available", "The storage is full: {needed} needed, {available} to be had."),
    "SR_SOURCE_SPACE_INSUFFICIENT": entry("sr", "The storage {sr} has not enough free space."),
    "SR_SUSPEND_SPACE_INSUFFICIENT": entry("sr", "The storage {sr} has no room for the VM's suspended memory."),
    "SR_OPERATION_NOT_SUPPORTED": entry("sr", "The storage {sr} cannot do this."),
    "SR_UNKNOWN_DRIVER": entry("type", "The host has no driver for storage of the type {type}."),
    "SR_NOT_SHARABLE": entry("sr host", "The storage {sr} cannot be shared, so {host} cannot have it too."),
    "SR_NOT_SHARED": entry("sr", "The storage {sr} is not shared between hosts."),
    "SR_NOT_EMPTY": entry("", "There are still disks on the storage."),
    "SR_INDESTRUCTIBLE": entry("sr", "The storage {sr} is marked as not to be destroyed."),
    "SR_UUID_EXISTS": entry("uuid", "The pool knows this storage already."),
    "SR_DEVICE_IN_USE": entry("", "The storage's device is in use already."),
    "SR_DOES_NOT_SUPPORT_MIGRATION": entry("sr", "Disks cannot move away from the storage {sr} while they are in use."),
    "SR_REQUIRES_UPGRADE": entry("sr", "The storage {sr} must be upgraded first."),
    "SR_UNHEALTHY": entry("sr health fix", "The storage {sr} is not healthy ({health}): {fix}."),
    "SR_VDI_LOCKING_FAILED": entry("", "A disk is locked by another host, or was not unlocked.", _LOG),
    "SR_BACKEND_FAILURE": entry("status ignored reason", "The storage driver failed: {reason} {status}.", _LOG),
    "SM_PLUGIN_COMMUNICATION_FAILURE": entry("driver", "The storage driver {driver} does not answer.", _LOG),
    "PBD_EXISTS": entry("sr host", "{host} has a connection to the storage {sr} already."),
    "OUT_OF_SPACE": entry("location", "There is no space left on {location}."),
    "VDI_IN_USE": entry("vdi operation", "The disk {vdi} is in use ({operation}).", "Wait, or shut down what uses it."),
    "VDI_NOT_AVAILABLE": entry("vdi", "The disk {vdi} cannot be reached.", _LOG),
    "VDI_MISSING": entry("sr vdi", "The disk {vdi} is not on the storage {sr} any more."),
    "VDI_LOCATION_MISSING": entry("sr location", "{location} is not on the storage {sr} any more."),
    "VDI_READONLY": entry("vdi", "The disk {vdi} can only be read."),
    "VDI_IS_A_PHYSICAL_DEVICE": entry("vdi", "{vdi} is a physical device, which does not allow this."),
    "VDI_NOT_MANAGED": entry("vdi", "The disk {vdi} is internal to its storage."),
    "VDI_CBT_ENABLED": entry("vdi", "Changed block tracking is on for the disk {vdi}, which does not allow this."),
    "VDI_IS_ENCRYPTED": entry("vdi", "The disk {vdi} is encrypted, which does not allow this."),
    "VDI_NEEDS_VM_FOR_MIGRATE": entry("vdi", "The disk {vdi} can only move while a VM uses it."),
    "VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION": entry("", "A disk that is reset at each boot does not allow this."),
    "VDI_INCOMPATIBLE_TYPE": entry("vdi type", "A disk of the type {type} does not allow this ({vdi})."),
    "VDI_TOO_SMALL": entry("vdi needed", "The disk {vdi} is too small: at least {needed}."),
    "VDI_TOO_LARGE": entry("vdi available", "The disk {vdi} is too large: at most {available}."),
    "VDI_IO_ERROR": entry("device", "Reading or writing a disk failed.", _LOG),
    "VBD_IS_EMPTY": entry("vbd", "There is nothing in the drive."),
    "VBD_NOT_EMPTY": entry("vbd", "There is something in the drive already.", "Eject it first."),
    "VBD_NOT_REMOVABLE_MEDIA": entry("vbd", "This drive is not one for CDs."),
    "VBD_NOT_UNPLUGGABLE": entry("vbd", "The drive cannot be unplugged while the VM runs."),
    "VBD_TRAY_LOCKED": entry("vbd", "The guest has locked the CD drive.", "Unmount the CD inside the VM."),
    "VBD_CDS_MUST_BE_READONLY": entry("", "A CD can only be read."),
    "VBD_MISSING": entry("", "A drive of the VM is not there any more."),
    "HOST_CD_DRIVE_EMPTY": entry("", "The host's CD drive is empty."),
    "DEVICE_ALREADY_ATTACHED": entry("device", "The device is attached already."),
    "DEVICE_ALREADY_DETACHED": entry("device", "The device is detached already."),
    "DEVICE_ALREADY_EXISTS": entry("device", "The VM already has a device at the position {device}."),
    "DEVICE_ATTACH_TIMEOUT": entry("kind object", "A device could not be attached in time.", _LOG),
    "DEVICE_DETACH_TIMEOUT": entry(
        "kind object", "The guest did not release a device in time.", "Stop using it inside the VM."
    ),
    "DEVICE_DETACH_REJECTED": entry(
        "kind object reason", "The guest does not release a device: {reason}.", "Stop using it inside the VM."
    ),
    "DEVICE_NOT_ATTACHED": entry("vbd", "The device is not attached."),
    "INVALID_DEVICE": entry("device", "{device} is not a position for a device."),
    "PROVISION_FAILED_OUT_OF_SPACE": entry("", "There is not enough space for the VM's disks."),
    "DEFAULT_SR_NOT_FOUND": entry("sr", "The pool's default storage does not exist.", "Set a default SR for the pool."),
    "NO_LOCAL_STORAGE": entry("", "The host has no local storage."),
}

PREFIXES: Mapping[str, Meaning] = {
    # SR_BACKEND_FAILURE_n("", what the driver says, XML).
    "SR_BACKEND_FAILURE_": Meaning(("ignored", "reason"), "The storage driver failed: {reason}.", _LOG),
}
