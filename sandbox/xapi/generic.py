"""The calls that every class has by its fields: get_all…, get_record, getters, setters, create and destroy.

Calls that look generic but do more in xapi have a function of their own in `calls/`, which takes precedence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.xapi import filters
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.model import Message
from sandbox.xapi.registry import difference
from sandbox.xapi.values import Row

Behaviour = Callable[..., Any]

# Setters (and add_to_, remove_from_, add_, remove_) that the data model declares as calls of their own, but that only
# write the field in xapi. Everything else that is not generic in the model needs a function in `calls/`.
_PLAIN = {
    "VM": ("name_description", "is_default_template", "user_version", "recommendations", "other_config",
           "xenstore_data", "platform", "PV_args", "tags", "blocked_operations", "suspend_SR"),
    "host": ("address", "hostname", "other_config", "logging", "guest_VCPUs_params", "display", "license_server"),
    "pool": ("other_config", "default_SR", "suspend_image_SR", "crash_dump_SR", "gui_config", "health_check_config"),
    "SR": ("name_label", "name_description", "other_config", "physical_size", "virtual_allocation",
           "physical_utilisation", "tags"),
    "VDI": ("name_label", "name_description", "other_config", "sharable", "read_only", "missing", "managed", "tags"),
    "PBD": ("other_config",),
    "PIF": ("other_config", "disallow_unplug"),
    "network": ("other_config", "default_locking_mode", "tags"),
    "VIF": ("other_config",),
    "VBD": ("other_config",),
    "task": ("other_config",),
}  # fmt: skip

_KINDS = {"set_": "field_setter", "add_to_": "field_add", "remove_from_": "field_remove"}


def behaviour(message: Message) -> Behaviour | None:
    """How to answer a generic call; None when the call has behaviour that is not simulated."""
    kind = message.implicit or _declared_but_plain(message)
    make = _MAKERS.get(kind)
    if kind in ("create", "destroy") and message.cls not in _PLAIN_OBJECTS:
        return None
    return make(message) if make else None


def _declared_but_plain(message: Message) -> str:
    for prefix, kind in _KINDS.items():
        if message.name.startswith(prefix) and message.name.removeprefix(prefix) in _PLAIN.get(message.cls, ()):
            return kind
    return ""


def _getter(message: Message) -> Behaviour:
    cls, field = message.cls, message.name.removeprefix("get_")
    return lambda context, ref: context.db.value(cls, ref, field)


def _setter(message: Message) -> Behaviour:
    cls, field = message.cls, message.name.removeprefix("set_")
    return lambda context, ref, value: context.db.write(cls, ref, **{field: value})


def _add(message: Message) -> Behaviour:
    """add_to_FIELD(key, value) for a map, add_FIELD(value) for a set (twice is silent)."""
    cls = message.cls
    if message.name.startswith("add_to_"):
        field = message.name.removeprefix("add_to_")
        return lambda context, ref, key, value: add_pair(context, cls, ref, field, key, value)
    member = message.name.removeprefix("add_")

    def add(context: Context, ref: str, value: Any) -> None:
        current = context.db.value(cls, ref, member)
        if value not in current:
            context.db.write(cls, ref, **{member: [*current, value]})

    return add


def add_pair(context: Context, cls: str, ref: str, field: str, key: str, value: Any) -> None:
    """Raises Failure MAP_DUPLICATE_KEY for a key that is there."""
    if key in context.db.value(cls, ref, field):
        raise Failure("MAP_DUPLICATE_KEY", cls, field, ref, key)
    context.db.set_key(cls, ref, field, key, value)


def _remove(message: Message) -> Behaviour:
    """Removing what is not there is silent."""
    cls = message.cls
    if message.name.startswith("remove_from_"):
        field = message.name.removeprefix("remove_from_")
        return lambda context, ref, key: context.db.drop_key(cls, ref, field, key)
    member = message.name.removeprefix("remove_")

    def remove(context: Context, ref: str, value: Any) -> None:
        current = context.db.value(cls, ref, member)
        context.db.write(cls, ref, **{member: [v for v in current if v != value]})

    return remove


def _get_record(message: Message) -> Behaviour:
    cls = message.cls
    return lambda context, ref: dict(context.db.get(cls, ref))


def _get_all(message: Message) -> Behaviour:
    cls = message.cls
    return lambda context: list(context.db.rows(cls))


def _get_all_records(message: Message) -> Behaviour:
    cls = message.cls
    return lambda context: {ref: dict(row) for ref, row in context.db.rows(cls).items()}


def _get_by_uuid(message: Message) -> Behaviour:
    cls = message.cls
    return lambda context, uuid: context.db.by_uuid(cls, uuid)


def _get_by_name_label(message: Message) -> Behaviour:
    cls = message.cls
    return lambda context, label: [r for r, row in context.db.rows(cls).items() if row["name_label"] == label]


def _matching(context: Context, cls: str, expression: str) -> dict[str, Row]:
    matches = filters.compile_filter(expression, context.model.classes[cls])
    return {ref: dict(row) for ref, row in context.db.rows(cls).items() if matches(row)}


def _get_all_where(message: Message) -> Behaviour:
    cls = message.cls
    return lambda context, expression: list(_matching(context, cls, expression))


def _get_all_records_where(message: Message) -> Behaviour:
    cls = message.cls
    return lambda context, expression: _matching(context, cls, expression)


# Classes whose objects are nothing but their record: creating and destroying them has no further effect.
_PLAIN_OBJECTS = ("console", "subject", "user", "VM_appliance", "VM_group", "Observer", "secret")
difference(
    "generic create and destroy",
    f"Only {', '.join(_PLAIN_OBJECTS)} are created and destroyed by the generic rule.",
    "Other classes' constructors do more than store a record; each is simulated by its own function or refused.",
)


def _create(message: Message) -> Behaviour:
    cls = message.cls
    return lambda context, record: context.db.create(cls, record)


def _destroy(message: Message) -> Behaviour:
    cls = message.cls
    return lambda context, ref: context.db.destroy(cls, ref)


_MAKERS: dict[str, Callable[[Message], Behaviour]] = {
    "field_getter": _getter,
    "field_setter": _setter,
    "field_add": _add,
    "field_remove": _remove,
    "get_record": _get_record,
    "get_all": _get_all,
    "get_all_records": _get_all_records,
    "get_by_uuid": _get_by_uuid,
    "get_by_label": _get_by_name_label,
    "get_all_where": _get_all_where,
    "get_all_records_where": _get_all_records_where,
    "create": _create,
    "destroy": _destroy,
}
