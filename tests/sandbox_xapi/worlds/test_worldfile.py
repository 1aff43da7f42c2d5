"""Worlds as JSON files: what is saved is loaded, and what is no world is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.xapi import lab
from sandbox.xapi.world import PASSWORD, LabError
from sandbox.xapi.worlds import worldfile


@pytest.mark.parametrize("name", lab.names())
def test_a_saved_lab_is_loaded_as_it_was(name: str, tmp_path: Path) -> None:
    before = replace(lab.load(name), username="admin", password="other")
    worldfile.save(before, tmp_path / "w.json")
    assert lab.load(world=tmp_path / "w.json") == before


def plain() -> dict[str, Any]:
    version = {"product_version": "8.4.0", "xapi": "26.9"}
    return {
        "pool": {"P": {"master": "H", "uuid": "p"}},
        "host": {"H": {"uuid": "h", "software_version": version, "name_label": "one"}},
    }


def test_a_plain_database_is_one_pool(tmp_path: Path) -> None:
    (tmp_path / "plain.json").write_text(json.dumps(plain()))
    loaded = lab.load(world=tmp_path / "plain.json")
    (pool,) = loaded.pools
    assert (loaded.name, pool.release, pool.objects) == ("plain.json", "26.9.0", plain())
    assert (loaded.username, loaded.password) == ("root", PASSWORD)


def test_several_pools_of_different_releases() -> None:
    pools = [{"release": "cream", "objects": plain()}, {"release": "26.9.0", "objects": plain(), "notes": ["n"]}]
    loaded = worldfile.from_json({"xenia-world": 1, "name": "two", "pools": pools})
    assert [(pool.release, pool.notes) for pool in loaded.pools] == [("cream", ()), ("26.9.0", ("n",))]


def _changed(change: Any) -> dict[str, Any]:
    objects = plain()
    change(objects)
    return objects


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], "a JSON object"),
        ({"xenia-world": 2}, "version 2"),
        ({"xenia-world": 1, "pools": []}, "without pools"),
        ({"xenia-world": 1, "pools": [1]}, "not a JSON object"),
        ({"xenia-world": 1, "pools": [{"release": "cream"}]}, "without objects"),
        ({"xenia-world": 1, "pools": [{"release": "plum", "objects": plain()}]}, "unknown release"),
        ({"xenia-world": 1, "name": 7, "pools": [{"objects": plain()}]}, "name is not a text"),
        ({"pool": {}, "host": {}}, "without pool"),
        (_changed(lambda o: o.update(VM=[])), "VM is not a table"),
        (_changed(lambda o: o.update(Flux={"F": {}})), "no class Flux"),
        (_changed(lambda o: o["host"]["H"].update(flux=1)), "no field host.flux"),
        (_changed(lambda o: o["host"]["H"].update(enabled="true")), "host.enabled of H is not a bool"),
        (_changed(lambda o: o["host"]["H"].update(memory_overhead=True)), "is not a int"),
        (_changed(lambda o: o["host"]["H"].update(display="loud")), "host.display of H is not a enum"),
        (_changed(lambda o: o["host"]["H"].update(software_version={})), "does not say which version"),
        (_changed(lambda o: o["pool"]["P"].update(master="X")), "without its coordinator"),
    ],
)
def test_what_is_no_world_is_refused(content: object, reason: str, tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text(json.dumps(content))
    with pytest.raises(LabError, match=reason) as refusal:
        lab.load(world=tmp_path / "w.json")
    assert str(tmp_path / "w.json") in str(refusal.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_what_is_not_json_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text(text)
    with pytest.raises(LabError, match="not JSON"):
        lab.load(world=tmp_path / "w.json")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="No such file"):
        lab.load(world=tmp_path / "none.json")
