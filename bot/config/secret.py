"""Secrets by name: `env:NAME`, `file:/path` or `credential:NAME` (of systemd). Their values are read when they are
needed, and kept nowhere.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from bot.errors import UserError

_SECRET = re.compile(r"(?:(env|file):(.+)|(credential):([\w.-]+))\Z", re.DOTALL)
CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""Where systemd puts what a unit's LoadCredential= names (systemd.exec(5))."""


class ConfigError(UserError):
    """The configuration cannot be used; the evidence lists every mistake with its line."""

    kind = "configuration"


def _secret(reference: str) -> str:
    if not _SECRET.match(reference):
        raise ValueError("a secret is named, not written: use “env:NAME”, “file:/path” or “credential:NAME”")
    return reference


def is_secret(text: str) -> bool:
    """Whether a setting's value names a secret."""
    return _SECRET.match(text) is not None


SecretReference = Annotated[str, AfterValidator(_secret)]


def secret(reference: str) -> Callable[[], str]:
    """How to get a secret when it is needed; it is read anew each time, so that it can be changed while the bot runs.

    The returned function raises ConfigError when the variable or file is missing or empty; the error names it, never
    its content.
    """
    kind, name = _parts(reference)

    def read() -> str:
        if kind == "env":
            value = os.environ.get(name)
            if not value:
                raise ConfigError(
                    f"The environment variable {name} is not set.",
                    remedy="It should hold a secret that the configuration names.",
                )
            return value
        path = _path(kind, name)
        try:
            value = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"The secret's file {path} cannot be read.",
                evidence=((error.strerror if isinstance(error, OSError) else "") or type(error).__name__,),
                remedy="Check the path, and that the bot's account may read it.",
            ) from error
        if not value:
            raise ConfigError(f"The secret's file {path} is empty.", remedy="Put the secret into it.")
        return value

    return read


def exposed(reference: str) -> str:
    """Who else can read the secret's file, in words; "" when nobody, or when it is no file."""
    kind, name = _parts(reference)
    if kind != "file":
        return ""
    try:
        mode = Path(name).stat().st_mode
    except OSError:
        return ""  # that it cannot be read is said when it is
    if not mode & (stat.S_IRGRP | stat.S_IROTH | stat.S_IWGRP | stat.S_IWOTH):
        return ""
    who = "every login of this machine" if mode & (stat.S_IROTH | stat.S_IWOTH) else "its whole group"
    return f"the secret's file {name} is open to {who} (mode {stat.S_IMODE(mode):o}): chmod 600 {name}"


def _path(kind: str, name: str) -> Path:
    """:raises ConfigError: a credential where systemd has handed none over."""
    if kind == "file":
        return Path(name)
    folder = os.environ.get(CREDENTIALS)
    if not folder:
        raise ConfigError(
            f"The credential {name} is not there: systemd has handed none to this process.",
            remedy="Start the bot as its service, whose unit has LoadCredential=; elsewhere use file: or env:.",
        )
    return Path(folder) / name


def _parts(reference: str) -> tuple[str, str]:
    match = _SECRET.match(reference)
    assert match is not None
    kind, name = (part for part in match.groups() if part is not None)
    return kind, name
