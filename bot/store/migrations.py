"""The database's schema: numbered steps, forward only, each in one transaction with the record that it was done.

sqlite-utils keeps the record (`_sqlite_migrations`). A step that has been released is never edited; a new one is added
below it.
"""

from __future__ import annotations

import logging
from pathlib import Path

from sqlite_utils import Database, Migrations

from bot.store import audit_time, audits, elsewhere, known_pools, mutes, pool_backups, refusals, schedules
from bot.store.connection import APPLICATION_ID, Connections
from bot.store.copies import copying
from bot.store.failures import unavailable

log = logging.getLogger(__name__)

MIGRATIONS = Migrations("xenia")


@MIGRATIONS(name="0001_requests_ledger_outbox")
def _first(db: Database) -> None:
    db.execute(f"PRAGMA application_id={APPLICATION_ID}")
    strict = db.supports_strict  # not before SQLite 3.37
    db.table("requests").create(
        {
            "id": str,
            "number": int,
            "fingerprint": str,
            "state": str,
            "pool": str,
            "text": str,
            "actor": str,
            "place": str,
            "plan": str,
            "digest": str,
            "requirement": str,
            "opened_at": str,
            "expires_at": str,
            "started_at": str,
            "ended_at": str,
            "progress": str,
            "result": str,
            "successor": str,
            "predecessor": str,
            "ledger_seq": int,
        },
        pk="id",
        not_null=("number", "fingerprint", "state", "plan", "digest", "opened_at", "expires_at", "ledger_seq"),
        strict=strict,
    ).create_index(["number"], unique=True).create_index(["state"])
    # ended_at is set exactly in the end states, so this lets one open request ask one thing.
    db.execute("CREATE UNIQUE INDEX requests_one_open ON requests (fingerprint) WHERE ended_at IS NULL")
    db.table("votes").create(
        {
            "request_id": str,
            "actor_key": str,
            "actor": str,
            "ballot": str,
            "digest": str,
            "reason": str,
            "at": str,
            "ledger_seq": int,
        },
        pk=("request_id", "actor_key"),
        not_null=("actor", "ballot", "digest", "at", "ledger_seq"),
        foreign_keys=[("request_id", "requests", "id")],
        strict=strict,
    )
    db.table("calls").create(
        {
            "request_id": str,
            "undo": int,
            "step": int,
            "call": str,
            "mark": str,
            "state": str,
            "intended_at": str,
            "task_uuid": str,
            "error": str,
            "ledger_seq": int,
        },
        pk=("request_id", "undo", "step"),
        not_null=("call", "mark", "state", "intended_at", "task_uuid", "error", "ledger_seq"),
        foreign_keys=[("request_id", "requests", "id")],
        strict=strict,
    )
    db.table("leases").create(
        {"request_id": str, "owner": str, "expires_at": str},
        pk="request_id",
        not_null=("owner", "expires_at"),
        foreign_keys=[("request_id", "requests", "id")],
        strict=strict,
    )
    db.table("locks").create(
        {"key": str, "pool": str, "request_id": str},
        pk="key",
        not_null=("pool", "request_id"),
        foreign_keys=[("request_id", "leases", "request_id")],
        strict=strict,
    ).create_index(["pool"]).create_index(["request_id"])
    db.table("deliveries").create(
        {
            "number": int,
            "id": str,
            "kind": str,
            "request_id": str,
            "place": str,
            "body": str,
            "revision": int,
            "shown": int,
            "ts": str,
            "attempts": int,
            "in_doubt": int,
            "claim": int,
            "due_at": str,
            "given_up": int,
            "error": str,
        },
        pk="number",
        not_null=(
            *("id", "kind", "request_id", "place", "revision", "shown", "ts"),
            *("attempts", "in_doubt", "claim", "due_at", "given_up", "error"),
        ),
        foreign_keys=[("request_id", "requests", "id")],
        strict=strict,
    ).create_index(["id"], unique=True).create_index(["request_id", "kind", "number"])
    db.execute("CREATE INDEX deliveries_due ON deliveries (due_at) WHERE given_up = 0 AND shown < revision")
    db.table("sightings").create({"key": str, "at": str}, pk="key", not_null=("at",), strict=strict).create_index(
        ["at"]
    )
    db.table("ledger").create(
        {
            "seq": int,
            "at": str,
            "kind": str,
            "actor_kind": str,
            "actor_id": str,
            "actor_name": str,
            "pool": str,
            "request_id": str,
            "body": str,
            "mode": str,
            "prev": str,
            "hash": str,
        },
        pk="seq",
        not_null=(
            *("at", "kind", "actor_kind", "actor_id", "actor_name", "pool", "request_id"),
            *("body", "mode", "prev", "hash"),
        ),
        strict=strict,
    ).create_index(["pool", "seq"]).create_index(["request_id"])
    for statement in LEDGER_TRIGGERS.values():
        db.execute(statement)


@MIGRATIONS(name="0002_facts_archives_announcements")
def _second(db: Database) -> None:
    db.table("facts").create({"name": str, "value": str}, pk="name", not_null=("value",), strict=db.supports_strict)
    # Rows may leave once an archive of them is on record; the trigger asks for each of them.
    db.execute("CREATE INDEX ledger_archived ON ledger (kind) WHERE kind = 'ledger archived'")
    db.execute("DROP TRIGGER ledger_refuses_delete")
    db.execute(LEDGER_TRIGGERS["ledger_refuses_delete"])
    # An announcement belongs to no request.
    db.execute("DROP INDEX deliveries_due")
    db.table("deliveries").transform(not_null={"request_id": False})
    db.execute("CREATE INDEX deliveries_due ON deliveries (due_at) WHERE given_up = 0 AND shown < revision")


@MIGRATIONS(name="0003_audits")
def _audits(db: Database) -> None:
    audits.create(db)


@MIGRATIONS(name="0004_schedules_mutes_threads")
def _schedules(db: Database) -> None:
    schedules.create(db)
    mutes.create(db)
    db.table("deliveries").add_column("parent", int)
    db.table("deliveries").create_index(["parent"])


@MIGRATIONS(name="0005_time")
def _time(db: Database) -> None:
    audit_time.extend(db)


@MIGRATIONS(name="0006_results_pools")
def _results_pools(db: Database) -> None:
    db.table("calls").add_column("result", str)
    known_pools.create(db)


@MIGRATIONS(name="0007_waiting_since")
def _waiting_since(db: Database) -> None:
    db.table("deliveries").add_column("wanted_at", str)


@MIGRATIONS(name="0008_pool_backups")
def _pool_backups(db: Database) -> None:
    pool_backups.create(db)


@MIGRATIONS(name="0009_name_to_type")
def _name_to_type(db: Database) -> None:
    # Before, it was only stored whether a name had to be typed, not which.
    first = "CASE WHEN json_extract(plan, '$.whole_pool') THEN NULL ELSE json_extract(plan, '$.touches[0].name') END"
    named = f"coalesce({first}, json_extract(plan, '$.pool.name'))"
    wanted = f"CASE json_type(requirement, '$.type_name') WHEN 'true' THEN {named} ELSE '' END"
    db.execute(
        f"UPDATE requests SET requirement = json_set(requirement, '$.type_name', {wanted})"  # noqa: S608 - only our own texts
        " WHERE json_type(requirement, '$.type_name') IN ('true', 'false')"
    )


@MIGRATIONS(name="0010_request_pools")
def _request_pools(db: Database) -> None:
    # Before, every request was about one pool.
    elsewhere.create(db)


@MIGRATIONS(name="0011_refusals")
def _refusals(db: Database) -> None:
    # Before, they were counted in memory only.
    refusals.create(db)


LEDGER_TRIGGERS = {
    "ledger_refuses_update": (
        "CREATE TRIGGER ledger_refuses_update BEFORE UPDATE ON ledger"
        " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    ),
    "ledger_refuses_delete": (
        "CREATE TRIGGER ledger_refuses_delete BEFORE DELETE ON ledger"
        " WHEN OLD.seq > (SELECT coalesce(max(json_extract(body, '$.last')), 0) FROM ledger"
        " WHERE kind = 'ledger archived')"
        " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    ),
    # REPLACE deletes without asking the trigger above unless recursive_triggers is on.
    "ledger_refuses_gaps": (
        "CREATE TRIGGER ledger_refuses_gaps BEFORE INSERT ON ledger"
        " WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM ledger)"
        " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    ),
}
"""By name, as they must stand in the database; the ledger's verification compares."""
EARLIER_TRIGGERS = {
    "ledger_refuses_delete": (
        "CREATE TRIGGER ledger_refuses_delete BEFORE DELETE ON ledger"
        " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    )
}
"""As they stand in a database that has not been brought up to date yet: no milder, so as good."""


def check_known(db: Database, path: Path) -> None:
    """:raises Unavailable: a newer program has changed this database."""
    known = {migration.name for migration in MIGRATIONS._migrations}
    unknown = [migration.name for migration in MIGRATIONS.applied(db) if migration.name not in known]
    if unknown:
        raise unavailable(
            path, f"was made by a newer version of Xenia ({unknown[0]})", "Run that version, or restore an older copy."
        )


def migrate(connections: Connections) -> None:
    """Bring the database up to date. An existing one is copied first, to `NAME.before-NNNN` beside it.

    :raises Unavailable: it is newer than this program, damaged, or cannot be written.
    """
    with connections.read() as db:
        check_known(db, connections.path)
        damage = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        pending = MIGRATIONS.pending(db)
    if damage != "ok":
        raise unavailable(
            connections.path, "is damaged", "Stop the bot, keep this file, and restore the newest copy.", damage
        )
    copied = False
    while pending:
        # One transaction each, and the write lock from its begin: two processes that start at once take turns.
        with connections.write() as db:
            check_known(db, connections.path)
            pending = MIGRATIONS.pending(db)
            if pending and MIGRATIONS.applied(db) and _holds_anything(db) and not copied:
                _copy(connections.path, pending[0].name)
                copied = True
            MIGRATIONS.apply(db, stop_before=[each.name for each in pending[1:]])
            pending = pending[1:]


def _holds_anything(db: Database) -> bool:
    """Another process may be making the same new database step by step: that is none to keep a copy of."""
    return bool(db.execute("SELECT EXISTS (SELECT 1 FROM ledger)").fetchone()[0])


def _copy(path: Path, name: str) -> None:
    copy = path.with_name(f"{path.name}.before-{name.partition('_')[0]}")
    with copying(path, copy):
        pass
    log.info("Copied the database to %s before migration %s.", copy, name)
