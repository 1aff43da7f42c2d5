"""The rule about what is left when everything else is lost: a copy of the pool's database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from bot.audits.rule import Found, limited
from bot.inventory import Inventory
from bot.model import Level
from bot.rules.limits import Known
from bot.text import plural


@limited(
    "backup.database",
    Level.WARN,
    title="The pool's database was backed up lately",
    why="Without a copy a lost coordinator takes with it which VM has which disk and network; the disks alone do not"
    " say.",
    source="the bot's own backups; audits.backup_days",
)
def database(inventory: Inventory, known: Known) -> Iterator[Found]:
    if not known.backups_kept:
        return
    if known.backup_at is None:
        yield Found(
            subject=inventory.pool.id,
            text="The pool's database has never been backed up by the bot",
            evidence="no backup is on record",
            remedy="“pool backup” copies it.",
        )
        return
    age = datetime.fromtimestamp(inventory.read_at, UTC) - known.backup_at
    if age > known.limits.backup_age:
        yield Found(
            subject=inventory.pool.id,
            text=f"The pool's database was last backed up {plural(age.days, 'day')} ago",
            evidence=f"on {known.backup_at:%Y-%m-%d %H:%M} UTC",
            remedy="“pool backup” copies it.",
        )
