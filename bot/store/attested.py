"""Does the record bear a request out? Who can write the database, but has not the ledger's key, can change what stands
in the other tables; so right before anything is done it is looked at what the chain says was asked and approved.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from sqlite_utils import Database

from bot.model import Actor, Ballot, Request
from bot.store import requests
from bot.store.chain import Head, Seal, walk
from bot.store.encoding import storable

_ASKED = ("asked", "asked in an emergency")
_VOID = "approval void"
_BEGUN = "running"
_OVER = frozenset(
    {"rejected", "withdrawn", "expired", "stale", "succeeded", "failed", "cancelled", "unknown", "settled"}
)

Row = Mapping[str, Any]


def lacking(db: Database, seal: Seal, request: Request, marked: Head | None, *, begun: bool) -> str:
    """What the record lacks for the request to be begun (or, with `begun`, to go on), as a sentence; "" when it has it
    all: that this was asked by this person, on these terms; every approval that counts; and no end.

    :param marked: a row that has surely been written; the chain has to reach it.
    """
    rows = list(db.table("ledger").rows_where("request_id = ?", [request.id], order_by="seq"))
    asked = next(iter(rows), None)
    if asked is None or asked["kind"] not in _ASKED or not _is_of(asked, request.actor):
        return "the record does not say that it was asked"
    bodies = [_body(row) for row in rows]
    if not _as_asked(bodies[0], request):
        return "the record says that something else was asked"
    if bodies[0].get("shown", "") not in ("", requests.shown_now(db, request.id)):
        return "the record says that it read otherwise when it was asked"
    kinds = {row["kind"] for row in rows}
    if over := _OVER & kinds:
        return f"the record says that it is over ({', '.join(sorted(over))})"
    if begun is not (_BEGUN in kinds):
        return f"the record says that it has {'not ' if begun else ''}begun"
    for vote in request.votes:
        counts = vote.ballot is Ballot.APPROVE and vote.digest == request.digest
        if counts and not _approved(rows, bodies, vote.actor, request.digest):
            return f"the record does not say that {vote.actor.name} approved it"
    return _broken(db, seal, asked, marked)


def _broken(db: Database, seal: Seal, asked: Row, marked: Head | None) -> str:
    """What is wrong with the chain since it was asked; "" when nothing is."""
    since = db.table("ledger").rows_where("seq >= ?", [asked["seq"]], order_by="seq")
    base = Head(asked["seq"] - 1, str(asked["prev"]))
    noted = [marked] if marked is not None and marked.seq >= asked["seq"] else []
    flaw = walk(since, seal, expected=noted, base=base).flaw
    return f"the record has been changed since it was asked: {flaw.why}" if flaw else ""


def _as_asked(body: Mapping[str, Any], request: Request) -> bool:
    terms = request.requirement
    return (
        body.get("digest") == request.digest
        and body.get("approvals") == terms.approvals
        and bool(body.get("emergency")) is bool(terms.emergency)
        and body.get("overrides", []) == list(terms.overrides)
    )


def _approved(rows: Collection[Row], bodies: Collection[Mapping[str, Any]], actor: Actor, digest: str) -> bool:
    """Is the person's last word an approval of this plan, which has not been voided since?"""
    word = False
    for row, body in zip(rows, bodies, strict=True):
        if row["kind"] == "vote" and _is_of(row, actor):
            word = body.get("ballot") == str(Ballot.APPROVE) and body.get("digest") == digest
        elif row["kind"] == _VOID and any(each.get("actor") == actor.key for each in body.get("void", ())):
            word = False
    return word


def _is_of(row: Row, actor: Actor) -> bool:
    return (row["actor_kind"], row["actor_id"]) == (actor.kind, storable(actor.id))


def _body(row: Row) -> Mapping[str, Any]:
    found = json.loads(row["body"])
    return found if isinstance(found, Mapping) else {}
