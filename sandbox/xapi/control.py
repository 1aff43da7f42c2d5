"""The control server: what fate can do to a lab, over HTTP; it outlives every host.

    POST /sandbox/host   {"host", "action", …}      one action on one host, see `ACTIONS`
    POST /sandbox/speed  {"factor"}                 how much faster than real simulated work runs
    GET  /sandbox/calls                             {method: calls taken by hosts}
    GET  /sandbox/world                             the whole lab as it is now, as `--world` loads it

An answer is JSON. A request that cannot be meant gets 400 with {"error": reason}.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from sandbox.xapi.connections import LOOPBACK
from sandbox.xapi.faults import When

BODY_LIMIT_BYTES = 64 * 1024


class WrongRequest(ValueError):
    """A control request that cannot be meant; the text says why, for a person."""


class Controlled(Protocol):
    """The lab that is controlled. Host arguments are a name, an address or a uuid; each raises WrongRequest for a host
    that there is not, or that cannot do that now."""

    def kill(self, host: str) -> None: ...
    def start(self, host: str) -> None: ...
    def pause(self, host: str) -> None: ...
    def resume(self, host: str) -> None: ...
    def drop(self, host: str, when: When, count: int = 1, method: str | None = None) -> None: ...
    def slow(self, host: str, seconds: float, method: str | None = None) -> None: ...
    def clock(self, host: str, offset: float, ppm: float = 0.0) -> None: ...
    def set_speed(self, factor: float) -> None: ...
    def calls(self) -> Mapping[str, int]: ...
    def world(self) -> Any: ...


class _Fields:
    """A request's members, taken one by one; whatever is left at the end was not understood."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._left = dict(body)

    def text(self, name: str) -> str:
        value = self._left.pop(name, None)
        if not isinstance(value, str) or not value:
            raise WrongRequest(f'"{name}" must be a text')
        return value

    def optional_text(self, name: str) -> str | None:
        if self._left.get(name) is None:
            self._left.pop(name, None)
            return None
        return self.text(name)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self._left.pop(name, None)
        if value not in choices:
            raise WrongRequest(f'"{name}" must be one of {", ".join(choices)}')
        return str(value)

    def number(self, name: str, *, least: float | None = None, default: float | None = None) -> float:
        value = self._left.pop(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise WrongRequest(f'"{name}" must be a number')
        if least is not None and value < least:
            raise WrongRequest(f'"{name}" must be at least {least:g}')
        return float(value)

    def count(self, name: str) -> int:
        value = self._left.pop(name, 1)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise WrongRequest(f'"{name}" must be a whole number from 1')
        return value

    def end(self) -> None:
        if self._left:
            raise WrongRequest(f"not understood: {', '.join(sorted(self._left))}")


def _no_more(do: Callable[[Controlled, str], None]) -> Callable[[Controlled, str, _Fields], Callable[[], None]]:
    return lambda lab, host, _fields: lambda: do(lab, host)


def _drop(lab: Controlled, host: str, fields: _Fields) -> Callable[[], None]:
    when: When = "before" if fields.choice("when", ("before", "after")) == "before" else "after"
    count, method = fields.count("count"), fields.optional_text("method")
    return lambda: lab.drop(host, when, count, method)


def _slow(lab: Controlled, host: str, fields: _Fields) -> Callable[[], None]:
    seconds, method = fields.number("seconds", least=0), fields.optional_text("method")
    return lambda: lab.slow(host, seconds, method)


def _clock(lab: Controlled, host: str, fields: _Fields) -> Callable[[], None]:
    offset, ppm = fields.number("offset", default=0), fields.number("ppm", default=0)
    return lambda: lab.clock(host, offset, ppm)


ACTIONS: dict[str, Callable[[Controlled, str, _Fields], Callable[[], None]]] = {
    "kill": _no_more(lambda lab, host: lab.kill(host)),
    "start": _no_more(lambda lab, host: lab.start(host)),
    "pause": _no_more(lambda lab, host: lab.pause(host)),
    "resume": _no_more(lambda lab, host: lab.resume(host)),
    "drop": _drop,
    "slow": _slow,
    "clock": _clock,
}
"""Each reads its members of the request, and answers what is to be done once nothing is left unread."""


def _host(lab: Controlled, body: dict[str, Any]) -> dict[str, Any]:
    fields = _Fields(body)
    host, action = fields.text("host"), fields.choice("action", tuple(ACTIONS))
    do = ACTIONS[action](lab, host, fields)
    fields.end()
    do()
    return {"host": host, "action": action}


def _speed(lab: Controlled, body: dict[str, Any]) -> dict[str, Any]:
    fields = _Fields(body)
    factor = fields.number("factor")
    fields.end()
    if factor <= 0:
        raise WrongRequest('"factor" must be more than 0')
    lab.set_speed(factor)
    return {"factor": factor}


_POST: dict[str, Callable[[Controlled, dict[str, Any]], Any]] = {"/sandbox/host": _host, "/sandbox/speed": _speed}
_GET: dict[str, Callable[[Controlled], Any]] = {
    "/sandbox/calls": lambda lab: dict(lab.calls()),
    "/sandbox/world": lambda lab: lab.world(),
}


class ControlServer:
    """Serves one lab's control requests on 127.0.0.1 until `stop`."""

    def __init__(self, lab: Controlled, port: int = 0) -> None:
        """Raises OSError when the port is taken."""

        class Handler(_Handler):
            controlled = lab

        self._server = ThreadingHTTPServer((LOOPBACK, port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="xapi-control", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    controlled: Controlled

    def do_GET(self) -> None:
        self._do(_GET, _POST, lambda asked: asked(self.controlled))

    def do_POST(self) -> None:
        self._do(_POST, _GET, lambda asked: asked(self.controlled, self._body()))

    def log_message(self, format: str, *args: Any) -> None:
        """Tests and the demo read standard error; it stays quiet."""

    def _do(self, known: Mapping[str, Any], other: Mapping[str, Any], answer: Callable[[Any], Any]) -> None:
        path = self.path.partition("?")[0]
        if path not in known:
            self.close_connection = True  # a body may still be unread
            status, said = (405, "not this method") if path in other else (404, "there is no such address")
            self._send(status, {"error": f"{self.command} {path}: {said}"})
            return
        try:
            self._send(200, answer(known[path]))
        except WrongRequest as wrong:
            self._send(400, {"error": str(wrong)})

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > BODY_LIMIT_BYTES:
            self.close_connection = True
            raise WrongRequest("a JSON body is needed, with its length, of 64 KiB at most")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except ValueError as error:
            raise WrongRequest(f"the body is not JSON: {error}") from error
        if not isinstance(body, dict):
            raise WrongRequest("the body must be a JSON object")
        return body

    def _send(self, status: int, body: Any) -> None:
        data = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
