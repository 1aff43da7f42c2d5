"""`--record FILE`: one JSON line per call that a host took, without sessions and without secrets.

A line is `{"method", "args", "result"}`, or `"error"` (XenAPI's error array) in place of the result. The session is
left out of the arguments; what is secret (passwords, private keys, the values of secrets, a session that a login
answers) is written as `(hidden)`, also where an error repeats it.
"""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

from sandbox.xapi.model import model
from sandbox.xapi.wire import Call, Outcome

HIDDEN = "(hidden)"

_NEWEST = "orinoco"
_SECRET_NAME = re.compile(
    r"password|passwd|passphrase|pwd|private_key|cluster_token|(?:^|_)(?:pass|p?secret)$", re.IGNORECASE
)
_SECRET_PARAMS = {("pool.sync_updates", "token"), ("secret.set_value", "value")}
_SECRET_RESULT = re.compile(r"session\.(?:\w*login\w*|create_from_db_file)|secret\.get_value")


class Recording:
    """Appends to a file; each line is written whole, and is in the file when the answer is sent."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def add(self, call: Call, outcome: Outcome) -> None:
        line = json.dumps(entry(call, outcome), ensure_ascii=False, default=_other)
        with self._lock:
            if not self._file.closed:
                self._file.write(line + "\n")
                self._file.flush()

    def close(self) -> None:
        with self._lock:
            self._file.close()


def entry(call: Call, outcome: Outcome) -> dict[str, Any]:
    """What is recorded of a call."""
    name = call.method.removeprefix("Async.")
    message = model(_NEWEST).message(name)
    sessions = call.params[:1] if message is None or message.needs_session else []
    args = call.params[len(sessions) :]
    names = [param.name for param in message.params] if message else []
    secret_at = {i for i, param in enumerate(names) if _SECRET_NAME.search(param) or (name, param) in _SECRET_PARAMS}
    secrets = [str(value) for value in [*sessions, *(args[i] for i in secret_at if i < len(args))] if value]
    of_secrets = name.startswith("secret.")
    line: dict[str, Any] = {
        "method": call.method,
        "args": [HIDDEN if i in secret_at else _without_secrets(value, of_secrets) for i, value in enumerate(args)],
    }
    if outcome.failure is not None:
        line["error"] = [_blotted(text, secrets) for text in outcome.failure]
    elif _SECRET_RESULT.fullmatch(name):
        line["result"] = HIDDEN
    else:
        line["result"] = "" if outcome.value is None else _without_secrets(outcome.value, of_secrets)
    return line


def _without_secrets(value: Any, of_secrets: bool) -> Any:
    if isinstance(value, list):
        return [_without_secrets(item, of_secrets) for item in value]
    if isinstance(value, dict):
        return {
            key: HIDDEN
            if isinstance(item, str) and item and (_SECRET_NAME.search(key) or (of_secrets and key == "value"))
            else _without_secrets(item, of_secrets)
            for key, item in value.items()
        }
    return value


def _blotted(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def _other(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(type(value).__name__)
