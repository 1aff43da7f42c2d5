"""Where the answers come from: flags and the environment first, then whoever sits at the terminal."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.prompt import Confirm, Prompt
from rich.text import Text

from bot.errors import Refused, UserError
from bot.text import one_line

SECRETS = {
    "bot_token": ("XENIA_BOT_TOKEN", "Bot token (xoxb-…)"),
    "app_token": ("XENIA_APP_TOKEN", "App-level token (xapp-…)"),
    "password": ("XENIA_POOL_PASSWORD", "Password of the pool's account"),
}
"""Never on the command line, where every login of the machine could read them: a variable, a file, or a question."""


class Answers:
    """:param environment: where the secrets may stand."""

    def __init__(self, options: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> None:
        self._options = options
        self._environment = environment
        self._console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
        self.asks = not options.non_interactive

    def tell(self, text: str) -> None:
        self._console.print(Text(one_line(text)), soft_wrap=True)

    def text(self, name: str, question: str, default: str = "") -> str:
        """:raises Refused: nobody is asked, and the flag is missing."""
        given = getattr(self._options, name) or ""
        if given or not self.asks:
            if not given and not default:
                raise _missing(f"--{name.replace('_', '-')}", question)
            return given or default
        while not (said := Prompt.ask(question, default=default or None, console=self._console) or ""):
            pass
        return said.strip()

    def several(self, name: str, question: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Words, by a flag that is given several times, or in one line with spaces or commas between."""
        given = tuple(getattr(self._options, name) or ())
        if given or not self.asks:
            if not given and not default:
                raise _missing(f"--{name.replace('_', '-')}", question)
            return given or default
        return tuple(self.text(name, question, " ".join(default)).replace(",", " ").split())

    def types(self, name: str) -> bool:
        """Whether this secret is typed: then it can be asked for again."""
        given = getattr(self._options, f"{name}_file") is not None or self._environment.get(SECRETS[name][0])
        return self.asks and not given

    def secret(self, name: str) -> str:
        """:raises UserError: the file cannot be read, or nobody is asked and there is neither file nor variable."""
        variable, question = SECRETS[name]
        file: Path | None = getattr(self._options, f"{name}_file")
        if file is not None:
            try:
                return file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise UserError(f"The file {file} cannot be read: {getattr(error, 'strerror', error)}.") from error
        if self._environment.get(variable):
            return self._environment[variable].strip()
        if not self.asks:
            raise _missing(f"--{name.replace('_', '-')}-file or {variable}", question)
        while not (said := Prompt.ask(question, password=True, console=self._console)):
            pass
        return said.strip()

    def agree(self, question: str) -> bool:
        """False when nobody is asked: what needs agreement is then given by a flag."""
        return self.asks and Confirm.ask(question, default=False, console=self._console)


def _missing(flag: str, question: str) -> Refused:
    return Refused(f"{question}: there is no answer.", remedy=f"Give {flag}, or leave out --non-interactive.")
