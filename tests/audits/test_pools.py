"""Real pools' databases, audited: what is found is what the files say, read here without our rules."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.audits import compatibility
from bot.findings import Drift
from bot.inventory import CLASSES, Inventory
from sandbox.xapi.lab import load

POOLS = Path(__file__).resolve().parents[3] / "shared" / "pools"
FILES = sorted(POOLS.glob("*.xml"))

pytestmark = pytest.mark.skipif(not FILES, reason="the real pools' databases are not here")

AT = datetime(2013, 2, 1, tzinfo=UTC)
"""After the newest of these files was written."""

RULES = {
    "16and23-6.0.50.xml": {
        "licence.expiry", "network.link", "network.management-bonded", "network.management-static", "pool.size",
        "storage.multipath", "vm.local-disk",
    },
    "boston-6.0.0-appliances.xml": {
        "licence.expiry", "network.management-bonded", "network.management-static", "pool.size", "storage.default",
        "vm.local-disk", "vm.tools",
    },
    "george-5.5.0-partial.xml": {"host.metrics", "licence.expiry", "storage.default"},
    "grimsby-5.6.900-bonds-vlans.xml": {
        "memory.reserve", "network.bond-members", "network.management-bonded", "network.management-static",
        "pool.size", "storage.multipath", "vm.local-disk", "vm.snapshots", "vm.tools", "vm.tools-old",
    },
    "grimsby-6.0.0.xml": {
        "host.metrics", "licence.expiry", "network.management-bonded", "pool.size", "storage.full",
        "storage.multipath", "vm.tools",
    },
    "hottub-6.0.0.xml": {
        "host.metrics", "network.management-bonded", "network.management-static", "pool.size", "storage.full",
        "storage.multipath", "vm.local-disk", "vm.snapshots", "vm.tools",
    },
    "ivory-5.5.0-1host.xml": {
        "host.metrics", "licence.expiry", "network.management-bonded", "network.management-static", "vm.snapshots",
    },
    "newpool-5.9.950.xml": {
        "licence.expiry", "network.management-bonded", "network.management-static", "pool.size", "storage.multipath",
        "vm.local-disk", "vm.tools",
    },
    "tampa-6.1.0-snapshots.xml": {
        "network.link", "network.management-bonded", "network.management-static", "pool.size", "storage.multipath",
        "vm.local-disk",
    },
}  # fmt: skip


@pytest.fixture(params=FILES, ids=lambda path: path.name)
def path(request: pytest.FixtureRequest) -> Path:
    assert isinstance(request.param, Path)
    return request.param


def audited(path: Path, *, upgrade: bool = False) -> tuple[Drift, ...]:
    objects = load(db=path, upgrade=upgrade).pools[0].objects
    records = {kind.cls: objects.get(kind.cls, {}) for kind in CLASSES}
    return compatibility.audit(Inventory(records=records, read_at=AT.timestamp()))


def rows(path: Path, table: str) -> list[dict[str, str]]:
    found = ET.fromstring(path.read_bytes()).iterfind(f"table[@name='{table}']/row")
    return [dict(row.attrib) for row in found]


def test_every_file_is_audited_and_the_rules_that_find_something_are_known(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    drifts = audited(path)
    assert {drift.rule for drift in drifts} == RULES[path.name]
    assert len({drift.key for drift in drifts}) == len(drifts)
    assert not caplog.records


def test_every_file_as_today_s_toolstack_shows_it_is_audited(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rules = {drift.rule for drift in audited(path, upgrade=True)}
    assert RULES[path.name] - rules <= {"network.link", "vm.tools", "vm.tools-old", "memory.reserve", "storage.full"}
    assert rules - RULES[path.name] <= {"tls.verification"}
    assert not caplog.records


def test_management_addresses_by_dhcp_are_those_of_the_file(path: Path) -> None:
    names = {row["ref"]: row["name__label"].replace("%.", " ") for row in rows(path, "host")}
    by_dhcp = {
        names[row["host"]]
        for row in rows(path, "PIF")
        if row["management"] == "true" and row["ip_configuration_mode"] == "DHCP" and row["host"] in names
    }
    found = {drift.subject.name for drift in audited(path) if drift.rule == "network.management-static"}
    assert found == by_dhcp


def test_a_missing_default_storage_is_the_file_s(path: Path) -> None:
    (pool,) = rows(path, "pool")
    srs = {row["ref"] for row in rows(path, "SR")}
    missing = pool["default_SR"] not in srs and len(rows(path, "host")) > 1
    assert any(drift.rule == "storage.default" for drift in audited(path)) is missing


def test_licences_that_ran_out_are_those_of_the_file(path: Path) -> None:
    expired = set()
    for row in rows(path, "host"):
        found = re.search(r"\('expiry' '(\d{8})T", row.get("license_params", ""))
        if found and found[1] < AT.strftime("%Y%m%d"):
            expired.add(row["uuid"])
    drifts = [drift for drift in audited(path) if drift.rule == "licence.expiry" and " ran out" in drift.text]
    assert {drift.subject.uuid for drift in drifts} == expired


def test_full_storage_is_so_by_the_file_s_numbers(path: Path) -> None:
    full = {
        row["uuid"]
        for row in rows(path, "SR")
        if row["content_type"] != "iso"
        and row["type"] not in ("iso", "udev")
        and int(row["physical_size"]) > 0
        and int(row["physical_utilisation"]) / int(row["physical_size"]) >= 0.9
    }
    assert {drift.subject.uuid for drift in audited(path) if drift.rule == "storage.full"} == full


def test_disks_on_local_storage_are_those_of_the_file(path: Path) -> None:
    if len(rows(path, "host")) < 2:
        return
    local = {row["ref"] for row in rows(path, "SR") if row["shared"] == "false"}
    disks = {row["ref"] for row in rows(path, "VDI") if row["SR"] in local}
    attached = {
        row["VM"]
        for row in rows(path, "VBD")
        if row["type"] == "Disk" and row["empty"] == "false" and row["VDI"] in disks
    }
    guests = {
        row["uuid"]
        for row in rows(path, "VM")
        if row["ref"] in attached
        and "true" not in (row["is_a_template"], row.get("is_a_snapshot", "false"), row["is_control_domain"])
    }
    assert {drift.subject.uuid for drift in audited(path) if drift.rule == "vm.local-disk"} == guests
