"""Reading the file: every mistake at once, each with its line."""

from __future__ import annotations

import importlib
import tomllib
import types
import typing
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Union

from pydantic import BaseModel, ValidationError

from bot.config.consistency import Mistake, mistakes
from bot.config.lines import line_of
from bot.config.secret import ConfigError
from bot.config.settings import Settings
from bot.grammar import near
from bot.registry import Registry


def load(path: Path, *, commands: Collection[str] | None = None) -> Settings:
    """Read and check the file.

    :param commands: names of the commands there are, which rules may name; by default those of the package.
    :raises ConfigError: it cannot be read, is no TOML, or has mistakes: each is listed with its line.
    """
    text = read(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The configuration {path} is not TOML.", evidence=(str(error),)) from error
    return parse(data, text, str(path), commands=commands)


def read(path: Path) -> str:
    """The file's text, without the byte order mark that editors of Windows put before it.

    :raises ConfigError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(
            f"The configuration {path} cannot be read.",
            evidence=(error.strerror or str(error),),
            remedy="Give its path with --config.",
        ) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"The configuration {path} is not TOML.",
            evidence=(f"line {line}: a character that is no UTF-8",),
            remedy="Save the file as UTF-8.",
        ) from error


def parse(data: Mapping[str, Any], text: str, source: str, *, commands: Collection[str] | None = None) -> Settings:
    """:raises ConfigError: with every mistake and its line."""
    known = command_names() if commands is None else commands
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        found = [_mistake(each) for each in error.errors(include_url=False, include_input=False)]
        raise _refusal(found, text, source) from error
    found = [*mistakes(settings, known)]
    if found:
        raise _refusal(found, text, source)
    return settings


def command_names() -> tuple[str, ...]:
    """The commands that this bot has."""
    return tuple(each.name for each in Registry.of_package(importlib.import_module("commands")))


def placed(found: Mistake, text: str) -> str:
    """A mistake with its line, as it is shown."""
    line = line_of(text, found.where)
    return f"line {line}: {found.text}" if line else found.text


def _refusal(found: Iterable[Mistake], text: str, source: str) -> ConfigError:
    """In the order of the file."""
    ordered = sorted(dict.fromkeys(found), key=lambda each: line_of(text, each.where))
    count = len(ordered)
    return ConfigError(
        f"{source} has {count} mistake{'s' * (count > 1)}.", evidence=tuple(placed(each, text) for each in ordered)
    )


def _mistake(error: Any) -> Mistake:
    where = tuple(part for part in error["loc"] if part != "[key]")
    name = _dotted(where)
    if error["type"] == "extra_forbidden":
        *table, key = where
        known = settings_at(tuple(table))
        slips = near(str(key), known, limit=1)
        hint = f"did you mean “{slips[0]}”?" if slips else f"it can have: {', '.join(known)}"
        return Mistake(where, f"{name}: there is no such setting; {hint}")
    message = str(error["msg"]).removeprefix("Value error, ")
    return Mistake(where, f"{name}: {message}" if name else message)


def _dotted(where: tuple[str | int, ...]) -> str:
    """`policy.rules[2].when`, counted from 1 as people count."""
    made = ""
    for part in where:
        made += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if made else part
    return made


def settings_at(where: tuple[str | int, ...]) -> tuple[str, ...]:
    """The names of the settings that a table of the file can have."""
    kind: Any = Settings
    for part in where:
        kind = _bare(kind)
        if _is_section(kind):
            kind = kind.model_fields[str(part)].annotation
        else:
            held = typing.get_args(kind)
            kind = held[-1] if typing.get_origin(kind) is dict else held[0]
    kind = _bare(kind)
    return tuple(kind.model_fields) if _is_section(kind) else ()


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _bare(kind: Any) -> Any:
    """Without what pydantic checks besides, and without None."""
    while typing.get_origin(kind) in (Annotated, Union, types.UnionType):
        kind = next(each for each in typing.get_args(kind) if each is not type(None))
    return kind
