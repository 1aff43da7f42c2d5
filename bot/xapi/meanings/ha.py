"""High availability: what it forbids, and why it cannot be switched on."""

from __future__ import annotations

from collections.abc import Mapping

from bot.xapi.meanings.meaning import Meaning, entry

_RESTORE = "Make the storage or network reachable from every host, or take the VM's protection away."

TABLE: Mapping[str, tuple[Meaning, ...]] = {
    "HA_IS_ENABLED": entry(
        "",
        "High availability is on, which does not allow this.",
        "Switch high availability off for the time being.",
        do="ha disable",
    ),
    "HA_NOT_ENABLED": entry("", "High availability is off already.", see="ha status"),
    "HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN": entry(
        "",
        "After this the pool could no longer restart all protected VMs if hosts fail.",
        "Make room, lower the number of host failures to tolerate, or take the protection from some VMs.",
        see="ha status",
    ),
    "HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED": entry(
        "sr", "A VM protected by high availability uses the storage {sr}, which not every host has.", _RESTORE
    ),
    "HA_CONSTRAINT_VIOLATION_NETWORK_NOT_SHARED": entry(
        "network", "A VM protected by high availability uses the network {network}, which not every host has.", _RESTORE
    ),
    "HA_ENABLE_IN_PROGRESS": entry(
        "", "High availability is being switched on just now.", "Wait for it to end.", see="pool status"
    ),
    "HA_DISABLE_IN_PROGRESS": entry(
        "", "High availability is being switched off just now.", "Wait for it to end.", see="pool status"
    ),
    "HA_LOST_STATEFILE": entry(
        "",
        "The host cannot reach the storage that high availability needs.",
        "Repair the path to the heartbeat storage first.",
    ),
    "HA_HOST_CANNOT_ACCESS_STATEFILE": entry(
        "", "A host cannot reach the heartbeat storage.", "Repair that host's path to the storage.", see="pool status"
    ),
    "HA_HOST_CANNOT_SEE_PEERS": entry("host", "{host} does not see all other hosts.", "Check the management network."),
    "HA_HEARTBEAT_DAEMON_STARTUP_FAILED": entry(
        "", "The high-availability service did not start on a host.", "Its /var/log/xha.log says why."
    ),
    "HA_FAILED_TO_FORM_LIVESET": entry(
        "",
        "The hosts did not find together for high availability.",
        "Check the management network and the heartbeat storage on each host.",
    ),
    "HA_TOO_FEW_HOSTS": entry(
        "", "Too few hosts for high availability.", "Bring all hosts back first.", see="host list"
    ),
    "HA_NO_PLAN": entry("", "There is no plan with which all protected VMs could be restarted.", see="ha status"),
    "HA_HOST_IS_ARMED": entry(
        "host",
        "High availability is armed on {host}, which does not allow this.",
        "Switch high availability off for the time being.",
        do="ha disable",
    ),
    "HA_NOT_INSTALLED": entry(
        "host",
        "{host} does not have the high-availability package.",
        "Install it there (an optional package of some versions).",
    ),
    "HA_SHOULD_BE_FENCED": entry(
        "host",
        "{host} should have been fenced by high availability.",
        "Look at the host's console; its /var/log/xha.log says why.",
        see="ha status",
    ),
    "HA_ABORT_NEW_MASTER": entry(
        "reason",
        "The change of the coordinator was given up: {reason}.",
        "Make sure that every host answers, then ask again.",
        see="host list",
    ),
    "HA_POOL_IS_ENABLED_BUT_HOST_IS_DISABLED": entry(
        "", "High availability is on in the pool but off on this host.", "Restart the host's toolstack."
    ),
    "HA_CANNOT_CHANGE_BOND_STATUS_OF_MGMT_IFACE": entry(
        "",
        "While high availability is on, the management NICs cannot be bonded or unbonded.",
        "Switch high availability off for the time being.",
        do="ha disable",
    ),
    "CANNOT_CREATE_STATE_FILE": entry(
        "",
        "No storage suits as heartbeat storage: it must be plugged on every host and have about 4 GiB free.",
        see="pool status",
    ),
    "INCOMPATIBLE_STATEFILE_SR": entry(
        "type",
        "Storage of the type {type} does not suit as heartbeat storage.",
        "Name iSCSI, Fibre Channel or NFS storage that every host has.",
        see="ha status",
    ),
    "INCOMPATIBLE_CLUSTER_STACK_ACTIVE": entry(
        "stack",
        "The pool runs another cluster stack ({stack}).",
        "Use the storage of that cluster, or take the cluster down first.",
    ),
    "REQUIRED_PIF_IS_UNPLUGGED": entry(
        "pifs", "NICs that must be connected are not: {pifs}.", "Connect them first.", see="host list"
    ),
    "REDO_LOG_IS_ENABLED": entry(
        "",
        "The redo log is on, which does not allow this.",
        "Switch it off for the time being.",
        xe="pool-disable-redo-log",
    ),
}
