"""Accounts of a directory, each with one role, as a pool that has joined Active Directory knows them. All have root's
password.

Source: xapi's rbac.ml and xapi_session.ml (August 2026): whether a session may is looked up in the permissions that it
was given when it was made; a permission is a call's name in lower case. Root may everything, and so may the sessions
that a host keeps to itself.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sandbox.xapi import roles
from sandbox.xapi.failure import Failure
from sandbox.xapi.registry import difference
from sandbox.xapi.values import NULL, Row

if TYPE_CHECKING:
    from sandbox.xapi.pool import Pool

difference("accounts", "There is no directory: accounts are named when the lab starts, and join no group.",
           "What a role may do is what matters to a client.")  # fmt: skip
difference("accounts", "A key of a map never needs less than the whole map, and HTTP handlers ask for no role.",
           "The data model that the roles are taken from has neither.")  # fmt: skip


def introduce(pool: Pool, accounts: dict[str, str]) -> None:
    """Make each (name → role) a subject of the pool."""
    with pool.db.lock:
        for name, role in accounts.items():
            row = {"subject_identifier": _sid(name), "other_config": {"subject-name": name}}
            pool.db.create("subject", {**row, "roles": [roles.reference(role)]})


def session(pool: Pool, name: str) -> Row:
    """What a session of this account has besides. An account that is no subject of the pool is refused.

    :raises Failure: SESSION_AUTHENTICATION_FAILED.
    """
    for ref, row in pool.db.rows("subject").items():
        if row["subject_identifier"] == _sid(name):
            found = {each for role in row["roles"] for each in roles.allowed(pool.release, role)}
            who = {"subject": ref, "auth_user_sid": _sid(name), "auth_user_name": name}
            return {**who, "is_local_superuser": False, "rbac_permissions": sorted(found)}
    raise Failure("SESSION_AUTHENTICATION_FAILED", name, "Authentication failure")


def check(pool: Pool, session: str, wire_name: str) -> None:
    """:raises Failure: RBAC_PERMISSION_DENIED, with the roles that may."""
    row = pool.db.find("session", session) if session != NULL else None
    if row is None or row["is_local_superuser"]:
        return
    permission = wire_name.lower()
    if permission not in row["rbac_permissions"]:
        able = ", ".join(roles.having(pool.release, permission))
        told = f"No permission in user session. (Roles with this permission: {able})"
        raise Failure("RBAC_PERMISSION_DENIED", permission, told)


def _sid(name: str) -> str:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    return f"S-1-5-21-1004336348-1177238915-682003330-{number}"
