"""Is an expectation true of what was read? With the evidence in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import ToolstackRefusal
from bot.inventory import CLASSES, NULL_REF, Inventory
from bot.model import Expect, ResultOf, Value
from bot.rules import conditions
from bot.text import quoted
from bot.xapi import failures, seen
from bot.xapi.arguments import Arguments
from bot.xapi.session import PoolSession, Refusal

_KINDS = {kind.cls: kind for kind in CLASSES}


_ASKED = frozenset({("host", "ntp_synchronized")})
"""What is no field of the database: the host itself is asked."""


def check(expect: Expect, session: PoolSession, inventory: Inventory, arguments: Arguments) -> tuple[bool, str]:
    """:raises Unavailable: an object outside the inventory cannot be asked for."""
    if expect.rule:
        before = expect.equals.value if isinstance(expect.equals, Value) else None
        return conditions.holds(expect.rule, expect.object, inventory, str(before or ""))
    called = quoted(expect.object.name or expect.object.uuid)
    try:
        actual = _field(expect, session, inventory, arguments)
        wanted = arguments.wire(expect.equals)
    except ToolstackRefusal as refusal:
        return False, refusal.message
    what = f"{called}: {expect.key or expect.field.replace('_', ' ')}"
    if actual is None:
        return False, f"{what} is not shown by this version"
    if expect.key:
        if not isinstance(actual, Mapping):
            return False, f"{what} cannot be told: {expect.field.replace('_', ' ')} is no map here"
        actual = actual.get(expect.key, "")
    is_so = equal(actual, wanted)
    now = _words(actual, inventory)
    told = seen.so(expect, called, now, inventory)
    if told and is_so is not expect.differs:
        return True, told
    if expect.differs:
        return not is_so, f"{what} is {now}{' as before' if is_so else ', no longer as before'}"
    return is_so, f"{what} is {now}" if is_so else f"{what} is {now}, not {_words(wanted, inventory)}"


def decidable(expects: tuple[Expect, ...]) -> bool:
    """Can all be checked without the results of earlier steps?"""
    return not any(isinstance(expect.equals, ResultOf) for expect in expects)


def equal(actual: Any, wanted: Any) -> bool:
    """Equality across the wire: numbers come as text, sets in any order, null references in two spellings."""
    if isinstance(actual, Mapping) and isinstance(wanted, Mapping):
        return {str(k): str(v) for k, v in actual.items()} == {str(k): str(v) for k, v in wanted.items()}
    if isinstance(actual, list | tuple) and isinstance(wanted, list | tuple):
        return sorted(map(str, actual)) == sorted(map(str, wanted))
    if isinstance(actual, bool) or isinstance(wanted, bool):
        return str(actual).lower() == str(wanted).lower()
    if isinstance(actual, float) or isinstance(wanted, float):
        try:
            return float(actual) == float(wanted)
        except (TypeError, ValueError):
            return False
    return (str(actual) or NULL_REF) == (str(wanted) or NULL_REF) if _nullish(actual, wanted) else str(actual) == wanted


def _nullish(*values: Any) -> bool:
    return NULL_REF in values


def _field(expect: Expect, session: PoolSession, inventory: Inventory, arguments: Arguments) -> Any:
    reference = arguments.reference(expect.object)
    kind = _KINDS.get(expect.object.cls)
    if kind is not None:
        entity = inventory.get(kind, reference)
        if entity is None or (expect.object.cls, expect.field) not in _ASKED:
            return None if entity is None else entity.record.get(expect.field)
    try:
        return session.read(f"{expect.object.cls}.get_{expect.field}", reference)
    except Refusal as refusal:
        raise failures.refusal(refusal.error, inventory) from refusal


def _words(value: Any, inventory: Inventory) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_words(k, inventory)}={_words(v, inventory)}" for k, v in value.items()) or "empty"
    if isinstance(value, list | tuple):
        return ", ".join(_words(item, inventory) for item in value) or "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    if text.startswith("OpaqueRef:"):
        return failures.name_of(text, inventory)
    return failures.readable(text, inventory) or "empty"
