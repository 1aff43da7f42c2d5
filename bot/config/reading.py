"""Reading the file: every mistake at once, each with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.config.secret import ConfigError
from bot.config.settings import Settings


def load(path: Path) -> Settings:
    """Read and check the file.

    :raises ConfigError: it cannot be read, is no TOML, or has mistakes: each is listed with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise ConfigError(
            f"The configuration {path} cannot be read.",
            evidence=(error.strerror or str(error),),
            remedy="Give its path with --config.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration {path} is not TOML.", evidence=(str(error),)) from error
    return parse(data, text, str(path))


def parse(data: Mapping[str, Any], text: str, source: str) -> Settings:
    """:raises ConfigError: with every mistake and its line."""
    try:
        settings = Settings.model_validate(data)
        for pool in settings.pool_settings():
            assert pool.name
    except ValidationError as error:
        mistakes = tuple(_mistake(each, text) for each in error.errors(include_url=False, include_input=False))
        raise ConfigError(
            f"{source} has {len(mistakes)} mistake{'s' * (len(mistakes) > 1)}.", evidence=mistakes
        ) from error
    return settings


def _mistake(error: Any, text: str) -> str:
    location = tuple(part for part in error["loc"] if part != "[key]")
    message = str(error["msg"]).removeprefix("Value error, ")
    line = line_of(text, tuple(str(part) for part in location if not isinstance(part, int)))
    where = f"line {line}: " if line else ""
    name = ".".join(str(part) for part in location)
    return f"{where}{name + ': ' if name else ''}{message}"


_HEADER = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(#.*)?\Z")
_KEY = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")


def line_of(text: str, location: tuple[str, ...]) -> int:
    """The line (from 1) of the longest part of a setting's path that stands in the file; 0 when none of it does."""
    best, best_length = 0, 0
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        header, key = _HEADER.match(line), _KEY.match(line)
        if header:
            table = _parts(header[1])
            found: tuple[str, ...] = table
        elif key:
            found = (*table, *_parts(key[1]))
        else:
            continue
        if len(found) > best_length and found == location[: len(found)]:
            best, best_length = number, len(found)
    return best


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in re.findall(r"[\w-]+|\"[^\"]*\"|'[^']*'", dotted))
