"""Recorded-style cases of our own: each file is a conversation with the pool of `world.py`.

A step calls, and says the answer: `value`, `failure`, or `has` (a part of a record). `@label` is the reference of the
world's object of that label, `#label` its uuid, `$name` a reference that is met for the first time in an answer and
must stay the same. `until` repeats the call until it answers so.
"""

from __future__ import annotations

import json
import pathlib
import time
from typing import Any

import pytest

from sandbox.xapi.failure import Failure
from sandbox.xapi.values import Time
from tests.sandbox_xapi.core.world import Client, ident, ref

CASES = sorted((pathlib.Path(__file__).parent / "cases").glob("*.json"))
PATIENCE = 60.0


class Names:
    def __init__(self) -> None:
        self.known: dict[str, Any] = {}

    def resolve(self, value: Any) -> Any:
        if isinstance(value, str) and value[:1] == "@":
            return ref(value[1:])
        if isinstance(value, str) and value[:1] == "#":
            return ident(value[1:])
        if isinstance(value, str) and value[:1] == "$":
            return self.known[value]
        if isinstance(value, list):
            return [self.resolve(v) for v in value]
        if isinstance(value, dict):
            return {self.resolve(k): self.resolve(v) for k, v in value.items()}
        return value

    def same(self, want: Any, have: Any) -> bool:
        if isinstance(want, str) and want[:1] == "$":
            return bool(self.known.setdefault(want, have) == have)
        if isinstance(want, list) and isinstance(have, list):
            left = list(have)
            for item in want:
                found = next((x for x in left if self.same(item, x)), None)
                if found is None:
                    return False
                left.remove(found)
            return not left
        if isinstance(want, dict) and isinstance(have, dict):
            wanted = {self.resolve(k): v for k, v in want.items()}
            return wanted.keys() == have.keys() and all(self.same(v, have[k]) for k, v in wanted.items())
        resolved, have = self.resolve(want), str(have) if isinstance(have, Time) else have
        if isinstance(resolved, str) and resolved.startswith("~"):
            return isinstance(have, str) and resolved[1:] in have
        return (type(resolved) is type(have) and bool(resolved == have)) or (have is None and resolved == "")


def answers(names: Names, step: dict[str, Any], client: Client) -> tuple[bool, Any]:
    try:
        have = client(step["call"], *names.resolve(step.get("params", [])))
    except Failure as failure:
        return "failure" in step and names.same(step["failure"], failure.description), failure.description
    if "has" in step:
        return all(names.same(v, have.get(k)) for k, v in step["has"].items()), have
    return "value" in step and names.same(step["value"], have), have


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_case(path: pathlib.Path, client: Client) -> None:
    names = Names()
    for number, step in enumerate(json.loads(path.read_text()), 1):
        deadline = time.monotonic() + PATIENCE
        ok, have = answers(names, step, client)
        while not ok and step.get("until") and time.monotonic() < deadline:
            time.sleep(0.005)
            ok, have = answers(names, step, client)
        assert ok, f"step {number}: {json.dumps(step)} answered {str(have)[:600]}"


def test_there_are_cases() -> None:
    assert len(CASES) >= 8
