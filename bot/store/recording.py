"""What the parts of the store have in common: the database, the ledger, and a transaction that adds rows to it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from sqlite_utils import Database

from bot.errors import Unavailable
from bot.model import Entry
from bot.ports import Clock
from bot.store import ledger
from bot.store.connection import Connections
from bot.store.ledger import Ledger
from bot.store.mark import Mark

log = logging.getLogger(__name__)


class Recording:
    """A part of the store. Each has the transactions of one thing; what they are made of is in the tables' modules."""

    _connections: Connections
    _ledger: Ledger
    _mark: Mark | None
    """None only while it is being opened."""
    _clock: Clock

    @contextmanager
    def _recording(self, *, before_a_call: bool = False) -> Iterator[Database]:
        """A transaction that adds rows to the ledger; the mark beside the database is told of them.

        :raises Unavailable: as :meth:`Connections.write`; `before_a_call` also when the mark cannot be made durable.
        Then the row is there, and the call must not be sent.
        """
        with self._connections.write() as db:
            yield db
            head = ledger.head(db)
        assert self._mark is not None
        try:
            self._mark.advance(head, durable=before_a_call)
        except Unavailable as error:
            if before_a_call:
                raise
            log.error("%s A copy put in this database's place may not be told from it.", error.message)

    def _recorded(self, change: Callable[[Database], None], entry: Entry) -> None:
        """A change and its row, in one transaction."""
        with self._recording() as db:
            change(db)
            self._ledger.append(db, entry, self._clock.now())

    def _append(self, db: Database, request_id: str, entry: Entry, at: datetime) -> int:
        return self._ledger.append(db, replace(entry, request_id=request_id), at)
