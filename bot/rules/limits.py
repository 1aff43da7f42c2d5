"""The limits that are a matter of choice: what is old, what is full, what is soon. The configuration sets them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.rules.clocks import NOTICEABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From where on something is worth a finding."""

    snapshot_age: timedelta = timedelta(days=30)
    storage_warning: float = 0.90
    """Part of a storage repository that is in use."""
    storage_grave: float = 0.97
    backup_age: timedelta = timedelta(days=7)
    """Since the bot's last backup of the pool's database."""
    expiry_warning: timedelta = timedelta(days=30)
    """Before a certificate or licence runs out."""
    expiry_grave: timedelta = timedelta(days=7)
    clock_seconds: float = NOTICEABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a rule may know besides the pool's database."""

    limits: Limits = Limits()
    backups_kept: bool = False
    """Backups of pool databases can be made by the bot, so that a pool without one is a finding."""
    backup_at: datetime | None = None
    """When the bot last backed up this pool's database; None: never."""
