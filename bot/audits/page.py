"""The rules as a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence

from bot.audits import candidates, clock_rules, compatibility
from bot.audits.rule import Declared
from bot.model import Level

_LEVELS = {Level.BAD: "grave", Level.WARN: "warning", Level.INFO: "for information"}


def page() -> str:
    """`docs/audit-rules.md`: every rule with why it matters, whence it is known, and for which versions it holds."""
    lines = [
        "# What an audit looks for",
        "",
        f"`audit run` asks the {len(compatibility.RULES)} rules of the first part about a pool, `audit run clock` the"
        f" {len(clock_rules.RULES)} of the second, `audit run candidates` those of the third. Each says what holds when"
        " all is well; a finding says what does not, with what was read and what to do. Rules marked *now* are told by"
        " `pool status` too. A finding may be graver than its rule, where it says so. Names that begin with `audits.`"
        " are settings ([configuration](configuration.md#audits)).",
        *_listed("Compatibility", compatibility.RULES),
        *_listed("Clocks", clock_rules.RULES),
        *_listed("Hosts that stand alone", candidates.RULES),
    ]
    return "\n".join(lines) + "\n"


def _listed(heading: str, rules: Sequence[Declared]) -> list[str]:
    lines, area = ["", f"## {heading}"], ""
    for rule in sorted(rules, key=lambda rule: rule.id.partition(".")[0]):
        head = rule.id.partition(".")[0]
        if head != area and len({each.id.partition(".")[0] for each in rules}) > 1:
            lines += ["", f"### About: {head}"]
        area = head
        lines += ["", *_entry(rule)]
    return lines


def _entry(rule: Declared) -> list[str]:
    marks = [_LEVELS[rule.level], *(["now"] if rule.urgent else []), f"versions: {rule.versions}"]
    return [f"#### {rule.id}", "", f"**{rule.title}** ({', '.join(marks)}).", f"{rule.why}", f"Source: {rule.source}."]
