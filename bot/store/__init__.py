"""The bot's memory: one SQLite file with requests, calls, locks, deliveries and the ledger.

Every change is one `BEGIN IMMEDIATE` transaction (:mod:`bot.store.connection`); what belongs together is composed in
:mod:`bot.store.store`, the other modules each own one table and expect to be called inside a transaction.
"""

import bot.store.lean  # noqa: F401 - before the others import sqlite-utils
from bot.store.audit import export_file, heads_in, verify_file
from bot.store.chain import Head, Verification
from bot.store.store import SqliteStore

__all__ = ["Head", "SqliteStore", "Verification", "export_file", "heads_in", "verify_file"]
