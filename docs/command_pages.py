"""The commands as Markdown: a short table for the README, and the reference."""

from __future__ import annotations

from bot.model import Risk
from bot.ports import CommandHelp
from bot.registry import Registry
from bot.rules.roles import role_for

RISKS = {
    Risk.READ: "Looks only.",
    Risk.ROUTINE: "Changes something (risk: routine).",
    Risk.DISRUPTIVE: "Changes something that people may notice (risk: disruptive).",
    Risk.DESTRUCTIVE: "Destroys something (risk: destructive).",
}
SUBJECTS = {
    "pools": ("pool",),
    "hosts": ("host",),
    "VMs, disks": ("vm", "sr"),
    "high availability": ("ha",),
    "audits": ("audit",),
    "requests, the bot": ("request", "policy", ""),
}
"""The README's rows: heading → first words of the commands, "" for those of one word."""
INTRODUCTION = """\
# Commands

Type them after `/xen` in Slack, say them to the bot in a mention or a direct message, or give them to `xenia cmd` in a
terminal. Both word orders work: `vm migrate web-1` and `migrate vm web-1`.

A word in capitals is something to fill in, what stands in brackets may be left out. Names may hold spaces; put a name
that reads like a keyword in quotes. An object can also be named by its uuid, a host by its address. What is missing is
asked for in a form.

`in POOL` says which pool is meant. Without it that is the channel's default, else the person's, else the only pool that
may be seen; a change never guesses beyond that, it asks.

`at WHEN` appoints a change: `at 22:00`, `at tomorrow 06:30`, `at 2026-03-01 22:00 Europe/Amsterdam`. It is approved
now, planned again at that time, and expires an hour later. A change that ends with `emergency "why"` needs no second
person, for those whom the policy lists.

What each risk takes is the policy's: [configuration](configuration.md#policy). Where accounts come from Active
Directory, the role that the pool's account needs is named; `root` may do everything, and so may any account without it.
"""


def table(registry: Registry) -> str:
    """One row per kind of object, each command linked to where the reference tells of it, for the README."""
    rows = []
    for heading, nouns in SUBJECTS.items():
        found = [each for each in registry.help if _noun(each) in nouns]
        look = ", ".join(_link(each) for each in found if each.risk is Risk.READ)
        change = ", ".join(_link(each) for each in found if each.risk is not Risk.READ)
        rows.append(f"| {heading} | {look} | {change} |")
    return "\n".join(["| | to look | to change |", "| --- | --- | --- |", *rows]) + "\n"


def _noun(each: CommandHelp) -> str:
    noun, _, verb = each.name.partition(" ")
    return noun if verb else ""


def _link(each: CommandHelp) -> str:
    return f"[`{each.name}`](docs/commands.md#{each.name.replace(' ', '-')})"


def reference(registry: Registry) -> str:
    """Everything about every command."""
    return INTRODUCTION + "".join(map(_section, registry.help))


def _section(each: CommandHelp) -> str:
    details = "".join(f"\n{line}\n" for line in each.details)
    examples = "\n".join(each.examples)
    return (
        f"\n## {each.name}\n\n    {each.usage}\n\n{each.summary} {RISKS[each.risk]}{_role(each)}\n{details}"
        f"\nFor example:\n\n```text\n{examples}\n```\n"
    )


def _role(each: CommandHelp) -> str:
    return f" The pool's account needs the role {role_for(each.name)}." if each.pooled else ""
