"""The language of `get_all_where` and `get_all_records_where`.

    true | false | VALUE = VALUE | EXPR and EXPR | EXPR or EXPR | not EXPR | ( EXPR )
    VALUE is "literal" or field "column"

`and` and `or` bind alike and to the left; `not` takes all that follows it (the grammar of xapi's parser).
Values are compared as the database's strings, and a field is named by its column (`name__label`).
"""

import re
from collections.abc import Callable

from sandbox.xapi.failure import Failure
from sandbox.xapi.model import Class, Type
from sandbox.xapi.values import Row

Predicate = Callable[[Row], bool]
_Term = tuple[str, str]

_TOKEN = re.compile(r'[ \t\n]*(?:(=|true|false|\(|\)|field|and|or|not)|"([^"]*)")')


def compile_filter(text: str, cls: Class) -> Predicate:
    """Raises Failure INVALID_VALUE for an expression that does not parse. A field that the class does not have is
    found only when a row is looked at: INTERNAL_ERROR "missing field"."""
    return _Parser(text, _columns(cls)).whole()


class _Parser:
    def __init__(self, text: str, columns: dict[str, tuple[str, Type]]) -> None:
        self.text, self.place, self.columns = text, 0, columns
        self.ahead: tuple[str, str] | None = None

    def whole(self) -> Predicate:
        found = self.expression()
        if self.next()[0] != "end":
            raise self.wrong("Stdlib.Parsing.Parse_error")
        return found

    def wrong(self, reason: str) -> Failure:
        return Failure("INVALID_VALUE", self.text, reason)

    def peek(self) -> tuple[str, str]:
        if self.ahead is None:
            self.ahead = self.read()
        return self.ahead

    def next(self) -> tuple[str, str]:
        found = self.peek()
        self.ahead = None
        return found

    def read(self) -> tuple[str, str]:
        if not self.text[self.place :].strip(" \t\n"):
            return ("end", "")
        found = _TOKEN.match(self.text, self.place)
        if not found:
            raise self.wrong('Failure("lexing: empty token")')
        self.place = found.end()
        return (found[1], "") if found[1] else ("literal", found[2])

    def expression(self) -> Predicate:
        left = self.unary()
        while self.peek()[0] in ("and", "or"):
            operator, right_of = self.next()[0], left
            right = self.unary()
            left = _both(right_of, right) if operator == "and" else _either(right_of, right)
        return left

    def unary(self) -> Predicate:
        kind, _ = self.peek()
        if kind == "not":
            self.next()
            inner = self.expression()
            return lambda row: not inner(row)
        if kind in ("true", "false"):
            self.next()
            return lambda _: kind == "true"
        if kind == "(":
            self.next()
            within = self.expression()
            if self.next()[0] != ")":
                raise self.wrong("Stdlib.Parsing.Parse_error")
            return within
        left = self.term()
        if self.next()[0] != "=":
            raise self.wrong("Stdlib.Parsing.Parse_error")
        right = self.term()
        return lambda row: self.look(left, row) == self.look(right, row)

    def term(self) -> _Term:
        kind, text = self.next()
        if kind == "literal":
            return ("literal", text)
        if kind == "field" and self.peek()[0] == "literal":
            return ("field", self.next()[1])
        raise self.wrong("Stdlib.Parsing.Parse_error")

    def look(self, term: _Term, row: Row) -> str:
        kind, text = term
        if kind == "literal":
            return text
        if text not in self.columns:
            raise Failure("INTERNAL_ERROR", "missing field", text, "")
        name, type_ = self.columns[text]
        return database_text(type_, row[name])


def _both(left: Predicate, right: Predicate) -> Predicate:
    return lambda row: left(row) and right(row)


def _either(left: Predicate, right: Predicate) -> Predicate:
    return lambda row: left(row) or right(row)


def _columns(cls: Class) -> dict[str, tuple[str, Type]]:
    return {f.column: (f.name, f.type) for f in cls.fields.values()}


def database_text(type_: Type, value: object) -> str:
    """A value as xapi's database spells it: sets and maps are s-expressions."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.18g}"
    if isinstance(value, list):
        return "(" + " ".join(_quoted(database_text(type_.of[0], v)) for v in value) + ")"
    if isinstance(value, dict):
        pairs = (f"({_quoted(str(k))} {_quoted(database_text(type_.of[1], v))})" for k, v in value.items())
        return "(" + " ".join(pairs) + ")"
    return str(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
