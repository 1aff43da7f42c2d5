"""The control server: every action reaches the lab, and what cannot be meant is refused with a reason."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.xapi.control import ControlServer, WrongRequest
from tests.sandbox_xapi.wire.harness import PATIENCE


class FakeLab:
    """Notes what is asked of it."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        def note(*given: Any) -> Any:
            if given[:1] == ("xs9",):
                raise WrongRequest("there is no host 'xs9'")
            self.done.append((name, *given))
            return {"calls": {"VM.start": 2}, "world": {"pools": []}}.get(name)

        return note


class Control:
    """A client of the control server under test."""

    def __init__(self) -> None:
        self.lab = FakeLab()
        self.server = ControlServer(self.lab)

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self.server.url.removeprefix("http://"), timeout=PATIENCE)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def host(self, **members: Any) -> tuple[int, Any]:
        return self.ask("POST", "/sandbox/host", json.dumps(members).encode())


@pytest.fixture
def control() -> Iterator[Control]:
    made = Control()
    yield made
    made.server.stop()


@pytest.mark.parametrize(
    ("members", "done"),
    [
        ({"action": "kill"}, ("kill", "xs1")),
        ({"action": "start"}, ("start", "xs1")),
        ({"action": "pause"}, ("pause", "xs1")),
        ({"action": "resume"}, ("resume", "xs1")),
        ({"action": "drop", "when": "before"}, ("drop", "xs1", "before", 1, None)),
        (
            {"action": "drop", "when": "after", "count": 3, "method": "VM.start"},
            ("drop", "xs1", "after", 3, "VM.start"),
        ),
        ({"action": "slow", "seconds": 0.5}, ("slow", "xs1", 0.5, None)),
        ({"action": "slow", "seconds": 5, "method": "VM.start"}, ("slow", "xs1", 5.0, "VM.start")),
        ({"action": "clock", "offset": -90}, ("clock", "xs1", -90.0, 0.0)),
        ({"action": "clock", "offset": 1, "ppm": 50.5}, ("clock", "xs1", 1.0, 50.5)),
    ],
)
def test_actions(control: Control, members: dict[str, Any], done: tuple[Any, ...]) -> None:
    status, answer = control.host(host="xs1", **members)
    assert (status, answer) == (200, {"host": "xs1", "action": members["action"]})
    assert control.lab.done == [done]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({}, '"host" must be a text'),
        ({"host": ""}, '"host" must be a text'),
        ({"host": 5, "action": "kill"}, '"host" must be a text'),
        ({"host": "xs1"}, '"action" must be one of kill, start, pause, resume, drop, slow, clock'),
        ({"host": "xs1", "action": ["kill"]}, '"action" must be one of'),
        ({"host": "xs1", "action": "explode"}, '"action" must be one of'),
        ({"host": "xs1", "action": "kill", "when": "now"}, "not understood: when"),
        ({"host": "xs1", "action": "drop"}, '"when" must be one of before, after'),
        ({"host": "xs1", "action": "drop", "when": "during"}, '"when" must be one of before, after'),
        ({"host": "xs1", "action": "drop", "when": "after", "count": 0}, '"count" must be a whole number from 1'),
        ({"host": "xs1", "action": "drop", "when": "after", "count": True}, '"count" must be a whole number from 1'),
        ({"host": "xs1", "action": "drop", "when": "after", "method": 5}, '"method" must be a text'),
        ({"host": "xs1", "action": "slow"}, '"seconds" must be a number'),
        ({"host": "xs1", "action": "slow", "seconds": -1}, '"seconds" must be at least 0'),
        ({"host": "xs1", "action": "slow", "seconds": float("nan")}, '"seconds" must be a number'),
        ({"host": "xs1", "action": "clock", "offset": "1"}, '"offset" must be a number'),
        ({"host": "xs9", "action": "kill"}, "there is no host 'xs9'"),
    ],
)
def test_wrong_actions(control: Control, members: dict[str, Any], reason: str) -> None:
    status, answer = control.host(**members)
    assert status == 400
    assert reason in answer["error"]
    assert not control.lab.done


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'"text"', b"\xff"])
def test_wrong_bodies(control: Control, body: bytes) -> None:
    status, answer = control.ask("POST", "/sandbox/host", body)
    assert status == 400
    assert "body" in answer["error"]


def test_speed(control: Control) -> None:
    assert control.ask("POST", "/sandbox/speed", b'{"factor": 20}') == (200, {"factor": 20.0})
    for wrong in (b'{"factor": 0}', b'{"factor": -1}', b'{"factor": "fast"}', b"{}", b'{"factor": 1, "x": 2}'):
        assert control.ask("POST", "/sandbox/speed", wrong)[0] == 400
    assert control.lab.done == [("set_speed", 20.0)]


def test_what_can_be_asked(control: Control) -> None:
    assert control.ask("GET", "/sandbox/calls") == (200, {"VM.start": 2})
    assert control.ask("GET", "/sandbox/world") == (200, {"pools": []})


def test_other_addresses_and_methods(control: Control) -> None:
    assert control.ask("GET", "/elsewhere")[0] == 404
    assert control.ask("POST", "/sandbox/host/", b"{}")[0] == 404
    assert control.ask("GET", "/sandbox/host")[0] == 405
    assert control.ask("POST", "/sandbox/calls", b"{}")[0] == 405
