"""What commands may read of the bot's own memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.model import Actor, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One row of the ledger as read."""

    seq: int
    at: datetime
    kind: str
    actor: Actor
    pool: str
    request_id: str
    body: Mapping[str, Any]
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolBackup:
    """A copy of a pool's database that was read again after it was written. `size` is in bytes, `sha256` in hex;
    `generation` counts the database's changes (0 where it does not say).
    """

    pool: str
    """The configuration's name."""
    pool_uuid: str
    at: datetime
    file: str
    size: int
    sha256: str
    hosts: int
    generation: int = 0
    request_id: str = ""


class History(Protocol):
    """What commands may read of the bot's own memory."""

    def open_requests(self, pool: str | None = None) -> tuple[Request, ...]:
        """Requests that are not at an end, oldest first; with `pool`, those that are about it."""

    def request(self, request_id: str) -> Request | None: ...

    def ledger(self, *, pools: Iterable[str] | None, last: int) -> tuple[LedgerRow, ...]:
        """The newest `last` rows of these pools (None: all), newest first; also those of requests that are about one of
        them besides their own.
        """

    def backups(self, pools: Iterable[str]) -> tuple[PoolBackup, ...]:
        """The copies of these pools' databases that are kept, newest first."""
