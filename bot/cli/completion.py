"""`xenia completion SHELL`: what the shell needs to complete `xenia`, the commands of `xenia cmd` included.

The script only asks `xenia complete`, so that it is never behind what the program can.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterable, Sequence

from bot.cli.common import Parsers
from bot.registry import Registry

SCRIPTS = {
    "bash": """\
_xenia() {
    local IFS=$'\\n'
    COMPREPLY=($(xenia complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _xenia xenia
""",
    "zsh": """\
#compdef xenia
_xenia() {
    local -a found
    found=("${(@f)$(xenia complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    [[ -n $found ]] && compadd -a found || _files
}
compdef _xenia xenia
""",
    "fish": """\
function __xenia
    set -l words (commandline --cut-at-cursor --tokenize) (commandline --cut-at-cursor --current-token)
    xenia complete -- $words[2..-1] 2>/dev/null
end
complete --command xenia --arguments '(__xenia)'
""",
}


def add_parsers(parts: Parsers[argparse.ArgumentParser], whole: argparse.ArgumentParser) -> None:
    """Add `xenia completion` and what its scripts ask. `whole` is the parser of the command line."""
    completion = parts.add_parser("completion", help="a script that completes xenia in a shell")
    completion.add_argument("shell", choices=sorted(SCRIPTS))
    completion.set_defaults(run=lambda options: _say([SCRIPTS[options.shell].rstrip("\n")]))
    complete = parts.add_parser("complete")  # for the scripts
    complete.add_argument("words", nargs="*")
    complete.set_defaults(run=lambda options: _say(candidates(whole, options.words)))


def candidates(whole: argparse.ArgumentParser, words: Sequence[str]) -> list[str]:
    """What the last of `words` may become; "" when nothing of it is typed."""
    *before, typed = words or [""]
    parser, rest = _reached(whole, before)
    if parser.prog.split()[1:] == ["cmd"] and not typed.startswith("-"):
        found = _commands(rest)
    elif typed.startswith("-"):
        found = {option for action in parser._actions for option in action.option_strings}
    else:
        found = {name for name in _choices(parser) if name != "complete"}
    return sorted(each for each in found if each.startswith(typed))


def _reached(parser: argparse.ArgumentParser, words: Sequence[str]) -> tuple[argparse.ArgumentParser, list[str]]:
    """The parser that the words lead to, and those of them that lead nowhere; options are left out."""
    rest: list[str] = []
    for word in words:
        deeper = _choices(parser).get(word)
        if isinstance(deeper, argparse.ArgumentParser):
            parser = deeper
        elif not word.startswith("-"):
            rest.append(word)
    return parser, rest


def _choices(parser: argparse.ArgumentParser) -> dict[str, object]:
    found: dict[str, object] = {}
    for action in parser._actions:
        if isinstance(action.choices, dict):
            found |= action.choices
        elif action.choices is not None and not action.option_strings:
            found |= dict.fromkeys(map(str, action.choices))
    return found


def _commands(words: list[str]) -> set[str]:
    """The next words of commands that begin so: of their names first, then of their usage."""
    found: set[str] = set()
    for command in Registry.of_package(importlib.import_module("commands")):
        name = command.name.split()
        if len(words) < len(name):
            if words == name[: len(words)]:
                found.add(name[len(words)])
        elif words[: len(name)] == name:
            literal = {word.strip("[]") for word in command.help.usage.split()[len(name) :]}
            found |= {word for word in literal if word.islower() and word not in words}
    return found


def _say(lines: Iterable[str]) -> int:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    return 0
