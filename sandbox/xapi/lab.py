"""What a sandbox is started with: one or more pools as they are when the clock starts.

A lab is plain data.  :func:`load` builds every kind of it: the named labs, a fleet of any size, a
``pool-dump-database`` file, a world saved from an earlier run.  Nothing here behaves; that is the estate's part.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.xapi.storage.declared import Storage

Record = dict[str, Any]
Objects = dict[str, dict[str, Record]]
"""One pool database: ``{class: {ref: record}}`` in JSON types.

Integers are int, floats float, truths bool; times are ``YYYYMMDDTHH:MM:SSZ``; references, enums and strings are str;
sets are lists and maps dicts.  A field that is absent has the data model's default; relations that the many side
derives (host.PBDs …) and allowed_operations may be left out.
"""

PASSWORD = "xapi"


class LabError(ValueError):
    """A lab that cannot be built from what was asked for; the text is for a person."""


@dataclass(frozen=True)
class PoolWorld:
    """One pool: the release it runs, its database, and what could not be read of it, in words."""

    release: str
    """A product release's code name (``cream`` is XenServer 6.5 SP1) or a xapi version (``26.9.0``)."""
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


DEFAULT = "tutorial"


def names() -> tuple[str, ...]:
    """The labs that :func:`load` knows by name, the default one first."""
    return tuple(_named())


def load(
    name: str | None = None,
    *,
    db: Path | None = None,
    upgrade: bool = False,
    world: Path | None = None,
    fleet: str | None = None,
    pools: int | None = None,
    seed: int = 1,
    now: datetime | None = None,
) -> Lab:
    """Build a lab: by `name`, from a file (`db` or `world`), or generated (`fleet` such as ``64x4000``, `pools`).

    `upgrade` shows a `db` file as a 26.9 toolstack shows it after loading.  `now` (UTC) is the time to which boot
    times and alerts are relative; the same `now` and `seed` give the same lab.  Raises :class:`LabError` when the
    choice is contradictory, a name is unknown or a file cannot be read.
    """
    from sandbox.xapi.worlds import dump, worldfile
    from sandbox.xapi.worlds import fleet as fleets

    sources = [name, db, world, fleet if fleet is not None else pools]
    if sum(source is not None for source in sources) > 1:
        raise LabError("Choose one of a named lab, a database file, a world file, or a fleet.")
    if upgrade and db is None:
        raise LabError("Only a database file can be shown as upgraded.")
    started = now or datetime.now(UTC)
    if db is not None:
        return dump.lab(db, upgraded=upgrade)
    if world is not None:
        return worldfile.lab(world)
    if fleet is not None or pools is not None:
        return fleets.lab(fleet, pools=pools, seed=seed, now=started)
    chosen = name or DEFAULT
    builder = _named().get(chosen)
    if builder is None:
        raise LabError(f"There is no lab {chosen!r}. The labs are: {', '.join(names())}.")
    return builder(started)


def _named() -> dict[str, Callable[[datetime], Lab]]:
    from sandbox.xapi.worlds import current, healthy, tutorial, two_pools

    return {
        "tutorial": tutorial.lab,
        "tutorial-start": tutorial.start_lab,
        "current": current.lab,
        "healthy": healthy.lab,
        "two-pools": two_pools.lab,
    }
