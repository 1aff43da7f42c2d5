"""What is said of a pool that cannot be asked: each host by its name where it is known, with what came of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from bot.errors import OutcomeUnknown, Unavailable
from bot.text import one_line, quoted
from bot.xapi.addresses import same
from bot.xapi.broken import Broken, TooMuch
from bot.xapi.coordinator import LONGEST_ADDRESS, Tried


class Words:
    """`called` is the pool as people call it. Thread-safe."""

    def __init__(self, called: str) -> None:
        self.called = called
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}

    @property
    def addresses(self) -> tuple[str, ...]:
        """The hosts that are known by name: more doors to knock at when the coordinator is gone."""
        with self._lock:
            return tuple(self._names)

    def learn(self, names: Mapping[str, str]) -> None:
        """The pool's hosts, address → name."""
        with self._lock:
            self._names = dict(names)

    def remember(self, names: Mapping[str, str]) -> None:
        """As :meth:`learn`, from an earlier run of the bot: counts for as long as nothing newer is known."""
        with self._lock:
            self._names = self._names or dict(names)

    def unavailable(self, answers: list[str], remedy: str = "", *, message: str = "") -> Unavailable:
        return Unavailable(message or f"The {self.called} cannot be reached.", remedy=remedy, evidence=tuple(answers))

    def too_much(self, broken: TooMuch) -> Unavailable:
        return self.unavailable(
            [self.line(broken)],
            "Look for what is there in such numbers (snapshots, disks, tasks), and whether it is a pool that answers.",
            message=f"The {self.called} answers with more than the bot reads.",
        )

    def unknown(self, line: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"The {self.called} may or may not have taken the call: {line}.",
            remedy="It is not sent again; the bot looks what became of it.",
        )

    def line(self, broken: Broken) -> str:
        return f"{self.host(broken.address)} {broken.why}"

    def answer(self, tried: Tried) -> str:
        return f"{self.host(tried.endpoint.address)} {tried.words}"

    def answers(self, tried: list[Tried]) -> list[str]:
        return [self.answer(each) for each in tried]

    def host(self, address: str) -> str:
        """The host at an address, as people know it."""
        with self._lock:
            name = next((name for known, name in self._names.items() if same(known, address)), "")
        shown = one_line(address, LONGEST_ADDRESS)  # a member may name anything
        return f"{quoted(name)} ({shown})" if name and name != address else shown
