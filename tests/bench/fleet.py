"""Pools of any size, served by a process of their own so that their work is not counted as the bot's, and a bot that
reads them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import XenAPI

from bot import compose, config
from bot.answers import Answer, Ask, Shown
from bot.cli.people import OperatingSystem
from bot.compose import Bot
from bot.demo.lab import config_names, write_config
from bot.model import Actor, Place, Report
from bot.xapi.jsonrpc import JsonRpc
from bot.xapi.line import Line
from sandbox.slack.running import RunningWorkspace
from sandbox.xapi.running import RunningLab


@dataclass
class Served:
    """A lab in another process, by the line it printed when it was ready."""

    ready: dict[str, Any]

    def calls(self) -> Counter[str]:
        """Calls that its hosts have taken, by method."""
        with urllib.request.urlopen(f"{self.ready['control']}/sandbox/calls", timeout=60) as answer:
            return Counter(json.load(answer))

    def rename_a_vm(self, name: str) -> None:
        """One change by another client."""
        url = next(iter(self.ready["hosts"].values()))
        session = XenAPI.Session(url, ignore_ssl=True)
        session.xenapi.login_with_password(self.ready["username"], self.ready["password"], "1.0", "bench")
        guests = session.xenapi.VM.get_all()
        session.xenapi.VM.set_name_description(guests[-1], name)
        session.xenapi.session.logout()


@contextmanager
def served(size: str = "", *options: str) -> Iterator[Served]:
    """`HOSTSxVMS` over HTTPS, or what `options` say, in a process that ends with the block."""
    command = [sys.executable, "-m", "sandbox.xapi", *(("--fleet", size) if size else ()), "--tls", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Served(json.loads(process.stdout.readline()))
        finally:
            process.terminate()


_shared: dict[str, Served] = {}
_sharing: list[ExitStack] = []


@contextmanager
def sharing() -> Iterator[None]:
    """Within the block a lab of a size is started once, for all who ask for it by :func:`shared`."""
    with ExitStack() as stack:
        _sharing.append(stack)
        try:
            yield
        finally:
            _sharing.pop()
            _shared.clear()


@contextmanager
def shared(size: str) -> Iterator[Served]:
    """As :func:`served`, perhaps with others, one after another."""
    if not _sharing:
        with served(size) as lab:
            yield lab
        return
    if size not in _shared:
        _shared[size] = _sharing[-1].enter_context(served(size))
    yield _shared[size]


@dataclass
class Cost:
    """What something cost the pool and the line: calls by method, bytes of answers."""

    calls: Counter[str]
    received: int = 0

    def told(self) -> str:
        each = ", ".join(f"{method} {count}" for method, count in sorted(self.calls.items()))
        return f"{self.calls.total()} ({each})"


@dataclass
class Reader:
    """A bot at a fleet, asked as from the terminal, with an eye on what its answers cost."""

    bot: Bot
    pool: str
    fleet: Served
    received: list[int] = field(default_factory=list)

    def ask(self, text: str) -> Answer:
        actor = Actor(kind="slack", id=f"{self.bot.settings.slack.team}/U0OLGA", name="olga")
        place = Place(kind="terminal", team=self.bot.settings.slack.team)
        return self.bot.engine.answer(Ask(text=f"{text} in {self.pool}", actor=actor, place=place))

    def report_of_all(self, text: str) -> Report:
        """As :meth:`report`, without naming a pool."""
        actor = Actor(kind="slack", id=f"{self.bot.settings.slack.team}/U0OLGA", name="olga")
        place = Place(kind="terminal", team=self.bot.settings.slack.team)
        answer = self.bot.engine.answer(Ask(text=text, actor=actor, place=place))
        assert isinstance(answer, Shown), answer
        return answer.report

    def report(self, text: str) -> Report:
        answer = self.ask(text)
        assert isinstance(answer, Shown), answer
        return answer.report

    @contextmanager
    def costing(self) -> Iterator[Cost]:
        """What the block costs."""
        before, first = self.fleet.calls(), len(self.received)
        cost = Cost(Counter())
        yield cost
        cost.calls = self.fleet.calls() - before
        cost.received = sum(self.received[first:])


@contextmanager
def reader(fleet: Served, folder: Path, workspace: RunningWorkspace, *, by_json: bool = True) -> Iterator[Reader]:
    """A bot that has read nothing yet. Without `by_json` it takes its hosts to know XML-RPC only."""
    ready = cast(RunningLab, SimpleNamespace(**fleet.ready))
    settings = config.load(write_config(folder, ready, workspace))
    received: list[int] = []

    exchange = Line.exchange

    def counted(self: Line, *arguments: Any, **options: Any) -> Iterator[bytes]:
        for piece in exchange(self, *arguments, **options):
            received.append(len(piece))
            yield piece

    with (
        mock.patch.object(Line, "exchange", counted),
        nullcontext() if by_json else mock.patch.object(JsonRpc, "offered_by", return_value=False),
        compose.assembled(settings, OperatingSystem(settings), settings.slack.team) as made,
    ):
        yield Reader(made, config_names(ready)[next(iter(ready.pools))], fleet, received)
