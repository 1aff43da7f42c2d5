"""The tables `leases` and `locks`: which request holds what, on behalf of which process, until when.

A request has one lease and any number of keys: `POOL/UUID` for an object, `POOL/*` for the whole pool. A lease that has
run out can be taken – except while its request is running or UNKNOWN: a call of it may still be on its way, so it must
first be adopted and brought to an end, or settled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlite_utils import Database

from bot.approval import END_STATES, HOLDING_STATES
from bot.model import State
from bot.ports import Conflict
from bot.store import requests
from bot.store.encoding import stamp

WHOLE = "*"


def take(
    db: Database,
    request_id: str,
    keys: Iterable[str],
    owner: str,
    now: datetime,
    lease_seconds: float,
    passing: Collection[str] = (),
) -> tuple[Conflict, ...]:
    """All keys or none; empty when they are held. A conflict with the request itself: another process works on it.
    Requests in `passing` do not stand in the way; a key that one of them holds stays theirs.

    :raises ValueError: a key is not `POOL/…`.
    """
    wanted = sorted(set(keys))
    if any("/" not in key for key in wanted):
        raise ValueError(f"a lock's key is POOL/UUID or POOL/*, not {wanted}")
    lease = _lease(db, request_id)
    if lease is not None and lease[0] != owner and lease[1] > stamp(now):
        return (Conflict(request_id=request_id, key=wanted[0] if wanted else ""),)
    conflicts, dead, theirs = [], set(), set()
    for holder, key, expires_at, state in _holders(db, wanted):
        if holder == request_id:
            continue
        if holder in passing:
            theirs.add(key)
            continue
        if expires_at > stamp(now) or State(state) in HOLDING_STATES:
            conflicts.append(Conflict(request_id=holder, key=key))
        else:
            dead.add(holder)
    if conflicts:
        return tuple(conflicts)
    for holder in dead:
        release(db, holder)
    _set_lease(db, request_id, owner, now, lease_seconds)
    rows = ({"key": key, "pool": _pool(key), "request_id": request_id} for key in wanted if key not in theirs)
    db.table("locks").upsert_all(rows, pk="key")
    return ()


def _holders(db: Database, wanted: Iterable[str]) -> list[tuple[str, str, str, str]]:
    """Who holds what excludes the wanted keys: the same key, the whole pool, or (wanting that) any key of it."""
    found: set[tuple[str, str, str, str]] = set()
    query = (
        "SELECT l.request_id, l.key, s.expires_at, r.state FROM locks l"
        " JOIN leases s ON s.request_id = l.request_id JOIN requests r ON r.id = l.request_id"
    )
    for key in wanted:
        whole = f"{_pool(key)}/{WHOLE}"
        if key == whole:
            found.update(db.execute(f"{query} WHERE l.pool = ?", [_pool(key)]))
        else:
            found.update(db.execute(f"{query} WHERE l.key IN (?, ?)", [key, whole]))
    return sorted(found)


def _pool(key: str) -> str:
    return key.rpartition("/")[0]


def renew(db: Database, request_id: str, owner: str, now: datetime, lease_seconds: float) -> bool:
    """False when the lease is another owner's by now, or gone."""
    lease = _lease(db, request_id)
    if lease is None or lease[0] != owner:
        return False
    _set_lease(db, request_id, owner, now, lease_seconds)
    return True


def adopt(db: Database, request_id: str, owner: str, now: datetime, lease_seconds: float) -> bool:
    """False while another owner's lease is valid, or when there is nothing to adopt (at an end, unknown)."""
    state = requests.state_of(db, request_id)
    if state is None or state in END_STATES:
        return False
    lease = _lease(db, request_id)
    if lease is not None and lease[0] != owner and lease[1] > stamp(now):
        return False
    _set_lease(db, request_id, owner, now, lease_seconds)
    return True


def is_owner(db: Database, request_id: str, owner: str) -> bool:
    """Whether the lease is this owner's; one that has run out is, until somebody takes it."""
    lease = _lease(db, request_id)
    return lease is not None and lease[0] == owner


def release(db: Database, request_id: str, owner: str | None = None) -> None:
    """Give up the request's lease and all its keys; with `owner`, only if it is that owner's."""
    lease = _lease(db, request_id)
    if lease is None or (owner is not None and lease[0] != owner):
        return
    db.table("locks").delete_where("request_id = ?", [request_id])
    db.table("leases").delete(request_id)


def _lease(db: Database, request_id: str) -> tuple[str, str] | None:
    row = db.execute("SELECT owner, expires_at FROM leases WHERE request_id = ?", [request_id]).fetchone()
    return (row[0], row[1]) if row else None


def _set_lease(db: Database, request_id: str, owner: str, now: datetime, lease_seconds: float) -> None:
    expires_at = stamp(now + timedelta(seconds=lease_seconds))
    db.table("leases").upsert({"request_id": request_id, "owner": owner, "expires_at": expires_at}, pk="request_id")
