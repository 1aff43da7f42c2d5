"""What a sandbox is started with: one or more pools as they are when the clock starts. Plain data; what behaves is the
estate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.xapi.storage.declared import Storage

Record = dict[str, Any]
Objects = dict[str, dict[str, Record]]
"""One pool database: `{class: {ref: record}}` in JSON types.

Integers are int, floats float, truths bool; times are `YYYYMMDDTHH:MM:SSZ`; references, enums and strings are str;
sets are lists and maps dicts.  A field that is absent has the data model's default; relations that the many side
derives (host.PBDs …) and allowed_operations may be left out.
"""

DEFAULT = "tutorial"
"""The lab that is built when none is named."""
PASSWORD = "xapi"


class LabError(ValueError):
    """A lab that cannot be built from what was asked for; the text is for a person."""


@dataclass(frozen=True)
class PoolWorld:
    """One pool: the release it runs, its database, and what could not be read of it, in words."""

    release: str
    """A product release's code name (`cream` is XenServer 6.5 SP1) or a xapi version (`26.9.0`)."""
    objects: Objects
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lab:
    """Everything one sandbox holds; `flaws` says what is wrong in it on purpose, one sentence each."""

    name: str
    pools: tuple[PoolWorld, ...]
    username: str = "root"
    password: str = PASSWORD
    flaws: tuple[str, ...] = ()
    storage: Storage | None = None
    """Storage behind the pools, besides what they are connected to. None: nobody knows it (see `storage.array`)."""
