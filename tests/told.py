"""What the bot's modules tell people to type: their texts, and the commands in them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bot
import commands
from bot.errors import UserError
from bot.registry import Registry

REGISTRY = Registry.of_package(commands)
NAMES = {command.name for command in REGISTRY}
ROOTS = (Path(bot.__file__).parent, Path(commands.__file__).parent)
SOURCES = sorted(path for root in ROOTS for path in root.rglob("*.py"))
#: What is filled in when the text is made.
FILLED = "…"
_QUOTED = re.compile(r"“([^“”]+)”")
_FIRST_WORDS = {name.split()[0] for name in NAMES}
_BUILDERS = {"line": 0, "Suggestion": 1}


@dataclass(frozen=True)
class Text:
    text: str
    docstring: bool = False


def texts(path: Path) -> Iterator[Text]:
    """The whole texts of a module: f-strings and sums of texts as one, with :data:`FILLED` for what is filled in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    documentation |= {
        id(after.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef)
        for before, after in zip(node.body, node.body[1:], strict=False)
        if isinstance(after, ast.Expr) and isinstance(before, ast.Assign | ast.AnnAssign)
    }
    yield from _texts(tree, documentation)


def _texts(node: ast.AST, documentation: set[int]) -> Iterator[Text]:
    whole = _whole(node)
    if whole is not None:
        yield Text(whole, id(node) in documentation)
    for child in ast.iter_child_nodes(node):
        if whole is None or not _is_part(node, child):
            yield from _texts(child, documentation)


def _is_part(node: ast.AST, child: ast.AST) -> bool:
    """Told with its whole already. What is filled in may hold texts of its own."""
    return isinstance(node, ast.JoinedStr | ast.BinOp) and _whole(child) is not None


def _whole(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_whole(value) or FILLED for value in values)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first, second = _whole(left), _whole(right)
            return None if first is None and second is None else (first or FILLED) + (second or FILLED)
    return None


def built(path: Path) -> Iterator[str]:
    """Command lines that are handed on as such, to `line(…)` and `Suggestion(…)`. What a suggestion leaves out, a form
    asks for.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        at = _BUILDERS.get(ast.unparse(node.func).removeprefix("planning."))
        if at is not None and len(node.args) > at and (text := _whole(node.args[at])):
            yield text


def quoted(text: str) -> Iterator[str]:
    """What a text quotes as a command: “host maintenance xs1 on”."""
    for found in _QUOTED.findall(text):
        words = found.split()
        if words and words[0] in _FIRST_WORDS and (len(words) > 1 or found in NAMES):
            yield found


def problem(command: str, *, whole: bool = True) -> str:
    """Why a command line cannot be typed; "" if it can, or if it is a command's name alone, or if even that is only
    known when it is made.
    """
    line = re.sub(r"…+", "x1", re.sub(r"\b…", "", command)).strip()
    if line in NAMES or "x1" in line.split()[:2]:
        return ""
    try:
        parsed = REGISTRY.parse(line)
    except UserError as error:
        return f"“{command}”: {error.message}"
    return f"“{command}”: lacks {parsed[1].missing}" if whole and parsed[1].missing else ""
