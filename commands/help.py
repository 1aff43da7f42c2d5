"""`help [COMMAND]`: what can be asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import Choice, NotFound
from bot.grammar import near
from bot.model import Cell, Facts, Line, Lines, Part, Report, Risk, Suggestion
from bot.ports import CommandHelp, Context
from bot.registry import Scope, command
from bot.text import quoted

RISKS = {
    Risk.READ: "changes nothing",
    Risk.ROUTINE: "a change",
    Risk.DISRUPTIVE: "a change that needs approval",
    Risk.DESTRUCTIVE: "destroys something; needs approval",
}


SHORT = frozenset({"ha", "sr"})
HEADINGS = {"": "This bot", "vm": "VMs", "ha": "High availability", "sr": "Storage"}


@dataclass(frozen=True)
class Arguments:
    command: str | None = None


@command(
    "help [COMMAND]",
    scope=Scope.BOT,
    risk=Risk.READ,
    summary="What can be asked, or everything about one command.",
    examples=("help", "help vm", "help vm migrate"),
)
def plan(arguments: Arguments, context: Context) -> Report:
    if arguments.command is None:
        return _overview(context.commands)
    typed = " ".join(arguments.command.casefold().split())
    by_name = {each.name: each for each in context.commands}
    found = by_name.get(typed) or by_name.get(" ".join(reversed(typed.split())))
    if found is not None:
        return _about(found)
    of_noun = [each for each in context.commands if typed in each.name.split()]
    if of_noun:
        return _of_one_kind(of_noun)
    slips = near(typed, by_name)
    raise NotFound(
        f"There is no command {quoted(arguments.command)}.",
        remedy="Did you mean one of these?" if slips else "“help” lists the commands.",
        choices=tuple(Choice(name, f"help {name}") for name in slips),
    )


def _overview(commands: Sequence[CommandHelp]) -> Report:
    """A page that can be seen at once: what there is, by what it is about."""
    pairs = [
        (_typed(noun), Cell(" · ".join(each.name.removeprefix(f"{noun} ") for each in found)))
        for noun, found in _by_noun(commands).items()
    ]
    hints = (
        "“help vm” says what those about VMs do, “help vm migrate” all about one.",
        "Both word orders work (“migrate vm web-1”). What is left out is asked for in a form.",
        "Commands about a pool take “in POOL”; every change of one takes “at 22:00”: approved now, made then.",
        '“… emergency "why"” at its end lets those whom the policy lists act without a second person.',
    )
    return Report(
        title="What you can ask",
        parts=(Facts(pairs=tuple(pairs)), Lines(lines=tuple(Line(text=hint) for hint in hints))),
        suggestions=(
            Suggestion("Pool status", "pool status"),
            Suggestion("VMs", "vm list"),
            Suggestion("Move a VM", "vm migrate"),
            Suggestion("Pending", "pending"),
        ),
    )


def _of_one_kind(commands: Sequence[CommandHelp]) -> Report:
    """Commands with their usage and what they do: `vm migrate` under VMs."""
    return Report(
        title="What you can ask",
        parts=tuple(
            Facts(heading=_heading(noun), pairs=tuple((each.own_usage, Cell(each.summary)) for each in found))
            for noun, found in _by_noun(commands).items()
        ),
    )


def _by_noun(commands: Sequence[CommandHelp]) -> dict[str, list[CommandHelp]]:
    found: dict[str, list[CommandHelp]] = defaultdict(list)
    for each in sorted(commands, key=lambda each: each.name):
        noun, _, verb = each.name.partition(" ")
        found[noun if verb else ""].append(each)
    return {noun: found[noun] for noun in sorted(found)}


def _typed(noun: str) -> str:
    """The word that is typed, with what it stands for where that is not plain."""
    return f"{noun} ({HEADINGS[noun].lower()})" if noun in SHORT else noun or HEADINGS[noun]


def _heading(noun: str) -> str:
    return HEADINGS.get(noun, noun.capitalize())


def _about(found: CommandHelp) -> Report:
    lines = [Line(text=detail) for detail in found.details]
    parts: list[Part] = [Lines(heading="Usage", lines=(Line(text=found.usage),))]
    if lines:
        parts.append(Lines(lines=tuple(lines)))
    parts.append(Lines(heading="For example", lines=tuple(Line(text=example) for example in found.examples)))
    return Report(title=found.name, summary=f"{found.summary} ({RISKS[found.risk]})", parts=tuple(parts))
