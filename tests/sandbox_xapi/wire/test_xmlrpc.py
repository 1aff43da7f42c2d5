"""XML-RPC to the byte, as xapi 26.9 was recorded and as rpclib reads."""

from __future__ import annotations

import xmlrpc.client
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.xapi.failure import Failure
from sandbox.xapi.values import I4, Time
from sandbox.xapi.wire import Malformed, Outcome
from sandbox.xapi.wire_xml import read_call, write_answer
from tests.sandbox_xapi.wire.harness import FakeToolstack, Serve, ask, post, xml_answer, xml_call


def envelope(value: str) -> bytes:
    status = "<member><name>Status</name><value>Success</value></member>"
    answer = f"<value><struct>{status}<member><name>Value</name>{value}</member></struct></value>"
    return response(answer)


def response(answer: str) -> bytes:
    return f'<?xml version="1.0"?><methodResponse><params><param>{answer}</param></params></methodResponse>'.encode()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("text", "<value>text</value>"),
        ("", "<value></value>"),
        (None, "<value></value>"),
        (5, "<value>5</value>"),
        (-(2**62), "<value>-4611686018427387904</value>"),
        (I4(7), "<value><i4>7</i4></value>"),
        (True, "<value><boolean>1</boolean></value>"),
        (False, "<value><boolean>0</boolean></value>"),
        (2.0, "<value><double>2</double></value>"),
        (0.1, "<value><double>0.1</double></value>"),
        (1326210000.25, "<value><double>1326210000.25</double></value>"),
        (Time("20261123T01:56:45Z"), "<value><dateTime.iso8601>20261123T01:56:45Z</dateTime.iso8601></value>"),
        ([], "<value><array><data></data></array></value>"),
        (["a", 1], "<value><array><data><value>a</value><value>1</value></data></array></value>"),
        ({}, "<value><struct></struct></value>"),
        ({"k": "v"}, "<value><struct><member><name>k</name><value>v</value></member></struct></value>"),
        ('<a href="x">&\x00\x1b\t', "<value>&lt;a href=&quot;x&quot;&gt;&amp;\t</value>"),
        ("Käse – 木", "<value>Käse – 木</value>"),
    ],
)
def test_values_are_written_as_xapi_writes_them(value: Any, written: str) -> None:
    assert write_answer("VM.get_x", Outcome(value=value)) == envelope(written)


def test_a_failure_is_an_answer_not_a_fault() -> None:
    body = write_answer("VM.get_record", Outcome(failure=["HANDLE_INVALID", "VM", "OpaqueRef:nope"]))
    answer = xml_answer(body)
    assert answer == {"Status": "Failure", "ErrorDescription": ["HANDLE_INVALID", "VM", "OpaqueRef:nope"]}
    assert b"<value>Failure</value>" in body


def test_list_methods_answers_the_bare_array() -> None:
    body = write_answer("system.listMethods", Outcome(value=["a.b"]))
    assert body == response("<value><array><data><value>a.b</value></data></array></value>")


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("", ""),
        ("  ", "  "),
        ("text", "text"),
        ("<string/>", ""),
        ("<string>a b</string>", "a b"),
        ("\n  <string>a</string>\n ", "a"),
        ("<i4>5</i4>", 5),
        ("<int>-5</int>", -5),
        ("<i8>9223372036854775807</i8>", 2**63 - 1),
        ("<int>0x1F</int>", 31),
        ("<double>60.1</double>", 60.1),
        ("<double>5</double>", 5.0),
        ("<boolean>1</boolean>", True),
        ("<boolean>0</boolean>", False),
        ("<boolean>true</boolean>", False),
        ("<nil/>", None),
        ("<base64>aGk=</base64>", b"hi"),
        ("<array><data/></array>", []),
        ("<array/>", []),
        ("<array> <data> <value>a</value> <value><i4>1</i4></value> </data> </array>", ["a", 1]),
        ("<struct/>", {}),
        ("<struct> <member> <name>k</name> <value>v</value> </member> </struct>", {"k": "v"}),
        (
            "<struct><member><name>k</name><value>1</value></member><member><name>k</name><value>2</value></member></struct>",
            {"k": "1"},
        ),
        ("&lt;x&gt;", "<x>"),
    ],
)
def test_values_are_read_as_xapi_reads_them(sent: str, read: Any) -> None:
    (value,) = read_call(xml_call("a.b", sent)).params
    assert value == read
    assert type(value) is type(read)


def test_a_time_is_handed_on_as_it_was_written() -> None:
    (value,) = read_call(xml_call("message.get", "<dateTime.iso8601>garbage</dateTime.iso8601>")).params
    assert isinstance(value, Time)
    assert value == "garbage"


BROKEN = [
    b"",
    b"no xml",
    b"<methodCall><methodName>a.b</methodName>",
    b"<methodCall><methodName>a.b</methodName></methodCall>",
    b"<methodCall><methodName/><params/></methodCall>",
    b"<methodResponse/>",
    b"<!DOCTYPE x [<!ENTITY e 'y'>]><methodCall><methodName>a.b</methodName><params/></methodCall>",
    b"<methodCall><methodName>a.b</methodName><params>\xff</params></methodCall>",
    xml_call("a.b", "<int>five</int>"),
    xml_call("a.b", "<int/>"),
    xml_call("a.b", "<i4> 5 </i4>"),
    xml_call("a.b", "<i8>9223372036854775808</i8>"),
    xml_call("a.b", "<double>x</double>"),
    xml_call("a.b", "<boolean/>"),
    xml_call("a.b", "<base64>?</base64>"),
    xml_call("a.b", "<array> </array>"),
    xml_call("a.b", "<array><value>a</value></array>"),
    xml_call("a.b", "<struct><member><name/><value>v</value></member></struct>"),
    xml_call("a.b", "<struct><member><value>v</value></member></struct>"),
    xml_call("a.b", "<date>1</date>"),
    xml_call("a.b", "text<i4>5</i4>"),
    xml_call("a.b", "<i4>5</i4><i4>6</i4>"),
    xml_call("a.b", "<array><data>" * 5000 + "</data></array>" * 5000),
]


@pytest.mark.parametrize("body", BROKEN)
def test_what_is_no_call_is_told_so(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_call(body)


values = st.recursive(
    st.text(st.characters(codec="utf-8", exclude_characters="\r", exclude_categories=["Cc", "Cs"]))
    | st.integers(-(2**31), 2**31 - 1)
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(codec="ascii", categories=["L"]), min_size=1), inner)
    ),
    max_leaves=20,
)


@given(st.lists(values))
def test_whatever_a_client_sends_arrives(params: list[Any]) -> None:
    body = xmlrpc.client.dumps(tuple(params), "a.b", allow_none=True).encode("utf-8", "xmlcharrefreplace")
    assert read_call(body).params == params


@given(values)
def test_whatever_is_answered_arrives(value: Any) -> None:
    answer = xml_answer(write_answer("a.b", Outcome(value=value)))
    assert answer["Value"] == as_received(value)


def as_received(value: Any) -> Any:
    """Integers are sent as text, and floats with 16 digits."""
    if isinstance(value, list):
        return [as_received(item) for item in value]
    if isinstance(value, dict):
        return {key: as_received(item) for key, item in value.items()}
    if isinstance(value, float):
        return float(f"{value:.16g}")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("path", ["/", "/RPC2", "/json", "/anything/else", "/RPC2?session=1"])
def test_every_path_but_jsonrpc_speaks_xmlrpc(serve: Serve, path: str) -> None:
    server = serve(FakeToolstack(**{"VM.get_all": ["OpaqueRef:1"]}))
    status, headers, body = ask(server, post(path, xml_call("VM.get_all", "OpaqueRef:s")))
    assert (status, headers["content-type"]) == ("HTTP/1.1 200 OK", "text/xml")
    assert body == envelope("<value><array><data><value>OpaqueRef:1</value></data></array></value>")


def test_failures_come_with_status_200(serve: Serve) -> None:
    def refuse(_params: list[Any]) -> Any:
        raise Failure("SESSION_INVALID", "OpaqueRef:s")

    server = serve(FakeToolstack(**{"VM.get_all": refuse}))
    status, _, body = ask(server, post("/", xml_call("VM.get_all", "OpaqueRef:s")))
    assert status == "HTTP/1.1 200 OK"
    answer = xml_answer(body)
    assert answer["ErrorDescription"] == ["SESSION_INVALID", "OpaqueRef:s"]


@pytest.mark.parametrize(
    "body", [b"no xml", b'{"method": "VM.get_all", "params": [], "id": 1}', xml_call("a.b", "<int>x</int>")]
)
def test_what_is_no_call_is_http_500_and_a_page(serve: Serve, body: bytes) -> None:
    toolstack = FakeToolstack()
    server = serve(toolstack)
    for path in ("/", "/json"):
        status, headers, page = ask(server, post(path, body))
        assert status == "HTTP/1.1 500 Internal Error"
        assert headers["content-type"] == "text/html"
        assert headers["connection"] == "close"
        assert page.startswith(b"<html>")
    assert not toolstack.taken
