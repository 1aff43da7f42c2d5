"""Sessions: who may call, and where."""

from __future__ import annotations

from sandbox.xapi import accounts
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.registry import BOTH, RECORDED, call, difference
from sandbox.xapi.store import new_ref
from sandbox.xapi.values import Row

_PAM_DELAY = 2.0
"""Seconds before a wrong password is refused (1.5 to 2.5 were seen)."""
_EXTERNAL_BUCKET = 400
_ORIGINATOR_BUCKET = 500
"""Sessions of root without and with one originator; the least recently active one makes room."""

difference("session", "Sessions do not die of idleness after 24 hours, and last_active stays at the login.",
           "No lab lives that long.")  # fmt: skip
difference("session", "Failed logins are not tallied into a FAILED_LOGIN_ATTEMPTS message.",
           "The hourly tally would come after a lab's life.")  # fmt: skip


def _authenticate(context: Context, user: str, password: str) -> None:
    if user == context.estate.username and password == context.estate.password:
        return
    context.wait(_PAM_DELAY)
    raise Failure("SESSION_AUTHENTICATION_FAILED", user, "Authentication failure")


@call("session.login_with_password", source=BOTH, anywhere=True)
def login_with_password(context: Context, uname: str, pwd: str, _version: str = "", originator: str = "") -> str:
    """A member names its coordinator before it looks at the password. The version has no meaning."""
    if not context.host.is_coordinator:
        raise Failure("HOST_IS_SLAVE", context.pool.coordinator.address)
    who = _who(context, uname, pwd)
    _make_room(context, originator)
    now = context.now()
    return context.db.create(
        "session",
        {
            "this_host": context.host.ref,
            "is_local_superuser": True,
            "last_active": now,
            "validation_time": now,
            "auth_user_name": uname,
            "originator": originator,
            **who,
        },
    )


def _who(context: Context, user: str, password: str) -> Row:
    """What the session of an account of the directory has besides; nothing for root's."""
    if user in context.estate.accounts and password == context.estate.password:
        return accounts.session(context.pool, user)
    _authenticate(context, user, password)
    return {}


def _make_room(context: Context, originator: str) -> None:
    peers = [
        (r["last_active"], ref)
        for ref, r in context.db.rows("session").items()
        if r.get("originator", "") == originator
    ]
    limit = _ORIGINATOR_BUCKET if originator else _EXTERNAL_BUCKET
    for _, ref in sorted(peers)[: max(0, len(peers) - limit + 1)]:
        _drop(context, ref)


def _drop(context: Context, session: str) -> None:
    context.pool.subscriptions.pop(session, None)
    context.db.destroy("session", session)


@call("session.logout", source=RECORDED, anywhere=True)
def logout(context: Context) -> None:
    if context.session in context.host.local_sessions:
        context.host.local_sessions.discard(context.session)
    else:
        _drop(context, context.session)


@call("session.slave_local_login_with_password", emergency=True, anywhere=True)
def slave_local_login_with_password(context: Context, uname: str, pwd: str) -> str:
    """A session of this host alone: any host gives it, also one that has lost its coordinator."""
    _authenticate(context, uname, pwd)
    ref = new_ref()
    context.host.local_sessions.add(ref)
    return ref


@call("session.local_logout", emergency=True, anywhere=True)
def local_logout(context: Context) -> None:
    context.host.local_sessions.discard(context.session)


@call("session.change_password")
def change_password(context: Context, old_pwd: str, new_pwd: str) -> None:
    if old_pwd != context.estate.password:
        context.wait(_PAM_DELAY)
        raise Failure("SESSION_AUTHENTICATION_FAILED", context.estate.username, "Authentication failure")
    context.estate.password = new_pwd


@call("session.get_all_subject_identifiers")
def get_all_subject_identifiers(_context: Context) -> list[str]:
    return []


@call("session.logout_subject_identifier")
def logout_subject_identifier(_context: Context, _subject_identifier: str) -> None:
    """No session has a subject here, so none ends."""
