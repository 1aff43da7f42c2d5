"""Counts and the optional record: a JSON line per Web API call and per delivery, never with a token."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, TextIO

SECRET_KEYS = frozenset({"token", "ticket"})


def without_secrets(value: Any) -> Any:
    """A copy without tokens, and without the ticket in a Socket Mode address."""
    if isinstance(value, dict):
        return {key: without_secrets(one) for key, one in value.items() if key not in SECRET_KEYS}
    if isinstance(value, list):
        return [without_secrets(one) for one in value]
    if isinstance(value, str) and "?ticket=" in value:
        return value.partition("?ticket=")[0] + "?ticket=…"
    return value


class Record:
    """Counts by method and by kind of delivery; lines appended to `path` when one is given."""

    def __init__(self, path: Path | None = None) -> None:
        self.calls: Counter[str] = Counter()
        self.deliveries: Counter[str] = Counter()
        self._file: TextIO | None = path.open("a", encoding="utf-8", buffering=1) if path else None

    def call(self, method: str, args: dict[str, Any], result: Any) -> None:
        self.calls[method] += 1
        self._write({"method": method, "args": args, "result": result})

    def delivery(self, kind: str, payload: dict[str, Any], outcome: str, seconds: float, answer: Any) -> None:
        """`outcome`: acknowledged, or why not; `seconds`: real time until then."""
        self._write(
            {"delivery": kind, "payload": payload, "outcome": outcome, "seconds": round(seconds, 4), "answer": answer}
        )

    def close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def _write(self, line: dict[str, Any]) -> None:
        if self._file:
            self._file.write(json.dumps(without_secrets(line), ensure_ascii=False) + "\n")
