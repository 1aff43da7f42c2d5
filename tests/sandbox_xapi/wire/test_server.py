"""A host's connections: HTTP, keep-alive, life and death, pauses, cuts and delays."""

from __future__ import annotations

import socket
import threading
import time
import xmlrpc.client
from typing import Any

import pytest

from sandbox.xapi.failure import HostDown
from sandbox.xapi.server import HostServer
from tests.sandbox_xapi.wire.harness import (
    PATIENCE,
    FakeToolstack,
    Serve,
    ask,
    connect,
    is_ended,
    post,
    read_answer,
    xml_answer,
    xml_call,
)

CALL = post("/", xml_call("VM.get_all", "OpaqueRef:s"))
SHORT = 0.3
SLOW = 1.5
"""Seconds that a slow answer takes here; one that is not slow takes fewer, also on a machine with other work."""
"""Seconds in which an answer that is held back must not come."""


def value_of(answer: tuple[str, dict[str, str], bytes]) -> Any:
    return xml_answer(answer[2])["Value"]


@pytest.fixture
def toolstack() -> FakeToolstack:
    return FakeToolstack(**{"VM.get_all": ["OpaqueRef:1"]})


@pytest.fixture
def host(serve: Serve, toolstack: FakeToolstack) -> HostServer:
    return serve(toolstack)


def refuses(host: HostServer) -> bool:
    with pytest.raises(ConnectionRefusedError):
        connect(host)
    return True


class TestHttp:
    def test_headers_of_an_answer(self, host: HostServer) -> None:
        with connect(host) as sock:
            sock.sendall(CALL)
            data = sock.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        assert head.decode().split("\r\n") == [
            "HTTP/1.1 200 OK",
            f"content-length: {len(body)}",
            "connection: keep-alive",
            "cache-control: no-cache, no-store",
            "content-type: text/xml",
            "Access-Control-Allow-Origin: *",
            "Access-Control-Allow-Headers: X-Requested-With",
        ]

    def test_a_connection_serves_many_calls(self, host: HostServer, toolstack: FakeToolstack) -> None:
        with connect(host) as sock:
            for _ in range(3):
                sock.sendall(CALL)
                assert value_of(read_answer(sock)) == ["OpaqueRef:1"]
        assert toolstack.taken["VM.get_all"] == 3

    def test_requests_may_arrive_together_or_in_pieces(self, host: HostServer) -> None:
        with connect(host) as sock:
            sock.sendall(CALL + CALL)
            both = b""
            while both.count(b"</methodResponse>") < 2:
                both += sock.recv(65536)
            sock.sendall(CALL[:20])
            for i in range(20, len(CALL), 40):
                sock.sendall(CALL[i : i + 40])
            assert value_of(read_answer(sock)) == ["OpaqueRef:1"]

    @pytest.mark.parametrize(
        ("version", "header", "kept"),
        [
            ("1.1", "X: y", True),
            ("1.1", "Connection: close", False),
            ("1.0", "X: y", False),
            ("1.0", "Connection: keep-alive", True),
        ],
    )
    def test_who_keeps_the_connection(self, host: HostServer, version: str, header: str, kept: bool) -> None:
        with connect(host) as sock:
            sock.sendall(post("/", xml_call("VM.get_all", "s"), header, version=version))
            status, headers, _ = read_answer(sock)
            assert status == f"HTTP/{version} 200 OK"
            assert headers["connection"] == ("keep-alive" if kept else "close")
            if kept:
                sock.sendall(CALL)
                read_answer(sock)
            else:
                assert is_ended(sock)

    @pytest.mark.parametrize(
        ("data", "status"),
        [
            (b"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found"),
            (b"PUT /import HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 403 Forbidden"),
            (b"DELETE / HTTP/1.0\r\n\r\n", "HTTP/1.0 501 Method not implemented"),
            (b"nonsense\r\n\r\n", "HTTP/1.1 500 Internal Error"),
            (b"POST / HTTP/1.1\r\n\r\n", "HTTP/1.1 500 Internal Error"),
            (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 500 Internal Error"),
            (b"POST / HTTP/1.1\r\nContent-Length: 307201\r\n\r\n", "HTTP/1.1 500 Internal Error"),
            (b"POST / HTTP/1.1\r\nX: " + b"y" * 1100 + b"\r\n\r\n", "HTTP/1.1 431 Request Header Fields Too Large"),
        ],
    )
    def test_requests_that_are_no_calls(
        self, host: HostServer, toolstack: FakeToolstack, data: bytes, status: str
    ) -> None:
        with connect(host) as sock:
            sock.sendall(data)
            answered, headers, _ = read_answer(sock)
            assert answered == status
            assert headers["content-type"] == "text/html"
            assert is_ended(sock)
        assert not toolstack.taken

    def test_a_browser_may_ask_first(self, host: HostServer) -> None:
        asked = b"OPTIONS / HTTP/1.1\r\nAccess-Control-Request-Headers: content-type\r\n\r\n"
        status, headers, body = ask(host, asked)
        assert (status, body) == ("HTTP/1.1 200 OK", b"")
        assert headers["Access-Control-Allow-Headers"] == "content-type, X-Requested-With"

    def test_a_bug_is_an_internal_error_and_no_success(self, serve: Serve) -> None:
        def broken(params: list[Any]) -> Any:
            return params[5]

        answer = ask(serve(FakeToolstack(**{"VM.get_all": broken})), CALL)
        failure = xml_answer(answer[2])["ErrorDescription"]
        assert failure == ["INTERNAL_ERROR", "IndexError('list index out of range')"]


class TestManyConnections:
    def test_idle_ones_take_no_threads(self, host: HostServer, toolstack: FakeToolstack) -> None:
        before = threading.active_count()
        socks = [connect(host) for _ in range(200)]
        try:
            for sock in socks:
                sock.sendall(CALL)
                read_answer(sock)
            assert threading.active_count() - before < 10
            for sock in reversed(socks):
                sock.sendall(CALL)
                assert value_of(read_answer(sock)) == ["OpaqueRef:1"]
        finally:
            for sock in socks:
                sock.close()
        assert toolstack.taken["VM.get_all"] == 400

    def test_waiting_calls_do_not_hold_up_others(self, serve: Serve) -> None:
        release = threading.Event()
        toolstack = FakeToolstack(**{"event.from": lambda params: release.wait(PATIENCE), "VM.get_all": []})
        host = serve(toolstack)
        waiting = [connect(host) for _ in range(50)]
        try:
            for sock in waiting:
                sock.sendall(post("/", xml_call("event.from", "s")))
            assert value_of(ask(host, CALL)) == []
            release.set()
            assert [value_of(read_answer(sock)) for sock in waiting] == [True] * 50
        finally:
            for sock in waiting:
                sock.close()


class TestLife:
    def test_a_dead_host_refuses_and_breaks_what_was_open(self, host: HostServer) -> None:
        with connect(host) as idle:
            idle.sendall(CALL)
            read_answer(idle)
            host.kill()
            assert is_ended(idle)
        assert refuses(host)

    def test_it_comes_back_at_the_same_address(self, host: HostServer) -> None:
        port = host.port
        for _ in range(3):
            host.kill()
            assert refuses(host)
            host.start()
            assert host.port == port
            assert value_of(ask(host, CALL)) == ["OpaqueRef:1"]

    def test_nobody_gets_its_port_meanwhile(self, host: HostServer) -> None:
        host.kill()
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", host.port))

    def test_a_call_in_progress_gets_no_answer(self, serve: Serve) -> None:
        release = threading.Event()
        toolstack = FakeToolstack(**{"VM.start": lambda params: release.wait(PATIENCE)})
        host = serve(toolstack)
        with connect(host) as sock:
            sock.sendall(post("/", xml_call("VM.start", "s")))
            assert toolstack.called.wait(PATIENCE)
            host.kill()
            assert is_ended(sock)
        release.set()

    def test_a_toolstack_that_says_it_is_down_answers_nothing(self, serve: Serve) -> None:
        def down(_params: list[Any]) -> Any:
            raise HostDown

        with connect(serve(FakeToolstack(**{"VM.get_all": down}))) as sock:
            sock.sendall(CALL)
            assert is_ended(sock)


class TestPause:
    def test_it_accepts_and_does_not_answer_until_it_goes_on(self, host: HostServer, toolstack: FakeToolstack) -> None:
        with connect(host) as old, connect(host) as new:
            old.sendall(CALL)
            read_answer(old)
            host.faults.pause()
            for sock in (old, new):
                sock.settimeout(SHORT)
                sock.sendall(CALL)
                with pytest.raises(TimeoutError):
                    sock.recv(1)
            assert toolstack.taken["VM.get_all"] == 1
            host.faults.resume()
            for sock in (old, new):
                sock.settimeout(PATIENCE)
                assert value_of(read_answer(sock)) == ["OpaqueRef:1"]

    def test_an_answer_on_its_way_is_held_too(self, serve: Serve) -> None:
        release = threading.Event()
        toolstack = FakeToolstack(**{"VM.start": lambda params: release.wait(PATIENCE)})
        host = serve(toolstack)
        with connect(host) as sock:
            sock.sendall(post("/", xml_call("VM.start", "s")))
            assert toolstack.called.wait(PATIENCE)
            host.faults.pause()
            release.set()
            sock.settimeout(SHORT)
            with pytest.raises(TimeoutError):
                sock.recv(1)

    def test_a_call_that_waited_when_it_died_is_never_taken(self, host: HostServer, toolstack: FakeToolstack) -> None:
        host.faults.pause()
        with connect(host) as sock:
            sock.sendall(CALL)
            sock.settimeout(SHORT)
            with pytest.raises(TimeoutError):
                sock.recv(1)
            sock.settimeout(PATIENCE)
            host.kill()
            host.start()
            assert is_ended(sock)
        assert value_of(ask(host, CALL)) == ["OpaqueRef:1"]
        assert toolstack.taken["VM.get_all"] == 1


class TestCuts:
    def test_before_the_call_is_taken(self, host: HostServer, toolstack: FakeToolstack) -> None:
        host.faults.drop("before")
        with connect(host) as sock:
            sock.sendall(CALL)
            assert is_ended(sock)
        assert toolstack.taken["VM.get_all"] == 0
        ask(host, CALL)
        assert toolstack.taken["VM.get_all"] == 1

    def test_after_the_call_was_executed(self, host: HostServer, toolstack: FakeToolstack) -> None:
        host.faults.drop("after")
        with connect(host) as sock:
            sock.sendall(CALL)
            assert is_ended(sock)
        assert toolstack.taken["VM.get_all"] == 1

    def test_the_standard_client_sends_it_again(self, host: HostServer, toolstack: FakeToolstack) -> None:
        """Why a bot must not use that client's transport: one call of the caller, two effects."""
        with xmlrpc.client.ServerProxy(host.url) as proxy:
            proxy.VM.get_all("s")
            host.faults.drop("after")
            assert proxy.VM.get_all("s") == {"Status": "Success", "Value": ["OpaqueRef:1"]}
        assert toolstack.taken["VM.get_all"] == 3

    def test_only_so_many_calls_of_that_method(self, host: HostServer, toolstack: FakeToolstack) -> None:
        host.faults.drop("before", count=2, method="VM.get_all")
        ask(host, post("/", xml_call("host.get_all", "s")))
        for _ in range(2):
            with connect(host) as sock:
                sock.sendall(CALL)
                assert is_ended(sock)
        assert value_of(ask(host, CALL)) == ["OpaqueRef:1"]
        assert toolstack.taken == {"host.get_all": 1, "VM.get_all": 1}


class TestDelays:
    def seconds(self, host: HostServer, data: bytes) -> float:
        begin = time.monotonic()
        ask(host, data)
        return time.monotonic() - begin

    def test_all_calls_or_one_method(self, host: HostServer) -> None:
        host.faults.slow(SLOW, "VM.get_all")
        other = post("/", xml_call("host.get_all", "s"))
        assert self.seconds(host, CALL) >= SLOW
        assert self.seconds(host, other) < SLOW
        host.faults.slow(SLOW)
        assert self.seconds(host, other) >= SLOW
        host.faults.slow(0)
        host.faults.slow(0, "VM.get_all")
        assert self.seconds(host, CALL) < SLOW

    def test_the_call_is_taken_at_once(self, host: HostServer, toolstack: FakeToolstack) -> None:
        host.faults.slow(PATIENCE * 10)
        with connect(host) as sock:
            sock.sendall(CALL)
            assert toolstack.called.wait(PATIENCE)
            host.kill()
            assert is_ended(sock)
