"""The table of roles: six roles, and a permission for each call, which is a role without subroles.

It is made from the data model, not stored: no event tells of it. Source: xapi (August 2026).
"""

from __future__ import annotations

import functools
import hashlib
import uuid

from sandbox.xapi.model import model
from sandbox.xapi.values import Row

_POOL_ADMIN = "0165f154-ba3e-034e-6b27-5d271af109ba"
"""The only uuid that is not made from the name."""
ROLES = {
    "pool-admin": "Everything, also the hosts' control domains and who has which role",
    "pool-operator": "Hosts, pools, storage, updates and high availability",
    "vm-power-admin": "VMs and templates, and where they run",
    "vm-admin": "VMs and templates",
    "vm-operator": "Using VMs and their consoles",
    "read-only": "Looking at everything",
}
"""Each may also do what those below it may."""


@functools.cache
def table(release: str) -> dict[str, Row]:
    """Reference → record, permissions first. Not to be changed."""
    known = model(release)
    least = {m.wire_name: m.role for cls in known.classes.values() for m in cls.messages.values() if m.role in ROLES}
    rows = [_record(release, name, name.lower(), "A basic permission", [], internal=True) for name in least]
    order = list(ROLES)
    for name, description in ROLES.items():
        allowed = [_ref(_uuid(call)) for call, role in least.items() if order.index(role) >= order.index(name)]
        rows.append(_record(release, name, name, description, allowed, internal=False))
    return {_ref(row["uuid"]): row for row in rows}


def permissions(release: str, ref: str) -> list[str]:
    """What a role may, as references; a permission is its own."""
    subroles: list[str] = table(release)[ref]["subroles"]
    return subroles or [ref]


def reference(role: str) -> str:
    """Of one of `ROLES`."""
    return _ref(_uuid(role))


def allowed(release: str, ref: str) -> list[str]:
    """The names of a role's permissions."""
    known = table(release)
    return [known[each]["name_label"] for each in permissions(release, ref)]


def having(release: str, permission: str) -> list[str]:
    """The names of the roles with this permission."""
    return [name for name in ROLES if permission in allowed(release, reference(name))]


def _record(release: str, name: str, label: str, description: str, subroles: list[str], *, internal: bool) -> Row:
    row: Row = {"uuid": _uuid(name), "name_label": label, "name_description": description, "subroles": subroles}
    return {**row, "is_internal": internal} if "is_internal" in model(release).classes["role"].fields else row


def _uuid(name: str) -> str:
    if name == "pool-admin":
        return _POOL_ADMIN
    return str(uuid.UUID(bytes=hashlib.md5(name.encode(), usedforsecurity=False).digest()))


def _ref(identity: str) -> str:
    return f"OpaqueRef:{identity}"
