"""No secret and no session reference leaves its place: a whole run, and then everything it left behind is searched.

The bot runs as its own process, as in production, logging everything. Its sessions are ended while it works, so that
XenAPI's errors name them; Slack's answers are cut, so that what is logged then is seen too.
"""

from __future__ import annotations

import base64
import json
import signal
import sqlite3
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from bot.demo.lab import write_config
from sandbox.slack.grants import Grants
from sandbox.slack.running import start as start_workspace
from sandbox.slack.socket_mode import SocketMode
from sandbox.xapi import lab as labs
from sandbox.xapi.failure import Failure
from sandbox.xapi.running import start as start_lab
from sandbox.xapi.store import Database
from tests.e2e.conftest import Town, text_of
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
PASSWORD = "correct-Horse+battery/staple"
CHANNELS = ("#infra", "#lab")
LONGEST_SECONDS = 60


@dataclass
class Run:
    """What is secret, by what it is, and everything that the run left behind, by where."""

    secrets: dict[str, str] = field(default_factory=dict)
    places: dict[str, bytes] = field(default_factory=dict)
    home: Path = field(default_factory=Path)

    def note(self, what: str, value: str) -> None:
        self.secrets[f"{what} {len(self.secrets) + 1}"] = value

    def of(self, what: str) -> list[str]:
        return [value for name, value in self.secrets.items() if name.startswith(what)]


def forms(secret: str) -> set[bytes]:
    """How a secret may look where it was put: as it is, quoted for a URL or for JSON, and encoded."""
    bare = secret.removeprefix("OpaqueRef:")
    path = urllib.parse.urlsplit(bare).path if bare.startswith(("http://", "https://")) else bare
    plain = {bare, path, urllib.parse.quote(bare, safe=""), json.dumps(bare)[1:-1]}
    raw = bare.encode()
    return {each.encode() for each in plain} | {base64.b64encode(raw).rstrip(b"="), raw.hex().encode()}


def leaks(run: Run) -> set[tuple[str, str]]:
    """(what, where) of each secret that stands somewhere."""
    return {
        (name, place)
        for name, secret in run.secrets.items()
        for place, content in run.places.items()
        if any(form in content for form in forms(secret))
    }


# --- the run ----------------------------------------------------------------------------------------------------------


@contextmanager
def noticed(run: Run) -> Iterator[None]:
    """Notice every session, response URL and ticket that the two sandboxes give out."""
    patch = pytest.MonkeyPatch()
    create, url, ticket = Database.create, Grants.new_response_url, SocketMode.new_ticket

    def creating(self: Database, cls: str, *args: Any, **more: Any) -> str:
        ref = create(self, cls, *args, **more)
        if cls == "session":
            run.note("session", ref)
        return ref

    def granting(self: Grants, *args: Any, **more: Any) -> str:
        path = url(self, *args, **more)
        run.note("response URL", path)
        return path

    def issuing(self: SocketMode) -> str:
        made = ticket(self)
        run.note("socket ticket", made)
        return made

    patch.setattr(Database, "create", creating)
    patch.setattr(Grants, "new_response_url", granting)
    patch.setattr(SocketMode, "new_ticket", issuing)
    try:
        yield
    finally:
        patch.undo()


class ProcessList(threading.Thread):
    """Looks at every process's command line until it is told to stop, as `ps` would."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[bytes] = set()
        self.enough = threading.Event()

    def run(self) -> None:
        while not self.enough.wait(0.05):
            for line in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(line.read_bytes())
                except OSError:
                    continue


def xenia(config: Path, *arguments: str, ok: bool = True) -> bytes:
    """What a command of the terminal says, on both streams."""
    command = [sys.executable, "-m", "bot", "--verbose", *arguments, "--config", str(config)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=LONGEST_SECONDS, check=False)
    assert not ok or done.returncode == 0, done.stderr.decode()
    return done.stdout + done.stderr


def end_sessions(town: Town, found: Run) -> None:
    """What XenAPI says then names the session that is gone."""
    coordinator = next(host for host in town.lab.estate.hosts.values() if host.name == "xs1")
    for handle in found.of("session"):
        with suppress(Failure):
            town.lab.estate.call(coordinator.uuid, "session.logout", [handle])


def work(town: Town, found: Run) -> None:
    """A day of the bot: looking, refusing, migrating, losing its sessions and answers."""
    assert "lab" in eventually(lambda: town.say("pool status"), "an answer", LONGEST_SECONDS)
    town.say("vm show no-such-vm")
    request_id = town.ask("vm migrate web-1 to xs2")
    town.press("Approve", request_id, who="sam")
    town.lab.set_speed(3)
    town.workspace.fault("drop_after", method="chat.update", count=1)
    town.press("Approve", request_id)
    eventually(lambda: town.lab.calls().get("Async.VM.pool_migrate"), "the call")
    end_sessions(town, found)
    eventually(lambda: "Done in" in text_of(town.card(request_id) or {"blocks": [], "text": ""}), "its end", 60)
    town.lab.set_speed(50)
    second = town.ask("vm migrate web-1 to xs1")
    town.lab.drop("xs1", "after", 1, "Async.VM.pool_migrate")
    town.press("Approve", second)
    eventually(lambda: "Done in" in text_of(town.card(second) or {"blocks": [], "text": ""}), "its end", 60)
    town.workspace.fault("disconnect")
    end_sessions(town, found)
    town.say("vm list")
    (town.config.parent / "pool-password").write_text("wrong-" + PASSWORD)
    end_sessions(town, found)
    assert "password" in town.say("pool status")


def messages(town: Town) -> bytes:
    found = [town.workspace.messages(channel, who) for channel in CHANNELS for who in ("olga", "ana", "ben", "sam")]
    cards = [message["ts"] for message in town.workspace.messages("#infra", "olga")]
    found += [town.workspace.messages("#infra", "olga", ts) for ts in cards]
    return json.dumps(found, ensure_ascii=False).encode()


def database(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(home.glob("xenia.sqlite3*")))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    home = tmp_path_factory.mktemp("home")
    found = Run(home=home)
    lab = replace(labs.load("tutorial"), password=PASSWORD)
    with ExitStack() as stack:
        stack.enter_context(noticed(found))
        pools = stack.enter_context(start_lab(lab, tls=True, speed=50))
        workspace = stack.enter_context(start_workspace())
        config = write_config(home, pools, workspace)
        for name in ("bot-token", "app-token", "pool-password", "ledger-key"):
            found.note(name, (home / name).read_text())
        found.note("signing secret", workspace.signing_secret)
        town = Town(pools, workspace, config)
        ps = ProcessList()
        ps.start()
        log = stack.enter_context((home / "log").open("wb"))
        bot = subprocess.Popen(
            [sys.executable, "-m", "bot", "--verbose", "run", "--config", str(config)],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            eventually(lambda: b"listening in Slack" in (home / "log").read_bytes(), "the bot", LONGEST_SECONDS)
            work(town, found)
            live = database(home)
        finally:
            bot.send_signal(signal.SIGTERM)
            bot.wait(LONGEST_SECONDS)
        (home / "pool-password").write_text(PASSWORD)
        said = xenia(config, "cmd", "--as", "operator", "pool status")
        said += xenia(config, "cmd", "--as", "stranger", "vm migrate web-1", ok=False)
        export = xenia(config, "ledger", "export")
        said += xenia(config, "database", "backup", str(home / "copy"))
        said += xenia(config, "ledger", "archive", "--before", "2999-01-01", "--to", str(home / "archive"))
        said += xenia(config, "ledger", "verify", "--archive", str(home / "archive"))
        ps.enough.set()
        ps.join()
        found.places = {
            "database, live": live,
            "database, afterwards": database(home),
            "log": (home / "log").read_bytes(),
            "Slack": messages(town),
            "terminal": said,
            "export": export,
            "copy": (home / "copy").read_bytes(),
            "archive": (home / "archive").read_bytes(),
            "process list": b"\n".join(sorted(ps.seen)),
        }
        yield found


def test_the_run_met_what_it_is_about(run: Run) -> None:
    """Else nothing found would say nothing."""
    assert len(run.of("session")) >= 5
    assert len(run.of("response URL")) >= 5
    assert len(run.of("socket ticket")) >= 2
    assert b"pool_migrate" in run.places["export"]
    assert b"call done" in run.places["database, live"]
    assert b"vm migrate web-1" in run.places["Slack"]
    assert b" INFO bot.slack" in run.places["log"]
    assert b"--config" in run.places["process list"]
    assert all(run.places.values())


def test_no_secret_stands_anywhere(run: Run) -> None:
    assert leaks(run) == set()


@pytest.mark.parametrize(
    "what",
    ["session", "response URL", "socket ticket", "bot-token", "app-token", "pool-password", "ledger-key", "signing"],
)
def test_a_planted_one_is_found_wherever_it_is(run: Run, what: str) -> None:
    secret = run.of(what)[0]
    for place, content in run.places.items():
        for form in forms(secret):
            planted = Run(secrets=run.secrets, places={place: content + b" " + form})
            assert place in {where for _, where in leaks(planted)}


def test_one_planted_in_a_row_is_found_in_the_file(run: Run, tmp_path: Path) -> None:
    """Also after the row is gone: deleted rows stay in the file, and changes in the WAL."""
    path = tmp_path / "xenia.sqlite3"
    path.write_bytes((run.home / "copy").read_bytes())
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=wal")
        db.execute("INSERT INTO sightings (key, at) VALUES (?, '2026')", [run.of("session")[-1]])
        assert leaks(Run(secrets=run.secrets, places={"database": database(tmp_path)}))


def test_one_in_a_command_line_is_found(run: Run) -> None:
    ps = ProcessList()
    ps.start()
    child = subprocess.Popen([sys.executable, "-c", "input()", run.of("pool-password")[0]], stdin=subprocess.PIPE)
    try:
        planted = Run(secrets=run.secrets)
        eventually(
            lambda: leaks(Run(secrets=planted.secrets, places={"process list": b"\n".join(list(ps.seen))})), "the leak"
        )
    finally:
        child.kill()
        child.communicate()
        ps.enough.set()
        ps.join()


def test_files_are_for_the_owner_alone(run: Run) -> None:
    for name in ("xenia.sqlite3", "xenia.sqlite3-mark", "copy", "archive"):
        assert (run.home / name).stat().st_mode & 0o077 == 0, name
