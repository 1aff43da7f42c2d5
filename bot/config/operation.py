"""The settings for whoever keeps the bot running."""

from __future__ import annotations

from pathlib import Path

from bot.config.section import Section, setting


class RetentionSection(Section):
    """How long is kept what nobody needs for ever. The ledger, requests and votes stay; see `xenia ledger archive`."""

    deliveries_days: int = setting(
        "Days after a request's end for which the bot knows which messages in Slack are its card and notes.",
        90,
        ge=1,
        le=3650,
    )


class WatchSection(Section):
    """What programs look at: `/healthz`, `/readyz` and `/metrics` over plain HTTP. No names of VMs or people are in
    them.
    """

    port: int | None = setting("The port; 0 is any free one. Without it nothing listens.", None, ge=0, le=65535)
    address: str = setting("Where to listen. There is no login: let nobody in who should not see it.", "127.0.0.1")
    probe_seconds: int = setting(
        "With a port: a pool that nobody has asked for so long is read, to see whether it answers.", 60, ge=10, le=3600
    )


class BackupsSection(Section):
    """Copies of pools' databases, which `pool backup` makes. Passwords of storage are in them: who reads them can use
    them.
    """

    directory: Path = setting(
        "Where they are kept, with mode 0600; a relative path begins at the database.", Path("pool-backups")
    )
    keep: int = setting("So many of each pool; the oldest are removed.", 14, ge=1, le=1000)
