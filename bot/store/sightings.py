"""The table `sightings`: which deliveries of Slack have been seen, for a day."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlite_utils import Database

from bot.store.encoding import stamp, storable

KEPT = timedelta(days=1)
"""Far longer than Slack repeats a delivery."""


def first(db: Database, key: str, at: datetime) -> bool:
    """True when the key was not seen within a day before; it is now."""
    db.table("sightings").delete_where("at < ?", [stamp(at - KEPT)])
    cursor = db.execute("INSERT OR IGNORE INTO sightings (key, at) VALUES (?, ?)", [storable(key), stamp(at)])
    return cursor.rowcount == 1
