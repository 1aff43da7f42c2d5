"""`xenia manifest`: the Slack app, as Slack takes it in."""

from __future__ import annotations

import argparse
import json
import sys

from bot.cli.common import Parsers
from bot.slack.manifest import manifest


def add_parser(parts: Parsers[argparse.ArgumentParser]) -> None:
    """Add `xenia manifest`."""
    app = parts.add_parser("manifest", help="the Slack app's manifest, to paste where Slack asks for one")
    app.add_argument("--name", default="Xenia", help="what the app is called in Slack (default: Xenia)")
    app.add_argument("--command", default="/xen", help="the slash command (default: /xen)")
    app.add_argument("--request-url", metavar="URL", default="", help="HTTP mode: the address that Slack delivers to")
    app.set_defaults(run=_manifest)


def _manifest(options: argparse.Namespace) -> int:
    made = manifest(name=options.name, command=options.command, request_url=options.request_url)
    sys.stdout.write(json.dumps(made, indent=2, ensure_ascii=False) + "\n")
    return 0
