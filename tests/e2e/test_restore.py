"""What an approval in a copy is worth: nothing. And what the ledger can be proved with, from Slack to the terminal."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from bot import compose, config
from bot.cli import main
from bot.model import State
from bot.store import heads_in
from tests.e2e.conftest import Town, text_of, town
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
MIGRATE = "Async.VM.pool_migrate"


ON_A_FULL_DISK = """
import resource, sys
from bot.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
sys.exit(main(sys.argv[1:]))
"""
"""No file can grow beyond this; Python ignores the signal, so that SQLite gets the error."""


def xenia(place: Town, *arguments: str, status: int = 0, full_disk: bool = False) -> str:
    """What a command of the terminal says, on both streams."""
    command = [*arguments, "--config", str(place.config)]
    if full_disk:
        child = [sys.executable, "-c", ON_A_FULL_DISK, *command]
        done = subprocess.run(child, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        code, told = done.returncode, done.stdout + done.stderr
    else:
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            code = main(command)
        told = said.getvalue()
    assert code == status, told
    return told


@contextmanager
def bot_of(place: Town) -> Iterator[None]:
    with compose.running(config.load(place.config)) as bot:
        place.bot = bot
        yield
    place.bot = None


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Town]:
    """The town without its bot."""
    with town(tmp_path, run=False) as place:
        yield place


def database(place: Town) -> Path:
    return place.config.parent / "xenia.sqlite3"


def freeze_before_running(place: Town, copy: Path) -> str:
    """A request that is approved, and a copy of the database from just then."""
    assert place.bot is not None
    place.bot.runner.close()  # approved, and nobody to run it
    request_id = place.ask("vm migrate web-1 to xs2")
    place.press("Approve", request_id)
    eventually(lambda: place.bot and (place.bot.store.request(request_id) or place).state is State.APPROVED, "the vote")  # type: ignore[union-attr]
    xenia(place, "database", "backup", str(copy))
    return request_id


@pytest.mark.parametrize("how", ["restore", "cp"])
def test_an_approved_request_of_a_copy_does_not_run(quiet: Town, tmp_path: Path, how: str) -> None:
    copy = tmp_path / "copy"
    with bot_of(quiet):
        request_id = freeze_before_running(quiet, copy)
    with bot_of(quiet):
        assert quiet.ended(request_id).state is State.SUCCEEDED  # in the life that goes on it runs, once
    assert quiet.lab.calls()[MIGRATE] == 1
    quiet.xenapi().VM.pool_migrate(*_back(quiet))
    taken = quiet.lab.calls()
    if how == "restore":
        assert "is newer" in xenia(quiet, "database", "restore", str(copy), status=1)
        assert request_id in xenia(quiet, "database", "restore", str(copy), "--force")
    else:
        shutil.copy(copy, database(quiet))
        for end in ("-wal", "-shm"):
            Path(f"{database(quiet)}{end}").unlink(missing_ok=True)
    with bot_of(quiet):
        assert quiet.bot is not None
        request = quiet.bot.store.request(request_id)
        assert request is not None
        assert request.state is State.UNKNOWN
        eventually(lambda: "not known" in text_of(quiet.card(request_id) or {"blocks": [], "text": ""}), "the card", 40)
        quiet.bot.engine.tick()
        quiet.say("vm show web-1")
        (row,) = [row for row in quiet.bot.store.ledger(pools=None, last=99) if row.kind == "database restored"]
        assert row.body["closed"] == [request_id]
        assert quiet.bot.store.verify().ok
        assert len(quiet.cards(request_id)) == 1
    assert quiet.lab.calls().get(MIGRATE, 0) == taken.get(MIGRATE, 0)
    assert quiet.host_of("web-1") == "xs1"


def test_a_disk_set_back_with_its_mark_is_told_by_what_slack_has_seen(quiet: Town, tmp_path: Path) -> None:
    """Database and mark together, as a snapshot of the machine has them: only the heads in Slack know more."""
    announce = quiet.workspace.channels["infra"]
    quiet.config.write_text(quiet.config.read_text().replace("[bot]", f'[bot]\nheads_channel = "{announce}"'))
    copy, mark = tmp_path / "copy", Path(f"{database(quiet)}-mark")
    with bot_of(quiet):
        request_id = freeze_before_running(quiet, copy)
        marked = mark.read_bytes()
    with bot_of(quiet):
        assert quiet.ended(request_id).state is State.SUCCEEDED
        eventually(lambda: "Done in" in text_of(quiet.card(request_id) or {"blocks": [], "text": ""}), "the card", 40)
    shutil.copy(copy, database(quiet))
    mark.write_bytes(marked)
    with bot_of(quiet):
        assert quiet.bot is not None
        request = quiet.bot.store.request(request_id)
        assert request is not None
        assert request.state is State.UNKNOWN
        (row,) = [row for row in quiet.bot.store.ledger(pools=None, last=99) if row.kind == "database restored"]
        assert "Slack has seen row" in row.body["why"]
    with bot_of(quiet):  # once is enough: the heads of the lost life are older than this one
        assert quiet.bot is not None
        kinds = [row.kind for row in quiet.bot.store.ledger(pools=None, last=99)]
        assert kinds.count("database restored") == 1
    assert quiet.lab.calls()[MIGRATE] == 1


def _back(place: Town) -> tuple[str, str, dict[str, str]]:
    api = place.xenapi()
    return api.VM.get_by_name_label("web-1")[0], api.host.get_by_name_label("xs1")[0], {"live": "true"}


def test_heads_pasted_from_slack_prove_the_record(lab_town: Town, tmp_path: Path) -> None:
    request_id = lab_town.ask("vm migrate web-1 to xs2")
    lab_town.press("Approve", request_id)
    lab_town.ended(request_id)
    eventually(lambda: "Done in" in text_of(lab_town.card(request_id) or {"blocks": [], "text": ""}), "the end", 40)
    card = lab_town.card(request_id)
    assert card is not None
    thread = lab_town.workspace.messages("#infra", "olga", card["ts"])
    pasted = "\n".join(text_of(message) for message in thread)
    assert len(heads_in(pasted)) >= 2  # the card's and the result's
    (tmp_path / "pasted.txt").write_text(f"From Slack:\n{pasted}")
    said = xenia(lab_town, "ledger", "verify", "--heads", str(tmp_path / "pasted.txt"), "--head", text_of(card))
    assert "is whole" in said
    assert "are as they were when those were noted" in said
    wrong = pasted.replace("record ", "record 1", 1)
    (tmp_path / "pasted.txt").write_text(wrong)
    assert "has been changed" in xenia(lab_town, "ledger", "verify", "--heads", str(tmp_path / "pasted.txt"), status=1)
    assert "no head" in xenia(lab_town, "ledger", "verify", "--head", "hello", status=1)


def test_each_call_with_effect_and_each_login_is_on_record(lab_town: Town) -> None:
    """As the pool counted them."""
    request_id = lab_town.ask("vm migrate web-1 to xs2")
    lab_town.press("Approve", request_id)
    lab_town.ended(request_id)
    assert lab_town.bot is not None
    rows = lab_town.bot.store.ledger(pools=None, last=99)
    by_kind = {row.kind: row for row in rows}
    taken = lab_town.lab.calls()
    (end,) = [row for row in rows if row.kind == "succeeded"]
    assert by_kind["call intended"].body["call"] == "VM.pool_migrate"
    assert [argument["object"]["name"] for argument in by_kind["call intended"].body["arguments"][:2]] == [
        "web-1",
        "xs2",
    ]
    done = by_kind["call done"].body
    assert done["seconds"] > 0
    assert len(done["task"]) == 36
    assert end.body["calls"][MIGRATE] == taken[MIGRATE] == 1
    assert end.body["calls"].get("task.destroy", 0) == taken.get("task.destroy", 0)
    assert end.body["calls"]["event.from"] + by_kind["asked"].body["calls"]["event.from"] <= taken["event.from"]
    assert by_kind["pool login"].pool == "lab"
    assert len([row for row in rows if row.kind == "pool login"]) == taken["session.login_with_password"]
    assert by_kind["started"].body["slack"]["team"] == lab_town.workspace.settings.team_id


def test_a_change_of_the_configuration_is_on_record(quiet: Town) -> None:
    xenia(quiet, "cmd", "--as", "operator", "pool list")
    quiet.config.write_text(quiet.config.read_text().replace('readers = ["everyone"]', "readers = []"))
    xenia(quiet, "cmd", "--as", "operator", "pool list")
    xenia(quiet, "cmd", "--as", "operator", "pool list")
    rows = [json.loads(line) for line in xenia(quiet, "ledger", "export").splitlines()]
    first, second = [row["body"] for row in rows if row["kind"] == "configuration"]
    assert first["changes"] == ["the first one"]
    assert second["changes"] == ['policy.readers: ["everyone"] → []']
    assert first["sha256"] != second["sha256"]


def test_who_may_not_even_look_is_on_record(quiet: Town) -> None:
    quiet.config.write_text(quiet.config.read_text().replace('readers = ["everyone"]', "readers = []"))
    xenia(quiet, "cmd", "--as", "stranger", "pool list", status=1)
    rows = [json.loads(line) for line in xenia(quiet, "ledger", "export").splitlines()]
    (denied,) = [row for row in rows if row["kind"] == "denied"]
    assert denied["actor_name"].startswith("stranger")
    assert denied["body"]["text"] == "pool list"


def test_the_days_head_reaches_its_channel(tmp_path: Path) -> None:
    def announce(text: str) -> str:
        channel = next(line.split(".")[1].rstrip("]") for line in text.splitlines() if line.startswith("[channels."))
        return text.replace("[bot]", f'[bot]\nheads_channel = "{channel}"')

    with town(tmp_path, change=announce) as place:

        def announced() -> str:
            told = [text_of(message) for message in place.workspace.messages("#infra", "olga")]
            return next((text for text in told if "The record of" in text), "")

        text = eventually(announced, "the head")
        assert place.bot is not None
        assert place.bot.store.verify(heads_in(text)).vouched_to > 0


# --- a disk that is full, a database that is locked, damaged or gone --------------------------------------------------


def test_on_a_full_disk_nothing_is_done_unrecorded(quiet: Town) -> None:
    quiet.config.write_text(
        quiet.config.read_text().replace("[policy]", "[policy]\napprovals = {disruptive = 0, routine = 0}")
    )
    assert "lab" in xenia(quiet, "cmd", "--as", "operator", "pool status in lab")
    full = database(quiet).stat().st_size
    said = xenia(quiet, "cmd", "--as", "operator", "--wait", "vm migrate web-1 to xs2 in lab", status=1, full_disk=True)
    assert "memory" in said
    assert "disk" in said.lower()
    assert "Traceback" not in said
    assert quiet.lab.calls().get(MIGRATE, 0) == 0
    assert database(quiet).stat().st_size == full
    assert "is whole" in xenia(quiet, "ledger", "verify")
    xenia(quiet, "cmd", "--as", "operator", "--wait", "vm migrate web-1 to xs2 in lab")
    assert quiet.lab.calls()[MIGRATE] == 1


def test_a_locked_database_is_said(quiet: Town) -> None:
    xenia(quiet, "cmd", "--as", "operator", "pool list")
    with closing(sqlite3.connect(database(quiet), isolation_level=None)) as rival:
        rival.execute("BEGIN IMMEDIATE")
        said = xenia(quiet, "cmd", "--as", "operator", "vm migrate web-1 to xs2 in lab", status=1)
        assert "locked by another process" in said
        rival.execute("ROLLBACK")
    assert quiet.lab.calls().get(MIGRATE, 0) == 0


def test_a_damaged_database_is_said_and_kept(quiet: Town) -> None:
    xenia(quiet, "cmd", "--as", "operator", "pool list")
    with database(quiet).open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xff" * 4096 * 8)
    damaged = database(quiet).read_bytes()
    for command in (("cmd", "--as", "operator", "pool list"), ("run",), ("ledger", "verify")):
        said = xenia(quiet, *command, status=1)
        assert "damaged" in said, command
        assert "Traceback" not in said
    assert database(quiet).read_bytes() == damaged
