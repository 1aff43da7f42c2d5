"""The real pool databases: what the sandbox shows of them is what the files say."""

import functools
import re
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import pytest

from sandbox.xapi import lab
from sandbox.xapi.model import model
from sandbox.xapi.world import Lab, Record
from sandbox.xapi.worlds import check, worldfile

from .shared import DUMPS, needs_pools

pytestmark = needs_pools

RELEASES = {
    "16and23-6.0.50.xml": "tampa",
    "boston-6.0.0-appliances.xml": "boston",
    "george-5.5.0-partial.xml": "george",
    "grimsby-5.6.900-bonds-vlans.xml": "cowley",
    "grimsby-6.0.0.xml": "george",
    "hottub-6.0.0.xml": "george",
    "ivory-5.5.0-1host.xml": "midnight-ride",
    "newpool-5.9.950.xml": "boston",
    "tampa-6.1.0-snapshots.xml": "tampa",
}


class Raw:
    """The file as XML, read without our reader."""

    def __init__(self, path: Path) -> None:
        self.root = ET.fromstring(path.read_bytes())

    def rows(self, table: str) -> list[dict[str, str]]:
        return [dict(row.attrib) for row in self.root.iterfind(f"table[@name='{table}']/row")]

    def version(self, row: dict[str, str]) -> str:
        found = re.search(r"\('product_version' '([^']*)'\)", row["software_version"])
        assert found
        return found[1]


@pytest.fixture(params=DUMPS, ids=lambda path: path.name)
def path(request: pytest.FixtureRequest) -> Path:
    chosen = request.param
    assert isinstance(chosen, Path)
    return chosen


def rows(path: Path, cls: str, *, upgrade: bool = False) -> list[Record]:
    return list(loaded(path, upgrade).pools[0].objects.get(cls, {}).values())


@functools.cache
def loaded(path: Path, upgrade: bool) -> Lab:
    return lab.load(db=path, upgrade=upgrade)


@pytest.mark.parametrize("upgrade", [False, True], ids=["as it was", "upgraded"])
def test_it_is_what_the_file_says(path: Path, upgrade: bool) -> None:
    raw = Raw(path)
    hosts = {(row["name_label"], row["address"], row["enabled"]) for row in rows(path, "host", upgrade=upgrade)}
    assert hosts == {(row["name__label"], row["address"], row["enabled"] == "true") for row in raw.rows("host")}
    versions = Counter(row["software_version"]["product_version"] for row in rows(path, "host", upgrade=upgrade))
    assert versions == Counter(raw.version(row) for row in raw.rows("host"))
    running = {(row["uuid"], row["name_label"], row["resident_on"]) for row in _running(path, upgrade)}
    assert running == {
        (row["uuid"], row["name__label"], row["resident_on"])
        for row in raw.rows("VM")
        if row["power_state"] == "Running" and row["is_control_domain"] == "false"
    }
    shared = {(row["name_label"], row["type"]) for row in rows(path, "SR", upgrade=upgrade) if row["shared"]}
    assert shared == {(row["name__label"], row["type"]) for row in raw.rows("SR") if row["shared"] == "true"}
    plugged = Counter((row["SR"], row["host"], row["currently_attached"]) for row in rows(path, "PBD", upgrade=upgrade))
    assert plugged == Counter((r["SR"], r["host"], r["currently_attached"] == "true") for r in raw.rows("PBD"))
    (pool,), (raw_pool,) = rows(path, "pool", upgrade=upgrade), raw.rows("pool")
    assert (pool["name_label"], pool["master"]) == (raw_pool["name_label"], raw_pool["master"])
    assert pool["ha_enabled"] == (raw_pool["ha_enabled"] == "true")
    assert pool["ha_host_failures_to_tolerate"] == int(raw_pool["ha_host_failures_to_tolerate"])


def _running(path: Path, upgrade: bool) -> list[Record]:
    guests = rows(path, "VM", upgrade=upgrade)
    return [row for row in guests if row["power_state"] == "Running" and not row["is_control_domain"]]


def test_every_row_is_there(path: Path) -> None:
    (pool,) = loaded(path, False).pools
    raw = Raw(path)
    counts = {table.get("name"): len(table) for table in raw.root.iter("table") if len(table)}
    assert {cls: len(table) for cls, table in pool.objects.items()} == counts


def test_the_release_is_that_of_the_schema(path: Path) -> None:
    assert loaded(path, False).pools[0].release == RELEASES[path.name]


def test_every_column_is_a_field_or_reported(path: Path) -> None:
    (pool,) = loaded(path, False).pools
    told = " ".join(pool.notes)
    known = model(pool.release)
    for table in Raw(path).root.iter("table"):
        cls = table.get("name", "")
        names = {column.replace("__", "_") for row in table for column in row.attrib} - {
            "ref",
            "_ref",
            "_ctime",
            "_mtime",
        }
        for name in names:
            assert name in known.classes[cls].fields or f"{cls}.{name}" in told


def test_values_have_the_types_of_their_fields(path: Path) -> None:
    (pool,) = loaded(path, False).pools
    known = model(pool.release)
    wrong = {
        (cls, name)
        for cls, table in pool.objects.items()
        for row in table.values()
        for name, value in row.items()
        if not check.fits(known, known.classes[cls].fields[name].type, value)
    }
    assert wrong == set()


def test_the_damaged_value_in_a_file_is_reported() -> None:
    path = next(path for path in DUMPS if path.name.startswith("ivory"))
    notes = loaded(path, False).pools[0].notes
    assert (
        "VM.allowed_operations of 2 objects could not be read (an unclosed parenthesis); the default is shown." in notes
    )


@pytest.mark.parametrize("upgrade", [False, True], ids=["as it was", "upgraded"])
def test_load_dump_load_gives_the_same_world(path: Path, upgrade: bool, tmp_path: Path) -> None:
    worldfile.save(loaded(path, upgrade), tmp_path / "world.json")
    assert lab.load(world=tmp_path / "world.json") == loaded(path, upgrade)
