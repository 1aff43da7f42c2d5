"""`pool backup` and `pool backups`, against the sandbox's real file."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.changes import Changes
from bot.clock import SystemClock
from bot.dumps import Dumps
from bot.model import Level, Table
from bot.ports import Taken
from bot.run import Failed
from bot.store import SqliteStore
from tests.commands.world import World, world


@dataclass
class Keeping:
    world: World
    store: SqliteStore
    folder: Path


@pytest.fixture
def keeping(tmp_path: Path) -> Iterator[Keeping]:
    clock = SystemClock()
    store = SqliteStore(tmp_path / "x.sqlite3", clock=clock)
    with world("tutorial") as found:
        folder = tmp_path / "copies"
        dumps = Dumps(folder=folder, keep=2, fetch=found.pools.database, book=store.copies, clock=clock)
        nobody: Any = None
        changes = Changes(schedules=nobody, mutes=nobody, clock=clock, timezone="UTC", dumps=dumps)
        found.resolver = replace(found.resolver, own=changes.hands, history=store)
        yield Keeping(found, store, folder)
    store.close()


def test_the_database_is_copied_and_read_again(keeping: Keeping) -> None:
    plan = keeping.world.plan("pool backup")
    assert not plan.blockers
    assert plan.reasons == ("There is no copy yet.",)
    assert keeping.world.replanned(plan).digest() == plan.digest()
    (told,) = keeping.world.perform(plan)
    (file,) = keeping.folder.iterdir()
    assert str(file) in told
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (made,) = keeping.store.backups(["lab"])
    assert made.sha256 in told
    assert made.hosts == 2
    assert made.pool_uuid == plan.pool.uuid
    text = file.read_text(encoding="utf-8")
    for vm in keeping.world.view.inventory().guests:
        assert vm.uuid in text
    later = keeping.world.plan("pool backup")
    assert later.digest() == plan.digest(), "when the last copy was made is no part of what is approved"


def test_copies_are_listed(keeping: Keeping) -> None:
    report = keeping.world.report("pool backups")
    assert (report.level, report.summary) == (Level.WARN, "None of lab.")
    assert report.suggestions[0].command == "pool backup in lab"
    keeping.world.perform(keeping.world.plan("pool backup"))
    report = keeping.world.report("pool backups")
    assert (report.level, report.title) == (Level.OK, "1 copy of pool databases")
    (table,) = report.parts
    assert isinstance(table, Table)
    (made,) = keeping.store.backups(["lab"])
    assert [cell.text for cell in table.rows[0]][4:] == [made.file, made.sha256]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_file_that_does_not_come_is_said_and_nothing_stays(keeping: Keeping, when: Any) -> None:
    plan = keeping.world.plan("pool backup")
    keeping.world.lab.drop("xs1", when, 1, "/pool/xmldbdump")
    with pytest.raises(Failed) as failed:
        keeping.world.perform(plan)
    assert "cannot be reached" in failed.value.reason
    assert "nothing was sent" not in failed.value.reason
    assert list(keeping.folder.iterdir()) == []
    assert keeping.store.backups(["lab"]) == ()


def test_after_a_crash_the_copy_itself_tells_whether_it_was_made(keeping: Keeping) -> None:
    plan = keeping.world.plan("pool backup")
    (step,) = plan.steps
    own = keeping.world.resolver.own
    assert own is not None
    hands = own(keeping.world.request(plan))
    assert hands.look(step, "").taken is Taken.NOT_TAKEN
    hands.send(step, {})
    assert hands.look(step, "").taken is Taken.DONE
    another = own(replace(keeping.world.request(plan), id="X-2"))
    assert another.look(step, "").taken is Taken.NOT_TAKEN, "another request's copy is not this one's"
    (file,) = keeping.folder.iterdir()
    file.write_text("something else", encoding="utf-8")
    assert hands.look(step, "").taken is Taken.NOT_TAKEN
