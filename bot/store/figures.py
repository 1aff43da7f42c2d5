"""How much there is: counts for whoever watches the bot, and for `xenia doctor`. Runs inside the caller's snapshot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from bot.store import facts, ledger, outbox
from bot.store.encoding import moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Times are seconds."""

    requests: Mapping[str, int]
    """State → how many requests are in it."""
    outbox_waiting: int
    outbox_oldest_seconds: float
    """How long the oldest message has waited that Slack does not show yet; 0 when none waits."""
    outbox_given_up: int
    outbox_error: str
    """Why the oldest that failed could not be delivered, in Slack's word; "" when none has failed."""
    ledger_rows: int
    """The newest row's number: rows that have left for archives count."""
    verified_at: datetime | None
    """When the bot last verified the ledger; None when it has not yet."""
    flaw: str
    """What it found then; "" when the ledger was whole."""


def read(db: Database, now: datetime) -> Figures:
    states = dict(db.execute("SELECT state, count(*) FROM requests GROUP BY state").fetchall())
    waiting, since, given_up, error = outbox.depth(db)
    verified_at, flaw = verified(db)
    return Figures(
        requests=states,
        outbox_waiting=waiting,
        outbox_oldest_seconds=max((now - since).total_seconds(), 0.0) if since else 0.0,
        outbox_given_up=given_up,
        outbox_error=error,
        ledger_rows=ledger.head(db).seq,
        verified_at=verified_at,
        flaw=flaw,
    )


def verified(db: Database) -> tuple[datetime | None, str]:
    """When the bot last verified the ledger (None: not yet), and the flaw that it found, "" when there was none."""
    found = json.loads(facts.get(db, facts.VERIFIED) or "{}")
    return (moment(found["at"]), found["flaw"]) if found else (None, "")
