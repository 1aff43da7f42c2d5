"""The table `deliveries`: what must reach Slack. Every function runs inside the caller's transaction.

A card has one row for its whole life: `revision` is what is wanted, `shown` what Slack shows; it is due while they
differ, so edits collapse. A note is due after its card was posted and all earlier notes of it are through; an
announcement belongs to no request and waits for nothing, unless it belongs into the thread of another, its parent: then
for that, and for those before it. A claim pushes `due_at` to the end of its lease and gets a
number, by which a claimer that was overtaken is recognised.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from bot.errors import Unavailable
from bot.model import Place, Report
from bot.ports import Delivery, DeliveryKind
from bot.store.encoding import moment, pack, pack_optional, stamp, storable, unpack, unpack_optional
from bot.withheld import redacted_text

log = logging.getLogger(__name__)

_WANTED = (
    "d.given_up = 0 AND d.shown < d.revision AND (d.kind <> 'note' OR ("
    "EXISTS (SELECT 1 FROM deliveries c WHERE c.request_id = d.request_id AND c.kind = 'card' AND c.ts <> '')"
    " AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.request_id = d.request_id AND e.kind = 'note'"
    " AND e.number < d.number AND e.given_up = 0 AND e.shown < e.revision)))"
    " AND (d.parent IS NULL OR ("
    "EXISTS (SELECT 1 FROM deliveries p WHERE p.number = d.parent AND p.ts <> '')"
    " AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.parent = d.parent"
    " AND e.number < d.number AND e.given_up = 0 AND e.shown < e.revision)))"
)
"""What could be delivered, were it time."""
_THROUGH = "(given_up = 1 OR shown = revision)"


def announce(db: Database, request_id: str, place: Place, now: datetime) -> None:
    """Want the request's card. A place outside Slack has none."""
    if place.kind == "slack":
        _insert(db, DeliveryKind.CARD, request_id, place, None, now)


def changed(db: Database, request_id: str, now: datetime) -> None:
    """The card must show something new."""
    db.execute(
        "UPDATE deliveries SET due_at = CASE WHEN shown = revision THEN :now ELSE due_at END,"
        " wanted_at = CASE WHEN shown = revision THEN :now ELSE wanted_at END, revision = revision + 1"
        " WHERE request_id = :id AND kind = 'card'",
        {"id": request_id, "now": stamp(now)},
    )


def note(db: Database, request_id: str, body: Report, now: datetime) -> None:
    """Want a reply in the card's thread; where the card can never be, neither can it."""
    card = _card(db, request_id)
    if card is None:
        return
    _insert(db, DeliveryKind.NOTE, request_id, unpack(Place, card["place"]), body, now)
    if card["given_up"] and not card["ts"]:
        _give_up_notes(db, request_id, card["error"])


def announcement(db: Database, place: Place, body: Report, now: datetime, parent: int | None = None) -> int:
    """Want a message that belongs to no request; with `parent` (another's number), in the thread of that one. Returns
    its number.
    """
    return _insert(db, DeliveryKind.ANNOUNCEMENT, None, place, body, now, parent)


def claim(db: Database, now: datetime, lease_seconds: float, head: str = "") -> Delivery | None:
    """The delivery that is due longest, claimed until the lease ends; it is to show the ledger's `head`."""
    row = next(
        db.query(
            f"SELECT * FROM deliveries d WHERE {_WANTED} AND d.due_at <= ? ORDER BY d.due_at, d.number LIMIT 1",  # noqa: S608 - only our own texts
            [stamp(now)],
        ),
        None,
    )
    if row is None:
        return None
    taken = row["claim"] + 1
    db.table("deliveries").update(
        row["number"],
        {"claim": taken, "attempts": row["attempts"] + 1, "due_at": stamp(now + timedelta(seconds=lease_seconds))},
    )
    above = _card(db, row["request_id"]) if row["kind"] == DeliveryKind.NOTE else _parent(db, row)
    return Delivery(
        id=row["id"],
        kind=DeliveryKind(row["kind"]),
        request_id=row["request_id"] or "",
        place=unpack(Place, row["place"]),
        revision=row["revision"],
        ts=row["ts"],
        thread_ts=above["ts"] if above else "",
        body=unpack_optional(Report, row["body"]),
        attempts=row["attempts"],
        in_doubt=bool(row["in_doubt"]),
        head=head,
        claim=taken,
    )


def posting(db: Database, delivery: Delivery) -> None:
    """:raises Unavailable: the claim was lost to another worker, so nothing may be posted for it."""
    row = _row(db, delivery)
    if row["claim"] != delivery.claim:
        raise Unavailable("Another worker has taken over this delivery.")
    db.table("deliveries").update(row["number"], {"in_doubt": 1})


def delivered(db: Database, delivery: Delivery, ts: str, now: datetime) -> None:
    """Believed also from a claimer that was overtaken: its message is there. But it cannot end another's claim."""
    row = _row(db, delivery)
    if row["ts"] and row["ts"] != ts:
        log.error("Delivery %s was posted twice: %s is kept, %s is not.", row["id"], row["ts"], ts)
        return
    changes: dict[str, Any] = {"ts": ts, "shown": max(row["shown"], delivery.revision), "in_doubt": 0}
    if row["claim"] == delivery.claim:
        changes |= {"attempts": 0, "error": "", "due_at": stamp(now), "claim": row["claim"] + 1}
    db.table("deliveries").update(row["number"], changes)


def postpone(db: Database, delivery: Delivery, until: datetime, error: str, in_doubt: bool) -> None:
    """Without an `error` it was only paced, which counts as no attempt."""
    row = _row(db, delivery)
    if row["claim"] != delivery.claim:
        if in_doubt and not row["ts"]:
            db.table("deliveries").update(row["number"], {"in_doubt": 1})
        return
    db.table("deliveries").update(
        row["number"],
        {
            "due_at": stamp(until),
            "error": error,
            "in_doubt": int(in_doubt),
            "attempts": row["attempts"] if error else delivery.attempts,
            "claim": row["claim"] + 1,
        },
    )


def give_up(db: Database, delivery: Delivery, error: str) -> None:
    """The row stays, marked. With a card that was never posted go its notes."""
    row = _row(db, delivery)
    if row["claim"] != delivery.claim:
        return
    db.table("deliveries").update(
        row["number"], {"given_up": 1, "error": storable(redacted_text(error)), "claim": row["claim"] + 1}
    )
    log.error("Delivery %s of %s is given up: %s", row["id"], row["request_id"] or row["kind"], redacted_text(error))
    if row["kind"] == DeliveryKind.CARD and not row["ts"]:
        _give_up_notes(db, row["request_id"], error)
    elif not row["ts"]:
        db.execute(
            "UPDATE deliveries SET given_up = 1, error = ? WHERE parent = ?",
            [storable(redacted_text(error)), row["number"]],
        )


def next_due(db: Database) -> datetime | None:
    """When :func:`claim` will next find something, as things are; None when nothing is wanted."""
    row = db.execute(f"SELECT min(d.due_at) FROM deliveries d WHERE {_WANTED}").fetchone()  # noqa: S608 - only our own texts
    return moment(row[0]) if row[0] else None


def depth(db: Database) -> tuple[int, datetime | None, int, str]:
    """How many messages wait to be shown, since when the oldest does, how many were given up, and the error of the
    oldest that failed.
    """
    waiting, since = db.execute(
        "SELECT count(*), min(coalesce(wanted_at, due_at)) FROM deliveries WHERE given_up = 0 AND shown < revision"
    ).fetchone()
    failed = db.execute(
        "SELECT error FROM deliveries WHERE given_up = 0 AND shown < revision AND error <> '' ORDER BY number LIMIT 1"
    ).fetchone()
    given_up = db.execute("SELECT count(*) FROM deliveries WHERE given_up = 1").fetchone()[0]
    return waiting, moment(since) if since else None, given_up, failed[0] if failed else ""


def forget(db: Database, before: datetime) -> int:
    """Delete what Slack has shown (or will never show) of requests that ended before then, and announcements from
    before then with what hangs below them; how many rows.
    """
    return db.execute(
        f"DELETE FROM deliveries WHERE {_THROUGH} AND due_at < :before"  # noqa: S608 - only our own texts
        " AND (request_id IS NULL OR request_id IN (SELECT id FROM requests WHERE ended_at < :before))"
        # What hangs below an announcement and is not through yet needs it.
        f" AND number NOT IN (SELECT parent FROM deliveries WHERE parent IS NOT NULL AND NOT {_THROUGH})",
        {"before": stamp(before)},
    ).rowcount


def _insert(
    db: Database,
    kind: DeliveryKind,
    request_id: str | None,
    place: Place,
    body: Report | None,
    now: datetime,
    parent: int | None = None,
) -> int:
    row = db.table("deliveries").insert(
        {
            # Unique beyond this database: by it a message is looked for in Slack.
            "id": uuid.uuid4().hex,
            "kind": str(kind),
            "request_id": request_id,
            "place": pack(Place, place),
            "body": pack_optional(Report, body),
            "revision": 1,
            "shown": 0,
            "ts": "",
            "attempts": 0,
            "in_doubt": 0,
            "claim": 0,
            "due_at": stamp(now),
            "wanted_at": stamp(now),
            "given_up": 0,
            "error": "",
            "parent": parent,
        }
    )
    return int(str(row.last_pk))


def _give_up_notes(db: Database, request_id: str, error: str) -> None:
    db.execute(
        "UPDATE deliveries SET given_up = 1, error = ? WHERE request_id = ? AND kind = 'note' AND shown < revision",
        [storable(redacted_text(error)), request_id],
    )


def _card(db: Database, request_id: str) -> dict[str, Any] | None:
    return next(db.table("deliveries").rows_where("request_id = ? AND kind = 'card'", [request_id]), None)


def _parent(db: Database, row: dict[str, Any]) -> dict[str, Any] | None:
    return None if row["parent"] is None else next(db.table("deliveries").rows_where("number = ?", [row["parent"]]))


def _row(db: Database, delivery: Delivery) -> dict[str, Any]:
    """:raises LookupError: there is no such delivery (a bug)."""
    row = next(db.table("deliveries").rows_where("id = ?", [delivery.id]), None)
    if row is None:
        raise LookupError(f"no delivery {delivery.id}")
    return row
