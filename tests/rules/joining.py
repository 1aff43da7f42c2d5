"""Two databases for the checks of joining: a pool, and a host that stands alone; and one change for every check."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import XenAPI

from bot.inventory import CLASSES, Inventory
from bot.rules.join import MORE, Side, Sides
from sandbox.xapi.lab import load
from sandbox.xapi.running import start
from sandbox.xapi.world import Lab, Objects

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
NULL = "OpaqueRef:NULL"
OLD, SEVEN, NEW, NEWEST = "6.5", "7.1", "26.9", "26.17"
"""The releases: xs1 and xs2 of the tutorial before they are a pool, the same as if they ran 7.1, two hosts of the
XenServer 8 stream, and the same with a later toolstack.
"""
_MODELS = {SEVEN: "ely", NEWEST: "26.17.0"}
"""Which data model is served, where it is not the lab's."""
_HVM = "1fcbfbff-f7fa3203-2c100800-00000121-0000000f-009c67ab-00000000-00000100-00000000"


@functools.cache
def _built(release: str) -> Lab:
    if release in (OLD, SEVEN):
        return load("tutorial-start", now=NOW)
    return load(fleet="1x3", pools=2, now=NOW)


class Half:
    """One side's objects, to be changed before they are read or served."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    @property
    def pool(self) -> dict[str, Any]:
        return next(iter(self.objects["pool"].values()))

    @property
    def host_ref(self) -> str:
        return str(self.pool["master"])

    @property
    def host(self) -> dict[str, Any]:
        return self.objects["host"][self.host_ref]

    @property
    def version(self) -> dict[str, str]:
        found: dict[str, str] = self.host["software_version"]
        return found

    def pif(self, device: str) -> dict[str, Any]:
        return next(row for row in self.objects["PIF"].values() if row["device"] == device)

    def network(self, device: str) -> dict[str, Any]:
        return self.objects["network"][self.pif(device)["network"]]

    def rows(self, cls: str) -> dict[str, dict[str, Any]]:
        return self.objects.setdefault(cls, {})

    def copied(self, cls: str, key: str, like: dict[str, Any], **fields: Any) -> str:
        """Another object like one that is there."""
        ref = f"OpaqueRef:{key}"
        self.rows(cls)[ref] = {
            **copy.deepcopy(like),
            "uuid": f"00000000-0000-4000-8000-{len(self.rows(cls)):012}",
            **fields,
        }
        return ref

    def another_host(self, number: int) -> None:
        name = f"more-{number}"
        ref = self.copied("host_metrics", f"metrics-{name}", self.objects["host_metrics"][self.host["metrics"]])
        uuid = f"00000000-0000-4000-8000-1{number:011}"
        self.copied("host", name, self.host, name_label=name, address=f"10.0.9.{number}", metrics=ref, uuid=uuid,
                    other_config={}, iscsi_iqn=f"iqn.{number}")  # fmt: skip

    def guest(self, state: str = "Halted", name: str = "guest-1") -> dict[str, Any]:
        template = next(row for row in self.objects["VM"].values() if row["is_a_template"])
        home = self.host_ref if state in ("Running", "Paused") else NULL
        ref = self.copied("VM", name, template, name_label=name, is_a_template=False, power_state=state,
                          resident_on=home, domid=7 if home != NULL else -1, is_default_template=False)  # fmt: skip
        row = self.objects["VM"][ref]
        row["other_config"] = {}
        return row

    def without_shared_storage(self) -> None:
        gone = {ref for ref, row in self.objects["SR"].items() if row["shared"] and not _tools(row)}
        for ref in gone:
            del self.objects["SR"][ref]
        pbds = self.objects["PBD"]
        for ref in [ref for ref, row in pbds.items() if row["SR"] in gone]:
            del pbds[ref]
        for key in ("default_SR", "suspend_image_SR", "crash_dump_SR"):
            if self.pool[key] in gone:
                self.pool[key] = NULL
        for host in self.objects["host"].values():
            for key in ("suspend_image_sr", "crash_dump_sr"):
                if host[key] in gone:
                    host[key] = NULL


def _tools(row: dict[str, Any]) -> bool:
    return bool(row.get("is_tools_sr")) or row["other_config"].get("xenserver_tools_sr") == "true"


@dataclass
class Pair:
    """A pool and the host that is to join it; everything would be well."""

    pool: Half
    own: Half
    release: str

    @classmethod
    def of(cls, release: str) -> Pair:
        first, second = (Half(copy.deepcopy(world.objects)) for world in _built(release).pools[:2])
        pair = cls(first, second, release)
        if release == SEVEN:
            for half in (pair.pool, pair.own):
                _as_seven(half)
        if release == NEWEST:
            for half in (pair.pool, pair.own):
                half.version.update(xapi=NEWEST, xapi_build=_MODELS[NEWEST])
        if release in (NEW, NEWEST):
            pair.own.without_shared_storage()
            _without_guests(pair.own)
        return pair

    def lab(self) -> Lab:
        """To be served: only these two."""
        made = _built(self.release)
        worlds = [type(world)(_MODELS.get(self.release, world.release), half.objects) for world, half in
                  zip(made.pools[:2], (self.pool, self.own), strict=True)]  # fmt: skip
        return Lab(made.name, tuple(worlds), made.username, made.password)

    def sides(self) -> Sides:
        return Sides(pool=_side(self.pool, "lab"), own=_side(self.own, str(self.own.host["name_label"])))


def _as_seven(half: Half) -> None:
    """What the checks look at, as 7.1 shows it."""
    half.version.update(product_version="7.1.0", platform_version="2.2.0", xapi="1.14", xapi_build="1.14.31",
                        xen="4.7.1", linux="4.4.0+10", db_schema="5.108")  # fmt: skip
    levels = {"vendor": "GenuineIntel", "features_pv": _HVM, "features_hvm": _HVM}
    half.host["cpu_info"] = {
        **{key: value for key, value in half.host["cpu_info"].items() if "features" not in key and key != "maskable"},
        **levels,
    }
    half.pool["cpu_info"] = {**levels, "cpu_count": "24", "socket_count": "2"}
    half.rows("pool_patch").clear()
    half.rows("host_patch").clear()


def _without_guests(half: Half) -> None:
    gone = {ref for ref, row in half.objects["VM"].items() if not (row["is_a_template"] or row["is_control_domain"])}
    for cls, field in (("VM", ""), ("VBD", "VM"), ("VIF", "VM"), ("console", "VM")):
        rows = half.rows(cls)
        for ref in [ref for ref, row in rows.items() if (row[field] if field else ref) in gone]:
            del rows[ref]
    for cls in ("VM_metrics", "VM_guest_metrics"):
        field = "metrics" if cls == "VM_metrics" else "guest_metrics"
        used = {row[field] for row in half.objects["VM"].values()}
        for ref in [ref for ref in half.rows(cls) if ref not in used]:
            del half.rows(cls)[ref]
    for cls in ("VDI",):
        left = set(half.objects["SR"])
        for ref in [ref for ref, row in half.rows(cls).items() if row["SR"] not in left]:
            del half.rows(cls)[ref]


def _side(half: Half, name: str) -> Side:
    inventory = Inventory({kind.cls: half.objects.get(kind.cls, {}) for kind in CLASSES}, NOW.timestamp())
    return Side(inventory, name, {cls: half.objects.get(cls, {}) for cls in MORE})


Change = Callable[[Pair], None]


def joined(pair: Pair, force: bool = False) -> str:
    """The code that the sandbox's joining host really answers, "" when it joins."""
    with start(pair.lab(), speed=200.0) as lab:
        joiner, leader = pair.own.host, pair.pool.host
        session = XenAPI.Session(lab.hosts[joiner["name_label"]])
        session.xenapi.login_with_password(lab.username, lab.password, "1.0", "test")
        call = session.xenapi.pool.join_force if force else session.xenapi.pool.join
        try:
            call(leader["address"], lab.username, lab.password)
        except XenAPI.Failure as failure:
            return str(failure.details[0])
        return ""


def member(pair: Pair, *fields: str) -> list[Any]:
    """What the sandbox's pool has of the host when it has joined."""
    with start(pair.lab(), speed=200.0) as lab:
        sessions = []
        for half in (pair.own, pair.pool):
            sessions.append(XenAPI.Session(lab.hosts[half.host["name_label"]]))
            sessions[-1].xenapi.login_with_password(lab.username, lab.password, "1.0", "test")
        joiner, leader = sessions
        joiner.xenapi.pool.join(pair.pool.host["address"], lab.username, lab.password)
        record = leader.xenapi.host.get_record(leader.xenapi.host.get_by_uuid(pair.own.host["uuid"]))
        return [record[field] for field in fields]
