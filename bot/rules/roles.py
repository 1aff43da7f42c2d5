"""Which role of XenServer's role-based access control an account needs, for a call and for a command.

Source: `roles` of each message in the toolstack's data model (xapi 26.x). Without Active Directory every account is
root, which is a pool-admin.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import IntEnum


class Role(IntEnum):
    """Each may do what those before it may."""

    READ_ONLY = 0
    VM_OPERATOR = 1
    VM_ADMIN = 2
    VM_POWER_ADMIN = 3
    POOL_OPERATOR = 4
    POOL_ADMIN = 5

    def __str__(self) -> str:
        return self.name.lower().replace("_", "-")


_CALLS: dict[Role, tuple[str, ...]] = {
    Role.VM_OPERATOR: (
        "VBD.eject",
        "VM.clean_reboot",
        "VM.clean_shutdown",
        "VM.hard_reboot",
        "VM.hard_shutdown",
        "VM.resume",
        "VM.start",
        "VM.suspend",
    ),
    Role.VM_ADMIN: ("VDI.destroy", "VM.destroy"),
    Role.VM_POWER_ADMIN: (
        "VDI.pool_migrate",
        "VM.checkpoint",
        "VM.migrate_send",
        "VM.pool_migrate",
        "VM.resume_on",
        "VM.revert",
        "VM.snapshot",
        "VM.snapshot_with_quiesce",
        "VM.start_on",
        "host.migrate_receive",
    ),
    Role.POOL_OPERATOR: (
        "PBD.plug",
        "SR.assert_can_host_ha_statefile",
        "VM.power_state_reset",
        "VM.set_ha_restart_priority",
        "VM.set_order",
        "VM.set_start_delay",
        "host.add_to_other_config",
        "host.declare_dead",
        "host.destroy",
        "host.disable",
        "host.enable",
        "host.power_on",
        "host.reboot",
        "host.remove_from_other_config",
        "host.set_cpu_features",
        "host.set_ntp_custom_servers",
        "host.set_ntp_mode",
        "host.shutdown",
        "pool.add_to_other_config",
        "pool.designate_new_master",
        "pool.disable_ha",
        "pool.eject",
        "pool.emergency_reset_master",
        "pool.emergency_transition_to_master",
        "pool.enable_ha",
        "pool.ha_compute_max_host_failures_to_tolerate",
        "pool.join",
        "pool.join_force",
        "pool.recover_slaves",
        "pool.remove_from_other_config",
        "pool.set_ha_host_failures_to_tolerate",
    ),
    # No message but a file to fetch (xapi's datamodel.ml: http_actions).
    Role.POOL_ADMIN: ("http/get_pool_xml_db_sync",),
}
ROLE_OF: dict[str, Role] = {call: role for role, calls in _CALLS.items() for call in calls}
"""Every call that the bot can send and that takes more than reading → the least role that may."""

_AWAY = ("VM.clean_shutdown", "VM.pool_migrate", "VM.suspend", "host.add_to_other_config", "host.disable")
_BACK = ("VM.resume_on", "VM.start_on", "host.enable", "host.remove_from_other_config")

CALLS_OF: dict[str, tuple[str, ...]] = {
    "ha disable": ("pool.disable_ha",),
    "ha enable": (
        "SR.assert_can_host_ha_statefile",
        "VM.set_ha_restart_priority",
        "pool.enable_ha",
        "pool.set_ha_host_failures_to_tolerate",
    ),
    "ha protect": ("VM.set_ha_restart_priority", "VM.set_order", "VM.set_start_delay"),
    "ha test": (),
    "ha tolerate": (
        "pool.ha_compute_max_host_failures_to_tolerate",
        "pool.set_ha_host_failures_to_tolerate",
    ),
    "host add": ("host.set_cpu_features", "pool.join", "pool.join_force"),
    "host dead": ("VM.power_state_reset", "host.declare_dead"),
    "host forget": ("host.destroy",),
    "host maintenance": (*_AWAY, *_BACK, "pool.designate_new_master"),
    "host mask-cpu": ("host.set_cpu_features",),
    "host ntp": ("host.set_ntp_custom_servers", "host.set_ntp_mode"),
    "host reboot": (*_AWAY, "host.reboot"),
    "host remove": (*_AWAY, "pool.designate_new_master", "pool.disable_ha", "pool.eject", "pool.enable_ha"),
    "host shutdown": (*_AWAY, "host.shutdown"),
    "host start": ("host.power_on",),
    "pool backup": ("http/get_pool_xml_db_sync",),
    "pool coordinator": ("pool.designate_new_master",),
    "pool ntp": ("host.set_ntp_custom_servers", "host.set_ntp_mode"),
    "pool recover": ("pool.emergency_reset_master", "pool.emergency_transition_to_master", "pool.recover_slaves"),
    "pool shutdown": (*_AWAY, "VM.hard_shutdown", "host.shutdown", "pool.disable_ha"),
    "sr repair": ("PBD.plug",),
    "vm disk move": ("VDI.pool_migrate",),
    "vm eject": ("VBD.eject",),
    "vm migrate": ("VM.migrate_send", "VM.pool_migrate", "host.migrate_receive"),
    "vm reboot": ("VM.clean_reboot", "VM.hard_reboot"),
    "vm resume": ("VM.resume", "VM.resume_on"),
    "vm revert": ("VM.revert",),
    "vm shutdown": ("VM.clean_shutdown", "VM.hard_shutdown"),
    "vm snapshot": ("VM.checkpoint", "VM.snapshot", "VM.snapshot_with_quiesce"),
    "vm start": ("VM.start", "VM.start_on"),
    "vm suspend": ("VM.suspend",),
}
"""Each command → the calls it can make that take more than reading. One that is not here only reads."""


def role_for(command: str) -> Role:
    """The least role with which everything works that the command can do."""
    return max((ROLE_OF[call] for call in CALLS_OF.get(command, ())), default=Role.READ_ONLY)


def refused(commands: Iterable[str], permissions: Collection[str] | None) -> tuple[str, ...]:
    """The commands that an account cannot do wholly.

    :param permissions: as `session.get_rbac_permissions` gives them (`vm.start`); None: the account may do anything.
    """
    if permissions is None:
        return ()
    have = {permission.lower() for permission in permissions}
    return tuple(each for each in commands if any(call.lower() not in have for call in CALLS_OF.get(each, ())))
