"""JSON-RPC to the byte, as xapi 26.9 was recorded, and as older hosts have it."""

from __future__ import annotations

import json
import xmlrpc.client
from typing import Any

import pytest

from sandbox.xapi.failure import Failure
from sandbox.xapi.values import I4, Time
from sandbox.xapi.wire import JsonRpc, json_rpc_of
from tests.sandbox_xapi.wire.harness import FakeToolstack, Serve, ask, post


def refuse(_params: list[Any]) -> Any:
    raise Failure("HANDLE_INVALID", "VM", "OpaqueRef:nope")


def request(**members: Any) -> bytes:
    return post("/jsonrpc", json.dumps(members).encode(), "Content-Type: application/json")


V2 = {"jsonrpc": "2.0", "id": 1}


def test_version_2(serve: Serve) -> None:
    server = serve(FakeToolstack(**{"VM.get_order": 4}))
    status, headers, body = ask(server, request(**V2, method="VM.get_order", params=["s", "vm"]))
    assert (status, headers["content-type"]) == ("HTTP/1.1 200 OK", "application/json")
    assert body == b'{"jsonrpc":"2.0","result":4,"id":1}'


def test_version_1(serve: Serve) -> None:
    server = serve(FakeToolstack(**{"VM.get_order": 4}))
    _, _, body = ask(server, request(id=1, method="VM.get_order", params=["s", "vm"]))
    assert body == b'{"result":4,"error":null,"id":1}'


def test_a_failure_in_both_versions(serve: Serve) -> None:
    server = serve(FakeToolstack(**{"VM.get_record": refuse}))
    _, _, second = ask(server, request(**V2, method="VM.get_record", params=["s", "OpaqueRef:nope"]))
    assert json.loads(second) == {
        "jsonrpc": "2.0",
        "error": {"code": 1, "message": "HANDLE_INVALID", "data": ["VM", "OpaqueRef:nope"]},
        "id": 1,
    }
    _, _, first = ask(server, request(id=1, method="VM.get_record", params=["s", "OpaqueRef:nope"]))
    assert json.loads(first) == {"result": None, "error": ["HANDLE_INVALID", "VM", "OpaqueRef:nope"], "id": 1}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, '""'),
        ("ä\n<", '"ä\\n<"'),
        (2**40, "1099511627776"),
        (I4(3), "3"),
        (2.0, "2.0"),
        (True, "true"),
        (Time("20261123T01:56:45Z"), '"20261123T01:56:45Z"'),
        ({"5": ["x"]}, '{"5":["x"]}'),
    ],
)
def test_values(serve: Serve, value: Any, written: str) -> None:
    server = serve(FakeToolstack(**{"a.b": lambda _params: value}))
    _, _, body = ask(server, request(**V2, method="a.b", params=[]))
    assert body == f'{{"jsonrpc":"2.0","result":{written},"id":1}}'.encode()


@pytest.mark.parametrize(
    ("members", "params"),
    [
        ({**V2, "params": ["s", 3, 2.5, True, None, {"k": [1]}]}, ["s", 3, 2.5, True, None, {"k": [1]}]),
        ({**V2, "params": {"session_id": "s"}}, [{"session_id": "s"}]),
        ({**V2}, []),
        ({**V2, "params": None}, []),
        ({"jsonrpc": "2.0", "id": "text", "params": []}, []),
        ({"id": 1, "params": ["s"]}, ["s"]),
    ],
)
def test_parameters(serve: Serve, members: dict[str, Any], params: list[Any]) -> None:
    toolstack = FakeToolstack(**{"a.b": "x"})
    _, _, body = ask(serve(toolstack), request(**members, method="a.b"))
    assert toolstack.params == [params]
    assert json.loads(body)["id"] == members["id"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'[{"jsonrpc": "2.0", "method": "a.b", "params": [], "id": 1}]',
        b"<methodCall/>",
        b'{"jsonrpc": "2.0", "method": "a.b", "params": []}',
        b'{"jsonrpc": "2.0", "method": "a.b", "params": [], "id": null}',
        b'{"jsonrpc": "2.0", "method": "a.b", "params": [], "id": 1.5}',
        b'{"jsonrpc": "2.0", "method": "a.b", "params": [], "id": true}',
        b'{"jsonrpc": "1.0", "method": "a.b", "params": [], "id": 1}',
        b'{"jsonrpc": null, "method": "a.b", "params": [], "id": 1}',
        b'{"method": "a.b", "id": 1}',
        b'{"method": "a.b", "params": {}, "id": 1}',
        b'{"jsonrpc": "2.0", "method": "a.b", "params": "x", "id": 1}',
        b'{"jsonrpc": "2.0", "method": 5, "params": [], "id": 1}',
        b'{"jsonrpc": "2.0", "params": [], "id": 1}',
        b'{"jsonrpc": "2.0", "method": "a.b", "params": [9223372036854775808], "id": 1}',
        b'{"jsonrpc": "2.0", "method": "a.b", "params": ["\\ud800"], "id": 1}',
        b'{"jsonrpc": "2.0", "method": "a.b", "params": [], "id": 1} x',
    ],
)
def test_what_is_no_call_is_http_500_and_a_page(serve: Serve, body: bytes) -> None:
    toolstack = FakeToolstack(**{"a.b": 1})
    status, headers, _ = ask(serve(toolstack), post("/jsonrpc", body))
    assert (status, headers["content-type"]) == ("HTTP/1.1 500 Internal Error", "text/html")
    assert not toolstack.taken


def test_a_host_without_json_answers_as_xml(serve: Serve) -> None:
    """How clients tell such a host: whatever is posted there is answered as XML, a fault if it was not XML."""
    toolstack = FakeToolstack(**{"a.b": "x"})
    server = serve(toolstack, json_rpc=JsonRpc.ABSENT)
    status, headers, body = ask(server, request(**V2, method="a.b", params=[]))
    assert (status, headers["content-type"]) == ("HTTP/1.1 200 OK", "text/xml")
    with pytest.raises(xmlrpc.client.Fault, match="1: 'Failed to parse supplied XML'"):
        xmlrpc.client.loads(body)
    assert not toolstack.taken
    call = b"<methodCall><methodName>a.b</methodName><params/></methodCall>"
    status, headers, body = ask(server, post("/jsonrpc", call))
    assert (status, headers["content-type"]) == ("HTTP/1.1 200 OK", "text/xml")
    assert b"<name>Value</name><value>x</value>" in body


def test_a_host_of_version_1_only_ignores_the_member(serve: Serve) -> None:
    server = serve(FakeToolstack(**{"a.b": "x"}), json_rpc=JsonRpc.V1_ONLY)
    for version in ("2.0", "1.0"):
        _, _, body = ask(server, request(jsonrpc=version, id=1, method="a.b", params=[]))
        assert body == b'{"result":"x","error":null,"id":0}'


def test_a_host_of_version_1_only_wants_a_number_as_id(serve: Serve) -> None:
    toolstack = FakeToolstack(**{"a.b": "x"})
    status, _, _ = ask(serve(toolstack, json_rpc=JsonRpc.V1_ONLY), request(id="1", method="a.b", params=[]))
    assert status == "HTTP/1.1 500 Internal Error"
    assert not toolstack.taken


@pytest.mark.parametrize(
    ("release", "has"),
    [
        ("clearwater-whetstone", JsonRpc.ABSENT),
        ("creedence", JsonRpc.V1_ONLY),
        ("cream", JsonRpc.V1_ONLY),
        ("dundee", JsonRpc.V1_ONLY),
        ("falcon", JsonRpc.V1_ONLY),
        ("inverness", JsonRpc.V1_AND_V2),
        ("26.9.0", JsonRpc.V1_AND_V2),
    ],
)
def test_what_each_release_has(release: str, has: JsonRpc) -> None:
    assert json_rpc_of(release) is has
