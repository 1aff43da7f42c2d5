"""What this machine has to offer: secrets, a place for the memory, free ports."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bot import listening
from bot.config import Settings, secret
from bot.config.secret import exposed, is_secret
from bot.errors import UserError
from bot.model import Level
from bot.store.connection import check_directory, check_file
from bot.store.presence import running
from bot.text import plural
from bot.trial.point import Point

LEAST_BYTES = 200 * 1024 * 1024
"""Below this much room on the database's disk somebody should look: a full disk stops every change."""


def here(settings: Settings) -> Iterator[Point]:
    """Every secret, the database's place, and the ports."""
    yield from _secrets(settings)
    yield from _memory(settings)
    if not running(settings.bot.database):  # else the ports are in use by ourselves
        yield from _ports(settings)


def of_file(path: Path) -> Iterator[Point]:
    """The configuration's own file: who can change it can make anybody an approver."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return  # it was read a moment ago; what has become of it is said when it is read again
    if mode & stat.S_IWOTH:  # a group is often one's own
        text = f"the configuration {path} can be changed by every login of this machine (mode {mode:o})"
        yield Point(Level.WARN, text, f"It says who may approve: chmod o-w {path}")


def _secrets(settings: Settings) -> Iterator[Point]:
    found = dict(_named(settings, ""))
    good = 0
    for where, reference in found.items():
        try:
            secret(reference)()
        except UserError as error:
            why = f" ({'; '.join(error.evidence)})" if error.evidence else ""
            yield Point(Level.BAD, f"{where}: {error.message}{why}", error.remedy)
            continue
        if why := exposed(reference):
            yield Point(Level.WARN, f"{where}: {why}")
        else:
            good += 1
    yield Point(Level.OK, f"{plural(good, 'secret')} can be read, by the bot's account alone")


def _named(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """The settings that name a secret, with what they name."""
    if isinstance(value, BaseModel):
        for name, held in value:
            yield from _named(held, f"{where}.{name}" if where else name)
    elif isinstance(value, dict):
        for name, held in value.items():
            yield from _named(held, f"{where}.{name}")
    elif isinstance(value, str) and is_secret(value):
        yield where, value


def _memory(settings: Settings) -> Iterator[Point]:
    database = settings.bot.database.absolute()
    try:
        check_directory(database, writing=True)
        if database.exists():
            check_file(database)
    except UserError as error:
        yield Point.of(error)
        return
    free = shutil.disk_usage(database.parent).free
    if free < LEAST_BYTES:
        room = f"{free // 1024 // 1024} MiB are left on the disk of {database}"
        yield Point(Level.WARN, room, "Make room: on a full disk nothing can be changed any more.")
    yield Point(Level.OK, f"the memory {database} {'is there' if database.exists() else 'can be made'}")


def _ports(settings: Settings) -> Iterator[Point]:
    wanted = []
    if settings.slack.mode == "http":
        wanted.append(("slack.http_port", settings.slack.http_address, settings.slack.http_port))
    if settings.watch.port is not None:
        wanted.append(("watch.port", settings.watch.address, settings.watch.port))
    for name, address, port in wanted:
        try:
            with socket.socket(listening.family(address), socket.SOCK_STREAM) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind((address, port))
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            yield Point(Level.BAD, f"{name}: nothing can listen on {address}, port {port}: {why}", "Set another one.")
        else:
            yield Point(Level.OK, f"{name}: {address}, port {port}, is free")
