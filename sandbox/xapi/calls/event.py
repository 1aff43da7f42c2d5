"""Events: what changed, by generation numbers (`event.from`), and the older registered queue (`event.next`)."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.registry import BOTH, RECORDED, call, difference
from sandbox.xapi.store import Table
from sandbox.xapi.values import I4

_DAY = 86400.0
_INT64 = 1 << 63
_TOKEN = re.compile(r"([+-]?[0-9][0-9_]*),([+-]?[0-9][0-9_]*)")
# Not stored as objects, yet counted (as nothing) among the valid references.
_COUNTED = (
    "auth",
    "data_source",
    "diagnostics",
    "event",
    "lvhd",
    "message",
    "probe_result",
    "sr_stat",
    "vdi_nbd_server_info",
)

difference("event.next", "Event ids start at 0 with each registration; EVENTS_LOST never happens.",
           "The old interface is kept for clients that still probe it; the queue here is not limited.")  # fmt: skip


@dataclass
class Subscription:
    """`*`, a class in any case, or class/reference; what is unknown just never matches."""

    everything: bool = False
    classes: set[str] = field(default_factory=set)
    objects: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def of(cls, names: list[str]) -> Subscription:
        out = cls()
        for name in names:
            kind, slash, ref = name.partition("/")
            if name == "*":
                out.everything = True
            elif slash:
                out.objects.add((kind.lower(), ref))
            else:
                out.classes.add(kind.lower())
        return out

    def wants_class(self, name: str) -> bool:
        lower = name.lower()
        return self.everything or lower in self.classes or any(kind == lower for kind, _ in self.objects)

    def wants(self, name: str, ref: str) -> bool:
        lower = name.lower()
        return self.everything or lower in self.classes or (lower, ref) in self.objects


def parse_token(token: str) -> tuple[int, int]:
    """(database generation, message generation). Raises Failure EVENT_FROM_TOKEN_PARSE_FAILURE."""
    if token == "":
        return (0, 0)
    found = _TOKEN.fullmatch(token)
    halves = [int(half.replace("_", "")) for half in found.groups()] if found else []
    if not found or not all(-_INT64 <= h < _INT64 for h in halves):
        raise Failure("EVENT_FROM_TOKEN_PARSE_FAILURE", token)
    return halves[0], halves[1]


def format_token(generation: int, messages: int) -> str:
    return f"{generation:020d},{messages:020d}"


@call("event.from", source=BOTH)
def event_from(context: Context, classes: list[str], token: str, timeout: float) -> dict[str, Any]:
    """Blocks for real seconds, not the lab's: the timeout belongs to the client."""
    wanted = Subscription.of(classes)
    since, since_message = parse_token(token)
    deadline = time.monotonic() + (timeout if timeout >= 0 else _DAY)
    tables = [t for t in context.db.tables.values() if t.cls.has_events and wanted.wants_class(t.cls.name)]
    while True:
        last, events = _collect(tables, wanted, since)
        message_generation, messages = _messages(context, wanted, since_message)
        left = deadline - time.monotonic()
        if events or messages or left <= 0 or context.estate.stopped:
            break
        since, since_message = last, message_generation
        context.db.changed.wait(min(left, _DAY))
        _session_there(context)
    return {
        "events": messages + events,
        "token": format_token(last, message_generation),
        "valid_ref_counts": _counts(context),
    }


def _session_there(context: Context) -> None:
    if context.session not in context.host.local_sessions and context.db.find("session", context.session) is None:
        raise Failure("SESSION_INVALID", context.session)


def _collect(tables: list[Table], wanted: Subscription, since: int) -> tuple[int, list[dict[str, Any]]]:
    """(generation of the newest matching change, events in the order add, mod, del)."""
    last, adds, mods, dels = since, [], [], []
    for table in tables:
        name = table.cls.name
        for ref in table.changed_since(since):
            if not wanted.wants(name, ref):
                continue
            created, modified = table.created[ref], table.modified[ref]
            last = max(last, modified)
            if created > since:
                adds.append(_event(name, "add", ref, created, dict(table.rows[ref])))
            else:
                mods.append(_event(name, "mod", ref, modified, dict(table.rows[ref])))
        for deleted, created, ref in table.deleted_since(since):
            if not wanted.wants(name, ref):
                continue
            last = max(last, deleted)
            if created <= since:
                dels.append(_event(name, "del", ref, deleted, None))
    return last, adds + mods + dels


def _messages(context: Context, wanted: Subscription, since: int) -> tuple[int, list[dict[str, Any]]]:
    if not wanted.wants_class("message"):
        return 0, []
    log = context.pool.messages
    out = [
        _event("message", "del" if row is None else "add", ref, 0, None if row is None else dict(row))
        for ref, row in log.since(since)
        if wanted.wants("message", ref)
    ]
    return max(since, log.generation), out


def _event(cls: str, operation: str, ref: str, generation: int, snapshot: dict[str, Any] | None) -> dict[str, Any]:
    out: dict[str, Any] = {
        "id": str(generation),
        "timestamp": "0.0",
        "class": cls.lower(),
        "operation": operation,
        "ref": ref,
    }
    if snapshot is not None:
        out["snapshot"] = snapshot
    return out


def _counts(context: Context) -> dict[str, I4]:
    """How many objects of each class there are, whatever is subscribed; messages count as none."""
    return {
        name.lower(): I4(len(table.rows))
        for name, table in context.db.tables.items()
        if table.cls.in_database or name.lower() in _COUNTED
    }


@call("event.inject", source=RECORDED)
def inject(context: Context, class_: str, ref: str) -> str:
    """Count an object as changed. The token is the one just before, so that a wait from there wakes up."""
    if context.db.class_of(ref) != class_:
        raise Failure("HANDLE_INVALID", class_, ref)
    before = context.db.generation
    context.db.touch(class_, ref)
    return format_token(before, 0)


@dataclass
class Registration:
    """What one session registered for `event.next`, and how far it has read."""

    wanted: set[str]
    since: int
    since_message: int
    next_id: int = 0


@call("event.register", source=RECORDED)
def register(context: Context, classes: list[str]) -> None:
    known = context.pool.subscriptions.get(context.session)
    if known is None:
        known = Registration(set(), context.db.generation, context.pool.messages.generation)
        context.pool.subscriptions[context.session] = known
    known.wanted |= set(classes)


@call("event.unregister", source=RECORDED)
def unregister(context: Context, classes: list[str]) -> None:
    known = context.pool.subscriptions.get(context.session)
    if known is not None:
        known.wanted -= set(classes)


@call("event.next", source=BOTH)
def event_next(context: Context) -> list[dict[str, Any]]:
    known = context.pool.subscriptions.get(context.session)
    if known is None:
        raise Failure("SESSION_NOT_REGISTERED", context.session)
    while True:
        wanted = Subscription.of(sorted(known.wanted))
        tables = [t for t in context.db.tables.values() if t.cls.has_events and wanted.wants_class(t.cls.name)]
        known.since, events = _collect(tables, wanted, known.since)
        generation, messages = _messages(context, wanted, known.since_message)
        known.since_message = max(generation, known.since_message)
        if events or messages or context.estate.stopped:
            break
        context.db.changed.wait()
        _session_there(context)
    out = messages + events
    for event in out:
        event["id"] = str(known.next_id)
        known.next_id += 1
    return out


@call("event.get_current_id")
def get_current_id(context: Context) -> int:
    known = context.pool.subscriptions.get(context.session)
    return known.next_id if known else 0
