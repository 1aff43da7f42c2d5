from __future__ import annotations

import stat
from pathlib import Path

import pytest
from sqlite_utils import Database, Migrations

from bot.errors import Unavailable
from bot.store import SqliteStore, export_file, migrations, verify_file
from tests.bot_store.helpers import KEY, HandClock, dump, entry, look, opened

TODAY = [each.name for each in migrations.MIGRATIONS._migrations]
APPLIED = "SELECT name FROM _sqlite_migrations WHERE migration_set = 'xenia' ORDER BY id"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Migrations:
    """The migrations of a later version: today's, and what the test adds."""
    later = Migrations("xenia")
    later._migrations = list(migrations.MIGRATIONS._migrations)
    monkeypatch.setattr(migrations, "MIGRATIONS", later)
    return later


def test_they_are_numbered_in_order() -> None:
    names = [each.name for each in migrations.MIGRATIONS._migrations]
    assert [name[:5] for name in names] == [f"{number:04}_" for number in range(1, len(names) + 1)]
    assert all(each.transactional for each in migrations.MIGRATIONS._migrations)


def test_a_new_database_is_not_copied(store: SqliteStore, path: Path) -> None:
    assert [name for (name,) in look(path, APPLIED)] == TODAY
    assert {each.name.partition("-")[0] for each in path.parent.iterdir()} == {path.name}


def test_an_existing_one_is_copied_once_and_then_changed(
    store: SqliteStore, path: Path, clock: HandClock, later: Migrations
) -> None:
    opened(store)
    before = dump(path)  # still open: what is copied stands in the WAL

    @later(name="0090_second")
    def _second(db: Database) -> None:
        db.table("requests").add_column("colour", str)

    @later(name="0091_third")
    def _third(db: Database) -> None:
        db.execute("UPDATE requests SET colour = 'blue'")

    SqliteStore(path, clock=clock, ledger_key=KEY).close()
    assert look(path, "SELECT id, colour FROM requests") == [("X-1", "blue")]
    assert [name for (name,) in look(path, APPLIED)] == [*TODAY, "0090_second", "0091_third"]
    copies = [each for each in path.parent.iterdir() if "before" in each.name]
    assert [each.name for each in copies] == [f"{path.name}.before-0090"]
    assert dump(copies[0]) == before
    assert stat.S_IMODE(copies[0].stat().st_mode) == 0o600
    SqliteStore(path, clock=clock, ledger_key=KEY).close()
    assert verify_file(copies[0], KEY).ok


def test_one_that_fails_leaves_nothing_and_is_tried_again(
    store: SqliteStore, path: Path, clock: HandClock, later: Migrations
) -> None:
    opened(store)
    store.close()
    before = dump(path)
    broken = True

    @later(name="0090_second")
    def _second(db: Database) -> None:
        db.table("requests").add_column("colour", str)
        db.table("votes").drop()
        if broken:
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        SqliteStore(path, clock=clock, ledger_key=KEY)
    assert dump(path) == before
    broken = False
    SqliteStore(path, clock=clock, ledger_key=KEY).close()
    assert [name for (name,) in look(path, APPLIED)] == [*TODAY, "0090_second"]


def test_a_newer_database_is_refused_untouched(store: SqliteStore, path: Path, clock: HandClock) -> None:
    store.record(entry())
    with store._connections.write() as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('xenia', '0099_ahead', 'now')"
        )
    before = dump(path)
    for act in (
        lambda: SqliteStore(path, clock=clock, ledger_key=KEY),
        lambda: verify_file(path, KEY),
        lambda: list(export_file(path)),
    ):
        with pytest.raises(Unavailable, match=r"newer version of Xenia \(0099_ahead\)"):
            act()
    assert dump(path) == before
