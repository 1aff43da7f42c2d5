"""`xenia sandbox pool`: serve a lab until a signal ends it. Also `python -m sandbox.xapi`."""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
from pathlib import Path

from sandbox.xapi.world import DEFAULT, LabError

_LOOK_SECONDS = 0.5
"""How often it is looked whether a signal went to another thread."""
DESCRIPTION = "Serve pretend XenServer hosts that speak XenAPI, on 127.0.0.1, until interrupted."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `run`."""
    parser.description = DESCRIPTION
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--lab", metavar="NAME", help=f"a named lab (default: {DEFAULT}); a wrong name lists them")
    source.add_argument("--db", metavar="FILE", type=Path, help="a pool database as xe pool-dump-database writes it")
    source.add_argument("--world", metavar="FILE", type=Path, help="a world saved from GET /sandbox/world")
    source.add_argument("--fleet", metavar="HOSTSxVMS", help="a generated pool, such as 64x4000")
    parser.add_argument("--upgrade", action="store_true", help="show the --db file as a current toolstack does")
    parser.add_argument("--pools", metavar="N", type=_natural, help="so many generated pools")
    parser.add_argument("--port", metavar="P", type=_port, default=0, help="the control server's port (default: any)")
    parser.add_argument("--tls", action="store_true", help="serve HTTPS with a self-signed certificate per host")
    parser.add_argument("--tls10", action="store_true", help="serve HTTPS that speaks nothing but TLS 1.0")
    parser.add_argument("--tls-as-released", action="store_true", help="serve HTTPS as each host's release had it")
    parser.add_argument("--record", metavar="FILE", type=Path, help="append one JSON line per call")
    parser.add_argument(
        "--speed", metavar="FACTOR", type=_positive, default=1.0, help="run simulated work so much faster (default: 1)"
    )
    parser.add_argument(
        "--account",
        metavar="NAME:ROLE",
        type=_account,
        action="append",
        default=[],
        help="an account besides root's, with root's password and a role such as read-only",
    )
    parser.add_argument(
        "--latency", metavar="SECONDS", type=_not_negative, default=0.0, help="let every call take so much longer"
    )


def run(args: argparse.Namespace) -> int:
    """Serve the lab that the arguments name; returns the exit status.

    Prints one JSON line (`RunningLab.ready`) on standard output when every host answers; what a file lacked, and
    anything that went wrong, goes to standard error.
    """
    # Here: a command line that only offers this one starts sooner.
    from sandbox.xapi import lab as labs
    from sandbox.xapi.running import start

    try:
        lab = labs.load(
            args.lab, db=args.db, upgrade=args.upgrade, world=args.world, fleet=args.fleet, pools=args.pools
        )
    except (LabError, OSError) as error:
        return _complain(str(error), 2)
    for pool in lab.pools:
        for note in pool.notes:
            _note(note)
    endings = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, endings)  # in every thread from here on, so that one can wait
    # Threads that libraries began before do not block it (NumPy's, where that is installed): it would end the process.
    caught: list[int] = []
    handlers = {each: signal.signal(each, lambda number, _: caught.append(number)) for each in endings}
    try:
        with start(
            lab,
            tls=args.tls or args.tls_as_released,
            tls10=None if args.tls_as_released else args.tls10,
            record=args.record,
            speed=args.speed,
            latency=args.latency,
            control_port=args.port,
            accounts=dict(args.account),
        ) as running:
            print(json.dumps(running.ready(), ensure_ascii=False), flush=True)  # noqa: T201 - the command's answer
            while not caught and signal.sigtimedwait(endings, _LOOK_SECONDS) is None:
                pass
    except OSError as error:
        return _complain(str(error), 1)
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return 0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.xapi")
    add_arguments(parser)
    return run(parser.parse_args(argv))


def _complain(text: str, status: int) -> int:
    _note(text)
    return status


def _note(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - where notes go


def _account(text: str) -> tuple[str, str]:
    from sandbox.xapi.roles import ROLES

    name, _, role = text.rpartition(":")
    if not name or role not in ROLES:
        raise argparse.ArgumentTypeError(f"must be a name and a role, as watcher:read-only; roles: {', '.join(ROLES)}")
    return name, role


def _natural(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("must be from 0 to 65535")
    return number


def _positive(text: str) -> float:
    number = _not_negative(text)
    if number == 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return number


def _not_negative(text: str) -> float:
    number = float(text)
    if not math.isfinite(number) or number < 0:
        raise argparse.ArgumentTypeError("must be a number from 0")
    return number
