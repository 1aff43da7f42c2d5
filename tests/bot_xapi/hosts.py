"""Pretend hosts for faults below XenAPI: they read requests byte by byte and answer, cut, or keep silent as told."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
import xmlrpc.client
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Self

from bot.model import Expect, Object, ObjectId, PoolTarget, Step, Trace, Value

Handler = Callable[[str, list[Any]], Any]
JsonRpc = Callable[[bytes], bytes]
"""What a host answers to a request at `/jsonrpc`: the body, out of the body of what XenAPI answers."""

CUT_BEFORE = "cut before reading"
CUT_AFTER = "cut after taking"
HALF = "half an answer"
SILENT = "no answer"
GARBAGE = "not XML-RPC"
NO_STATUS = "XML-RPC, but not XenAPI"
HTTP_500 = "HTTP 500"
CLOSE_AFTER = "answer, then close without a word"
SAY_CLOSE = "answer with Connection: close"
TRICKLE = "byte by byte, for ever"


class Failure(Exception):
    """The handler's way to answer an error array."""

    def __init__(self, *description: str) -> None:
        super().__init__(*description)
        self.description = list(description)


VM1, XS2 = ObjectId("VM", "v1-uuid", "web-1"), ObjectId("host", "h2-uuid", "xs2")
ON_XS2 = Expect(object=VM1, field="resident_on", equals=Object(XS2))
CALL = "Async.VM.pool_migrate"
MIGRATE = Step(
    title="Move web-1 to xs2",
    target=PoolTarget("p-uuid"),
    call="VM.pool_migrate",
    arguments=(Object(VM1), Object(XS2), Value({"live": "true"})),
    trace=Trace(object=VM1, operation="pool_migrate"),
    expect=(ON_XS2,),
)


class WallClock:
    """The real clock, with `sleep` that only moves its own time."""

    def __init__(self) -> None:
        self.slept = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic() + self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


class PretendHost:
    """Speaks XML-RPC on 127.0.0.1, and JSON-RPC when `json_rpc` is set: it is given the right answer, and its own is
    sent. `faults` are used up one per request that they fit: (method or "*", fault).

    `taken` counts the calls that were carried out, `requests` the requests that arrived whole (`by_json` those by
    JSON-RPC, which a host without it counts nowhere else), `connections` the connections, `bytes_in` what came in over
    an accepted (decrypted) connection.
    """

    def __init__(self, handler: Handler, *, tls: ssl.SSLContext | None = None, json_rpc: JsonRpc | None = None) -> None:
        self._handler = handler
        self._json_rpc = json_rpc
        self._tls = tls
        self.faults: list[tuple[str, str]] = []
        self.taken: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        self.by_json: Counter[str] = Counter()
        self.connections = 0
        self.bytes_in = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._released = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        if self._released.is_set():
            return
        self._released.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.drop_connections()
        self._thread.join(5)

    def drop_connections(self) -> None:
        """Close every open connection, as a restarted toolstack does."""
        with self._lock:
            connections, self._open = self._open, set()
        for connection in connections:
            _close(connection)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self.connections += 1
            self._open.add(connection)
        try:
            if self._tls is not None:
                secure = self._tls.wrap_socket(connection, server_side=True)
                with self._lock:
                    self._open.discard(connection)
                    self._open.add(secure)
                connection = secure
            while self._one(connection):
                pass
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            _close(connection)

    def _one(self, connection: socket.socket) -> bool:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return False
            self.bytes_in += len(piece)
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-l")))
        if self._fault("*", CUT_BEFORE):
            return False
        while len(body) < length:
            body += connection.recv(65536)
        by_json = head.startswith(b"POST /jsonrpc ")
        if by_json:
            call = json.loads(body)
            assert call["jsonrpc"] == "2.0"
            assert b"application/json" in head
            arguments, method = call["params"], call["method"]
            self.by_json[method] += 1
            if self._json_rpc is None:
                return self._send(connection, b"<html>Internal Error</html>", HTTP_500)
        else:
            arguments, method = xmlrpc.client.loads(body)
            assert method is not None
        self.requests[method] += 1
        fault = self._take_fault(method)
        if fault == CUT_BEFORE:
            return False
        if fault == SILENT:
            self._released.wait(30)
            return False
        answer = self._json_answer(method, arguments, call["id"]) if by_json else self._answer(method, list(arguments))
        if fault == CUT_AFTER:
            return False
        return self._send(connection, answer, fault)

    def _send(self, connection: socket.socket, answer: bytes, fault: str) -> bool:
        status = b"500 Internal Error" if fault == HTTP_500 else b"200 OK"
        if fault == GARBAGE:
            answer = b"<html>it works</html>"
        if fault == NO_STATUS:
            answer = xmlrpc.client.dumps((["no", "status"],), methodresponse=True).encode()
        ending = b"Connection: close\r\n" if fault == SAY_CLOSE else b""
        head = b"HTTP/1.1 " + status + b"\r\n" + ending + b"Content-Length: %d\r\n\r\n" % len(answer)
        if fault == TRICKLE:
            for at in range(len(answer)):
                if self._released.wait(0.02):
                    return False
                connection.sendall((head if at == 0 else b"") + answer[at : at + 1])
        if fault == HALF:
            connection.sendall(head + answer[: len(answer) // 2])
            return False
        connection.sendall(head + answer)
        return fault not in (CLOSE_AFTER, SAY_CLOSE)

    def _answer(self, method: str, arguments: list[Any]) -> bytes:
        try:
            value = self._handler(method, arguments)
        except Failure as failure:
            answer: Mapping[str, Any] = {"Status": "Failure", "ErrorDescription": failure.description}
        else:
            self.taken[method] += 1
            answer = {"Status": "Success", "Value": "" if value is None else value}
        return xmlrpc.client.dumps((dict(answer),), methodresponse=True).encode()

    def _json_answer(self, method: str, arguments: list[Any], number: int) -> bytes:
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": number}
        try:
            answer["result"] = self._handler(method, arguments)
        except Failure as failure:
            code, *rest = failure.description
            answer["error"] = {"code": 1, "message": code, "data": rest}
        else:
            self.taken[method] += 1
        assert self._json_rpc is not None
        return self._json_rpc(json.dumps(answer, ensure_ascii=False).encode())

    def _fault(self, method: str, fault: str) -> bool:
        with self._lock:
            if (method, fault) in self.faults:
                self.faults.remove((method, fault))
                return True
            return False

    def _take_fault(self, method: str) -> str:
        with self._lock:
            for wanted in self.faults:
                if wanted[0] in (method, "*"):
                    self.faults.remove(wanted)
                    return wanted[1]
        return ""


class PretendPool:
    """The little XenAPI that sessions and reading need, with a database of plain records."""

    def __init__(self, records: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.records: dict[str, dict[str, Any]] = {
            name: dict(table) for name, table in (records or small_pool()).items()
        }
        self.sessions: set[str] = set()
        self.password = "secret"
        self.logins = 0
        self.generation = 1
        self.deleted: list[tuple[int, str, str]] = []
        self.changed: dict[str, int] = {}
        self.extra: dict[str, Handler] = {}
        self.lock = threading.Lock()

    def __call__(self, method: str, arguments: list[Any]) -> Any:
        with self.lock:
            if method == "session.login_with_password":
                return self._login(arguments)
            if arguments[:1] and arguments[0] not in self.sessions:
                raise Failure("SESSION_INVALID", str(arguments[0]))
            if method in self.extra:
                return self.extra[method](method, arguments[1:])
            if method == "session.logout":
                return self.sessions.discard(arguments[0])
            if method == "session.get_this_host":
                return self.records["pool"][next(iter(self.records["pool"]))]["master"]
            if method == "event.from":
                return self._events(arguments[2])
            cls, _, message = method.partition(".")
            if message == "get_all_records":
                return self.records.get(cls, {})
            if message == "get_record" and arguments[1] in self.records.get(cls, {}):
                return self.records[cls][arguments[1]]
            if message == "get_by_uuid":
                for ref, record in self.records.get(cls, {}).items():
                    if record["uuid"] == arguments[1]:
                        return ref
                raise Failure("UUID_INVALID", cls, arguments[1])
            if message == "get_uuid" and arguments[1] in self.records.get(cls, {}):
                return self.records[cls][arguments[1]]["uuid"]
            if message.startswith("get_"):
                raise Failure("HANDLE_INVALID", cls, arguments[1])
            raise Failure("MESSAGE_METHOD_UNKNOWN", method)

    def put(self, cls: str, ref: str, **fields: Any) -> None:
        with self.lock:
            self._put(cls, ref, fields)

    def _put(self, cls: str, ref: str, fields: Mapping[str, Any]) -> None:
        self.generation += 1
        self.records.setdefault(cls, {})[ref] = {**self.records.get(cls, {}).get(ref, {}), **fields}
        self.changed[ref] = self.generation

    def remove(self, cls: str, ref: str, *, silently: bool = False) -> None:
        with self.lock:
            self.generation += 1
            del self.records[cls][ref]
            if not silently:
                self.deleted.append((self.generation, cls, ref))

    def _login(self, arguments: list[Any]) -> str:
        self.logins += 1
        if arguments[1] != self.password:
            raise Failure("SESSION_AUTHENTICATION_FAILED", str(arguments[0]), "Authentication failure")
        handle = f"OpaqueRef:session-{self.logins}"
        self.sessions.add(handle)
        return handle

    def _events(self, token: str) -> Mapping[str, Any]:
        since = int(token.split(",")[0]) if token else 0
        events: list[dict[str, Any]] = []
        for cls, table in self.records.items():
            for ref, record in table.items():
                if self.changed.get(ref, 1) > since:
                    operation = "mod" if since else "add"
                    events.append({"class": cls.lower(), "operation": operation, "ref": ref, "snapshot": record})
        if since:
            dead = [entry for entry in self.deleted if entry[0] > since]
            events += [{"class": cls.lower(), "operation": "del", "ref": ref} for _, cls, ref in dead]
        counts = {cls.lower(): 0 if cls == "message" else len(table) for cls, table in self.records.items()}
        return {"events": events, "valid_ref_counts": counts, "token": f"{self.generation:020d},{0:020d}"}


def small_pool() -> dict[str, dict[str, Any]]:
    """Two hosts and one VM."""
    return {
        "pool": {"OpaqueRef:p": {"uuid": "p-uuid", "name_label": "lab", "master": "OpaqueRef:h1"}},
        "host": {
            f"OpaqueRef:h{n}": {
                "uuid": f"h{n}-uuid",
                "name_label": f"xs{n}",
                "address": f"10.0.0.10{n}",
                "metrics": "OpaqueRef:NULL",
                "other_config": {"agent_start_time": "1."},
            }
            for n in (1, 2)
        },
        "VM": {
            "OpaqueRef:v1": {
                "uuid": "v1-uuid",
                "name_label": "web-1",
                "power_state": "Running",
                "resident_on": "OpaqueRef:h1",
                "current_operations": {},
            },
            "OpaqueRef:v2": {
                "uuid": "v2-uuid",
                "name_label": "web-2",
                "power_state": "Running",
                "resident_on": "OpaqueRef:h1",
                "current_operations": {},
            },
        },
        "task": {},
        "message": {},
    }


def member_of(address: str) -> Handler:
    """A host that is a member: it names its coordinator before it looks at the password."""

    def answer(method: str, arguments: list[Any]) -> Any:
        raise Failure("HOST_IS_SLAVE", address)

    return answer


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Closing alone does not reach a thread that waits in recv.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    connection.close()
