"""XML-RPC as xapi reads and writes it (rpclib's `Xmlrpc`; the answers as recorded from xapi 26.9).

Its dialect: strings and 64-bit integers are untyped `<value>text</value>`, `<i4>` is only written for `I4`, and the
answer is always a struct `{Status, Value | ErrorDescription}` in a methodResponse, never a fault, except by releases
before 6.5 to what is not XML. `system.listMethods` answers the bare array.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from xml.etree import ElementTree

from sandbox.xapi.failure import Failure
from sandbox.xapi.marshal import ocaml_int64
from sandbox.xapi.values import I4, Time
from sandbox.xapi.wire import Call, Malformed, Outcome, Unparsable

BARE = "system.listMethods"

_OCAML_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*(?:[eE][-+]?[0-9_]+)?|nan|inf|infinity)\Z", re.IGNORECASE)
_BLANK = " \n\t"
_UNSAFE = re.compile(r"[&<>\"\x00-\x08\x0b\x0c\x0e-\x1f]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_EMPTY_ELEMENT: dict[str, Any] = {"string": "", "value": "", "nil": None}


def read_call(body: bytes) -> Call:
    """Raises Malformed."""
    if b"<!ENTITY" in body:
        raise Malformed("entities are not expanded")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - no entities, and expat reads nothing from outside
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # LookupError: an unknown encoding
        raise Unparsable(str(error)) from error
    if root.tag != "methodCall":
        raise Malformed(f"open_tag({root.tag})")
    parts = _children(root)
    if len(parts) != 2 or parts[0].tag != "methodName" or parts[1].tag != "params":
        raise Malformed("a call is a methodName and params")
    try:
        return Call(_text(parts[0]), [_param(param) for param in _children(parts[1])])
    except RecursionError as error:
        raise Malformed("nested too deeply") from error


def write_answer(method: str, outcome: Outcome) -> bytes:
    """The methodResponse, without a line break anywhere that is not in a value."""
    out: list[str] = ['<?xml version="1.0"?><methodResponse><params><param>']
    if outcome.failure is not None:
        _write({"Status": "Failure", "ErrorDescription": outcome.failure}, out)
    elif method == BARE:
        _write(outcome.value, out)
    else:
        _write({"Status": "Success", "Value": outcome.value}, out)
    out.append("</param></params></methodResponse>")
    return "".join(out).encode()


def write_fault(text: str) -> bytes:
    """The fault that releases before 6.5 answer to what is not XML."""
    code = "<member><name>faultCode</name><value><i4>1</i4></value></member>"
    told = f"<member><name>faultString</name><value>{_escape(text)}</value></member>"
    fault = f"<fault><value><struct>{code}{told}</struct></value></fault>"
    return f'<?xml version="1.0"?><methodResponse>{fault}</methodResponse>'.encode()


def _children(element: ElementTree.Element) -> list[ElementTree.Element]:
    """The child elements, when there is nothing but white space around them."""
    if (element.text or "").strip(_BLANK) or any((child.tail or "").strip(_BLANK) for child in element):
        raise Malformed(f"text between the elements of {element.tag}")
    return list(element)


def _text(element: ElementTree.Element) -> str:
    if len(element) or not element.text:
        raise Malformed(f"{element.tag} holds no text")
    return element.text


def _param(param: ElementTree.Element) -> Any:
    parts = _children(param)
    if param.tag != "param" or len(parts) != 1:
        raise Malformed("params are param elements with one value each")
    return _value(parts[0])


def _value(element: ElementTree.Element) -> Any:
    if element.tag != "value":
        raise Malformed(f"open_tag({element.tag})")
    if not len(element):
        return element.text or ""
    parts = _children(element)
    if len(parts) != 1:
        raise Malformed("a value has one type")
    return _typed(parts[0])


def _typed(element: ElementTree.Element) -> Any:
    """A typed value. A boolean is true only for `1`: xapi takes any other text for false."""
    tag = element.tag
    if tag == "array":
        return _array(element)
    if tag == "struct":
        return _struct(element)
    if tag in _EMPTY_ELEMENT and not len(element) and not element.text:
        return _EMPTY_ELEMENT[tag]
    if tag == "nil" and not _children(element):
        return None
    text = _text(element)
    match tag:
        case "string":
            return text
        case "int" | "i4" | "i8":
            return _integer(text)
        case "boolean":
            return text == "1"
        case "double":
            if not _OCAML_FLOAT.match(text):
                raise Malformed("float_of_string")
            return float(text.replace("_", ""))
        case "dateTime.iso8601":
            return Time(text)
        case "base64":
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error as error:
                raise Malformed(str(error)) from error
        case _:
            raise Malformed(f"open_tag({tag})")


def _array(element: ElementTree.Element) -> list[Any]:
    if not len(element) and not element.text:
        return []
    parts = _children(element)
    if len(parts) != 1 or parts[0].tag != "data":
        raise Malformed("an array holds one data element")
    return [_value(item) for item in _children(parts[0])]


def _struct(element: ElementTree.Element) -> dict[str, Any]:
    """Of members with the same name the first one counts: xapi looks them up in a list."""
    record: dict[str, Any] = {}
    for member in _children(element):
        parts = _children(member)
        if member.tag != "member" or len(parts) != 2 or parts[0].tag != "name":
            raise Malformed("a member is a name and a value")
        record.setdefault(_text(parts[0]), _value(parts[1]))
    return record


def _integer(text: str) -> int:
    try:
        return ocaml_int64(text)
    except Failure as failure:
        raise Malformed(failure.description[-1]) from failure


def _write(value: Any, out: list[str]) -> None:
    kind = type(value)
    if kind is str:
        out.append(f"<value>{_escape(value)}</value>" if _UNSAFE.search(value) else f"<value>{value}</value>")
    elif kind is bool:
        out.append("<value><boolean>1</boolean></value>" if value else "<value><boolean>0</boolean></value>")
    elif kind is int:
        out.append(f"<value>{value}</value>")
    elif kind is dict:
        out.append("<value><struct>")
        for name, member in value.items():
            # rpclib escapes values but not names; a map's key with a `<` in it breaks the answer there as here.
            out.append(f"<member><name>{name}</name>")
            _write(member, out)
            out.append("</member>")
        out.append("</struct></value>")
    elif kind is list:
        out.append("<value><array><data>")
        for item in value:
            _write(item, out)
        out.append("</data></array></value>")
    elif kind is Time:
        out.append(f"<value><dateTime.iso8601>{value}</dateTime.iso8601></value>")
    elif kind is float:
        out.append(f"<value><double>{value:.16g}</double></value>")
    elif kind is I4:
        out.append(f"<value><i4>{int(value)}</i4></value>")
    elif value is None:
        out.append("<value></value>")
    else:
        raise TypeError(f"no XML-RPC form for {kind.__name__}")


def _escape(text: str) -> str:
    """Markup as entities; control characters that XML cannot hold vanish (rpclib drops them)."""
    return _UNSAFE.sub(lambda found: _ENTITIES.get(found[0], ""), text)
