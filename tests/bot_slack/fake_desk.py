"""An engine that answers what a test tells it to, and notes what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from bot.answers import Answer, Ask, Form, FormField, Problem, Repeated, Shown, VoteAsk, Voted
from bot.errors import Choice, ParseError, Unavailable
from bot.model import Actor, Report, Request

MIGRATE = Form(
    command="vm migrate",
    title="vm migrate",
    summary="Move a running VM to another host.",
    fields=(
        FormField(name="vm", label="VM", object_class="VM", required=True),
        FormField(name="host", label="Host", object_class="host", required=False),
        FormField(name="note", label="Note", object_class="", required=False),
        FormField(name="force", label="Force", object_class="", required=False, flag=True),
    ),
)


class FakeDesk:
    """`vm migrate` alone lacks arguments; everything else is shown back. With `hold`, work waits until `release`."""

    def __init__(self) -> None:
        self.asks: list[Ask] = []
        self.votes: list[VoteAsk] = []
        self.submitted: list[tuple[str, dict[str, str]]] = []
        self.offered: list[tuple[str, str, dict[str, str]]] = []
        self.requests: dict[str, Request] = {}
        self.reply: Callable[[Ask], Answer] = lambda ask: Shown(Report(title=f"you said {ask.text}"))
        self.vote_reply: Callable[[VoteAsk], Answer] = lambda _: Voted("Counted.")
        self.choices: tuple[Choice, ...] = (Choice("web-1 – on xs1", "uuid-1"), Choice("web-2", "uuid-2"))
        self.fillable = True
        self.forgeries: list[str] = []
        self.started: list[str] = []
        self._seen: set[str] = set()
        self._gate = threading.Event()
        self._gate.set()
        self._lock = threading.Lock()

    def hold(self) -> None:
        self._gate.clear()

    def release(self) -> None:
        self._gate.set()

    def form(self, text: str) -> Form | None:
        if text == "nonsense":
            raise ParseError("There is no such command.", text=text, start=0, end=8)
        return MIGRATE if text == "vm migrate" else None

    def needs_pools(self, text: str) -> bool:
        return not text.startswith(("request", "help"))

    def answer(self, ask: Ask) -> Answer:
        if not self._first(ask.delivery_key, holds=self.needs_pools(ask.text)):
            return Repeated()
        with self._lock:
            self.asks.append(ask)
        if ask.text == "nonsense":
            return Problem(error="parse", message="There is no such command.", text="nonsense", start=0, end=8)
        return self.reply(ask)

    def fill(self, form: Form, ask: Ask) -> Form:
        self._wait("fill")
        if not self.fillable:
            raise Unavailable("The pool lab does not answer.", remedy="Try later.")
        return form

    def options(self, command: str, field: str, typed: str, values: Mapping[str, str], ask: Ask) -> tuple[Choice, ...]:
        self._wait("options")
        self.offered.append((field, typed, dict(values)))
        return tuple(choice for choice in self.choices if typed in choice.label)

    def submit(self, command: str, values: Mapping[str, str], ask: Ask) -> Answer:
        if self._first(ask.delivery_key):
            self.submitted.append((command, dict(values)))
            self.asks.append(ask)
            return self.reply(ask)
        return Repeated()

    def forged(self, why: str) -> None:
        self.forgeries.append(why)

    def vote(self, ask: VoteAsk) -> Answer:
        if not self._first(ask.delivery_key):
            return Repeated()
        self.votes.append(ask)
        return self.vote_reply(ask)

    def request(self, request_id: str, actor: Actor) -> Request | None:
        return self.requests.get(request_id)

    def _first(self, key: str, *, holds: bool = True) -> bool:
        if holds:
            self._wait(key)
        with self._lock:
            if key in self._seen:
                return False
            self._seen.add(key)
            return True

    def _wait(self, what: str) -> None:
        with self._lock:
            self.started.append(what)
        if not self._gate.wait(30):
            raise TimeoutError("the desk was never released")
