"""Messages (alerts): files on the coordinator rather than database objects."""

from __future__ import annotations

from sandbox.xapi import filters, marshal
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.model import Type
from sandbox.xapi.registry import RECORDED, call
from sandbox.xapi.values import Row, Time

_MOST = 10_000
"""The oldest make room beyond so many."""


def _get(context: Context, ref: str) -> Row:
    row = context.pool.messages.rows.get(ref)
    if row is None:
        raise Failure("HANDLE_INVALID", "message", ref)
    return row


def _chosen(context: Context, since: Time | None = None, cls: str = "", uuid: str = "") -> dict[str, Row]:
    return {
        ref: dict(row)
        for ref, row in context.pool.messages.rows.items()
        if (since is None or row["timestamp"] > since) and (not cls or (row["cls"] == cls and row["obj_uuid"] == uuid))
    }


def _exists(context: Context, cls: str, uuid: str) -> bool:
    """`cls` is the alert's word for a class: Host means host."""
    table = next((t for name, t in context.db.tables.items() if name.lower() == cls.lower()), None)
    return table is not None and uuid in table.by_uuid


@call("message.create", source=RECORDED)
def create(context: Context, name: str, priority: int, cls: str, obj_uuid: str, body: str) -> str:
    """The object must exist; the priority is not looked at."""
    if not _exists(context, cls, obj_uuid):
        raise Failure("UUID_INVALID", cls, obj_uuid)
    ref = context.announce(name, priority, cls, obj_uuid, body)
    rows = context.pool.messages.rows
    if len(rows) > _MOST:
        context.pool.messages.remove(next(iter(rows)))
    return ref


@call("message.destroy", source=RECORDED)
def destroy(context: Context, ref: str) -> None:
    _get(context, ref)
    context.pool.messages.remove(ref)
    context.db.changed.notify_all()


@call("message.destroy_many")
def destroy_many(context: Context, refs: list[str]) -> None:
    for ref in refs:
        destroy(context, ref)


@call("message.destroy_all")
def destroy_all(context: Context, choice: dict[str, str]) -> None:
    """`choice` may hold before, after (times) and priority; an empty one is all messages."""
    wanted = {k: Type("datetime") if k in ("before", "after") else Type("int") for k in choice}
    limits = {k: marshal.read(type_, choice[k], context.model) for k, type_ in wanted.items() if k in _LIMITS}
    for ref, row in list(context.pool.messages.rows.items()):
        early = "before" not in limits or row["timestamp"] < limits["before"]
        late = "after" not in limits or row["timestamp"] > limits["after"]
        if early and late and limits.get("priority", row["priority"]) == row["priority"]:
            destroy(context, ref)


_LIMITS = ("before", "after", "priority")


@call("message.get", source=RECORDED)
def get(context: Context, cls: str, obj_uuid: str, since: Time) -> dict[str, Row]:
    if not _exists(context, cls, obj_uuid):
        raise Failure("UUID_INVALID")  # without the uuid, unlike message.create
    return _chosen(context, since, cls, obj_uuid)


@call("message.get_since", source=RECORDED)
def get_since(context: Context, since: Time) -> dict[str, Row]:
    return _chosen(context, since)


@call("message.get_all", source=RECORDED)
def get_all(context: Context) -> list[str]:
    return list(context.pool.messages.rows)


@call("message.get_all_records", source=RECORDED)
def get_all_records(context: Context) -> dict[str, Row]:
    return _chosen(context)


@call("message.get_all_records_where")
def get_all_records_where(context: Context, expression: str) -> dict[str, Row]:
    matches = filters.compile_filter(expression, context.model.classes["message"])
    return {ref: row for ref, row in _chosen(context).items() if matches(row)}


@call("message.get_record", source=RECORDED)
def get_record(context: Context, ref: str) -> Row:
    return dict(_get(context, ref))


@call("message.get_by_uuid")
def get_by_uuid(context: Context, uuid: str) -> str:
    ref = context.pool.messages.by_uuid.get(uuid)
    if ref is None:
        raise Failure("UUID_INVALID", "message", uuid)
    return ref
