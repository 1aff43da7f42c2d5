"""Every pool there is, real databases and named labs: served, logged in to, and told by `xenia cmd "pool status"` as
the file has it. What the file has is read here anew, with nothing of the bot's or the sandbox's reading.
"""

from __future__ import annotations

import json
import re
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import XenAPI

from bot import cli
from bot.demo.lab import config_names, write_config
from sandbox.slack.running import RunningWorkspace
from sandbox.slack.running import start as start_workspace
from sandbox.xapi import lab as labs
from sandbox.xapi.running import RunningLab
from sandbox.xapi.running import start as start_lab
from sandbox.xapi.world import Lab

POOLS = Path(__file__).resolve().parents[3] / "shared" / "pools"
DUMPS = sorted(POOLS.glob("*.xml"))
needs_pools = pytest.mark.skipif(not DUMPS, reason="needs the real pool databases beside the checkout (shared/pools)")
dumps = pytest.mark.parametrize("path", DUMPS or [Path("none")], ids=lambda path: path.stem)

Rows = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Host:
    name: str
    product: str
    running: int
    """Guests on it, without the control domain."""
    live: bool | None
    """None: the database does not say."""


@dataclass(frozen=True)
class Facts:
    """What `pool status` must tell of a pool."""

    coordinator: str
    hosts: tuple[Host, ...]
    running: int
    shared: tuple[str, ...]
    ha: bool


# --- the file, read independently -------------------------------------------------------------------------------------


def rows_of(path: Path) -> dict[str, Rows]:
    """The tables of a dump, maps as dicts, everything else as its text."""
    tables: dict[str, Rows] = {}
    for table in ET.fromstring(path.read_bytes()).iter("table"):
        rows = tables.setdefault(table.attrib["name"], {})
        for row in table:
            fields = {re.sub("_+", "_", name): _plain(text) for name, text in row.attrib.items()}
            rows[row.attrib.get("ref") or row.attrib["_ref"]] = fields
    return tables


def _plain(text: str) -> Any:
    for escape, character in (("%.", " "), ("%t", "\t"), ("%n", "\n"), ("%r", "\r"), ("%%", "%")):
        text = text.replace(escape, character)
    pairs = re.findall(r"\('((?:[^'\\]|\\.)*)' +'((?:[^'\\]|\\.)*)'\)", text)
    return {key: re.sub(r"\\(.)", r"\1", value) for key, value in pairs} if text.startswith("(('") else text


def rows_by_client(api: Any) -> dict[str, Rows]:
    """The same tables as the official client sees them."""
    return {cls: getattr(api, cls).get_all_records() for cls in ("pool", "host", "host_metrics", "VM", "SR")}


def facts_of(tables: dict[str, Rows]) -> Facts:
    (pool,) = tables["pool"].values()
    guests = [
        vm
        for vm in tables.get("VM", {}).values()
        if not any(_true(vm.get(kind)) for kind in ("is_a_template", "is_a_snapshot", "is_control_domain"))
    ]
    running = [vm for vm in guests if vm["power_state"] == "Running"]
    hosts = tuple(
        Host(
            name=host["name_label"],
            product=_product(host["software_version"]),
            running=sum(vm["resident_on"] == ref for vm in running),
            live=_live(tables, host),
        )
        for ref, host in tables["host"].items()
    )
    shared = tuple(sr["name_label"] for sr in tables.get("SR", {}).values() if _true(sr["shared"]) and not _tools(sr))
    coordinator = tables["host"][pool["master"]]["name_label"]
    return Facts(coordinator, hosts, len(running), shared, _true(pool.get("ha_enabled")))


def _product(software: dict[str, str]) -> str:
    brand = software.get("product_brand", "XenServer")
    return f"{brand} {software.get('product_version_text') or software['product_version']}"


def _live(tables: dict[str, Rows], host: dict[str, Any]) -> bool | None:
    metrics = tables.get("host_metrics", {}).get(host["metrics"])
    return None if metrics is None else _true(metrics["live"])


def _tools(sr: dict[str, Any]) -> bool:
    config = sr.get("other_config")
    marked = isinstance(config, dict) and config.get("xenserver_tools_sr") == "true"
    return marked or _true(sr.get("is_tools_sr"))


def _true(value: Any) -> bool:
    return value is True or value == "true"


# --- what is served, and what is told ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def workspace() -> Iterator[RunningWorkspace]:
    with start_workspace() as running:
        yield running


@contextmanager
def served(lab: Lab, folder: Path, workspace: RunningWorkspace) -> Iterator[tuple[RunningLab, Path]]:
    with start_lab(lab, tls=True) as running:
        yield running, write_config(folder, running, workspace)


def told(config: Path, pool: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What `xenia cmd "pool status"` writes."""
    status = cli.main(["cmd", "--config", str(config), "--as", "operator", f"pool status in {pool}"])
    said, errors = capsys.readouterr()
    assert (status, errors) == (0, ""), said + errors
    return said


def login(lab: RunningLab, host: str) -> Any:
    session = XenAPI.Session(lab.hosts[host], ignore_ssl=True)
    session.xenapi.login_with_password(lab.username, lab.password, "1.0", "witness")
    return session.xenapi


def check(said: str, pool: str, facts: Facts) -> None:
    """Each fact at its place in the answer."""
    lines = said.splitlines()
    assert re.match(rf"[✓!✗] {re.escape(pool)}: ", lines[0]), lines[0]
    hosts, vms = _counted(len(facts.hosts), "host"), _counted(facts.running, "running VM")
    assert lines[1].startswith(f"{hosts}, {vms} · "), lines[1]
    assert lines[1].endswith(f"HA {'on' if facts.ha else 'off'}"), lines[1]
    for host in facts.hosts:
        name = f"{host.name} (coordinator)" if host.name == facts.coordinator else host.name
        (row,) = (line for line in lines if re.match(rf"{re.escape(name)}  +\S", line))
        assert re.search(rf" {host.running}  +{re.escape(host.product)} *$", row), row
        assert ("unknown" in row) is (host.live is None), row
        assert ("not answering" in row) is (host.live is False), row
    (coordinator,) = (line for line in lines if line.startswith("Coordinator "))
    assert facts.coordinator in coordinator
    (storage,) = (line for line in lines if line.startswith("Shared storage "))
    for name in facts.shared:
        assert name in storage
    assert facts.shared or "none" in storage
    assert "OpaqueRef" not in said


def _counted(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


@needs_pools
@dumps
def test_a_real_database_is_told_as_the_file_has_it(
    path: Path,
    tmp_path: Path,
    workspace: RunningWorkspace,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with served(labs.load(db=path), tmp_path, workspace) as (lab, config):
        ((name, pool),) = lab.pools.items()
        assert login(lab, pool["coordinator"]).pool.get_all_records()
        configured = config_names(lab)[name]
        check(told(config, configured, capsys), configured, facts_of(rows_of(path)))


@needs_pools
@dumps
def test_a_real_database_survives_the_way_through_the_server(path: Path, tmp_path: Path) -> None:
    with start_lab(labs.load(db=path)) as first:
        world = fetched_world(first)
    copy = tmp_path / "world.json"
    copy.write_text(json.dumps(world))
    with start_lab(labs.load(world=copy)) as second:
        assert fetched_world(second) == world
        assert second.pools == first.pools


def fetched_world(lab: RunningLab) -> Any:
    with urllib.request.urlopen(f"{lab.control}/sandbox/world", timeout=60) as answer:
        return json.load(answer)


@pytest.mark.parametrize("name", labs.names())
def test_a_lab_is_told_as_the_official_client_sees_it(
    name: str,
    tmp_path: Path,
    workspace: RunningWorkspace,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with served(labs.load(name), tmp_path, workspace) as (lab, config):
        for pool, configured in config_names(lab).items():
            facts = facts_of(rows_by_client(login(lab, lab.pools[pool]["coordinator"])))
            check(told(config, configured, capsys), configured, facts)
