"""The table `request_pools`: the other pools that a request is about, besides its own, which `requests` has.

What is told of a pool – its open requests, its rows of the ledger – is told of these, too. Every function runs inside
the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlite_utils import Database

from bot.store.encoding import storable


def create(db: Database) -> None:
    table = db.table("request_pools").create(
        {"request_id": str, "pool": str}, pk=("request_id", "pool"), strict=db.supports_strict
    )
    table.create_index(["pool"])


def note(db: Database, request_id: str, pools: Iterable[str]) -> None:
    """`pools`: the configuration's names."""
    db.table("request_pools").insert_all({"request_id": request_id, "pool": storable(pool)} for pool in pools)


def about(pools: Sequence[str], request_id: str) -> tuple[str, list[str]]:
    """A condition on a row with the column `pool`, and its values: it is about one of these pools. `request_id` is the
    column that says of which request the row is.
    """
    names, marks = [storable(pool) for pool in pools], ", ".join("?" * len(pools))
    others = f"SELECT request_id FROM request_pools WHERE pool IN ({marks})"  # noqa: S608 - only our own texts
    return f"(pool IN ({marks}) OR {request_id} IN ({others}))", [*names, *names]
