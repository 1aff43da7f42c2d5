"""What a running lab hands out as its world starts the same lab again."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import XenAPI

from sandbox.xapi.lab import load, names
from sandbox.xapi.running import RunningLab, start
from sandbox.xapi.world import Lab
from sandbox.xapi.worlds import worldfile
from tests.sandbox_xapi.wire.harness import PATIENCE
from tests.sandbox_xapi.wire.small_world import PASSWORD, USERNAME, ref, small_lab


def fetched_world(lab: RunningLab) -> Any:
    with urllib.request.urlopen(f"{lab.control}/sandbox/world", timeout=PATIENCE) as answer:
        return json.load(answer)


def started_again(world: Any, path: Path) -> Lab:
    path.write_text(json.dumps(world))
    return load(world=path)


@pytest.mark.parametrize("name", names())
def test_a_lab_survives(name: str, tmp_path: Path) -> None:
    with start(load(name)) as first:
        world = fetched_world(first)
    with start(started_again(world, tmp_path / "world.json")) as second:
        assert fetched_world(second) == world
        assert second.ready()["pools"] == first.ready()["pools"]


def test_what_was_changed_is_kept_and_what_is_only_in_memory_is_not(tmp_path: Path) -> None:
    with start(small_lab()) as first:
        client = XenAPI.Session(first.hosts["xs1"])
        client.login_with_password(USERNAME, PASSWORD, "1.0", "wire-tests")
        client.xenapi.VM.set_name_label(ref(190), "renamed <&> Käse")
        client.xenapi.VM.add_tags(ref(190), "kept")
        world = fetched_world(first)
    assert "session" not in world["pools"][0]["objects"]
    with start(started_again(world, tmp_path / "world.json")) as second:
        client = XenAPI.Session(second.hosts["xs1"])
        client.login_with_password(USERNAME, PASSWORD, "1.0", "wire-tests")
        record = client.xenapi.VM.get_record(ref(190))
        assert (record["name_label"], record["tags"]) == ("renamed <&> Käse", ["kept"])


def test_a_lab_keeps_its_name_password_and_flaws() -> None:
    lab = small_lab()
    lab = Lab("named", lab.pools, "root", "another", ("a flaw",))
    with start(lab) as running:
        again = worldfile.from_json(fetched_world(running))
    assert (again.name, again.username, again.password, again.flaws) == ("named", "root", "another", ("a flaw",))
