"""Starts the sandboxes and a bot that is configured for them, with a real configuration file that other processes can
use too.
"""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bot import compose, config
from bot.compose import Bot
from bot.config.spelling import toml
from sandbox.slack.running import RunningWorkspace
from sandbox.slack.running import start as start_workspace
from sandbox.slack.settings import Settings, Switches
from sandbox.xapi import lab as labs
from sandbox.xapi.running import RunningLab
from sandbox.xapi.running import start as start_lab

TERMINAL = {"operator": "olga", "approver": "ana", "approver2": "ben", "stranger": "sam"}
"""Roles that `--as` takes → people of the pretend workspace."""


@dataclass(frozen=True, kw_only=True)
class Demo:
    """A running demo. `config` is the file that the bot was configured with."""

    lab: RunningLab
    workspace: RunningWorkspace
    bot: Bot
    settings: config.Settings
    config: Path


@contextmanager
def demo(*, lab: str = "tutorial", port: int = 0, keep: str | None = None, speed: float = 1.0) -> Iterator[Demo]:
    """The whole demo. `keep` is where its files go (default: a temporary directory); `speed` makes the lab's work
    faster.
    """
    with ExitStack() as stack:
        folder = Path(keep) if keep else Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="xenia-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        pools = stack.enter_context(start_lab(labs.load(lab), tls=True, speed=speed))
        as_the_manifest_says = Settings(switches=Switches(home_tab=False))
        workspace = stack.enter_context(start_workspace(as_the_manifest_says, port=port))
        path = write_config(folder, pools, workspace)
        settings = config.load(path)
        bot = stack.enter_context(compose.running(settings))
        yield Demo(lab=pools, workspace=workspace, bot=bot, settings=settings, config=path)


def write_config(folder: Path, lab: RunningLab, workspace: RunningWorkspace) -> Path:
    """A configuration for these two sandboxes, its secrets in files beside it; returns its path."""
    people, channels = workspace.people, workspace.channels
    keys = {
        "bot-token": workspace.bot_token,
        "app-token": workspace.app_token,
        "pool-password": lab.password,
        "ledger-key": secrets.token_hex(32),
    }
    for name, value in keys.items():
        file = folder / name
        if name == "ledger-key" and file.exists():
            continue  # the ledger that is kept beside it was sealed with it
        file.touch(mode=0o600)
        file.write_text(value, encoding="utf-8")
    lines = [
        "# Made by `xenia demo` for the pretend lab and workspace.",
        "[bot]",
        f"database = {toml(str(folder / 'xenia.sqlite3'))}",
        f"ledger_key = {toml(f'file:{folder}/ledger-key')}",
        "sandbox = true",
        "",
        "[slack]",
        f"bot_token = {toml(f'file:{folder}/bot-token')}",
        f"app_token = {toml(f'file:{folder}/app-token')}",
        f"team = {toml(workspace.settings.team_id)}",
        f"api_url = {toml(workspace.api)}",
        "",
        "[policy]",
        f"operators = {toml([people['olga']])}",
        f"approvers = {toml([people['ana'], people['ben']])}",
        'readers = ["everyone"]',
        "",
        "[terminal]",
        *(f"{role} = {toml(people[name])}" for role, name in TERMINAL.items()),
    ]
    names = config_names(lab)
    alone = [name for name in lab.pools if name not in names]
    for name, pool in lab.pools.items():
        if name in names:
            lines += _pool(names[name], [*pool["hosts"], *alone], pool["hosts"], lab, folder, channels["infra"])
        else:
            lines += _host(pool["hosts"][0], lab, folder)
    first = next(iter(names.values()))
    lines += ["", f"[channels.{channels['infra']}]", f"default = {toml(first)}"]
    lines += ["", f"[channels.{channels['lab']}]", f"pools = {toml([first])}", f"default = {toml(first)}", ""]
    path = folder / "xenia.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def config_names(lab: RunningLab) -> dict[str, str]:
    """The lab's pools by their own names → what the configuration calls them: people type that after `in`, so it is one
    word. A host that stands alone, after the first, is not among them: it is there to be added to a pool.
    """
    names: dict[str, str] = {}
    for name, pool in lab.pools.items():
        if names and pool["hosts"] == [name]:
            continue
        word = re.sub(r"[^\w.-]+", "-", name).strip("-")[:50] or "pool"
        taken = set(names.values())
        names[name] = word if word not in taken else next(w for n in count(2) if (w := f"{word}-{n}") not in taken)
    return names


def _pool(name: str, reached: list[str], hosts: list[str], lab: RunningLab, folder: Path, channel: str) -> list[str]:
    """A pool's section: its hosts by the addresses that its database has, and where they really answer; and `reached`,
    with those that may join it: how to reach and to trust them is there already.
    """
    return [
        "",
        f"[pools.{toml(name)}]",
        f"hosts = {toml([_address(lab, host) for host in hosts])}",
        *_access(lab, reached, folder),
        f"approvals_channel = {toml(channel)}",
        "",
        f"[pools.{toml(name)}.address_map]",
        *(f"{toml(_address(lab, host))} = {toml(_end(lab, host))}" for host in reached),
    ]


def _host(host: str, lab: RunningLab, folder: Path) -> list[str]:
    """A stand-alone host's section."""
    return [
        "",
        f"[hosts.{toml(host)}]",
        f"address = {toml(_address(lab, host))}",
        *_access(lab, [host], folder),
        "",
        f"[hosts.{toml(host)}.address_map]",
        f"{toml(_address(lab, host))} = {toml(_end(lab, host))}",
    ]


def _access(lab: RunningLab, hosts: list[str], folder: Path) -> list[str]:
    return [
        f"username = {toml(lab.username)}",
        f"password = {toml(f'file:{folder}/pool-password')}",
        f"fingerprints = {toml([lab.fingerprints[host] for host in hosts])}",
    ]


def _end(lab: RunningLab, host: str) -> str:
    """Where the host really answers: `127.0.0.1:PORT`."""
    return lab.hosts[host].rpartition("//")[2]


def _address(lab: RunningLab, host: str) -> str:
    """The address that the host's database has."""
    end = _end(lab, host)
    return next((address for address, at in lab.addresses.items() if at == end), end)
