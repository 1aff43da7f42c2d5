"""Every command line that a page shows is run here, and shows what the page says; or it is listed with the reason why
not.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import selectors
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, name_of
from tests.e2e.conftest import Town, town

REASONS = {
    "make demo": "sets up an environment; the tour below it is run as `xenia demo --script`",
    "make demo ARGS=--script": "sets up an environment; tests/e2e runs what the tour shows",
    "make test": "would run this test",
    "make check": "sets up an environment; CI runs it",
    "python3 -m venv /opt/xenia": "installs on the reader's machine",
    "/opt/xenia/bin/pip install --require-hashes -r requirements/run.txt": "installs on the reader's machine",
    "/opt/xenia/bin/pip install --no-deps --no-build-isolation .": "installs there; tests/deploy does it",
    "/opt/xenia/bin/xenia run --config /etc/xenia/xenia.toml": "the same as `xenia run`, which is run",
}
"""Shown and not run."""
SERVERS = ("xenia run", "xenia sandbox")
"""Run until the first lines are there, then told to end."""
FAILING = ("unpinned.toml", "--head", "doctor")
"""Shown because they are refused."""
LIMIT_SECONDS = 150
_BLOCK = re.compile(r"^( *)```console\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Shown:
    """A command line on a page, and the lines shown below it."""

    page: str
    command: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {self.command[:60]}"


def shown() -> Iterator[Shown]:
    for page in PAGES:
        for indent, block in _BLOCK.findall(page.read_text(encoding="utf-8")):
            command: str = ""
            lines: list[str] = []
            for line in (each.removeprefix(indent) for each in block.splitlines()):
                if line.startswith("$ "):
                    if command:
                        yield Shown(name_of(page), command, tuple(lines))
                    command, lines = line[2:], []
                else:
                    assert command, f"{name_of(page)}: a console block begins with a command"
                    lines.append(line)
            yield Shown(name_of(page), command, tuple(lines))


def pattern(lines: tuple[str, ...]) -> re.Pattern[str]:
    """What is shown: `…` stands for anything, on a line of its own for any lines; spaces count as one."""
    parts = []
    for line in lines:
        if line.strip() == "…":
            parts.append(r"(?:.*\n)*?")
            continue
        words = [re.sub(r"\\?\s+", r"\\s+", re.escape(part)) for part in line.strip().split("…")]
        parts.append(r"[ ]*" + ".*".join(words) + r"[ ]*\n")
    return re.compile("".join(parts))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A directory with a `xenia.toml` for the sandboxes, in which this test's login is Olga; no bot runs yet."""
    login = f"[terminal]\n{json.dumps(pwd.getpwuid(os.getuid()).pw_name)} = {json.dumps('U0OLGA')}\n"
    folder = tmp_path_factory.mktemp("reader")
    with town(folder, run=False, change=lambda text: text.replace("[terminal]\n", login)) as made:
        text = made.config.read_text(encoding="utf-8")
        unpinned = re.sub(r"(?m)^fingerprints = .*$", "", text)
        unpinned = unpinned.replace("/xenia.sqlite3", "/first.sqlite3")  # one that has never seen a pool
        made.config.with_name("unpinned.toml").write_text(unpinned, encoding="utf-8")
        (folder / "xenia").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m bot "$@"\n', encoding="utf-8")
        (folder / "xenia").chmod(0o755)
        yield made


def environment(folder: Path) -> dict[str, str]:
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "PYTHONUNBUFFERED": "1"}


def to_run() -> list[Shown]:
    """Each command line once, or once for each answer that is shown of it."""
    once = {(each.command, each.lines): each for each in shown() if each.command not in REASONS}
    answered = {command for command, lines in once if lines}
    return [each for each in once.values() if each.lines or each.command not in answered]


@pytest.mark.parametrize("each", to_run(), ids=str)
def test_command_lines(each: Shown, place: Town) -> None:
    folder = place.config.parent
    words = shlex.split(each.command)
    assert words[0] == "xenia", f"{each.command!r} is neither run nor listed with a reason"
    if each.command.startswith(SERVERS):
        text = serve(words, folder, pattern(each.lines))
    else:
        done = subprocess.run(
            words,
            cwd=folder,
            env=environment(folder),
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        refused = any(each_word in each.command for each_word in FAILING)
        assert done.returncode == (1 if refused else 0), done.stderr
        text = done.stdout + done.stderr
    if each.lines:
        assert pattern(each.lines).match(text), text


def serve(words: list[str], folder: Path, wanted: re.Pattern[str]) -> str:
    """Start it, wait until it shows what is wanted, end it as a service manager would; returns what it showed."""
    server = subprocess.Popen(
        words, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert server.stdout is not None
    text, deadline = "", time.monotonic() + LIMIT_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(server.stdout, selectors.EVENT_READ)
        while not (text.endswith("\n") and wanted.search(text)) and time.monotonic() < deadline:
            if selector.select(timeout=0.2):
                piece = os.read(server.stdout.fileno(), 65536)
                if not piece:
                    break
                text += piece.decode()
    server.send_signal(signal.SIGTERM)
    try:
        rest, _ = server.communicate(timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        raise
    assert server.returncode == 0, text + rest.decode()
    return text


def test_reasons_are_for_lines_that_are_shown() -> None:
    assert {each.command for each in shown()} >= REASONS.keys()


@pytest.mark.parametrize(
    ("lines", "text", "is_so"),
    [
        (("lab: …",), "lab: well\n", True),
        (("lab: …",), "xs3: well\n", False),
        (("a", "…", "d"), "a\nb\nc\nd\n", True),
        (("a", "…", "d"), "a\nb\nc\n", False),
        (("Host  State",), "Host    State  \n", True),
        (("(a|b)",), "a\n", False),
    ],
)
def test_the_comparison_can_fail(lines: tuple[str, ...], text: str, is_so: bool) -> None:
    assert bool(pattern(lines).match(text)) is is_so
