"""What the sandbox simulates, from where, and where it knowingly differs: the text of the fidelity page.

Everything here is collected from what stands beside the code: the source given with each call, and each difference.
"""

from __future__ import annotations

import collections

from sandbox.xapi import (
    dispatch,
    generic,
    http_handlers,  # noqa: F401 - no call reaches it, but it has differences to tell
)
from sandbox.xapi.model import Model, model
from sandbox.xapi.registry import DIFFERENCES, HANDLERS

REFERENCE = "26.9.0"


def page() -> str:
    """Markdown; the same text for the same code."""
    known = model(REFERENCE)
    parts = [
        "# How faithful the pretend toolstack is",
        _introduction(known),
        "## Calls with behaviour of their own",
        _calls(),
        "## Calls by rule",
        _by_rule(known),
        "## Known differences",
        _differences(),
        "## Not simulated",
        _missing(known),
    ]
    return "\n\n".join(parts) + "\n"


def _introduction(known: Model) -> str:
    messages = [m for c in known.classes.values() for m in c.messages.values()]
    there = sum(dispatch.is_simulated(m) for m in messages if not m.removed)
    removed = sum(m.removed for m in messages)
    return (
        f"Of the {len(messages)} calls of xapi {REFERENCE}, {there} are simulated and {removed} are answered with "
        "MESSAGE_REMOVED, as there. The rest exist but are refused with NOT_IMPLEMENTED (the call's name); a call that "
        "a release does not have is MESSAGE_METHOD_UNKNOWN. Nothing is answered with a success that did not happen."
    )


def _calls() -> str:
    rows = [f"| `{name}` | {h.only or 'all'} | {h.source} |" for name, h in sorted(HANDLERS.items())]
    return "\n".join(["| call | how much of it | source |", "| --- | --- | --- |", *rows])


def _by_rule(known: Model) -> str:
    counts: collections.Counter[str] = collections.Counter()
    for cls in known.classes.values():
        for message in cls.messages.values():
            if message.wire_name not in HANDLERS and not message.removed and generic.behaviour(message):
                counts[message.implicit or "setter that only stores"] += 1
    rows = [f"| {kind.replace('_', ' ')} | {count} |" for kind, count in sorted(counts.items())]
    head = "Driven by the data model: types, errors and defaults are the model's, held against recorded exchanges."
    return "\n".join([head, "", "| rule | calls |", "| --- | --- |", *rows])


def _differences() -> str:
    rows = [f"| {d.subject} | {d.what} | {d.why} |" for d in sorted(DIFFERENCES, key=lambda d: (d.subject, d.what))]
    return "\n".join(["| about | difference | reason |", "| --- | --- | --- |", *rows])


def _missing(known: Model) -> str:
    lines = []
    for cls in known.classes.values():
        names = [m.name for m in cls.messages.values() if not m.removed and not dispatch.is_simulated(m)]
        if names:
            lines.append(f"- `{cls.name}`: {', '.join(sorted(names))}")
    return "\n".join(lines)
