"""What a shell completes, asked of the program and of a real shell."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli.completion import SCRIPTS, candidates
from bot.cli.program import parser

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("typed", "there", "not_there"),
    [
        ([""], {"run", "cmd", "doctor", "config"}, {"complete", "check", "--verbose"}),
        (["do"], {"doctor"}, {"run"}),
        (["config", ""], {"check"}, {"run"}),
        (["config", "check", "--"], {"--live", "--offline", "--config"}, {"--wait"}),
        (["cmd", ""], {"vm", "pool", "help"}, {"migrate", "check"}),
        (["cmd", "vm", "mi"], {"migrate"}, {"start"}),
        (["cmd", "vm", "migrate", "web-1", ""], {"to", "in"}, {"VM", "HOST"}),
        (["cmd", "--json", "vm", "sta"], {"start"}, {"migrate"}),
        (["completion", ""], {"bash", "zsh", "fish"}, set()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_may_come_next(typed: list[str], there: set[str], not_there: set[str]) -> None:
    found = set(candidates(parser(), typed))
    assert there <= found
    assert not not_there & found


@pytest.mark.parametrize("shell", sorted(SCRIPTS))
def test_the_shell_takes_its_script(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    script = tmp_path / "script"
    script.write_text(SCRIPTS[shell], encoding="utf-8")
    done = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


ASKED = {
    "bash": (
        ["bash", "--norc", "-c"],
        'eval "$(xenia completion bash)"; COMP_WORDS=(xenia cmd vm mig) COMP_CWORD=3; _xenia; echo "${COMPREPLY[@]}"',
    ),
    # Only its editor may call compadd: what it is given stands for it.
    "zsh": (
        ["zsh", "-f", "-c"],
        'autoload -Uz compinit; compinit -D -u; eval "$(xenia completion zsh)"; compadd() { print -l -- ${(P)2} };'
        " words=(xenia cmd vm mig); CURRENT=4; _xenia",
    ),
    "fish": (
        ["fish", "--no-config", "-c"],
        'xenia completion fish | source; complete --do-complete "xenia cmd vm mig"',
    ),
}


@pytest.mark.parametrize("shell", sorted(ASKED))
def test_the_shell_completes_by_it(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    program = tmp_path / "xenia"
    program.write_text(f'#!/bin/sh\ncd {ROOT} && exec {shlex.quote(sys.executable)} -m bot "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    words, asked = ASKED[shell]
    done = subprocess.run(
        [*words, asked],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "migrate\n", done.stderr
