"""What storage drivers report: `SR_BACKEND_FAILURE_n("", what the driver says, XML)`.

The numbers are those of the drivers (`sm`, errno-like up to 40, its own from there on); what the driver says is shown
as well, since one number serves several causes.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.xapi.meanings.meaning import Meaning

_LOG = "The host's /var/log/SMlog says more about it."
_PATH = "Check the storage itself, and the network between it and the host."
_LOGIN = "Correct the user and password (CHAP) of the storage, or what the target allows this host's IQN."
_LUN = f"Check that the LUN is still there and is offered to this host. {_LOG}"
_SETTINGS = "Correct the storage's settings (device-config)."

#: number → what it means, what to do
_CAUSES: Mapping[str, tuple[str, str]] = {
    "16": ("The storage is in use already", "Find out what uses it; wait, or detach it there."),
    "19": ("The device is not there", _LUN),
    "24": ("The disk is in use already", "Wait, or shut down what uses it."),
    "37": ("The storage is locked by something else", f"Wait, then ask again. {_LOG}"),
    "42": ("The storage exists already", "Use it as it is, instead of making it anew."),
    "43": ("The storage exists already", "Use it as it is, instead of making it anew."),
    "44": (
        "There is not enough space on the storage",
        "Remove what nobody needs (snapshots first), or choose another.",
    ),
    "46": ("The disk is not available", f"See that its storage is plugged on the host, and scan it anew. {_LOG}"),
    "47": ("The storage cannot be reached", _PATH),
    "67": ("The LUN did not appear after the login", _LUN),
    "68": ("The iSCSI target does not let the host log in", _LOGIN),
    "72": ("The NFS server does not speak this version of NFS", _SETTINGS),
    "73": ("The export cannot be mounted", "Check that the server exports this path to this host."),
    "77": ("The volume group cannot be made", _LUN),
    "83": ("The iSCSI target does not answer a search", _PATH),
    "84": ("The iSCSI target has another IQN", _SETTINGS),
    "87": ("The settings do not say which LUN", _SETTINGS),
    "90": ("The device cannot be read", _LUN),
    "91": ("The device cannot be used", _LUN),
    "95": ("The settings do not say which iSCSI server", _SETTINGS),
    "96": ("The settings do not say which iSCSI target (IQN)", _SETTINGS),
    "97": ("The host has no IQN of its own", "Give it one, and allow it at the target."),
    "101": ("The settings do not say which path of the server", _SETTINGS),
    "102": ("The settings do not say which server", _SETTINGS),
    "103": ("The server does not have this path", _SETTINGS),
    "105": ("The device is the host's own system disk", "Name another device."),
    "107": ("The settings do not say which LUN (SCSIid)", _SETTINGS),
    "108": ("The server does not answer", _PATH),
    "109": ("The disk has too many snapshots behind it", "Remove old ones; the space is given back after a while."),
    "140": ("The server's name is not known to DNS", "Correct the name, or the host's DNS servers."),
    "141": ("The iSCSI target cannot be reached", _PATH),
    "142": ("The port of the iSCSI target is not a number", _SETTINGS),
    "200": ("Reading or writing the storage failed", f"Check its paths and disks. {_LOG}"),
    "202": ("A command of the storage driver failed", _LOG),
    "430": ("Multipathing failed on the host", f"Check the multipath configuration of all hosts. {_LOG}"),
    "431": ("Multipathing failed on the host", f"Check the multipath configuration of all hosts. {_LOG}"),
}

TABLE: Mapping[str, tuple[Meaning, ...]] = {
    f"SR_BACKEND_FAILURE_{number}": (Meaning(("ignored", "reason"), f"{text}: {{reason}}.", remedy),)
    for number, (text, remedy) in _CAUSES.items()
}

PREFIXES: Mapping[str, Meaning] = {
    "SR_BACKEND_FAILURE_": Meaning(("ignored", "reason"), "The storage driver failed: {reason}.", _LOG),
}
