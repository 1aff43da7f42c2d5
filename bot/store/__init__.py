"""The bot's memory: one SQLite file with requests, calls, locks, deliveries and the ledger.

Every change is one `BEGIN IMMEDIATE` transaction (:mod:`bot.store.connection`). Requests, calls with effect and the
record have theirs in :mod:`bot.store.lives`, :mod:`bot.store.effects` and :mod:`bot.store.record`, which
:mod:`bot.store.store` puts together; modules that own one table each expect to be called inside a transaction.
"""

import bot.store.lean  # noqa: F401 - before the others import sqlite-utils
from bot.store.audit import export_file, heads_in, verify_file
from bot.store.chain import Head, Verification
from bot.store.store import SqliteStore

__all__ = ["Head", "SqliteStore", "Verification", "export_file", "heads_in", "verify_file"]
