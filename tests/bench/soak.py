"""`python -m tests.bench.soak`: days of commands, changes, audits and events through the real process, at full speed.

The bot is `xenia run`, a process of its own; both sandboxes and the people are in this one. Memory, threads, file
handles and the database's size are sampled; what is printed is how they change per thousand commands, by least squares
over the second half, when caches are filled and threads are started.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.e2e.conftest import Town, text_of, town

ROOT = Path(__file__).parents[2]
COMMANDS_A_DAY, CHANGES_A_DAY, AUDITS_A_DAY, EVENTS_A_DAY = 600, 24, 96, 4800
"""A busy team: a command every two and a half minutes, a change and four audits an hour, an event every 18 seconds."""
LOOKS = ("pool status", "vm list", "host list", "vm show web-1", "ha status", "vm why web-1", "pending", "log", "help")
AUDITS = ("audit run compatibility", "audit run clock")
PAGE_KB = 1024
AS_THE_UNIT = {"MALLOC_ARENA_MAX": "2"}
"""What `deploy/xenia.service` sets that memory depends on."""
_COUNTED = re.compile(r"^xenia_commands_total\{[^}]*\} ([\d.e+]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Sample:
    """Sizes in kB."""

    commands: int
    memory: float
    threads: float
    handles: float
    database: float


class Bot:
    """The process, looked at from outside."""

    def __init__(self, config: Path) -> None:
        self._log = config.with_name("log")
        with self._log.open("wb") as log:
            words = [sys.executable, "-m", "bot", "run", "--config", str(config)]
            self.process = subprocess.Popen(words, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, **AS_THE_UNIT})
        self._database = config.with_name("xenia.sqlite3")
        patiently(lambda: "listening in Slack" in self._log.read_text(), "the bot")
        found = re.search(r"watched at (http://[\d.:]+)", self._log.read_text())
        assert found is not None
        self._page = found[1]

    def answered(self) -> int:
        """Commands answered so far."""
        with urllib.request.urlopen(f"{self._page}/metrics", timeout=60) as page:
            return int(sum(map(float, _COUNTED.findall(page.read().decode()))))

    def sample(self) -> Sample:
        of = Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":", 1) for line in (of / "status").read_text().splitlines())
        beside = self._database.parent.glob(f"{self._database.name}*")
        return Sample(
            commands=self.answered(),
            memory=float(status["VmRSS"].split()[0]),
            threads=float(status["Threads"]),
            handles=float(sum(1 for _ in (of / "fd").iterdir())),
            database=sum(path.stat().st_size for path in beside) / PAGE_KB,
        )

    def close(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)

    def troubles(self) -> list[str]:
        """The errors in its log, each with its traceback, whose lines are indented."""
        lines = re.split(r"\n(?! )", self._log.read_text())
        return [line for line in lines if " ERROR " in line.partition("\n")[0]]


def patiently(found: Callable[[], object], what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)


class Team:
    """The people, and what goes on in the pool meanwhile."""

    def __init__(self, place: Town, bot: Bot) -> None:
        self._place = place
        self._bot = bot
        self._asked = 0
        self._looks = itertools.cycle(LOOKS)
        self._audits = itertools.cycle(AUDITS)
        self._targets = itertools.cycle(("xs2", "xs1"))
        self._api = place.xenapi()
        self._vms = self._api.VM.get_all()
        self.changes = self.audits = self.events = 0

    def say(self, *texts: str, channel: str = "#lab") -> None:
        """Several at once, as a team does; returns when all are answered."""
        for text in texts:
            self._place.workspace.say("olga", channel, f"/xen {text}")
        self._asked += len(texts)
        patiently(lambda: self._bot.answered() >= self._asked, "the answers")

    def look(self, count: int) -> None:
        self.say(*itertools.islice(self._looks, count))

    def audit(self) -> None:
        self.say(next(self._audits))
        self.audits += 1

    def stir(self, count: int) -> None:
        """Things change in the pool by themselves."""
        for number in range(count):
            self._api.VM.set_name_description(self._vms[number % len(self._vms)], f"{self.events + number}")
        self.events += count

    def change(self) -> None:
        """Ask for a migration, have it approved, and wait until its card says that it is over."""
        self.say(f"vm migrate web-1 to {next(self._targets)}", channel="#infra")
        self.changes += 1
        request = f"X-{self.changes}"
        patiently(lambda: self._place.card(request), f"the card of {request}")
        card = self._place.card(request)
        assert card is not None
        self._place.workspace.press("ana", channel="#infra", ts=card["ts"], text="Approve")
        patiently(lambda: "Done in" in text_of(self._place.card(request) or {"blocks": [], "text": ""}), request)


def slope(samples: list[Sample], of: Callable[[Sample], float]) -> float:
    """How much it changes per 1,000 commands, by least squares."""
    xs, ys = [sample.commands / 1000 for sample in samples], [of(sample) for sample in samples]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread if spread else 0.0


def soak(days: float, minutes: float) -> tuple[list[Sample], Team, int, list[str]]:
    """:returns: the samples, what was done, the bot's exit status, and the errors in its log."""
    rounds = max(round(CHANGES_A_DAY * days), 4)
    each = {"look": COMMANDS_A_DAY, "audit": AUDITS_A_DAY, "stir": EVENTS_A_DAY}
    share = {name: round(count / CHANGES_A_DAY) for name, count in each.items()}
    deadline = time.monotonic() + minutes * 60
    with tempfile.TemporaryDirectory(prefix="xenia-soak-") as folder:
        listening: Callable[[str], str] = lambda text: text + "\n[watch]\nport = 0\n"  # noqa: E731
        with town(Path(folder), run=False, speed=200, change=listening) as place:
            bot = Bot(place.config)
            try:
                team, samples = Team(place, bot), [bot.sample()]
                for _ in range(rounds):
                    team.look(share["look"])
                    team.stir(share["stir"])
                    for _ in range(share["audit"]):
                        team.audit()
                    team.change()
                    samples.append(bot.sample())
                    if time.monotonic() > deadline:
                        break
            finally:
                status = bot.close()
            return samples, team, status, bot.troubles()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=3.0, help="so many days' work (default: 3)")
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after so long (default: 60)")
    options = parser.parse_args()
    started = time.monotonic()
    samples, team, status, troubles = soak(options.days, options.minutes)
    first, last, half = samples[0], samples[-1], samples[len(samples) // 2 :]
    taken = time.monotonic() - started
    done = f"{last.commands} commands ({team.changes} changes, {team.audits} audits), {team.events} events"
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(f"{done}: {last.commands / COMMANDS_A_DAY:.1f} days' work in {taken:.0f} s, exit status {status}")
    table = Table("", "at the start", "at the end", "per 1,000 commands", box=None)
    measures: tuple[tuple[str, str, Callable[[Sample], float]], ...] = (
        ("memory", "MB", lambda sample: sample.memory / 1024),
        ("threads", "", lambda sample: sample.threads),
        ("file handles", "", lambda sample: sample.handles),
        ("database", "MB", lambda sample: sample.database / 1024),
    )
    for name, unit, of in measures:
        numbers = (of(first), of(last), slope(half, of))
        told = [f"{number:{sign},.1f} {unit}" for number, sign in zip(numbers, ("", "", "+"), strict=True)]
        table.add_row(name, *told)
    console.print(table)
    console.print(f"{len(troubles)} errors in the log", *troubles[:5], sep="\n")
    return status or bool(troubles)


if __name__ == "__main__":
    raise SystemExit(main())
