"""The configuration's reference, from the models that read it."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bot.config.policy import Person, Reader
from bot.config.secret import SecretReference
from bot.config.settings import Settings

INTRODUCTION = """\
# Configuration

One TOML file, by default `xenia.toml` where the bot is started; `--config` names another. `xenia config check` reads it
as the bot would and lists every mistake with its line. An unknown setting is a mistake, so that a typing error is not
mistaken for a default. The file is read once, at the start; the secrets that it names are read when they are used.

A **secret** is named, never written: `"env:NAME"` is an environment variable, `"file:/path"` a file (spaces and line
breaks at its ends do not count), `"credential:NAME"` what systemd hands the bot's unit (`LoadCredential=`).

A **person** is a Slack user id (`U…`), a user group (`S…`), the members of a channel (`C…`), or `os:NAME`, a login of
the bot's own machine.
"""


def page() -> str:
    """Markdown; the same text for the same models."""
    return INTRODUCTION + "".join(_sections(Settings, ""))


def _sections(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """The tables of the file, in the order in which the models name them."""
    for name, field in model.model_fields.items():
        section = _model_in(field.annotation)
        if section is None:
            if not prefix:
                yield _own_table(name, field)
            continue
        title = f"{prefix}{name}"
        header, each = _header(field, title), "" if field.annotation is section else " – one for each"
        about = " ".join((section.__doc__ or "").split())
        yield f"\n## {title}\n\n`{header}`{each}. {about}\n\n{_table(section)}"
        if any(_model_in(below.annotation) for below in section.model_fields.values()):
            yield from _sections(section, f"{header.strip('[]')}.")


def _header(field: FieldInfo, title: str) -> str:
    """How TOML begins such a table."""
    origin = get_origin(field.annotation)
    if origin is dict:
        return f"[{title}.{_KEYS.get(title, 'NAME')}]"
    return f"[[{title}]]" if origin is tuple else f"[{title}]"


def _own_table(name: str, field: FieldInfo) -> str:
    """A table whose keys are the reader's own words."""
    return f"\n## {name}\n\n`[{name}]`. {field.description}\n"


def _table(model: type[BaseModel]) -> str:
    rows = [
        f"| `{name}` | {_cell(spoken(field))} | {_cell(_default(field))} | {_cell(field.description or '')} |"
        for name, field in model.model_fields.items()
        if _model_in(field.annotation) is None
    ]
    return "\n".join(["| setting | value | default | what it is for |", "| --- | --- | --- | --- |", *rows]) + "\n"


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds: itself, as a table's values, or as a list's items."""
    at = {dict: 1, tuple: 0}.get(get_origin(annotation))
    candidate = annotation if at is None else get_args(annotation)[at]
    return candidate if isinstance(candidate, type) and issubclass(candidate, BaseModel) else None


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} = {item}" for key, item in value.items())
        return f"`{{ {inside} }}`" if value else "empty"
    if isinstance(value, tuple | frozenset | list):
        return "`[" + ", ".join(f'"{item}"' for item in value) + "]`" if value else "empty"
    return f'`"{value}"`' if isinstance(value, str | Path) else f"`{value}`"


_KEYS = {"channels": "ID", "people": "ID"}
_NAMES = {str: "text", int: "number", float: "number", bool: "true or false", Path: "path"}


def spoken(field: FieldInfo) -> str:
    """A field's type in words.

    :raises TypeError: there are no words for it yet.
    """
    annotation: Any = field.annotation
    if any(validator in get_args(SecretReference) for validator in field.metadata):
        return "secret"
    return _spoken(annotation)


def _spoken(annotation: Any) -> str:
    if annotation == SecretReference:
        return "secret"
    if annotation in _NAMES:
        return _NAMES[annotation]
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _spoken(inside[0])
    if origin is Literal:
        return " or ".join(f'`"{each}"`' for each in inside)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_spoken(each) for each in inside if each is not type(None))
    if origin in (tuple, frozenset, list):
        return "list of people" if inside[0] in (Person, Reader) else f"list of {_plural(_spoken(inside[0]))}"
    if origin is dict:
        return f"table: {_spoken(inside[0])} → {_spoken(inside[1])}"
    raise TypeError(f"no words for {annotation}")


def _plural(word: str) -> str:
    return word if word.startswith("`") else f"{word}s"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
