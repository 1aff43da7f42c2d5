"""Secrets by name: `env:NAME` or `file:/path`. Their values are read when they are needed, and kept nowhere."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from bot.errors import UserError

_SECRET = re.compile(r"(env|file):(.+)\Z", re.DOTALL)


class ConfigError(UserError):
    """The configuration cannot be used; the evidence lists every mistake with its line."""

    kind = "configuration"


def _secret(reference: str) -> str:
    if not _SECRET.match(reference):
        raise ValueError("a secret is named, not written: use “env:NAME” or “file:/path”")
    return reference


SecretReference = Annotated[str, AfterValidator(_secret)]


def secret(reference: str) -> Callable[[], str]:
    """How to get a secret when it is needed; it is read anew each time, so that it can be changed while the bot runs.

    The returned function raises ConfigError when the variable or file is missing; the error names it, never its
    content.
    """
    match = _SECRET.match(reference)
    assert match is not None
    kind, name = match.groups()

    def read() -> str:
        if kind == "env":
            value = os.environ.get(name)
            if not value:
                raise ConfigError(
                    f"The environment variable {name} is not set.",
                    remedy="It should hold a secret that the configuration names.",
                )
            return value
        try:
            return Path(name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"The secret's file {name} cannot be read.",
                evidence=(type(error).__name__,),
                remedy="Check the path and its owner.",
            ) from error

    return read
