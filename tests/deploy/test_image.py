"""The Dockerfile's steps, run one by one in an empty environment: no container engine is needed, and none is here.

Its absolute paths are moved below a temporary directory, its base image is this Python without any package; accounts
are not made. What a container would run afterwards is run.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
MOVED = ("/opt/xenia", "/src", "/var/lib/xenia")
PASSED_ON = re.compile(r"(PIP|UV|SSL|REQUESTS|CURL)_.*|.*_proxy|.*_PROXY")
"""How packages are reached from here is no part of the image."""
LIMIT_SECONDS = 500

Instruction = tuple[str, str]


def instructions() -> Iterator[Instruction]:
    joined = re.sub(r"\\\n", " ", DOCKERFILE.read_text(encoding="utf-8"))
    for line in joined.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            word, _, rest = line.strip().partition(" ")
            yield word, " ".join(rest.split())


class Stage:
    """A directory that plays an image's root."""

    def __init__(self, root: Path, tools: Path) -> None:
        self.root = root
        self.workdir = root
        self.env = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
        self.env |= {"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(root / "root")}
        (root / "root").mkdir(parents=True)

    def moved(self, words: str) -> str:
        for path in MOVED:
            words = words.replace(path, f"{self.root}{path}")
        return words

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=self.workdir, env=self.env, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
        )

    def take(self, word: str, rest: str) -> None:
        """Carry out an instruction, as far as it does something to files."""
        if word == "WORKDIR":
            self.workdir = Path(self.moved(rest))
            self.workdir.mkdir(parents=True, exist_ok=True)
        elif word == "ENV":
            for name, value in (pair.split("=", 1) for pair in shlex.split(self.moved(rest))):
                self.env[name] = value.replace("$PATH", self.env["PATH"])
        elif word == "RUN":
            done = self.run("sh", "-ec", self.moved(rest))
            assert done.returncode == 0, done.stdout + done.stderr
        elif word == "COPY" and not rest.startswith("--from"):
            *sources, target = rest.split()
            for source in sources:
                self._copy(ROOT / source, self.workdir / target / ("" if target != "./" else source))

    def _copy(self, source: Path, target: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The last stage, with every step of both done."""
    if os.geteuid() != 0:
        pytest.skip("the steps give files to the image's account, which takes root")
    base, tools = tmp_path_factory.mktemp("image"), tmp_path_factory.mktemp("tools")
    (tools / "python").symlink_to(sys.executable if sys.prefix == sys.base_prefix else sys._base_executable)  # type: ignore[attr-defined]
    for account in ("groupadd", "useradd"):
        (tools / account).write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
        (tools / account).chmod(0o755)
    stage = Stage(base / "root", tools)
    begun = False
    for word, rest in instructions():
        if word == "FROM" and begun:
            # Only what is copied from the stage before stays; at the same place, since programs name their paths.
            shutil.move(stage.root, base / "before")
            stage = Stage(base / "root", tools)
        begun = begun or word == "FROM"
        if word == "COPY" and rest.startswith("--from"):
            source, target = rest.split()[1:]
            shutil.copytree(f"{base / 'before'}{source}", stage.moved(target), symlinks=True)
        else:
            stage.take(word, rest)
    shutil.rmtree(base / "before")
    return stage


def told(word: str) -> list[str]:
    """The last such instruction's words, from its JSON form."""
    rest = [rest for each, rest in instructions() if each == word][-1]
    return re.findall(r'"([^"]*)"', rest)


@pytest.mark.slow
@pytest.mark.timeout(900)
class TestImage:
    def test_what_it_starts_is_there_and_works(self, image: Stage) -> None:
        entry = told("ENTRYPOINT")
        done = image.run("sh", "-c", 'exec "$@"', "sh", *entry, "--help")
        assert done.returncode == 0, done.stderr
        example = str(ROOT / "deploy/examples/one-pool.toml")
        done = image.run("sh", "-c", 'exec "$@"', "sh", *entry, "config", "check", "--offline", "--config", example)
        assert "has no mistakes" in done.stdout, done.stderr

    def test_it_runs_as_the_dockerfile_says_up_to_its_missing_secrets(self, image: Stage) -> None:
        words = [*told("ENTRYPOINT"), *told("CMD")]
        assert words == ["xenia", "run", "--config", "/etc/xenia/xenia.toml"]
        done = image.run("sh", "-c", 'exec "$@"', "sh", *words)
        assert done.returncode == 78
        assert "The configuration /etc/xenia/xenia.toml cannot be read." in done.stderr

    def test_its_health_check_fails_while_no_bot_answers(self, image: Stage, tmp_path: Path) -> None:
        words = told("HEALTHCHECK")
        here = tmp_path / "xenia.toml"
        shutil.copy(ROOT / "deploy/examples/one-pool.toml", here)
        words[words.index("/etc/xenia/xenia.toml")] = str(here)
        here.write_text(re.sub(r"port = \d+", "port = 1", here.read_text(encoding="utf-8")), encoding="utf-8")
        done = image.run("sh", "-c", 'exec "$@"', "sh", *words)
        assert (done.returncode, "does not answer" in done.stderr) == (1, True), done.stderr

    def test_nothing_of_development_is_in_it(self, image: Stage) -> None:
        listed = image.run("sh", "-c", "exec /bin/ls " + image.moved("/opt/xenia/lib/python*/site-packages"))
        assert "prometheus_client" in listed.stdout
        assert not {"pytest", "mypy", "aiohttp", "playwright"} & set(listed.stdout.split())

    def test_its_memory_is_for_its_account_alone(self, image: Stage) -> None:
        found = Path(image.moved("/var/lib/xenia")).stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (10001, 10001, 0o700)


def test_what_it_copies_is_let_through_and_is_there() -> None:
    through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists()
                assert source in through, f"{source} is kept out by .dockerignore"
