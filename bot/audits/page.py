"""The rules as a page of the documentation."""

from __future__ import annotations

from bot.audits import compatibility
from bot.audits.rule import Rule
from bot.model import Level

_LEVELS = {Level.BAD: "grave", Level.WARN: "warning", Level.INFO: "for information"}


def page() -> str:
    """`docs/audit-rules.md`: every rule with why it matters, whence it is known, and for which versions it holds."""
    lines = [
        "# What an audit looks for",
        "",
        f"`audit run` asks these {len(compatibility.RULES)} rules about a pool. Each says what holds when all is well;"
        " a finding says what does not, with what was read and what to do. Rules marked *now* are told by `pool status`"
        " too. A finding may be graver than its rule, where it says so.",
    ]
    area = ""
    for rule in sorted(compatibility.RULES, key=lambda rule: rule.id.partition(".")[0]):
        head = rule.id.partition(".")[0]
        if head != area:
            area = head
            lines += ["", f"## {head}"]
        lines += ["", *_entry(rule)]
    return "\n".join(lines) + "\n"


def _entry(rule: Rule) -> list[str]:
    marks = [_LEVELS[rule.level], *(["now"] if rule.urgent else []), f"versions: {rule.versions}"]
    return [f"### {rule.id}", "", f"**{rule.title}** ({', '.join(marks)}).", f"{rule.why}", f"Source: {rule.source}."]
