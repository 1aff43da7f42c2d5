"""Copies of pools' databases: whole or not at all, readable by nobody else, and not for ever."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import dumps
from bot.dumps import Dumps
from bot.errors import Refused, Unavailable
from bot.store import SqliteStore
from tests.bot.fakes import HandClock

UUID = "cccccccc-0000-4000-8000-000000000000"
WHOLE = f"""<?xml version='1.0'?><database><manifest><pair key="generation_count" value="8543"/></manifest>
<table name="pool"><row ref="OpaqueRef:1" uuid="{UUID}" name__label="lab"/></table>
<table name="VM"><row ref="OpaqueRef:9" uuid="x"/></table>
<table name="host"><row ref="OpaqueRef:2" uuid="a"/><row ref="OpaqueRef:3" uuid="b"/></table></database>""".encode()


class Pool:
    """Gives its database in small pieces; breaks off after `cut` of them."""

    def __init__(self, text: bytes = WHOLE, cut: int = -1) -> None:
        self.text, self.cut = text, cut

    def fetch(self, name: str) -> Iterator[bytes]:
        for number, at in enumerate(range(0, len(self.text), 50)):
            if number == self.cut:
                raise Unavailable(f"The pool {name} cannot be reached.")
            yield self.text[at : at + 50]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "x.sqlite3", clock=HandClock())
    yield made
    made.close()


@pytest.fixture
def kept(store: SqliteStore, tmp_path: Path) -> Dumps:
    clock = HandClock()
    return Dumps(folder=tmp_path / "deep" / "copies", keep=3, fetch=Pool().fetch, book=store.copies, clock=clock)


def test_a_copy_is_whole_private_and_on_record(kept: Dumps, store: SqliteStore) -> None:
    made = kept.take("lab", UUID, "X-7")
    file = Path(made.file)
    assert file.read_bytes() == WHOLE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert (made.hosts, made.size, made.generation) == (2, len(WHOLE), 8543)
    assert made.sha256 == hashlib.sha256(WHOLE).hexdigest()
    assert kept.latest("lab", UUID) == made
    (row,) = store.ledger(pools=["lab"], last=1)
    assert (row.kind, row.request_id, row.body["sha256"]) == ("pool backed up", "X-7", made.sha256)
    assert list(file.parent.iterdir()) == [file]
    so, told = kept.whole(made)
    assert so
    assert "2 hosts" in told


def test_a_file_that_was_changed_or_is_gone_is_not_whole(kept: Dumps) -> None:
    made = kept.take("lab", UUID, "X-7")
    Path(made.file).write_bytes(WHOLE + b" ")
    assert kept.whole(made) == (False, f"{made.file} is not as it was written")
    Path(made.file).unlink()
    assert not kept.whole(made)[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (WHOLE[:-40], "cannot be read beyond"),
        (b"", "cannot be read beyond"),
        (b"<html>sorry</html>", "its root is html"),
        (b"<database/>", "with no hosts"),
        (WHOLE.replace(UUID.encode(), b"another"), "it is of another, not of"),
        (WHOLE + b"<more/>", "cannot be read beyond"),
    ],
    ids=["cut off", "empty", "a page", "nothing in it", "another pool", "two"],
)
def test_what_is_not_the_whole_database_is_not_kept(kept: Dumps, store: SqliteStore, text: bytes, told: str) -> None:
    with pytest.raises(Refused) as refused:
        replace(kept, fetch=Pool(text).fetch).take("lab", UUID, "X-7")
    assert told in " ".join(refused.value.evidence)
    assert list(kept.folder.iterdir()) == []
    assert store.backups(["lab"]) == ()


def test_a_connection_that_breaks_leaves_nothing(kept: Dumps) -> None:
    with pytest.raises(Unavailable):
        replace(kept, fetch=Pool(cut=3).fetch).take("lab", UUID, "X-7")
    assert list(kept.folder.iterdir()) == []
    assert kept.latest("lab", UUID) is None


def test_the_oldest_go(kept: Dumps, store: SqliteStore) -> None:
    clock = kept.clock
    made = []
    for number in range(5):
        clock.sleep(3600)
        made.append(kept.take("lab", UUID, f"X-{number}"))
    assert store.backups(["lab"]) == tuple(reversed(made[2:]))
    assert {str(path) for path in kept.folder.iterdir()} == {each.file for each in made[2:]}
    (row,) = store.ledger(pools=["lab"], last=1)
    assert row.body["removed"] == [made[1].file]
    other = kept.take("prod", UUID, "X-9")
    assert store.backups(["prod", "lab"])[0] == other
    assert len(store.backups(["prod", "lab"])) == 4


def left(kept: Dumps, name: str, text: bytes = WHOLE, days: float = 2) -> Path:
    """A file in their directory that was written so long ago."""
    kept.folder.mkdir(parents=True, exist_ok=True)
    file = kept.folder / name
    file.write_bytes(text)
    at = (kept.clock.now() - timedelta(days=days)).timestamp()
    os.utime(file, (at, at))
    return file


def test_what_a_process_left_that_died_before_it_was_written_down(kept: Dumps, store: SqliteStore) -> None:
    """The file is there, its row is not; or only a part of it is."""
    whole = left(kept, "lab-20260225T120000-X-3.xml")
    part = left(kept, "lab-20260226T120000-X-4.xml.part", WHOLE[:100])
    stay = [
        left(kept, "lab-20260226T120000-X-5.xml", WHOLE[:100]),
        left(kept, "lab-20269926T120000-X-5.xml"),
        left(kept, "lab-2-20260226T120000-X-6.xml"),
        left(kept, "lab-20260226T120000-X-7.xml.gz"),
        left(kept, "lab-20260301T115959-X-8.xml.part", WHOLE[:100], days=0.5),
        left(kept, "lab-20260301T115959-X-9.xml", days=0.5),
    ]
    made = kept.take("lab", UUID, "X-10")
    assert not part.exists()
    assert all(each.exists() for each in stay)
    newest, found = store.backups(["lab"])
    assert newest == made
    assert (found.file, found.at, found.request_id) == (str(whole), datetime(2026, 2, 25, 12, tzinfo=UTC), "X-3")
    assert kept.whole(found)[0]
    kinds = [row.kind for row in store.ledger(pools=["lab"], last=2)]
    assert sorted(kinds) == ["pool backed up", "pool backup found"]
    for number in range(2):
        kept.clock.sleep(3600)
        kept.take("lab", UUID, f"X-{11 + number}")
    assert not whole.exists()
    assert len(store.backups(["lab"])) == kept.keep


def test_what_was_to_go_and_stayed_goes_the_next_time(kept: Dumps, store: SqliteStore) -> None:
    """The process died between the row that says that it is removed, and that."""
    left(kept, "lab-20250101T120000-X-1.xml")
    for number in range(3):
        kept.clock.sleep(3600)
        kept.take("lab", UUID, f"X-{2 + number}")
    assert [each.request_id for each in store.backups(["lab"])] == ["X-4", "X-3", "X-2"]
    assert len(list(kept.folder.iterdir())) == 3


def test_a_directory_that_cannot_be_written_is_named(kept: Dumps, tmp_path: Path) -> None:
    (tmp_path / "deep").write_text("a file", encoding="utf-8")
    with pytest.raises(Unavailable) as refused:
        kept.take("lab", UUID, "X-7")
    assert str(tmp_path / "deep") in refused.value.message
    assert "backups.directory" in refused.value.remedy


def test_a_part_that_a_crash_left_is_no_hindrance(kept: Dumps) -> None:
    kept.folder.mkdir(parents=True)
    stale = kept.folder / f"lab-{kept.clock.now():%Y%m%dT%H%M%S}-X-7.xml.part"
    stale.write_bytes(b"half")
    stale.chmod(0o644)
    made = kept.take("lab", UUID, "X-7")
    assert not stale.exists()
    assert stat.S_IMODE(Path(made.file).stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["16and23-6.0.50.xml", "grimsby-6.0.0.xml"])
def test_dumps_of_real_pools_are_read(name: str) -> None:
    path = Path(__file__).parents[3] / "shared" / "pools" / name
    if not path.exists():
        pytest.skip("the dumps of real pools are not here")
    found = dumps.read(path)
    assert len(found.pool_uuids) == 1
    assert found.hosts >= 1
    assert found.generation > 0
