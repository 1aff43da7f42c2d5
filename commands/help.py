"""`help [COMMAND]`: what can be asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import Choice, NotFound
from bot.grammar import near
from bot.model import Line, Lines, Part, Report, Risk, Suggestion
from bot.ports import CommandHelp, Context
from bot.registry import Scope, command
from bot.text import quoted

RISKS = {
    Risk.READ: "changes nothing",
    Risk.ROUTINE: "a change",
    Risk.DISRUPTIVE: "a change that needs approval",
    Risk.DESTRUCTIVE: "destroys something; needs approval",
}


HEADINGS = {"": "This bot", "vm": "VMs", "ha": "High availability", "sr": "Storage"}
COMMON = (" [at WHEN]", " [in POOL]")
"""What most commands take besides; said once, below the list."""


@dataclass(frozen=True)
class Arguments:
    command: str | None = None


@command(
    "help [COMMAND]",
    scope=Scope.BOT,
    risk=Risk.READ,
    summary="What can be asked, or everything about one command.",
    examples=("help", "help vm migrate"),
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
        return _overview(of_noun)
    slips = near(typed, by_name)
    raise NotFound(
        f"There is no command {quoted(arguments.command)}.",
        remedy="Did you mean one of these?" if slips else "“help” lists the commands.",
        choices=tuple(Choice(name, f"help {name}") for name in slips),
    )


def _overview(commands: Sequence[CommandHelp]) -> Report:
    """The commands by what they are about: `vm migrate` under VM."""
    by_noun: dict[str, list[CommandHelp]] = defaultdict(list)
    for each in commands:
        noun, _, verb = each.name.partition(" ")
        by_noun[noun if verb else ""].append(each)
    parts: list[Part] = [
        Lines(
            heading=HEADINGS.get(noun, noun.capitalize()),
            lines=tuple(Line(text=_short(each.usage), detail=each.summary) for each in by_noun[noun]),
        )
        for noun in sorted(by_noun)
    ]
    hint = Line(text="Commands about a pool take “in POOL”. Both word orders work (“migrate vm web-1”).")
    later = Line(text="Every change of a pool takes “at 22:00”: approved now, looked at again and made then.")
    alone = Line(text='“… emergency "why"” at its end lets those whom the policy lists act without a second person.')
    form = Line(text="What is left out is asked for in a form; “help vm migrate” says more of one command.")
    return Report(
        title="What you can ask",
        parts=(*parts, Lines(lines=(hint, later, alone, form))),
        suggestions=(
            Suggestion("Pool status", "pool status"),
            Suggestion("VMs", "vm list"),
            Suggestion("Move a VM", "vm migrate"),
            Suggestion("Pending", "pending"),
        ),
    )


def _short(usage: str) -> str:
    for suffix in COMMON:
        usage = usage.removesuffix(suffix)
    return usage


def _about(found: CommandHelp) -> Report:
    lines = [Line(text=detail) for detail in found.details]
    parts: list[Part] = [Lines(heading="Usage", lines=(Line(text=found.usage),))]
    if lines:
        parts.append(Lines(lines=tuple(lines)))
    parts.append(Lines(heading="For example", lines=tuple(Line(text=example) for example in found.examples)))
    return Report(title=found.name, summary=f"{found.summary} ({RISKS[found.risk]})", parts=tuple(parts))
