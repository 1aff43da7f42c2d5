"""XML-RPC answers as values: as the standard library reads them, except that times stay text."""

from __future__ import annotations

import xmlrpc.client
from typing import Any
from xml.parsers.expat import ExpatError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.xapi.unmarshal import Answer

_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"))
_SCALARS = st.one_of(_TEXT, st.booleans(), st.integers(-(2**31), 2**31 - 1), st.floats(allow_nan=False))
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_TEXT, inner, max_size=4))
)


def read(document: bytes, pieces: int = 1) -> Any:
    answer = Answer()
    size = max(len(document) // pieces, 1)
    for at in range(0, len(document), size):
        answer.feed(document[at : at + size])
    return answer.close()


@given(_VALUES, st.integers(1, 40))
def test_what_the_standard_library_writes_is_read(value: Any, pieces: int) -> None:
    document = xmlrpc.client.dumps((value,), methodresponse=True).encode()
    assert read(document, pieces) == value


def in_a_response(value: str) -> bytes:
    return f'<?xml version="1.0"?><methodResponse><params><param>{value}</param></params></methodResponse>'.encode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<value>untyped</value>", "untyped"),
        ("<value></value>", ""),
        ("<value/>", ""),
        ("<value> kept </value>", " kept "),
        ("<value>\n <string> kept </string>\n</value>", " kept "),
        ("<value>&lt;!channel&gt; &amp; <![CDATA[<x>]]></value>", "<!channel> & <x>"),
        ("<value><i4>-7</i4></value>", -7),
        ("<value><int>7</int></value>", 7),
        ("<value><double>0.5</double></value>", 0.5),
        ("<value><boolean>1</boolean></value>", True),
        ("<value><boolean>0</boolean></value>", False),
        ("<value><nil/></value>", None),
        ("<value><dateTime.iso8601>20260102T03:04:05Z</dateTime.iso8601></value>", "20260102T03:04:05Z"),
        ("<value><array><data></data></array></value>", []),
        ("<value><struct></struct></value>", {}),
        ("<value><array><data><value>a</value><value/><value><i4>1</i4></value></data></array></value>", ["a", "", 1]),
        (
            "<value><struct><member><name>a</name><value><struct><member><name>b</name><value>c</value></member>"
            "</struct></value></member><member><name>d</name><value>e</value></member></struct></value>",
            {"a": {"b": "c"}, "d": "e"},
        ),
    ],
)
def test_values(value: str, expected: Any) -> None:
    found = read(in_a_response(value))
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("pieces", [1, 1000])
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"a\x01b\x1fc\td\ne", "abc\td\ne"),
        (b"nul\x00", "nul"),
        ("\ufffe noncharacter \uffff".encode(), " noncharacter "),
        ("Gr\u00fc\u00dfe".encode("latin-1"), "Gr\ufffd\ufffde"),
        ("\u00fc \U0001f600".encode(), "\u00fc \U0001f600"),
        (b"cut \xf0\x9f\x98", "cut \ufffd"),
    ],
    ids=["control", "nul", "noncharacter", "latin-1", "utf-8", "cut"],
)
def test_one_odd_name_does_not_make_the_rest_unreadable(sent: bytes, expected: str, pieces: int) -> None:
    before, after = in_a_response(
        "<value><array><data><value>|</value><value>rest</value></data></array></value>"
    ).split(b"|")
    assert read(before + sent + after, pieces) == [expected, "rest"]


@pytest.mark.parametrize("cut", [10, 60, 100])
def test_half_a_document_is_an_error(cut: int) -> None:
    document = in_a_response("<value>some text</value>")
    with pytest.raises(ExpatError):
        read(document[:-cut])


@pytest.mark.parametrize(
    "document",
    [
        b"<html>it works</html>",
        in_a_response(""),
        in_a_response("<value><base64>AA==</base64></value>"),
        in_a_response("<value><i4>seven</i4></value>"),
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + in_a_response("<value>&a;</value>").partition(b"?>")[2],
    ],
)
def test_what_is_not_xml_rpc_is_an_error(document: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which one does not matter
        read(document)


def test_a_fault_is_raised() -> None:
    document = xmlrpc.client.dumps(xmlrpc.client.Fault(7, "no"), methodresponse=True).encode()
    with pytest.raises(xmlrpc.client.Fault, match="no"):
        read(document)
