"""The estate takes every world as it is, and hands it out again."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.xapi import lab
from sandbox.xapi.estate import Estate
from sandbox.xapi.lab import Lab, PoolWorld
from sandbox.xapi.worlds import check, worldfile

from .shared import DUMPS, needs_pools


def dumped(loaded: Lab) -> tuple[PoolWorld, ...]:
    return tuple(Estate(loaded.pools, loaded.username, loaded.password).dump())


def assert_kept(loaded: Lab) -> None:
    """Every stored field is handed out as it was loaded."""
    for before, after in zip(loaded.pools, dumped(loaded), strict=True):
        assert after.release == before.release
        for cls, rows in before.objects.items():
            for ref, row in rows.items():
                assert {name: after.objects[cls][ref][name] for name in row} == row


@pytest.mark.parametrize("name", lab.names())
def test_a_lab_is_kept_and_stays_sound(name: str) -> None:
    loaded = lab.load(name)
    assert_kept(loaded)
    for pool in dumped(loaded):
        assert check.problems(pool) == []


@pytest.mark.parametrize("name", lab.names())
def test_a_running_lab_is_saved_and_started_again(name: str) -> None:
    loaded = lab.load(name)
    shown = replace(loaded, pools=dumped(loaded))
    again = worldfile.from_json(json.loads(json.dumps(worldfile.to_json(shown))))
    assert again == shown
    assert dumped(again) == shown.pools


@needs_pools
@pytest.mark.parametrize("upgrade", [False, True], ids=["as it was", "upgraded"])
@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.name)
def test_an_old_database_is_kept(path: Path, upgrade: bool) -> None:
    assert_kept(lab.load(db=path, upgrade=upgrade))
