"""The smallest lab that a client can log in to: a pool of two hosts with one VM, and a host on its own."""

from __future__ import annotations

from typing import Any

from sandbox.xapi.world import Lab, PoolWorld

USERNAME, PASSWORD = "root", "pass-word"


def ref(number: int) -> str:
    return f"OpaqueRef:00000000-0000-4000-8000-{number:012d}"


def uuid(number: int) -> str:
    return f"11111111-0000-4000-8000-{number:012d}"


def pool_objects(first: int, name: str, hosts: dict[str, str]) -> dict[str, dict[str, Any]]:
    """A pool with these hosts (name → address), the first of them its coordinator; numbers count from `first`."""
    objects: dict[str, dict[str, Any]] = {
        "pool": {ref(first): {"uuid": uuid(first), "name_label": name, "master": ref(first + 1)}},
        "host": {},
        "host_metrics": {},
    }
    for number, (label, address) in enumerate(hosts.items(), first + 1):
        metrics = ref(number + 50)
        objects["host_metrics"][metrics] = {"uuid": uuid(number + 50), "live": True}
        objects["host"][ref(number)] = {
            "uuid": uuid(number),
            "name_label": label,
            "address": address,
            "hostname": label,
            "enabled": True,
            "metrics": metrics,
        }
    return objects


def small_lab(release: str = "26.9.0") -> Lab:
    pair = pool_objects(100, "pair", {"xs1": "10.0.0.101", "xs2": "10.0.0.102"})
    pair["VM"] = {ref(190): {"uuid": uuid(190), "name_label": "web-1", "power_state": "Halted"}}
    alone = pool_objects(200, "", {"xs3": "10.0.0.103"})
    return Lab("small", (PoolWorld(release, pair), PoolWorld(release, alone)), USERNAME, PASSWORD)
