"""`xenia sandbox slack`: a pretend workspace until it is interrupted."""

import argparse
import json
import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType

from sandbox.slack.blockkit import switches
from sandbox.slack.running import start
from sandbox.slack.settings import Settings, Switches


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--record", type=Path, metavar="FILE", help="append a JSON line per call and per delivery")
    parser.add_argument("--request-url", metavar="URL", help="deliver by signed HTTP to URL instead of Socket Mode")
    parser.add_argument(
        "--request-ca", type=Path, metavar="PEM", help="check an https URL's certificate with these authorities"
    )
    parser.add_argument("--should-escape", action="store_true", help="commands get mentions as <@U…|name>")
    parser.add_argument("--smart-quotes", action="store_true", help="typed quotes and dashes become typographic ones")
    parser.add_argument("--no-rate-limits", action="store_true", help="answer as often as asked")
    parser.add_argument(
        "--lenient",
        action="append",
        default=[],
        choices=sorted(switches()),
        metavar="RULE",
        help=f"do not enforce an uncertain Block Kit rule: {', '.join(sorted(switches()))}",
    )
    parser.add_argument("--clock-scale", type=float, default=1.0, help="how many times faster Slack's time limits run")


def settings_of(args: argparse.Namespace) -> Settings:
    chosen = Switches(
        rate_limits=not args.no_rate_limits,
        smart_quotes=args.smart_quotes,
        block_rules_off=frozenset(args.lenient),
    )
    plain = Settings(switches=chosen, request_url=args.request_url, request_ca=args.request_ca)
    commands = tuple(replace(one, should_escape=args.should_escape) for one in plain.commands)
    return replace(plain, commands=commands)


def run(args: argparse.Namespace) -> int:
    """Print one JSON line when ready, then serve until interrupted."""
    with start(settings_of(args), port=args.port, record=args.record, clock_scale=args.clock_scale) as workspace:

        def stop(_number: int, _frame: FrameType | None) -> None:
            raise KeyboardInterrupt

        try:
            signal.signal(signal.SIGTERM, stop)
            sys.stdout.write(json.dumps(workspace.ready_line()) + "\n")
            sys.stdout.flush()
            workspace.join()
        except KeyboardInterrupt:  # whenever it comes: also right after the line above
            return 0
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.slack", description="A pretend Slack workspace.")
    add_arguments(parser)
    return run(parser.parse_args())
