"""The `xenia` command line."""

from __future__ import annotations

import argparse
import getpass
import json
import logging
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

from bot import (
    cli_completion,
    cli_config,
    cli_database,
    cli_doctor,
    cli_ledger,
    cli_pools,
    cli_setup,
    cli_vote,
    compose,
    config,
    logs,
    trial,
)
from bot.answers import Ask, Opened, Problem, Shown
from bot.cli_common import OperatingSystem, follow, person, progressing
from bot.clock import SystemClock
from bot.config.reading import command_names
from bot.errors import Denied, UserError
from bot.model import Actor, Attachment, Entry, Level, Place
from bot.signals import until_stopped
from bot.slack.manifest import manifest
from bot.terminal import Terminal, as_json

log = logging.getLogger(__name__)

DEFAULT_CONFIG = Path("xenia.toml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the process's exit status: 0 done, 1 refused or found wrong, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    logs.to_stderr(logging.DEBUG if options.verbose else logging.INFO if options.run is _run else logging.WARNING)
    try:
        return int(options.run(options))
    except UserError as error:
        return Terminal(sys.stderr).show(Problem.of(error))
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="xenia", description="Runs XenServer and XCP-ng pools from Slack, with approvals."
    )
    parser.add_argument("--verbose", action="store_true", help="log everything")
    parts = parser.add_subparsers(required=True, metavar="COMMAND")

    run = parts.add_parser("run", help="listen in Slack until stopped")
    run.set_defaults(run=_run)

    cmd = parts.add_parser("cmd", help="one command, from the terminal")
    cmd.add_argument("text", nargs="+", help="the command, as it is typed in Slack after /xen")
    cmd.add_argument("--as", dest="as_", metavar="NAME", help="act as this login of [terminal]; only in the sandbox")
    cmd.add_argument("--json", action="store_true", help="the answer as JSON")
    cmd.add_argument("--to", metavar="DIRECTORY", type=Path, help="write the answer's files there (as of audit files)")
    cmd.add_argument("--wait", action="store_true", help="for a change: wait until it has ended")
    limit = "wait so long at most; status 3 when it has not ended then"
    cmd.add_argument("--limit", metavar="SECONDS", type=float, default=math.inf, help=limit)
    cmd.set_defaults(run=_cmd)

    votes = cli_vote.add_parsers(parts)

    checks = parts.add_parser("config", help="the configuration").add_subparsers(required=True, metavar="ACTION")
    check = checks.add_parser("check", help="is the configuration right?")
    check.add_argument("--offline", action="store_true", help="do not ask Slack whether it knows the people named")
    check.add_argument("--live", action="store_true", help="try everything: secrets, Slack, channels, pools, ports")
    check.set_defaults(run=cli_config.check)
    accept = cli_pools.add_parser(checks)

    record, memory = cli_ledger.add_parsers(parts), cli_database.add_parsers(parts)
    care = cli_doctor.add_parsers(parts)
    cli_setup.add_parser(parts)
    cli_completion.add_parsers(parts, parser)

    app = parts.add_parser("manifest", help="the Slack app's manifest, to paste where Slack asks for one")
    app.add_argument("--name", default="Xenia", help="what the app is called in Slack (default: Xenia)")
    app.add_argument("--command", default="/xen", help="the slash command (default: /xen)")
    app.add_argument("--request-url", metavar="URL", default="", help="HTTP mode: the address that Slack delivers to")
    app.set_defaults(run=_manifest)

    for part in (run, cmd, *votes, check, accept, *record, *memory, *care):
        part.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="default: xenia.toml")

    _add_sandbox(parts)
    return parser


def _add_sandbox(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    try:
        from bot import demo
    except ImportError:  # installed without the sandbox's dependencies: the rest works
        return
    demo.add_parsers(parts)


def _run(options: argparse.Namespace) -> int:
    settings = config.load(options.config)
    logs.to_stderr(logging.INFO, settings.bot.log)
    with until_stopped() as stopped, compose.running(settings):
        Thread(target=_first_look, args=(settings,), name="first-look", daemon=True).start()
        stopped.wait()
    return 0


def _first_look(settings: config.Settings) -> None:
    """Say in the log what will not work, before somebody needs it. A pool that is away keeps nobody waiting."""
    for point in (*trial.here(settings), *trial.of_pools(settings.pool_settings(), command_names(), SystemClock())):
        if point.level is not Level.OK:
            log.log(logging.ERROR if point.level is Level.BAD else logging.WARNING, "%s %s", point.text, point.remedy)


def _cmd(options: argparse.Namespace) -> int:
    settings = config.load(options.config)
    actor = _actor(settings, options.as_)
    with compose.assembled(settings, OperatingSystem(), settings.slack.team) as bot:
        ask = Ask(
            text=" ".join(options.text),
            actor=actor,
            place=Place(kind="terminal", team=settings.slack.team),
            cannot_post="The terminal is no channel, and the pool has no approvals_channel.",
        )
        with progressing():
            answer = bot.engine.answer(ask)
        terminal = Terminal(sys.stdout)
        if options.json:
            sys.stdout.write(as_json(answer) + "\n")
            status = 0 if not isinstance(answer, Problem) else 1
        else:
            status = terminal.show(answer)
        if isinstance(answer, Shown) and answer.report.attachments:
            _keep(answer.report.attachments, options.to, Terminal(sys.stderr))
        if isinstance(answer, Opened) and (options.wait or bot.runner.running()):
            return follow(bot, answer.request_id, options.limit)
        return status


def _keep(files: Sequence[Attachment], folder: Path | None, terminal: Terminal) -> None:
    """:raises UserError: they cannot be written there."""
    if folder is None:
        terminal.line("With --to DIRECTORY the files are written there.")
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            (folder / Path(file.name).name).write_bytes(file.data)
    except OSError as error:
        raise UserError(
            f"The files cannot be written to {folder}: {error.strerror or type(error).__name__}.",
            remedy="Name a directory that you may write to.",
        ) from error
    terminal.line(f"Written to {folder}")


def _actor(settings: config.Settings, as_name: str | None) -> Actor:
    """Who acts. A login that `[terminal]` names is that person of Slack, so that nobody can approve in Slack what they
    asked for here.

    :raises Denied: `--as` outside the sandbox; recorded.
    """
    login = getpass.getuser()
    if as_name is not None and not settings.bot.sandbox:
        store = compose.open_store(settings, SystemClock())
        try:
            actor = Actor(kind="terminal", id=login, name=login)
            store.record(
                Entry(kind="refused", actor=actor, body={"text": f"--as {as_name}", "reason": "not the sandbox"})
            )
        finally:
            store.close()
        raise Denied(
            "--as works only against the sandbox.",
            remedy="Here everybody acts as themselves: the login of this machine, as [terminal] names it.",
        )
    name = as_name or login
    known = person(settings, name)
    if known is None and as_name is not None:
        raise Denied(f"There is no {as_name} under [terminal] in the configuration.")
    return known or Actor(kind="terminal", id=login, name=login)


def _manifest(options: argparse.Namespace) -> int:
    made = manifest(name=options.name, command=options.command, request_url=options.request_url)
    sys.stdout.write(json.dumps(made, indent=2, ensure_ascii=False) + "\n")
    return 0
