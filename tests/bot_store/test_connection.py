from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.errors import Unavailable
from bot.model import State
from bot.store import SqliteStore, verify_file
from bot.store.connection import MOST_IDLE, Connections
from bot.store.failures import in_plain_words
from tests.bot_store.helpers import ROOT, START, HandClock, counts, entry, look, meddle, opened


def refusal(path: Path, clock: HandClock) -> str:
    with pytest.raises(Unavailable) as caught:
        SqliteStore(path, clock=clock, busy_seconds=0.2)
    assert caught.value.remedy
    assert "\n" not in caught.value.message
    assert path.name in caught.value.message
    return caught.value.message


def pragmas(store: SqliteStore) -> dict[str, object]:
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "recursive_triggers")
    with store._connections.read() as db:
        return {name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in names}


def test_how_it_is_opened(store: SqliteStore) -> None:
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 10_000,
        "recursive_triggers": 1,
    }
    found: list[dict[str, object]] = [pragmas(store)]
    thread = threading.Thread(target=lambda: found.append(pragmas(store)))
    thread.start()
    thread.join(10)
    assert found == [wanted, wanted]


def test_only_the_owner_may_read_it(store: SqliteStore, path: Path) -> None:
    opened(store)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == {f"{path.name}{end}": 0o600 for end in ("", "-wal", "-shm", "-mark")}


def test_rights_of_others_are_taken_away(path: Path, clock: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    SqliteStore(path, clock=clock).close()
    path.chmod(0o644)
    store = SqliteStore(path, clock=clock)
    modes = {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    store.close()
    assert modes == {0o600}
    assert "open to other users" in caplog.text


def test_a_file_that_is_no_database_of_the_bot_keeps_its_rights(path: Path, clock: HandClock) -> None:
    for content in (b"no database", b""):
        path.write_bytes(content)
        if not content:
            with closing(sqlite3.connect(path)) as db:
                db.execute("CREATE TABLE theirs (x)")
        path.chmod(0o644)
        with pytest.raises(Unavailable):
            SqliteStore(path, clock=clock)
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


def handles(path: Path) -> int:
    """File handles of this process at the database and the files beside it."""
    found = 0
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the listing's own handle is gone by now
            found += str(each.readlink()).startswith(str(path))
    return found


def test_one_connection_serves_one_thread_after_the_other(store: SqliteStore) -> None:
    seen: list[sqlite3.Connection] = []

    def work() -> None:
        with store._connections.read() as db, store._connections.read() as same:
            assert db is same
            seen.append(db.conn)

    with ThreadPoolExecutor(1) as another:
        for act in (work, lambda: another.submit(work).result(10)) * 3:
            act()
    assert len(seen) == 6
    assert len(set(seen)) == 1


def test_two_threads_at_the_same_time_have_two_connections(store: SqliteStore) -> None:
    with store._connections.read() as mine, ThreadPoolExecutor(1) as another:

        def work() -> sqlite3.Connection:
            with store._connections.read() as theirs:
                return theirs.conn

        assert another.submit(work).result(10) is not mine.conn


def test_many_at_once_leave_no_more_open_than_are_kept(store: SqliteStore, path: Path) -> None:
    """However many threads there are and were: a thread that has done its work holds nothing of the database."""
    crowd = 4 * MOST_IDLE
    everybody = threading.Barrier(crowd, timeout=60)

    def work(_: int) -> sqlite3.Connection:
        with store._connections.read() as db:
            everybody.wait()
            return db.conn

    with ThreadPoolExecutor(crowd) as threads:
        used = list(threads.map(work, range(crowd)))
        still = [each for each in used if is_open(each)]
        assert len(set(used)) == crowd
        assert len(still) == MOST_IDLE
        most = handles(path)
        assert set(threads.map(lambda _: store.open_requests(), range(10 * crowd))) == {()}
        assert handles(path) <= most
    store.close()
    assert not any(map(is_open, used))
    assert handles(path) == 0


def is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


def test_a_connection_whose_transaction_could_not_be_ended_is_not_used_again(store: SqliteStore) -> None:
    with pytest.raises(KeyError), store._connections.read() as db:
        raise KeyError
    with store._connections.read() as again:
        assert again is db
    with store._connections._lent() as db:
        db.execute("BEGIN")
    assert not is_open(db.conn)
    store.record(entry())


def test_who_is_at_work_while_it_closes_leaves_nothing_open(store: SqliteStore, path: Path) -> None:
    with store._connections._lent() as db:
        store.close()
        with pytest.raises(Unavailable, match="shutting down"):
            store.open_requests()
    assert not is_open(db.conn)
    assert handles(path) == 0


def test_a_connection_at_work_is_never_closed_under_its_thread(path: Path) -> None:
    """SQLite's memory would be freed under a query that runs: the process dies of it."""
    connections = Connections(path)
    at_work, closed = threading.Event(), threading.Event()

    def work() -> tuple[object, sqlite3.Connection]:
        with connections.read() as db:
            at_work.set()
            # Closing waits for what is at work here, so the end of this waiting is not yet the closing's.
            assert not closed.wait(0.1)
            return db.execute("SELECT 7").fetchone()[0], db.conn

    with ThreadPoolExecutor(1) as another:
        found = another.submit(work)
        assert at_work.wait(60)
        connections.close()
        closed.set()
        answer, connection = found.result(60)
    assert answer == 7
    assert not is_open(connection)
    assert handles(path) == 0


def test_one_that_stays_at_work_is_not_waited_for_any_longer_and_closes_its_own(path: Path) -> None:
    connections = Connections(path, busy_seconds=0.1)
    at_work, go_on = threading.Event(), threading.Event()

    def work() -> object:
        with connections.read() as db:
            at_work.set()
            assert go_on.wait(60)
            return db.execute("SELECT 7").fetchone()[0]

    with ThreadPoolExecutor(1) as another:
        found = another.submit(work)
        assert at_work.wait(60)
        connections.close()
        go_on.set()
        assert found.result(60) == 7
    assert handles(path) == 0


def test_a_write_inside_a_write_is_a_bug(store: SqliteStore) -> None:
    with store._connections.write(), pytest.raises(RuntimeError, match="open in this thread"):
        store.record(entry())
    store.record(entry())


def test_readers_do_not_wait_for_a_writer(store: SqliteStore, other: SqliteStore) -> None:
    request = opened(store)
    with store._connections.write() as db:
        db.execute("UPDATE requests SET state = 'x'")
        found = other.request(request.id)
        assert found is not None
        assert found.state is State.WAITING
        db.rollback()


def test_after_closing_it_says_so(store: SqliteStore) -> None:
    store.close()
    store.close()
    for act in (lambda: store.record(entry()), lambda: store.open_requests()):
        with pytest.raises(Unavailable, match="shutting down"):
            act()


def test_locked_by_another_process(path: Path, clock: HandClock) -> None:
    store = SqliteStore(path, clock=clock, busy_seconds=0.2)
    request = opened(store)
    with closing(sqlite3.connect(path, isolation_level=None)) as rival:
        rival.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked by another process"):
            store.move(request.id, State.WAITING, State.APPROVED, entry(), at=START)
        assert store.request(request.id) == request
        rival.execute("ROLLBACK")
    assert store.move(request.id, State.WAITING, State.APPROVED, entry(), at=START)
    store.close()


def test_a_writer_that_does_not_end_in_this_process(path: Path, clock: HandClock) -> None:
    store = SqliteStore(path, clock=clock, busy_seconds=0.2)
    caught: list[Exception] = []

    def work() -> None:
        try:
            store.record(entry())
        except Unavailable as error:
            caught.append(error)

    with store._connections.write():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(10)
    assert "busy" in str(caught[0])
    store.close()


def fill_up(path: Path, move: Callable[[], bool]) -> None:
    """Until it fails; what failed must have left nothing."""
    for _ in range(200):
        before = counts(path)
        try:
            assert move()
        except Unavailable:
            assert counts(path) == before
            raise


def test_a_full_disk_loses_nothing(store: SqliteStore, path: Path) -> None:
    request = opened(store)
    with store._connections.read() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count={pages}")  # SQLite's own way to be full
    move = partial(store.move, request.id, State.WAITING, State.WAITING, entry(body={"x": "long " * 300}), at=START)
    with pytest.raises(Unavailable, match="disk is full"):
        fill_up(path, move)
    with store._connections.read() as db:
        db.execute("PRAGMA max_page_count=1000000")
    assert store.move(request.id, State.WAITING, State.APPROVED, entry(), at=START)
    assert store.verify().ok


def test_extended_codes_are_understood_and_bugs_stay_bugs(path: Path) -> None:
    broken = sqlite3.OperationalError("disk I/O error")
    broken.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    with pytest.raises(Unavailable, match="cannot be read or written"), in_plain_words(path):
        raise broken
    with pytest.raises(sqlite3.OperationalError, match="no such table"), in_plain_words(path):
        sqlite3.connect(":memory:").execute("SELECT * FROM none")


def test_not_a_database(path: Path, clock: HandClock) -> None:
    path.write_text("# settings\n" * 100)
    assert "is not a database" in refusal(path, clock)
    assert path.read_text() == "# settings\n" * 100


def test_another_programs_database(path: Path, clock: HandClock) -> None:
    meddle(path, "CREATE TABLE bookmarks (url)")
    before = path.read_bytes()
    assert "another program's" in refusal(path, clock)
    with pytest.raises(Unavailable, match="another program's"):
        verify_file(path, None)
    assert path.read_bytes() == before


def test_damaged(path: Path, clock: HandClock) -> None:
    store = SqliteStore(path, clock=clock)
    for _ in range(30):
        store.record(entry(body={"x": "long " * 100}))
    store.close()
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 20)
    damaged = path.read_bytes()
    assert "is damaged" in refusal(path, clock)
    assert path.read_bytes() == damaged


def test_cut_short(path: Path, clock: HandClock) -> None:
    SqliteStore(path, clock=clock).close()
    with path.open("r+b") as file:
        file.truncate(4096 * 5)
    assert "is damaged" in refusal(path, clock)


def test_paths_that_cannot_be(tmp_path: Path, clock: HandClock) -> None:
    assert "No such file or directory" in refusal(tmp_path / "none" / "a.sqlite3", clock)
    (tmp_path / "file").touch()
    assert "not a directory" in refusal(tmp_path / "file" / "b.sqlite3", clock).lower()
    (tmp_path / "c.sqlite3").mkdir()
    assert "is not a file" in refusal(tmp_path / "c.sqlite3", clock)
    with pytest.raises(Unavailable, match="No such file"):
        verify_file(tmp_path / "d.sqlite3", None)
    assert not (tmp_path / "d.sqlite3").exists()
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    assert "anybody can write" in refusal(shared / "e.sqlite3", clock)
    assert not (shared / "e.sqlite3").exists()
    shared.chmod(0o1777)
    SqliteStore(shared / "e.sqlite3", clock=clock).close()


def test_a_file_that_vanished_is_not_made_anew(path: Path, clock: HandClock) -> None:
    connections = Connections(path)
    path.unlink()
    with pytest.raises(Unavailable, match="cannot be opened"), connections.read():
        pass
    assert not path.exists()


# One who is not root must meet the permissions: if we are root, the child becomes nobody first.
UNPRIVILEGED = """
import os, sys
from pathlib import Path
from bot.errors import Unavailable
from bot.store import SqliteStore
from tests.bot_store.helpers import HandClock
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    SqliteStore(Path(sys.argv[1]), clock=HandClock())
except Unavailable as error:
    print(error.message)
"""


@pytest.mark.parametrize(
    ("directory_mode", "file_mode", "words"),
    [(0o555, None, "cannot be written: no permission in"), (0o555, 0o644, "no permission in"), (0o1777, 0o600, None)],
)
def test_without_permission(directory_mode: int, file_mode: int | None, words: str | None) -> None:
    # Not pytest's tmp_path: its parents are closed to others, and every session of pytest closes them again.
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "x.sqlite3")
        if file_mode is not None:
            path.touch()
            path.chmod(file_mode)
        path.parent.chmod(directory_mode)
        done = subprocess.run(
            [sys.executable, "-c", UNPRIVILEGED, str(path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        path.parent.chmod(0o700)
    if words is None:
        assert ("belongs to another user" in done.stdout) is (os.geteuid() == 0)
    else:
        assert words in done.stdout


def test_the_ledger_is_read_without_changing_the_file(store: SqliteStore, path: Path) -> None:
    store.record(entry())
    store.close()
    before = path.read_bytes()
    assert verify_file(path, b"0123456789abcdef0123456789abcdef").rows == 1
    assert path.read_bytes() == before
    assert look(path, "PRAGMA application_id") == [(0x58656E69,)]


def test_an_error_of_a_disk_without_room_is_called_that(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's index of the WAL is mapped into memory; where it cannot grow, SQLite only says “I/O error”."""
    broken = sqlite3.OperationalError("disk I/O error")
    broken.sqlite_errorcode = sqlite3.SQLITE_IOERR | 19 << 8  # SQLITE_IOERR_SHMSIZE
    for free, told in ((0, "the disk is full"), (1 << 30, "cannot be read or written")):
        monkeypatch.setattr("shutil.disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        with pytest.raises(Unavailable, match=told), in_plain_words(path):
            raise broken


def test_a_file_system_that_is_read_only_is_called_that(
    path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    assert "is read-only" in refusal(path, clock)
