"""Real pools' databases against each other: what is told is what the files say, read here without our rules."""

from __future__ import annotations

import functools
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from bot.inventory import CLASSES, Inventory
from bot.rules import cpu_features, cpu_levels, cpu_mask, join
from bot.rules.join import MORE, Row, Side, Sides
from sandbox.xapi.lab import load

POOLS = Path(__file__).resolve().parents[3] / "shared" / "pools"
FILES = sorted([*POOLS.glob("*.xml"), *POOLS.glob("as-xapi-26.9-shows-them/*.json")])
PAIRS = list(itertools.product(FILES, FILES))

pytestmark = pytest.mark.skipif(not FILES, reason="the real pools' databases are not here")


@functools.cache
def objects(path: Path) -> dict[str, dict[str, Any]]:
    if path.suffix == ".json":
        found: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return found
    return load(db=path).pools[0].objects


@functools.cache
def side(path: Path) -> Side:
    found = objects(path)
    inventory = Inventory({kind.cls: found.get(kind.cls, {}) for kind in CLASSES}, 0.0)
    return Side(inventory, path.name, {cls: found.get(cls, {}) for cls in MORE})


def coordinator(path: Path) -> dict[str, Any]:
    (pool,) = objects(path)["pool"].values()
    host: dict[str, Any] = objects(path)["host"][pool["master"]]
    return host


def told(pool: Path, own: Path) -> dict[str, Row]:
    return {row.id: row for row in join.rows(Sides(pool=side(pool), own=side(own)), None)}


def name(path: Path) -> str:
    return f"{path.stem}{'-26.9' if path.suffix == '.json' else ''}"


@pytest.mark.parametrize(("pool", "own"), PAIRS, ids=[f"{name(own)} to {name(pool)}" for pool, own in PAIRS])
def test_what_is_told_is_what_the_files_say(pool: Path, own: Path) -> None:
    rows = told(pool, own)
    mine, theirs = coordinator(own)["software_version"], coordinator(pool)["software_version"]
    keys = ("product_brand", "platform_version")
    assert rows["join.product"].blocks is any(mine.get(key) != theirs.get(key) for key in keys)
    running = {row["name_label"] for row in objects(own).get("VM", {}).values()
               if row["power_state"] == "Running" and not (row["is_control_domain"] or row["is_a_template"])
               and not row.get("is_a_snapshot")}  # fmt: skip
    assert rows["join.running"].blocks is bool(running)
    assert rows["join.alone"].blocks is (len(objects(own)["host"]) > 1)
    assert rows["join.itself"].blocks is (_uuid(pool) == _uuid(own))
    for row in rows.values():
        finding = row.finding()
        assert "OpaqueRef" not in " ".join((finding.title, finding.evidence, finding.remedy))
        if row.blocks:
            assert finding.evidence
            assert finding.remedy


def _uuid(path: Path) -> str:
    (pool,) = objects(path)["pool"].values()
    return str(pool["uuid"])


@pytest.mark.parametrize("path", FILES, ids=map(name, FILES))
def test_a_pool_s_own_hosts_lose_it_no_feature_that_they_share(path: Path) -> None:
    inventory = side(path).inventory
    for kind in cpu_levels.KINDS:
        level = cpu_levels.level_of(inventory.hosts, kind)
        for host in inventory.hosts:
            key = next((key for key in cpu_levels.KINDS[kind] if key in host.cpu_info), "")
            if level and host.cpu_info.get(key):
                assert not cpu_features.lacking(level, host.cpu_info[key])


def test_the_cpus_of_real_pools_can_be_masked_as_far_as_their_files_say() -> None:
    """Penryn can be masked in full; the older ones cannot at all, nor can a mask add what they lack."""
    strong, weak = (POOLS / file for file in ("boston-6.0.0-appliances.xml", "newpool-5.9.950.xml"))
    stronger, weaker = (side(path).host for path in (strong, weak))
    wanted = cpu_mask.target(side(weak).inventory)
    assert wanted == weaker.cpu_info["features"]
    checks = {
        check.id: check for check in cpu_mask.checks(weaker, stronger.cpu_info["features"], side(strong).inventory)
    }
    assert not checks["mask.maskable"].ok
    found = cpu_levels.forecast(side(weak).inventory, stronger)
    assert "sse4_1" in found.unused
    assert set(cpu_features.lacking(stronger.cpu_info["features"], wanted)) == set(found.unused)
