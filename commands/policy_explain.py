"""`policy explain COMMAND`: who may ask for it, who approves it, and what stands in its way now."""

from __future__ import annotations

from dataclasses import dataclass

from bot.errors import Choice, NotFound
from bot.grammar import near
from bot.model import Level, Line, Lines, Report, Risk
from bot.ports import CommandHelp, Context
from bot.registry import Scope, command
from bot.text import joined, quoted


@dataclass(frozen=True)
class Arguments:
    command: str


@command(
    "policy explain COMMAND",
    scope=Scope.POOLS,
    risk=Risk.READ,
    summary="What the policy says of a command: who may ask, who approves, and freezes now.",
    details=("Where it depends on the tags of an object, every case is told.",),
    examples=("policy explain vm migrate", "policy explain vm migrate in lab"),
)
def plan(arguments: Arguments, context: Context) -> Report:
    found = _found(arguments.command, context.commands)
    now = context.clock.now()
    told = {pool.name: context.policy.explain(found.name, found.risk, pool.name, now) for pool in context.pools}
    if not told:
        told = {"": context.policy.explain(found.name, found.risk, "", now)}
    alike: dict[tuple[Line, ...], list[str]] = {}
    for pool, lines in told.items():
        alike.setdefault(lines, []).append(pool)
    parts = tuple(
        Lines(heading=f"In {joined(pools)}" if pools != [""] else "", lines=lines) for lines, pools in alike.items()
    )
    frozen = any(line.level is Level.WARN for lines in alike for line in lines)
    return Report(
        title=f"The policy for “{found.name}”",
        level=Level.WARN if frozen else Level.INFO,
        summary=f"It is {found.risk}." if found.risk is not Risk.READ else "",
        parts=parts,
    )


def _found(typed: str, commands: tuple[CommandHelp, ...]) -> CommandHelp:
    """The command whose name the words are, or begin with: a whole command line may be given."""
    words = tuple(typed.casefold().split())
    by_name = {tuple(each.name.split()): each for each in commands}
    by_name |= {name[::-1]: each for name, each in by_name.items() if name[::-1] not in by_name}
    for length in range(len(words), 0, -1):
        if words[:length] in by_name:
            return by_name[words[:length]]
    slips = near(" ".join(words[:3]), [each.name for each in commands])
    raise NotFound(
        f"There is no command {quoted(typed)}.",
        remedy="Did you mean one of these?" if slips else "“help” lists the commands.",
        choices=tuple(Choice(name, f"policy explain {name}") for name in slips),
    )
