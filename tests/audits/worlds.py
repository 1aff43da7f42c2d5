"""Worlds of the sandbox as the rules see them, and ways to break one thing in them."""

from __future__ import annotations

import copy
import functools
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.inventory import CLASSES, Inventory
from sandbox.xapi.lab import load
from sandbox.xapi.world import Objects

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
NULL = "OpaqueRef:NULL"
Record = dict[str, Any]


@functools.cache
def _built(name: str) -> tuple[Objects, ...]:
    return tuple(world.objects for world in load(name, now=NOW).pools)


def stamp(**ago: float) -> str:
    """XenAPI's text for a time before NOW."""
    return (NOW - timedelta(**ago)).strftime("%Y%m%dT%H:%M:%SZ")


class World:
    """One pool of a lab, a copy that may be changed."""

    def __init__(self, lab: str, pool: int = 0) -> None:
        self.objects = copy.deepcopy(_built(lab)[pool])

    def inventory(self, at: datetime = NOW) -> Inventory:
        return Inventory(records={kind.cls: self.objects.get(kind.cls, {}) for kind in CLASSES}, read_at=at.timestamp())

    # --- finding things ---

    @property
    def pool(self) -> Record:
        return next(iter(self.objects["pool"].values()))

    def ref(self, cls: str, /, **fields: Any) -> str:
        (found,) = (
            ref for ref, row in self.objects[cls].items() if all(row.get(name) == want for name, want in fields.items())
        )
        return found

    def get(self, cls: str, /, **fields: Any) -> Record:
        return self.objects[cls][self.ref(cls, **fields)]

    def host_ref(self, name: str) -> str:
        return self.ref("host", name_label=name)

    def host(self, name: str) -> Record:
        return self.objects["host"][self.host_ref(name)]

    def vm(self, name: str) -> Record:
        return self.get("VM", name_label=name, is_a_snapshot=False)

    def sr(self, name: str) -> Record:
        return self.get("SR", name_label=name)

    def pif(self, host: str, device: str) -> Record:
        return self.get("PIF", host=self.host_ref(host), device=device)

    def link(self, host: str, device: str) -> Record:
        return self.objects["PIF_metrics"][self.pif(host, device)["metrics"]]

    def pbd_ref(self, sr: str, host: str) -> str:
        return self.ref("PBD", SR=self.ref("SR", name_label=sr), host=self.host_ref(host))

    def pbd(self, sr: str, host: str) -> Record:
        return self.objects["PBD"][self.pbd_ref(sr, host)]

    def local_sr(self, host: str) -> str:
        """The reference of the storage on the host's own disk."""
        mine = {row["SR"] for row in self.objects["PBD"].values() if row["host"] == self.host_ref(host)}
        found: str = next(ref for ref in mine if self.objects["SR"][ref]["type"] == "lvm")
        return found

    def drive(self, vm: str, kind: str) -> Record:
        ref = self.ref("VM", name_label=vm, is_a_snapshot=False)
        return next(row for row in self.objects["VBD"].values() if row["VM"] == ref and row["type"] == kind)

    # --- changing them ---

    def add(self, cls: str, ref: str, /, **fields: Any) -> str:
        self.objects.setdefault(cls, {})[f"OpaqueRef:{ref}"] = {"uuid": f"uuid-of-{ref}", **fields}
        return f"OpaqueRef:{ref}"

    def alert(self, name: str, priority: int, host: str) -> None:
        uuid = self.host(host)["uuid"]
        self.add(
            "message", name, name=name, priority=priority, cls="Host", obj_uuid=uuid, timestamp=stamp(hours=2), body=""
        )

    def remove_host(self, name: str) -> None:
        gone = self.host_ref(name)
        vms = {ref for ref, row in self.objects["VM"].items() if row["resident_on"] == gone}
        for cls, field, refs in (
            ("host", None, {gone}),
            ("PBD", "host", {gone}),
            ("PIF", "host", {gone}),
            ("Certificate", "host", {gone}),
            ("VM", "resident_on", {gone}),
            ("VBD", "VM", vms),
            ("VIF", "VM", vms),
        ):
            rows = self.objects[cls]
            for ref in [ref for ref, row in rows.items() if (row[field] if field else ref) in refs]:
                del rows[ref]


def lower(features: str, word: int, bits: int) -> str:
    """The features without some bits of one word."""
    words = features.split("-")
    words[word] = f"{int(words[word], 16) & ~bits:08x}"
    return "-".join(words)


def higher(features: str, word: int, bits: int) -> str:
    words = features.split("-")
    words[word] = f"{int(words[word], 16) | bits:08x}"
    return "-".join(words)
