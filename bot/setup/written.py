"""What setup writes: the configuration with comments, and the secrets in files of their own."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.config.spelling import toml
from bot.errors import Refused, Unavailable

NAME = "xenia.toml"


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Everything that was asked for. Secrets are in `values`, by the name of their file."""

    directory: Path
    team: str
    api_url: str = ""
    channel: str
    operators: tuple[str, ...]
    approvers: tuple[str, ...]
    readers: tuple[str, ...]
    pool: str
    hosts: tuple[str, ...]
    username: str
    fingerprints: tuple[str, ...]
    allow_tls1: bool = False
    terminal: Mapping[str, str] = field(default_factory=dict)
    address_map: Mapping[str, str] = field(default_factory=dict)
    watch_port: int | None = None
    values: Mapping[str, str] = field(repr=False)

    @property
    def config(self) -> Path:
        return self.directory / NAME

    def text(self) -> str:
        """The configuration as TOML."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        home = self.directory.absolute()
        yield "# Made by `xenia setup`. Every setting: docs/configuration.md. After a change: config check --live."
        yield ""
        yield "[bot]"
        yield f"database = {toml(str(home / 'xenia.sqlite3'))}   # requests and the record; back it up"
        yield f"ledger_key = {self._secret('ledger-key')}   # seals the record: keep a copy elsewhere"
        yield f"heads_channel = {toml(self.channel)}   # the record's newest hash, once a day"
        yield ""
        yield "[slack]"
        yield f"bot_token = {self._secret('bot-token')}"
        yield f"app_token = {self._secret('app-token')}"
        yield f"team = {toml(self.team)}"
        if self.api_url:
            yield f"api_url = {toml(self.api_url)}"
        yield ""
        yield "[policy]"
        yield f"operators = {toml(self.operators)}   # may ask for changes"
        yield f"approvers = {toml(self.approvers)}   # may approve what others ask for"
        yield f"readers = {toml(self.readers)}   # may look"
        yield ""
        if self.terminal:
            yield "[terminal]   # logins of this machine, as the people that they are in Slack"
            yield from (f"{toml(login)} = {toml(user)}" for login, user in self.terminal.items())
            yield ""
        yield f"[pools.{toml(self.pool)}]   # people type this name after `in`"
        yield f"hosts = {toml(self.hosts)}   # any one finds the others"
        yield f"username = {toml(self.username)}"
        yield f"password = {self._secret('pool-password')}"
        yield f"fingerprints = {toml(self.fingerprints)}   # only these certificates are trusted"
        if self.allow_tls1:
            yield "allow_tls1 = true   # a host of XenServer 7.6 or older"
        yield f"approvals_channel = {toml(self.channel)}"
        if self.address_map:
            yield ""
            yield f"[pools.{toml(self.pool)}.address_map]   # as the pool knows it → where it is reached"
            yield from (f"{toml(known)} = {toml(end)}" for known, end in self.address_map.items())
        yield ""
        yield f"[channels.{self.channel}]"
        yield f"default = {toml(self.pool)}   # what is meant there without `in`"
        if self.watch_port is not None:
            yield ""
            yield "[watch]   # /healthz, /readyz and /metrics, for this machine only"
            yield f"port = {self.watch_port}"

    def _secret(self, name: str) -> str:
        return toml(f"file:{self.directory.absolute() / 'secrets' / name}")

    def write(self, *, force: bool) -> None:
        """:raises Refused: a configuration is there already. :raises Unavailable: the directory cannot be written."""
        if self.config.exists() and not force:
            raise Refused(f"There is a configuration already: {self.config}.", remedy="Say --force to replace it.")
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = self.directory / "secrets"
            folder.mkdir(mode=0o700, exist_ok=True)
            for name, value in self.values.items():
                _private(folder / name, value + "\n")
            if not (folder / "ledger-key").exists():  # the one that seals a record already is not replaced
                _private(folder / "ledger-key", secrets.token_hex(32) + "\n")
            _private(self.config, self.text())
        except OSError as error:
            raise Unavailable(
                f"{error.filename or self.directory} cannot be written: {error.strerror}.",
                remedy="Give another --directory, or run this as a user who may write there.",
            ) from error


def _private(path: Path, text: str) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    part = path.with_name(path.name + ".new")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)
