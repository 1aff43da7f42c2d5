"""XenAPI's tasks: what a record says, and the result that it carries as text."""

from __future__ import annotations

import json
import re
import xml.parsers.expat
import xmlrpc.client
from collections.abc import Mapping
from typing import Any

from bot.ports import TaskStatus, TaskView

_BARE = re.compile(r"<value>([^<]*)</value>\s*\Z")


def view_of(record: Mapping[str, Any]) -> TaskView:
    """A task's record for the engine. `status` is written last (xapi 26.9 as recorded), so a success has its result."""
    return TaskView(
        status=TaskStatus(str(record.get("status", "pending"))),
        progress=_fraction(record.get("progress")),
        error=tuple(map(str, record.get("error_info") or ())),
        result=result_text(str(record.get("result", ""))),
    )


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


def _fraction(value: Any) -> float:
    try:
        return min(max(float(value), 0.0), 1.0)
    except (TypeError, ValueError):
        return 0.0
