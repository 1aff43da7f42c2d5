"""`pool backups`: which copies of pools' databases are kept."""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import Cell, Level, Report, Risk, Suggestion, Table
from bot.ports import Context
from bot.registry import Scope, command
from bot.text import joined, plural, quoted, size

_MOST = 30


@dataclass(frozen=True)
class Arguments:
    pass


@command(
    "pool backups",
    risk=Risk.READ,
    scope=Scope.POOLS,
    summary="The copies of pools' databases that are kept, newest first.",
    details=(
        "On the pool's coordinator xe pool-restore-database file-name=FILE puts a copy back; with dry-run=true first.",
    ),
    examples=("pool backups", "pool backups in lab"),
)
def plan(arguments: Arguments, context: Context) -> Report:  # noqa: ARG001 - there are none
    names = [pool.name for pool in context.pools]
    found = context.history.backups(names)
    without = [name for name in names if not any(each.pool == name for each in found)]
    return Report(
        title=f"{plural(len(found), 'copy', 'copies') if found else 'No copies'} of pool databases",
        level=Level.WARN if without else Level.OK,
        summary=f"None of {joined(without)}." if without else "",
        parts=(
            Table(
                columns=("Pool", "Of (UTC)", "Size", "Hosts", "File", "SHA-256"),
                rows=tuple(
                    (
                        Cell(each.pool),
                        Cell(f"{each.at:%Y-%m-%d %H:%M}"),
                        Cell(size(each.size)),
                        Cell(str(each.hosts)),
                        Cell(each.file),
                        Cell(each.sha256),
                    )
                    for each in found[:_MOST]
                ),
                more=max(len(found) - _MOST, 0),
            ),
        )
        if found
        else (),
        suggestions=tuple(Suggestion(f"Back up {name}", f"pool backup in {quoted(name)}") for name in without[:5]),
    )
