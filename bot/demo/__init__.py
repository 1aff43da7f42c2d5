"""The pretend lab, the pretend workspace and the bot in one process: the only part of the bot that knows the
sandbox.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import sandbox.slack.main as slack_sandbox
import sandbox.xapi.main as pool_sandbox
from bot.demo.lab import demo
from bot.signals import until_stopped


def add_parsers(parts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `xenia demo` and `xenia sandbox` to the command line."""
    shown = parts.add_parser("demo", help="try everything, in a pretend lab and a pretend Slack workspace")
    shown.add_argument("--script", action="store_true", help="play a tour in the terminal and check every answer")
    shown.add_argument("--port", type=int, default=0, help="port of the workspace's page (default: a free one)")
    shown.add_argument("--lab", default="tutorial", help="which lab (default: tutorial)")
    shown.add_argument("--keep", metavar="DIRECTORY", help="where the configuration and the database are kept")
    shown.set_defaults(run=_demo)

    pretend = parts.add_parser("sandbox", help="pretend pools and a pretend Slack workspace, each by itself")
    kinds = pretend.add_subparsers(required=True, metavar="KIND")
    for name, module in (("pool", pool_sandbox), ("slack", slack_sandbox)):
        parser = kinds.add_parser(name)
        module.add_arguments(parser)
        parser.set_defaults(run=module.run)


def program() -> str:
    """How `xenia` is called from where this runs: by its name where that finds it, else by its path."""
    here = Path(sys.executable).with_name("xenia")
    found = shutil.which("xenia")
    if not here.exists() or (found and Path(found).resolve() == here.resolve()):
        return "xenia"
    return str(here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else here)


def _demo(options: argparse.Namespace) -> int:
    if options.script:
        from bot.demo.tour import play

        return play()
    with until_stopped() as stopped, demo(lab=options.lab, port=options.port, keep=options.keep) as running:
        lines = (
            "",
            f"  The workspace:    {running.workspace.page}",
            f"  The pools:        {', '.join(running.bot.pools.names())}",
            f'  From a terminal:  {program()} cmd --config {running.config} --as operator "pool status"',
            "",
            "  Open the workspace in a browser and type /xen. Ctrl-C ends it.",
            "",
        )
        sys.stdout.write("\n".join(lines))
        sys.stdout.flush()
        stopped.wait()
    return 0
