"""XML-RPC answers to Python values, about twice as fast as the standard library's own.

A pool of 64 hosts and 4,000 VMs is 86 MB of XML; reading it is what a cold start waits for. Times stay the text that
XenAPI sent: an inventory's records are XenAPI's own.
"""

from __future__ import annotations

import codecs
import re
import sys
import xmlrpc.client
from typing import Any
from xml.parsers import expat

# Elements that only hold others.
_WRAPPERS = frozenset({"methodResponse", "params", "param", "member", "data", "fault", "name"})
_BUFFER_BYTES = 64 * 1024
# What XML cannot hold. A host that passes it on from a name, or from what a guest told of itself, must not make the
# whole pool unreadable: control characters go, as newer hosts leave them out, and bytes that are no UTF-8 are replaced.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Answer:
    """Takes an answer in pieces. It is taken for UTF-8, which is all that XenAPI speaks.

    :raises xml.parsers.expat.ExpatError: not XML, or cut short.
    :raises ValueError: XML, but not XML-RPC.
    """

    def __init__(self) -> None:
        self._top: list[Any] = []
        self._is_fault = False
        self._parser = self._made()
        self._text = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, piece: bytes) -> None:
        self._parser.Parse(_NO_XML.sub("", self._text.decode(piece)), False)

    def close(self) -> Any:
        """The answer's one value.

        :raises xmlrpc.client.Fault: the answer is a fault.
        """
        self._parser.Parse(self._text.decode(b"", True), True)
        if len(self._top) != 1:
            raise ValueError("not one value")
        value = self._top[0]
        if self._is_fault:
            fault = value if isinstance(value, dict) else {}
            raise xmlrpc.client.Fault(fault.get("faultCode", 0), str(fault.get("faultString", "")))
        return value

    def _made(self) -> expat.XMLParserType:
        # Closures over local variables rather than methods: several million of these calls are most of the time.
        outer: list[tuple[Any, str]] = []
        container: Any = self._top
        key = ""
        text = ""
        value: Any = None
        typed = False

        def start(tag: str, _: Any) -> None:
            nonlocal container, key, text, typed
            text = ""
            if tag == "value":
                typed = False
            elif tag == "struct":
                outer.append((container, key))
                container = {}
            elif tag == "array":
                outer.append((container, key))
                container = []
            elif tag == "fault":
                self._is_fault = True

        def characters(piece: str) -> None:
            nonlocal text
            text += piece

        def end(tag: str) -> None:
            nonlocal container, key, text, value, typed
            if tag == "value":
                if not typed:
                    value = text
                if type(container) is dict:
                    container[key] = value
                else:
                    container.append(value)
                typed = True
            elif tag == "member":
                pass
            elif tag == "name":
                key = sys.intern(text)
            elif tag in ("struct", "array"):
                value, typed = container, True
                container, key = outer.pop()
            elif tag not in _WRAPPERS:
                value, typed = _scalar(tag, text.strip() if tag != "string" else text), True

        def no_doctype(*_: Any) -> None:
            raise ValueError("a document type, which XML-RPC has not")

        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.buffer_size = _BUFFER_BYTES
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = characters
        parser.StartDoctypeDeclHandler = no_doctype
        return parser


def _scalar(tag: str, text: str) -> Any:
    match tag:
        case "string" | "dateTime.iso8601":
            return text
        case "boolean":
            return text in ("1", "true")
        case "i4" | "int" | "i8":
            return int(text)
        case "double":
            return float(text)
        case "nil":
            return None
    raise ValueError(f"<{tag}> is not XML-RPC")
