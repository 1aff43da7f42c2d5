"""Roles: a table that every host has in itself, read only."""

from __future__ import annotations

from typing import Any

from sandbox.xapi import roles
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.registry import READ, call, difference
from sandbox.xapi.values import Row

difference(
    "role",
    "Descriptions are our own. Permissions of HTTP handlers and of single keys of maps are missing, and so is the "
    "internal role client-cert.",
    "The data model that the table is made from does not have them.",
)
_COMPOSITE, _BASIC = "subroles<>[]", "subroles=[]"


def _table(context: Context) -> dict[str, Row]:
    return roles.table(context.model.release)


def _get(context: Context, ref: str) -> Row:
    row = _table(context).get(ref)
    if row is None:
        raise Failure("HANDLE_INVALID", "role", ref)
    return row


@call("role.get_record", source=READ)
def get_record(context: Context, role: str) -> Row:
    return dict(_get(context, role))


@call("role.get_all", source=READ)
def get_all(context: Context) -> list[str]:
    return list(_table(context))


@call("role.get_all_records", source=READ)
def get_all_records(context: Context) -> dict[str, Row]:
    return dict(_table(context))


@call("role.get_all_records_where", source=READ)
def get_all_records_where(context: Context, expression: str) -> dict[str, Row]:
    """Two texts are understood, of which one asks for roles and the other for permissions; any other means all."""
    found = _table(context).items()
    if expression in (_COMPOSITE, _BASIC):
        return {ref: row for ref, row in found if bool(row["subroles"]) is (expression == _COMPOSITE)}
    return dict(found)


@call("role.get_all_where", source=READ)
def get_all_where(context: Context, expression: str) -> list[str]:
    return list(get_all_records_where(context, expression))


@call("role.get_by_uuid", source=READ)
def get_by_uuid(context: Context, uuid: str) -> str:
    found = next((ref for ref, row in _table(context).items() if row["uuid"] == uuid), None)
    if found is None:
        raise Failure("UUID_INVALID", "role", uuid)
    return found


@call("role.get_by_name_label", source=READ)
def get_by_name_label(context: Context, label: str) -> list[str]:
    return [ref for ref, row in _table(context).items() if row["name_label"] == label]


@call("role.get_permissions", source=READ)
def get_permissions(context: Context, role: str) -> list[str]:
    _get(context, role)
    return roles.permissions(context.model.release, role)


@call("role.get_permissions_name_label", source=READ)
def get_permissions_name_label(context: Context, role: str) -> list[str]:
    return [_get(context, permission)["name_label"] for permission in get_permissions(context, role)]


@call("role.get_by_permission", source=READ)
def get_by_permission(context: Context, permission: str) -> list[str]:
    """The roles that have it; it does not have itself."""
    return [ref for ref, row in _table(context).items() if permission in row["subroles"]]


@call("role.get_by_permission_name_label", source=READ)
def get_by_permission_name_label(context: Context, label: str) -> list[str]:
    return [ref for each in get_by_name_label(context, label) for ref in get_by_permission(context, each)]


def _field(name: str) -> None:
    @call(f"role.get_{name}", source=READ)
    def get(context: Context, role: str) -> Any:
        return _get(context, role)[name]


for _name in ("uuid", "name_label", "name_description", "subroles", "is_internal"):
    _field(_name)
