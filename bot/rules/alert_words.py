"""What alerts mean, in words: a pool's messages have names for programs (XenAPI: message.name)."""

from __future__ import annotations

import re

from bot.inventory import Message
from bot.text import one_line

_WORDS = {
    "BOND_STATUS_CHANGED": "a link of its bond went up or down",
    "CLUSTER_HOST_FENCING": "it was cut off from the cluster",
    "CLUSTER_QUORUM_APPROACHING_LOST": "the cluster is close to losing its quorum",
    "FAILED_LOGIN_ATTEMPTS": "logins have failed",
    "HA_HEARTBEAT_APPROACHING_TIMEOUT": "its network heartbeat was almost too late",
    "HA_HOST_FAILED": "it failed, as HA sees it",
    "HA_HOST_WAS_FENCED": "it started anew without a shutdown: HA cut it off, or its power failed",
    "HA_NETWORK_BONDING_ERROR": "the network that HA beats on has no working bond",
    "HA_POOL_DROP_IN_PLAN_EXISTS_FOR": "fewer host failures can be tolerated than before",
    "HA_POOL_OVERCOMMITTED": "not all protected VMs could be restarted if hosts fail",
    "HA_PROTECTED_VM_RESTART_FAILED": "HA could not restart it",
    "HA_STATEFILE_APPROACHING_TIMEOUT": "its storage heartbeat was almost too late",
    "HA_STATEFILE_LOST": "it cannot reach the heartbeat storage",
    "HA_XAPI_HEALTHCHECK_APPROACHING_TIMEOUT": "its toolstack answered almost too late",
    "HOST_CLOCK_SKEW_DETECTED": "its clock differs from the coordinator's by minutes",
    "HOST_CLOCK_WENT_BACKWARDS": "its clock went backwards",
    "HOST_CPU_FEATURES_DOWN": "its CPU has fewer features than before",
    "HOST_SYNC_DATA_FAILED": "the pool's data could not be copied to it",
    "IP_CONFIGURED_PIF_CAN_UNPLUG": "a NIC with an address can be unplugged",
    "LICENSE_EXPIRED": "its licence has run out",
    "LICENSE_EXPIRES_SOON": "its licence runs out soon",
    "LICENSE_NOT_AVAILABLE": "there is no licence for it",
    "LICENSE_SERVER_UNAVAILABLE": "its licence server does not answer",
    "LICENSE_SERVER_UNREACHABLE": "its licence server does not answer",
    "METADATA_LUN_BROKEN": "the storage for the pool's database fails",
    "MULTIPATH_PERIODIC_ALERT": "paths to storage went up or down",
    "PBD_PLUG_FAILED_ON_SERVER_START": "storage could not be plugged when it started",
    "PERIODIC_UPDATE_SYNC_FAILED": "updates could not be fetched",
    "SM_GC_NO_SPACE": "there is no room to merge old snapshots' disks",
    "TLS_VERIFICATION_EMERGENCY_DISABLED": "it no longer checks other hosts' certificates",
    "VM_CRASHED": "it crashed",
}

_VALUE = re.compile(r"value:\s*([-+.\w]{1,20})")
_VARIABLE = re.compile(r'<name value="([\w.-]{1,60})"')
_TRIGGER = re.compile(r'<alarm_trigger_level value="([-+.\w]{1,20})"')


def words(message: Message) -> str:
    """What happened to the object that the alert is about; the alert's own name where that is not known."""
    if message.name == "ALARM":
        return _alarm(message.text("body"))
    return _WORDS.get(message.name) or one_line(message.name)


def _alarm(body: str) -> str:
    """A measurement that passed its limit. Its body: `value: 0.96`, `config:`, then XML (perfmon; inferred)."""
    value, variable, trigger = (found.search(body) for found in (_VALUE, _VARIABLE, _TRIGGER))
    if value is None or variable is None:
        return "a measurement passed its limit (ALARM)"
    limit = f", the limit is {_short(trigger[1])}" if trigger else ""
    return f"{variable[1]} was {_short(value[1])}{limit}"


def _short(number: str) -> str:
    """Three digits of it; what it is, if it is no number."""
    try:
        return f"{float(number):.3g}"
    except ValueError:
        return number
