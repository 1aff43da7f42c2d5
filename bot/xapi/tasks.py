"""XenAPI's tasks: what a record says, and the result that it carries as text."""

from __future__ import annotations

import json
import re
import xml.parsers.expat
import xmlrpc.client
from collections.abc import Mapping
from typing import Any

from bot.inventory import fraction
from bot.ports import TaskStatus, TaskView

_BARE = re.compile(r"<value>([^<]*)</value>\s*\Z")
_LOST = "CANNOT_CONTACT_HOST"
_BY_A_MEMBER = frozenset({"pool.eject", "pool.designate_new_master"})
"""The calls to a pool that the host does which leaves, or is to lead; the coordinator passes them on as a whole."""


def view_of(record: Mapping[str, Any]) -> TaskView:
    """A task's record for the engine. `status` is written last (xapi 26.9 as recorded), so a success has its result."""
    return TaskView(
        status=TaskStatus(str(record.get("status", "pending"))),
        progress=fraction(record.get("progress")),
        error=tuple(map(str, record.get("error_info") or ())),
        result=result_text(str(record.get("result", ""))),
        lost=is_lost(str(record.get("name_label", "")).removeprefix("Async."), record.get("error_info")),
    )


def is_lost(call: str, error: Any) -> bool:
    """Did the coordinator lose the host that it had passed this call on to, so that nobody knows what came of it?

    It then names that host by its reference. An address instead means the other pool of a migration, which is asked
    before anything begins; and what the coordinator does itself it gives up, and takes back, when a host is missing
    (xapi's message forwarding, August 2026).
    """
    found = tuple(map(str, error or ()))
    if found[:1] != (_LOST,) or not found[-1].startswith("OpaqueRef:"):
        return False
    return not call.startswith("pool.") or call in _BY_A_MEMBER


def result_text(result: str) -> str:
    """A task's result (an XML-RPC value as text) as plain text: a reference or a string as it is, "" for void, `true`
    or `false`, anything deeper as JSON.
    """
    if not result or result == "<value></value>" or result == "<value/>":
        return ""
    whole = f"<methodResponse><params><param>{result}</param></params></methodResponse>"
    try:
        (value,), _ = xmlrpc.client.loads(whole)
    except (xml.parsers.expat.ExpatError, xmlrpc.client.Error, ValueError, TypeError, LookupError):
        bare = _BARE.match(result)
        return bare[1] if bare else result
    return value_text(value)


def value_text(value: Any) -> str:
    """A result as text, in the form of :func:`result_text`."""
    return value if isinstance(value, str) else json.dumps(value, default=str)
