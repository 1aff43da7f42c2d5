"""The table `facts`: the few things that the database says of itself. Every function runs inside the caller's
transaction.
"""

from __future__ import annotations

from sqlite_utils import Database

INSTANCE = "instance"
"""Which life of the database this is: made anew when it is found to be a copy."""
INSTANCE_AT = "instance_at"
"""When that life began."""
NUMBERS_AFTER = "numbers_after"
"""Requests get numbers above this: those below may have been given after the copy was made."""
CONFIGURATION = "configuration"
"""The configuration with which the bot was started last, as JSON; secrets are only named in it."""
HEAD_ANNOUNCED = "head_announced"
"""The last day (UTC) on which the head was posted."""
ALIVE_AT = "alive_at"
"""When a bot last said that it is running."""

VERIFIED = "verified"
"""When the bot last verified its ledger, and the flaw it found, as JSON."""


def get(db: Database, name: str) -> str | None:
    row = db.execute("SELECT value FROM facts WHERE name = ?", [name]).fetchone()
    return str(row[0]) if row else None


def put(db: Database, name: str, value: str) -> None:
    db.table("facts").upsert({"name": name, "value": value}, pk="name")
