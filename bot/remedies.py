"""The commands that remedies name, as buttons: what a text for people tells them to type can be pressed as well."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.model import Suggestion
from bot.text import COMMAND, quoted

MOST = 4
_COMMAND = re.compile(f"“({COMMAND})”")
"""A command between the quotes in which remedies name one; no name looks so (see :func:`bot.text.quoted`)."""
_BLANK = re.compile(r"\b(?:DISK|HOST|NAME|POOL|SR|VM)\b")
"""What stands in a command for something that is still to be filled in."""


def commands(remedies: Iterable[str], pool: str) -> tuple[Suggestion, ...]:
    """At most :data:`MOST` commands that the remedies name, in their order, each to be run in this pool."""
    named = (command for remedy in remedies for command in _COMMAND.findall(remedy))
    whole = dict.fromkeys(command for command in named if not _BLANK.search(command))
    return tuple(Suggestion(command, _in(command, pool)) for command in list(whole)[:MOST])


def _in(command: str, pool: str) -> str:
    place = f" in {quoted(pool)}"
    return command if command.endswith(place) else command + place
