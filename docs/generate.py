"""`python -m docs.generate` writes what the documentation takes from the code; `--check` says what is out of date.

A page is generated whole, or has blocks between `<!-- generated: NAME -->` and `<!-- end -->` that are.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import commands
from bot import approval
from bot.audits.page import page as audit_rules
from bot.registry import Registry
from bot.slack.manifest import manifest
from bot.terminal import schema
from docs import command_pages, configuration
from sandbox.xapi import fidelity

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "docs" / "examples" / "vm_rename.py"
NOTICE = "<!-- Made by `make docs`; changes here are lost. -->\n\n"
_BLOCK = re.compile(r"(<!-- generated: (\S+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)

PAGES: dict[str, Callable[[], str]] = {
    "docs/audit-rules.md": lambda: NOTICE + audit_rules(),
    "docs/commands.md": lambda: NOTICE + command_pages.reference(_registry()),
    "docs/configuration.md": lambda: NOTICE + configuration.page(),
    "docs/sandbox-fidelity.md": lambda: NOTICE + fidelity.page(),
    "docs/answers.schema.json": lambda: json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
    "deploy/slack-manifest.json": lambda: json.dumps(manifest(), indent=2, ensure_ascii=False) + "\n",
}
"""Generated whole."""

BLOCKS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"commands": lambda: command_pages.table(_registry())},
    "docs/approval.md": {"states": lambda: f"```mermaid\n{approval.diagram()}```\n"},
    "docs/adding-a-command.md": {"example": lambda: f"```python\n{EXAMPLE.read_text(encoding='utf-8')}```\n"},
}
"""Generated in part: page → block → its text."""


class Misplaced(ValueError):
    """A page has not exactly the blocks that are generated for it."""


def wanted(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Each page and what should stand in it.

    :raises Misplaced: a block is missing, unknown, or there twice.
    """
    for name, make in PAGES.items():
        yield root / name, make()
    for name, blocks in BLOCKS.items():
        yield root / name, filled((root / name).read_text(encoding="utf-8"), blocks)


def filled(text: str, blocks: dict[str, Callable[[], str]]) -> str:
    """The text with its blocks made anew. :raises Misplaced: as above."""
    found = [match[2] for match in _BLOCK.finditer(text)]
    if sorted(found) != sorted(blocks):
        raise Misplaced(f"generated blocks are {found}, not {list(blocks)}")
    return _BLOCK.sub(lambda match: f"{match[1]}{blocks[match[2]]()}{match[4]}", text)


def stale(root: Path = ROOT) -> list[Path]:
    """The pages that do not say what the code says."""
    return [path for path, text in wanted(root) if not path.exists() or path.read_text(encoding="utf-8") != text]


def write(root: Path = ROOT) -> list[Path]:
    """Write what is out of date; returns what was."""
    changed = []
    for path, text in list(wanted(root)):
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if something is out of date")
    if parser.parse_args(arguments).check:
        found = stale()
        for path in found:
            sys.stderr.write(f"{path.relative_to(ROOT)} is out of date: run make docs\n")
        return 1 if found else 0
    for path in write():
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")
    return 0


def _registry() -> Registry:
    return Registry.of_package(commands)


if __name__ == "__main__":
    sys.exit(main())
