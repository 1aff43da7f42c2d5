"""References and uuids that are the same in every run."""

from __future__ import annotations

import functools
import uuid

_NAMESPACE = uuid.UUID("3f6d7a52-7f0a-5d5c-9a76-0c1d7a1f5b6e")


def stable_uuid(world: str, cls: str, key: str) -> str:
    """The uuid of the object that is called `key` in its class of that world."""
    return str(uuid.uuid5(_NAMESPACE, f"{world}/{cls}/{key}"))


@functools.lru_cache(maxsize=1024)  # the same hosts, networks and SRs are asked for again and again
def stable_ref(world: str, cls: str, key: str) -> str:
    """The reference of that object; it does not tell the uuid."""
    return f"OpaqueRef:{uuid.uuid5(_NAMESPACE, f'{world}/{cls}/{key}/ref')}"
