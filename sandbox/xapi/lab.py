"""Builds labs of every kind: the named ones, a fleet of any size, a `pool-dump-database` file, a world saved from an
earlier run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from sandbox.xapi.world import DEFAULT, Lab, LabError
from sandbox.xapi.worlds import current, dump, healthy, tutorial, two_pools, worldfile
from sandbox.xapi.worlds import fleet as fleets

_NAMED: Mapping[str, Callable[[datetime], Lab]] = {
    DEFAULT: tutorial.lab,
    "tutorial-start": tutorial.start_lab,
    "current": current.lab,
    "healthy": healthy.lab,
    "two-pools": two_pools.lab,
}


def names() -> tuple[str, ...]:
    """The labs that :func:`load` knows by name, the default one first."""
    return tuple(_NAMED)


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
    """Build a lab: by `name`, from a file (`db` or `world`), or generated (`fleet` such as `64x4000`, `pools`).

    `upgrade` shows a `db` file as a 26.9 toolstack shows it after loading. `now` (UTC) is the time to which boot
     times and alerts are relative; the same `now` and `seed` give the same lab. :raises LabError: the
     choice is contradictory, a name is unknown or a file cannot be read.
    """
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
    builder = _NAMED.get(chosen)
    if builder is None:
        raise LabError(f"There is no lab {chosen!r}. The labs are: {', '.join(names())}.")
    return builder(started)
