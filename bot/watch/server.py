"""`/healthz`, `/readyz` and `/metrics` over plain HTTP: 200, or 503 with what is wrong. Nothing can be changed here."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

from bot import listening
from bot.errors import Unavailable
from bot.watch.health import Health

_log = logging.getLogger(__name__)

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_JSON = "application/json"

Pages = dict[str, Callable[[], tuple[int, str, bytes]]]


class WatchServer:
    """Listens from the moment it is made.

    :raises Unavailable: the address cannot be listened on.
    """

    def __init__(self, address: str, port: int, health: Health, metrics: Callable[[], bytes]) -> None:
        class Handler(_Handler):
            pages: ClassVar[Pages] = {
                "/healthz": lambda: _verdict(health.well()),
                "/readyz": lambda: _verdict(health.ready()),
                "/metrics": lambda: (200, _TEXT, metrics()),
            }

        try:
            self._server = _Server((address, port), Handler)
        except (OSError, OverflowError) as error:
            raise Unavailable(
                f"Nothing can listen on {address}, port {port} ([watch]).",
                remedy="Another program may have the port, or the machine not the address: set watch.port and"
                " watch.address to what is free.",
                evidence=(str(getattr(error, "strerror", "") or error),),
            ) from error
        Thread(target=self._server.serve_forever, name="watch", daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, where: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = listening.family(where[0])
        super().__init__(where, handler)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - socketserver's
        """Somebody who hangs up in the middle is no news."""
        _log.debug("an answer could not be given to %s", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    pages: ClassVar[Pages]
    timeout = 5
    server_version = "xenia"
    sys_version = ""

    def do_GET(self) -> None:
        page = self.pages.get(self.path.partition("?")[0])
        status, kind, content = page() if page else (404, _JSON, b'{"error": "there is no such page"}\n')
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        _log.debug(format, *args)


def _verdict(checks: dict[str, str]) -> tuple[int, str, bytes]:
    wrong = {name: why for name, why in checks.items() if why}
    told = {"ok": not wrong, "checks": {name: why or "ok" for name, why in checks.items()}}
    return 503 if wrong else 200, _JSON, json.dumps(told).encode() + b"\n"
