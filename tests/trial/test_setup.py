"""`xenia setup` against both sandboxes as processes of their own, the pool over TLS: by flags, and by questions."""

from __future__ import annotations

import json
import os
import pty
import pwd
import select
import signal
import subprocess
import sys
import termios
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot import config
from bot.xapi.addresses import endpoint_of
from bot.xapi.settings import shown_fingerprint
from bot.xapi.trust import peek

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 90
HIDDEN = ("Bot token", "App-level token", "Password of")


@dataclass(frozen=True)
class World:
    pool: dict[str, Any]
    slack: dict[str, Any]

    @property
    def host(self) -> str:
        return str(self.pool["hosts"]["xs1"]).rpartition("//")[2]

    @property
    def fingerprint(self) -> str:
        seen = peek(endpoint_of(self.host, {}, plain_http=False), 20)
        assert seen is not None
        return shown_fingerprint(seen.fingerprint)

    @property
    def secrets(self) -> dict[str, str]:
        return {
            "XENIA_BOT_TOKEN": self.slack["bot_token"],
            "XENIA_APP_TOKEN": self.slack["app_token"],
            "XENIA_POOL_PASSWORD": self.pool["password"],
        }

    def flags(self, folder: Path, *more: str) -> list[str]:
        people = ["--operators", "U0OLGA", "--approvers", "U0ANA", "--approvers", "U0BEN"]
        pool = ["--pool", "lab", "--hosts", self.host, "--api-url", self.slack["api"], "--channel", "C0INFRA"]
        return [sys.executable, "-m", "bot", "setup", "--directory", str(folder), *pool, *people, *more]

    def said(self, channel: str = "C0INFRA") -> list[str]:
        page = self.slack["page"].rstrip("/")
        with urllib.request.urlopen(f"{page}/sandbox/messages?channel={channel}", timeout=60) as answer:
            return [message["text"] for message in json.load(answer)["messages"]]


@contextmanager
def sandbox(*words: str) -> Iterator[dict[str, Any]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "sandbox", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=LIMIT_SECONDS)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with ExitStack() as stack:
        pool = stack.enter_context(sandbox("pool", "--lab", "tutorial-start", "--tls"))
        yield World(pool, stack.enter_context(sandbox("slack")))


def run(words: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **more}
    return subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )


def test_by_flags_a_configuration_is_made_that_works(world: World, tmp_path: Path) -> None:
    done = run(world.flags(tmp_path, "--non-interactive", "--fingerprint", world.fingerprint), **world.secrets)
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("manifest_json=%7B", "Socket Mode works", "the bot is a member", "is pinned", "may do everything"):
        assert said in done.stdout
    assert any("Xenia is set up for the pool lab" in text for text in world.said())
    settings = config.load(tmp_path / "xenia.toml")
    assert settings.slack.team == "T0EXAMPLE"
    assert settings.pools["lab"].fingerprints == (world.fingerprint,)
    written = (tmp_path / "xenia.toml").read_text(encoding="utf-8")
    assert written.count("#") > 8
    for secret in world.secrets.values():
        assert secret not in written + done.stdout + done.stderr
    for path in (tmp_path / "xenia.toml", *(tmp_path / "secrets").iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path
    checked = run([sys.executable, "-m", "bot", "config", "check", "--live", "--config", str(tmp_path / "xenia.toml")])
    assert checked.returncode == 0, checked.stdout


def test_what_is_there_is_not_replaced(world: World, tmp_path: Path) -> None:
    (tmp_path / "xenia.toml").write_text("mine", encoding="utf-8")
    words = world.flags(tmp_path, "--non-interactive", "--fingerprint", world.fingerprint)
    done = run(words, **world.secrets)
    assert done.returncode == 1
    assert "There is a configuration already" in done.stderr
    assert (tmp_path / "xenia.toml").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "secrets").exists()


@pytest.mark.parametrize(
    ("without", "flags", "told"),
    [
        ("XENIA_BOT_TOKEN", (), "--bot-token-file or XENIA_BOT_TOKEN"),
        ("", (), "is not one that you know"),
        ("", ("--fingerprint", ":".join(["ab"] * 32)), "is not one that you know"),
        ("", ("--hosts", "127.0.0.1:1", "--fingerprint", "RIGHT"), "shows no certificate"),
    ],
    ids=["no token", "no fingerprint", "another fingerprint", "nobody there"],
)
def test_nothing_is_written_when_something_is_missing_or_wrong(
    world: World, tmp_path: Path, without: str, flags: tuple[str, ...], told: str
) -> None:
    home = tmp_path / "home"
    given = {name: value for name, value in world.secrets.items() if name != without}
    right = [world.fingerprint if flag == "RIGHT" else flag for flag in flags]
    done = run(world.flags(home, "--non-interactive", *right), **given)
    assert done.returncode == 1
    assert told in done.stderr
    assert not home.exists()


def test_by_questions_with_secrets_that_are_not_shown(world: World, tmp_path: Path) -> None:
    """A real terminal: what is typed as a secret is not echoed, tokens that do not work are asked for again, and a
    certificate is trusted only when agreed to.
    """
    words = [sys.executable, "-m", "bot", "setup", "--directory", str(tmp_path), "--api-url", world.slack["api"]]
    answers = [
        ("Bot token", "xoxb-mistyped"),
        ("App-level token", world.slack["app_token"]),
        ("Once more", None),
        ("Bot token", world.slack["bot_token"]),
        ("App-level token", world.slack["app_token"]),
        ("Id of the channel", "C0INFRA"),
        ("may ask for changes", "U0OLGA"),
        ("may approve them", "U0ANA, U0BEN"),
        ("who may look", ""),
        ("at this machine's terminal", "U0OLGA"),
        ("will call the pool", ""),
        ("Addresses of its hosts", world.host),
        ("show the same?", "y"),
        ("XenAPI account", ""),
        ("Password of", world.pool["password"]),
    ]
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.environ["COLUMNS"] = "300"
        os.execv(words[0], words)
    seen, looked_at, deadline = "", 0, time.monotonic() + LIMIT_SECONDS

    def until(word: str) -> None:
        """Read until the word comes, after the one before."""
        nonlocal seen, looked_at
        while word not in seen[looked_at:] and time.monotonic() < deadline:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    seen += os.read(terminal, 65536).decode("utf-8", "replace")
                except OSError:
                    return
        looked_at = max(seen.find(word, looked_at), looked_at) + len(word)

    for question, answer in answers:
        until(question)
        assert question in seen, seen
        if answer is None:
            continue
        while question in HIDDEN and termios.tcgetattr(terminal)[3] & termios.ECHO and time.monotonic() < deadline:
            time.sleep(0.02)  # what is typed before the terminal hides it would be thrown away
        os.write(terminal, answer.encode() + b"\n")
    until("Start the bot")
    with suppress(OSError):
        while select.select([terminal], [], [], 5)[0] and (piece := os.read(terminal, 65536)):
            seen += piece.decode("utf-8", "replace")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, seen
    for secret in (world.slack["bot_token"], world.slack["app_token"], f"account: {world.pool['password']}"):
        assert secret not in seen
    settings = config.load(tmp_path / "xenia.toml")
    assert settings.policy.approvers == {"U0ANA", "U0BEN"}
    assert settings.policy.readers == {"everyone"}
    assert settings.terminal == {pwd.getpwuid(os.getuid()).pw_name: "U0OLGA"}
    assert world.fingerprint in seen
