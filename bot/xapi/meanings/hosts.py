"""Operations on hosts and on the pool: maintenance, power, leaving, updates, clocks."""

from __future__ import annotations

from collections.abc import Mapping

from bot.xapi.meanings.meaning import Meaning, entry

_PRECHECK = "The host's /var/log/xensource.log says what is in the way: a VM, space, or an update that must come first."
_EMERGENCY = (
    "Bring the coordinator back. If it is lost: “pool recover in POOL” makes another host the coordinator and tells the"
    " others."
)

TABLE: Mapping[str, tuple[Meaning, ...]] = {
    "HOST_STILL_BOOTING": entry(
        "", "The host is still starting, or has lost its coordinator.", f"Wait some minutes. {_EMERGENCY}"
    ),
    "HOST_UNKNOWN_TO_MASTER": entry(
        "host",
        "The coordinator does not know this host (any more).",
        "It was removed from the pool while it was away; it has to join again.",
    ),
    "HOST_MASTER_CANNOT_TALK_BACK": entry(
        "address", "The coordinator cannot reach the host at {address}.", "Check the management network between them."
    ),
    "HOST_HAS_NO_MANAGEMENT_IP": entry("", "The host has no management address.", "Check its network at its console."),
    "HOST_ITS_OWN_SLAVE": entry("", "The host believes that it is a member of itself.", _EMERGENCY),
    "HOST_BROKEN": entry("", "The host's toolstack failed to start.", "Its /var/log/xensource.log says why."),
    "HOST_IN_EMERGENCY_MODE": entry("", "The host has lost its coordinator (emergency mode).", _EMERGENCY),
    "NOT_IN_EMERGENCY_MODE": entry(
        "",
        "The host is not in emergency mode, which this needs.",
        "It has found a coordinator again; look at the pool before anything else.",
        see="pool status",
    ),
    "CANNOT_CONTACT_HOST": entry(
        "host",
        "The coordinator lost the connection to {host} meanwhile.",
        "See whether the host is alive, and what became of the operation.",
        see="host show {host}",
    ),
    "HOST_NOT_DISABLED": entry(
        "",
        "The host must be in maintenance first.",
        "Ask for maintenance, which empties it as well: “host maintenance HOST on”.",
    ),
    "HOST_DISABLED_UNTIL_REBOOT": entry("host", "{host} stays disabled until it is rebooted.", "Reboot the host."),
    "HOST_DISABLED_INDEFINITELY": entry(
        "host",
        "{host} was disabled to stay so.",
        "Enable it again when it shall run VMs.",
        do="host maintenance {host} off",
    ),
    "HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY": entry(
        "host",
        "{host} has an update that is not complete: a reboot or a restart of the toolstack is due.",
        "Do what is due first.",
        see="host show {host}",
    ),
    "HOST_HAS_RESIDENT_VMS": entry(
        "host", "VMs still run on {host}.", "Move or shut them down first.", see="vm list on {host}"
    ),
    "HOST_IS_LIVE": entry("host", "{host} is alive, and this is only for a host that is gone.", see="host show {host}"),
    "HOST_IN_USE": entry(
        "host kind object",
        "{host} is in use ({object}).",
        "Wait for it to end, then ask again.",
        see="host show {host}",
    ),
    "HOST_CANNOT_DESTROY_SELF": entry(
        "host",
        "{host} is the coordinator and cannot remove itself.",
        "Make another host the coordinator first: “pool coordinator HOST”.",
    ),
    "HOST_POWER_ON_MODE_DISABLED": entry(
        "",
        "No way to switch the host on by remote is set up.",
        "Set the host's power-on mode, or switch it on by hand.",
    ),
    "HOST_CANNOT_READ_METRICS": entry(
        "",
        "The host's measurements cannot be read.",
        "Ask again in a minute; the host's /var/log/xensource.log says more about it.",
    ),
    "HOST_NAME_INVALID": entry(
        "reason", "This is not a host's name: {reason}.", "Choose another name: letters, digits and hyphens."
    ),
    "HOST_EVACUATION_IS_REQUIRED": entry(
        "host", "{host} must be empty first.", "Move its VMs away.", see="vm list on {host}"
    ),
    "HOST_XAPI_VERSION_HIGHER_THAN_COORDINATOR": entry(
        "version", "The host is newer ({version}) than the coordinator.", "Update the coordinator first."
    ),
    "NOT_SUPPORTED_DURING_UPGRADE": entry(
        "",
        "The pool is in the middle of an update: its hosts have different versions.",
        "Finish the update on all hosts first.",
        see="host list",
    ),
    "POOL_SECRET_ROTATION_PENDING": entry(
        "",
        "A change of the pool's secret is not finished.",
        "Bring all hosts back and let it finish.",
        xe="pool-secret-rotate",
    ),
    "CLUSTERED_SR_DEGRADED": entry(
        "sr",
        "The clustered storage {sr} would lose its quorum.",
        "Bring the other hosts of the cluster back first.",
        see="host list",
    ),
    "CLUSTERING_ENABLED": entry(
        "object",
        "Clustering is switched on, which does not allow this.",
        "Detach the clustered (GFS2) storage and take the cluster down first.",
    ),
    "UPDATE_POOL_APPLY_FAILED": entry(
        "hosts",
        "The update failed on: {hosts}.",
        "Look at the log of each, mend it, then apply the update again.",
        see="host list",
    ),
    "PATCH_ALREADY_APPLIED": entry("patch", "The update is applied already.", "Nothing is left to do."),
    "UPDATE_ALREADY_APPLIED": entry("update", "The update is applied already.", "Nothing is left to do."),
    "APPLY_UPDATES_FAILED": entry(
        "host",
        "Applying the updates on {host} failed.",
        "The host's /var/log/xensource.log says why.",
        see="host show {host}",
    ),
    "NOT_ALLOWED_WHEN_NTP_IS_ENABLED": entry(
        "host",
        "The clock of {host} is set by NTP and cannot be set by hand.",
        "Check its NTP servers instead.",
        see="host show {host}",
    ),
    "INVALID_NTP_CONFIG": entry(
        "reason", "The host does not take these time settings: {reason}.", "Name one server at least."
    ),
    "TLS_VERIFICATION_NOT_ENABLED_IN_POOL": entry(
        "",
        "TLS verification is not switched on in the pool.",
        "Switch it on, which cannot be taken back.",
        xe="pool-enable-tls-verification",
    ),
    "CPU_FEATURE_MASKING_NOT_SUPPORTED": entry(
        "reason",
        "The host's CPU cannot hide features: {reason}.",
        "Only a pool of hosts with the same CPU is possible, or a newer version, which levels CPUs by itself.",
    ),
    "INVALID_FEATURE_STRING": entry(
        "reason",
        "The mask does not fit the host's CPU: {reason}.",
        "“host mask-cpu HOST like POOL” says which features stand in the way.",
    ),
}

PREFIXES: Mapping[str, Meaning] = {
    "PATCH_PRECHECK_FAILED_": Meaning((), "The update does not fit this host as it is now.", _PRECHECK),
    "UPDATE_PRECHECK_FAILED_": Meaning((), "The update does not fit this host as it is now.", _PRECHECK),
}
SUFFIXES: Mapping[str, Meaning] = {
    "_IN_PROGRESS": Meaning(
        (),
        "Another operation of the whole pool is under way.",
        "Wait for it to end, then ask again.",
        see="pool status",
    ),
}
