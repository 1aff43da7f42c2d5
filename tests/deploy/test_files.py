"""Every file in deploy/ is read by what will read it: systemd, hadolint, the compose specification, Datasette."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import compose_spec
import pytest
from datasette.app import Datasette
from datasette.utils import parse_metadata

from bot import config
from bot.store import SqliteStore
from tests.bot_store.helpers import KEY, HandClock, opened

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
LIMIT_SECONDS = 60
WORST_EXPOSURE = 1.5
"""Of 10; `systemd-analyze security` said 1.2 when this was written."""


def text(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


# --- systemd ----------------------------------------------------------------------------------------------------------

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program that is there."""
    path = tmp_path / "xenia.service"
    path.write_text(text("xenia.service").replace("/opt/xenia/bin/xenia", sys.executable), encoding="utf-8")
    return path


def analyzed(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *words], capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )


@needs_systemd
def test_systemd_understands_the_unit(unit: Path) -> None:
    done = analyzed("verify", "--man=no", str(unit))
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_a_unit_with_a_mistake_is_not_understood(unit: Path) -> None:
    unit.write_text(unit.read_text(encoding="utf-8").replace("WatchdogSec=180", "WatchdogSec=soon"), encoding="utf-8")
    assert analyzed("verify", "--man=no", str(unit)).stderr


@needs_systemd
def test_it_is_as_locked_up_as_is_said(unit: Path) -> None:
    done = analyzed("security", "--offline=yes", f"--threshold={WORST_EXPOSURE * 10:.0f}", str(unit))
    assert done.returncode == 0, done.stdout
    assert "Overall exposure level" in done.stdout


def test_every_credential_of_the_example_is_handed_over() -> None:
    lines = [line for line in text("xenia.service").splitlines() if line.startswith("LoadCredential=")]
    handed = {line.partition("=")[2].partition(":")[0] for line in lines}
    named = {part.partition('"')[0] for part in text("examples/one-pool.toml").split('"credential:')[1:]}
    assert named <= handed


# --- containers -------------------------------------------------------------------------------------------------------


def test_hadolint_has_nothing_to_say() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [str(linter), "--no-color", str(DEPLOY / "Dockerfile")],
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_compose_file_is_one_by_its_specification() -> None:
    made = compose_spec.PyCompose.from_yaml(text("compose.yaml"))
    made.validate()
    service = made.to_dict()["services"]["xenia"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    with pytest.raises(ValueError, match="read_onl"):
        compose_spec.PyCompose.from_yaml(text("compose.yaml").replace("read_only:", "read_onl:"))


# --- examples ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(path.name for path in (DEPLOY / "examples").iterdir()))
def test_every_example_is_a_configuration_without_mistakes_or_warnings(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "config", "check", "--offline", "--config", str(DEPLOY / "examples" / name)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "has no mistakes: " in done.stdout, done.stdout


def test_the_examples_are_about_one_and_about_many_pools() -> None:
    assert len(config.load(DEPLOY / "examples" / "one-pool.toml").pools) == 1
    assert len(config.load(DEPLOY / "examples" / "many-pools.toml").pools) > 2


# --- Datasette --------------------------------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "xenia.sqlite3"
    store = SqliteStore(path, clock=HandClock(), ledger_key=KEY)
    opened(store)
    store.close()
    return path


def browsed(database: Path, *pages: str) -> list[Any]:
    """What Datasette answers, opened as deploy/datasette.yaml says."""

    async def ask() -> list[Any]:
        site = Datasette([str(database)], metadata=parse_metadata(text("datasette.yaml")))
        await site.invoke_startup()
        return [await site.client.get(page) for page in pages]

    return asyncio.run(ask())


def test_every_table_that_is_described_is_there_and_can_be_browsed(database: Path) -> None:
    described = parse_metadata(text("datasette.yaml"))["databases"]["xenia"]
    pages = [f"/xenia/{name}.json?_shape=array" for name in described["tables"]]
    for page, answer in zip(pages, browsed(database, *pages), strict=True):
        assert answer.status_code == 200, page


def test_every_query_runs_and_finds_what_there_is(database: Path) -> None:
    described = parse_metadata(text("datasette.yaml"))["databases"]["xenia"]
    pages = [f"/xenia/{name}.json?_shape=array&name=Anna" for name in described["queries"]]
    answers = dict(zip(described["queries"], browsed(database, *pages), strict=True))
    assert all(answer.status_code == 200 for answer in answers.values()), answers
    assert [row["text"] for row in answers["open"].json()] == ["vm migrate web-1 to xs2"]
    assert [row["kind"] for row in answers["undelivered"].json()] == ["card"]
    assert [row["kind"] for row in answers["who"].json()] == ["request.opened"]


def test_nothing_can_be_changed_there(database: Path) -> None:
    before = database.read_bytes()
    (answer,) = browsed(database, "/xenia.json?sql=delete+from+sightings")
    assert answer.status_code == 400
    assert database.read_bytes() == before
