"""What audits are held against."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator

from bot.config.section import Section, setting
from bot.ntp import parted
from bot.rules.limits import Limits

_DAYS = {"ge": 1, "le": 3650}


def _server(name: str) -> str:
    parted(name)
    return name


Server = Annotated[str, AfterValidator(_server)]


class AuditsSection(Section):
    """The audits: from where on something is worth a finding, and who knows true time."""

    ntp_servers: tuple[Server, ...] = setting(
        "NTP servers that the clock audit asks for true time (`name` or `name:port`; three or more can outvote one that"
        " is wrong). Empty: clocks are compared with each other and the bot's only.",
        (),
        max_length=16,
    )
    clock_seconds: float = setting("Seconds by which clocks may differ.", 2.0, ge=0.1, le=3600)
    snapshot_days: int = setting("Days after which a snapshot is old.", 30, **_DAYS)
    storage_percent: int = setting("Storage is nearly full from here on.", 90, ge=1, le=100)
    storage_grave_percent: int = setting("Storage is gravely full from here on.", 97, ge=1, le=100)
    backup_days: int = setting("Days after which the bot's last backup of a pool's database is old.", 7, **_DAYS)
    expiry_days: int = setting("Days before a certificate or a licence runs out at which it is told.", 30, **_DAYS)
    expiry_grave_days: int = setting("Days before a certificate runs out at which it is grave.", 7, **_DAYS)

    keep_days: int = setting(
        "Days for which audits and what they resolved are kept. What is open stays, and how often it has come.",
        400,
        **_DAYS,
    )
    samples_days: int = setting("Days for which measurements of clocks are kept.", 400, **_DAYS)

    def limits(self) -> Limits:
        return Limits(
            snapshot_age=timedelta(days=self.snapshot_days),
            storage_warning=self.storage_percent / 100,
            storage_grave=self.storage_grave_percent / 100,
            backup_age=timedelta(days=self.backup_days),
            expiry_warning=timedelta(days=self.expiry_days),
            expiry_grave=timedelta(days=self.expiry_grave_days),
            clock_seconds=self.clock_seconds,
        )
