"""How a pool database writes a value into an XML attribute.

Two layers, both as the xapi sources read them.  White space is protected against XML's folding with a per cent sign
(:func:`protect`, :func:`unprotect`).  Below that, sets and maps are s-expressions of quoted strings: ``('a' 'b')``,
``(('k' 'v') ('k2' 'v2'))``, where a backslash makes the next character literal.
"""

from __future__ import annotations

import re

Sexpr = str | list["Sexpr"]

_PROTECTED = {" ": "%.", "\t": "%t", "\n": "%n", "\r": "%r", "%": "%%"}
_UNPROTECTED = {code: char for char, code in _PROTECTED.items()} | {"%_": "  "}  # %_ is only read: older files have it


class SexprError(ValueError):
    """Not an s-expression of the expected shape; the message quotes no part of the value (it may be secret)."""


def protect(text: str) -> str:
    """Escape white space and per cent signs, as current xapi writes an attribute."""
    return re.sub(r"[ \t\n\r%]", lambda match: _PROTECTED[match[0]], text)


def unprotect(text: str) -> str:
    """Undo :func:`protect`; a per cent sign before any other character stays as it is, as in xapi."""
    return re.sub(r"%[.tnr%_]", lambda match: _UNPROTECTED[match[0]], text)


def parse_set(text: str) -> list[str]:
    """The members of ``('a' 'b')``, in the order written.  Raises :class:`SexprError`."""
    members = parse(text)
    if isinstance(members, str):
        raise SexprError("not a list")
    strings = [member for member in members if isinstance(member, str)]
    if len(strings) != len(members):
        raise SexprError("a list within a set")
    return strings


def parse_map(text: str) -> list[tuple[str, str]]:
    """The pairs of ``(('k' 'v'))``, in the order written, repeated keys included.  Raises :class:`SexprError`."""
    pairs = parse(text)
    if isinstance(pairs, str):
        raise SexprError("not a list")
    found = []
    for pair in pairs:
        match pair:
            case [str() as key, str() as value]:
                found.append((key, value))
            case _:
                raise SexprError("a member that is not a pair")
    return found


def write(value: Sexpr) -> str:
    """The canonical text of an s-expression; :func:`parse` reads it back."""
    if isinstance(value, str):
        return "'" + re.sub(r"([\\'])", r"\\\1", value) + "'"
    return "(" + " ".join(write(member) for member in value) + ")"


_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+ | ;[^\n]*\n)
      | (?P<open>\() | (?P<close>\))
      | '(?P<single>(?:[^'\\] | \\.)*)'
      | "(?P<double>(?:[^"\\] | \\.)*)"
      | (?P<symbol>[^"'\ \t\n()]+)""",
    re.VERBOSE | re.DOTALL,
)


def parse(text: str) -> Sexpr:
    """Read one s-expression.  Raises :class:`SexprError` for anything else, trailing text included."""
    whole: list[Sexpr] = []
    stack = [whole]
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise SexprError("an unfinished string")
        position = token.end()
        match token.lastgroup:
            case "space":
                continue
            case "open":
                inner: list[Sexpr] = []
                stack[-1].append(inner)
                stack.append(inner)
            case "close":
                stack.pop()
                if not stack:
                    raise SexprError("an unopened parenthesis")
            case "symbol":
                stack[-1].append(token["symbol"])
            case quoted:
                stack[-1].append(re.sub(r"\\(.)", r"\1", token[str(quoted)], flags=re.DOTALL))
    if len(stack) > 1:
        raise SexprError("an unclosed parenthesis")
    if len(whole) != 1:
        raise SexprError("not one s-expression")
    return whole[0]
