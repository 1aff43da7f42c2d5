"""The scripted tour: the main job played as a conversation, every answer checked, with a second XenAPI client as the
witness.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bot import compose
from bot.demo.conversation import Conversation, Unexpected
from bot.demo.failure import a_host_fails, a_host_joins
from bot.demo.lab import Demo, demo
from bot.demo.witness import Witness
from bot.store.audit import verify_file

SPEED = 4.0
"""The lab's migrations take a quarter of the time that real ones would."""
POOL = "lab"


def play() -> int:
    """Play it; 0 when every step did what it should."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="xenia-tour-") as folder, demo(keep=folder, speed=SPEED) as running:
        talk = Conversation(running.workspace)
        try:
            with Witness(running, POOL) as witness:
                _look(talk)
                _migrate(talk, witness)
                _unrelated(talk, witness)
                _stale(talk, witness)
                a_host_joins(talk, witness, running.lab)
                a_host_fails(talk, witness, running.lab)
                _terminal(talk, running)
                _ledger(talk, running)
        except Unexpected as error:
            talk.console.print(f"\nThe tour ended early: {error}")
            return 1
    talk.console.print(f"\nAll {talk.checks} checks passed in {time.monotonic() - started:.0f} s.")
    return 0


def _look(talk: Conversation) -> None:
    talk.heading("Looking")
    status = talk.say("olga", "/xen pool status")
    talk.expect("the status begins with the pool's name", status[0].startswith(f"{POOL}:"))
    talk.expect(
        "it names the coordinator and both hosts",
        all(name in "\n".join(status) for name in ("xs1 (coordinator)", "xs2")),
    )
    help_ = talk.say("olga", "/xen migrat vm web-1")
    talk.expect("a slip is answered with what was meant", "vm migrate" in "\n".join(help_))


def _migrate(talk: Conversation, witness: Witness) -> None:
    talk.heading("A migration, approved by a second person")
    source = witness.host_of("web-1")
    target = witness.other_host(source)
    request, ts = talk.ask("olga", "/xen vm migrate web-1")
    refused = talk.press("olga", "Approve", ts)
    talk.expect("the one who asked cannot approve", "You asked for this yourself" in "\n".join(refused))
    refused = talk.press("sam", "Approve", ts)
    talk.expect("a stranger cannot approve", "not an approver" in "\n".join(refused))
    talk.expect(f"nothing has happened: the witness sees web-1 on {source}", witness.host_of("web-1") == source)
    talk.press("ana", "Approve", ts)
    talk.card(request, "%")
    talk.expect("progress shows on the card", True)
    _, card = talk.card(request, "Done in")
    talk.expect("the card says that it is done, and was read back", "read back" in "\n".join(card))
    talk.expect(f"the witness sees web-1 on {target}", witness.host_of("web-1") == target)


def _unrelated(talk: Conversation, witness: Witness) -> None:
    talk.heading("An approval is not spoilt by something unrelated")
    source = witness.host_of("web-2")
    request, ts = talk.ask("olga", "/xen vm migrate web-2")
    talk.note("another client starts the VM wiki-1 meanwhile")
    witness.start("wiki-1")
    talk.press("ben", "Approve", ts)
    talk.card(request, "Done in")
    talk.expect("it was executed all the same", witness.host_of("web-2") != source)


def _stale(talk: Conversation, witness: Witness) -> None:
    talk.heading("An approval of something that is no longer so is not executed")
    source = witness.host_of("mail-1")
    target = witness.other_host(source)
    request, ts = talk.ask("olga", f"/xen migrate vm mail-1 to {target}")
    talk.note(f"another client moves mail-1 to {target} meanwhile")
    witness.migrate("mail-1", target)
    talk.press("ana", "Approve", ts)
    talk.card(request, "no longer what would be done")
    note = talk.thread(ts, "Not executed")
    talk.expect("the thread says what changed", target in "\n".join(note))
    talk.expect(f"mail-1 stays where the other client put it, on {target}", witness.host_of("mail-1") == target)


def _terminal(talk: Conversation, running: Demo) -> None:
    talk.heading("The terminal is no way around")
    outside = running.config.with_name("production.toml")
    text = running.config.read_text(encoding="utf-8").replace("sandbox = true\n", "")
    outside.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "bot", "cmd", "--config", str(outside), "--as", "approver", "pool status"]
    talk.note("xenia cmd --as approver, with a configuration that is not the sandbox's")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own program
    talk.note(done.stderr.strip().splitlines()[0])
    talk.expect("it is refused", done.returncode == 1 and "only against the sandbox" in done.stderr)
    rows = running.bot.store.ledger(pools=None, last=5)
    talk.expect("and recorded", any(row.kind == "refused" and "--as approver" in str(row.body) for row in rows))


def _ledger(talk: Conversation, running: Demo) -> None:
    talk.heading("The record")
    talk.say("olga", "/xen log")
    database, key = running.settings.bot.database, compose.ledger_key(running.settings)
    copy = running.config.with_name("copy.sqlite3")
    with sqlite3.connect(database) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    found = verify_file(copy, key)
    talk.expect(f"the ledger of {found.rows} rows verifies", found.ok and found.rows > 10)
    for column in _columns(copy):
        forged = Path(f"{copy}.{column}")
        shutil.copy(copy, forged)
        _forge(forged, column, found.rows // 2)
        flaw = verify_file(forged, key).flaw
        talk.expect(f"a changed {column} is found: {flaw.why if flaw else 'no'}", flaw is not None)


def _columns(path: Path) -> list[str]:
    with sqlite3.connect(path) as db:
        return [row[1] for row in db.execute("PRAGMA table_info(ledger)")]


def _forge(path: Path, column: str, seq: int) -> None:
    """Change one column of one row, as somebody with write access to the file could."""
    with sqlite3.connect(path) as db:
        guards = db.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger'"
        ).fetchall()
        for name, _ in guards:
            db.execute(f'DROP TRIGGER "{name}"')
        changed = 'CAST("{0}" AS INTEGER) + 1000000' if column == "seq" else "\"{0}\" || 'x'"
        db.execute(f'UPDATE ledger SET "{column}" = {changed.format(column)} WHERE seq = ?', (seq,))  # noqa: S608
        for _, sql in guards:
            db.execute(sql)
