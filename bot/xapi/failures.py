"""XenAPI's error arrays in plain words: names instead of references, and what to do.

What each code means is in :mod:`bot.xapi.meanings`. An array is never trusted to have the arguments that XenAPI
declares for its code: several codes are sent with fewer, more or other ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.errors import ToolstackRefusal
from bot.inventory import NULL_REF, Entity, Inventory
from bot.text import joined, one_line, quoted, size, without_marks
from bot.xapi.meanings import BYTES, MEANINGS, NOUNS, Meaning, family_of

_REF = re.compile(r"(?:OpaqueRef|DummyRef|Ref):[^\s,;|'\"<>()\[\]{}]*")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
# "the storage {sr}" with an unknown storage, which is then called "the storage".
_TWICE = re.compile(f"({'|'.join(sorted({noun for noun in NOUNS.values() if noun != BYTES}))}) \\1\\b")
_FIELD = re.compile(r"{(\w+)}")
_LONGEST_TEXT = 300
_AMOUNT_DIGITS = 20
"""XenAPI's integers have 64 bits."""
_NESTED = "|"


class Naming(Protocol):
    """Knows what is behind a reference or a uuid: an inventory, or several."""

    def any_by_uuid(self, uuid: str) -> Entity | None: ...
    def any_by_ref(self, ref: str) -> Entity | None: ...


@dataclass(frozen=True, slots=True)
class Several(Naming):
    """The inventories of several pools: an error can name objects of the pool that a VM was to go to."""

    inventories: tuple[Inventory, ...]

    def any_by_uuid(self, uuid: str) -> Entity | None:
        return next((found for each in self.inventories if (found := each.any_by_uuid(uuid))), None)

    def any_by_ref(self, ref: str) -> Entity | None:
        return next((found for each in self.inventories if (found := each.any_by_ref(ref))), None)


def texts_of(error: object) -> tuple[str, ...]:
    """An error array as it came from the wire, as texts."""
    if isinstance(error, str):
        return (error,)
    return tuple(map(str, error)) if isinstance(error, Iterable) else (str(error),)


def code_of(error: object) -> str:
    texts = texts_of(error)
    return texts[0] if texts else ""


def refusal(error: Sequence[str], inventory: Naming | None) -> ToolstackRefusal:
    """The error for people."""
    text, remedy = explain(error, inventory)
    return ToolstackRefusal(text, code=code_of(error), params=tuple(error[1:]), remedy=remedy)


def explain(error: Sequence[str], inventory: Naming | None) -> tuple[str, str]:
    """(What it means, what to do), one line each, without a reference in it; what to do may be "".

    Objects are named by the inventory; one that it does not have (any more) is called by its kind.
    """
    code, arguments = code_of(error), tuple(error[1:])
    if not code:
        return "The pool reported a failure without a reason.", ""
    if code == "CANNOT_EVACUATE_HOST" and arguments:
        return _cannot_evacuate(arguments, inventory)
    meaning = _meaning(code, arguments)
    if meaning is None:
        return _unheard_of(code, arguments, inventory), ""
    named = _Arguments(meaning, arguments, inventory)
    remedy = [named.told(meaning.remedy)] if meaning.remedy else []
    if do := named.typed(meaning.do, by_uuid=False):
        remedy.append(f"For that: {do}")
    if see := named.typed(meaning.see, by_uuid=False):
        remedy.append(f"See: {see}")
    if line := named.typed(meaning.xe, by_uuid=True):
        remedy.append(f"On the coordinator: xe {line}")
    return named.told(meaning.text), " ".join(remedy)


def name_of(reference: str, inventory: Naming | None, noun: str = "an object that is gone") -> str:
    """What people call the object behind a reference or uuid; `noun` when the inventory does not know it."""
    if reference in ("", NULL_REF):
        return "none"
    found = _entity(reference, inventory)
    return quoted(found.name) if found is not None else noun


def readable(text: str, inventory: Naming | None, limit: int = _LONGEST_TEXT) -> str:
    """Free text of the toolstack as one line, each reference in it replaced by a name."""
    return one_line(_REF.sub(lambda match: name_of(match[0], inventory), without_marks(text)).strip(), limit)


def _meaning(code: str, arguments: tuple[str, ...]) -> Meaning | None:
    return next((m for m in MEANINGS.get(code, ()) if _fits(m, arguments)), None) or family_of(code)


def _fits(meaning: Meaning, arguments: tuple[str, ...]) -> bool:
    """A code with several meanings is told apart by its arguments: by their number, and references from amounts."""
    if meaning.only_with is not None and len(arguments) != meaning.only_with:
        return False
    pairs = zip(meaning.arguments, arguments, strict=False)
    return all(_is_amount(value) for field, value in pairs if NOUNS.get(field) == BYTES)


class _Arguments:
    """An error's arguments by the names that a meaning gives them; those that are missing have a noun."""

    def __init__(self, meaning: Meaning, arguments: tuple[str, ...], inventory: Naming | None) -> None:
        self._given = {
            field: arguments[at:] if _stands_for_the_rest(field) else arguments[at : at + 1]
            for at, field in enumerate(meaning.arguments)
        }
        self._inventory = inventory

    def told(self, template: str) -> str:
        """The template as a sentence."""
        text = _TWICE.sub(r"\1", _FIELD.sub(lambda match: self._text(match[1]), template))
        return one_line(text[:1].upper() + text[1:] if _FIELD.match(template) and _is_noun(text) else text)

    def typed(self, template: str, *, by_uuid: bool) -> str:
        """The template as a command that can be typed; "" when an object in it is not known."""
        found = {
            field: _entity(next(iter(self._given[field]), ""), self._inventory) for field in _FIELD.findall(template)
        }
        words = {field: (entity.uuid if by_uuid else _word(entity.name)) for field, entity in found.items() if entity}
        if len(words) < len(found):
            return ""
        return one_line(_FIELD.sub(lambda match: words[match[1]], template))

    def _text(self, field: str) -> str:
        given = [argument for argument in self._given.get(field, ()) if argument]
        if _stands_for_the_rest(field):
            return _listed(given, self._inventory)
        noun = NOUNS.get(field, "")
        if not given or (noun and given[0] == NULL_REF):
            return "an unknown amount" if noun == BYTES else noun or "no reason given"
        if noun == BYTES:
            return size(int(given[0])) if _is_amount(given[0]) else readable(given[0], self._inventory)
        if _is_object(given[0]):
            return name_of(given[0], self._inventory, noun or "an object that is gone")
        return quoted(readable(given[0], self._inventory)) if noun else readable(given[0], self._inventory).rstrip(".")


def _stands_for_the_rest(field: str) -> bool:
    return field.endswith("s") and field[:-1] in NOUNS


def _is_noun(text: str) -> bool:
    return text.startswith(tuple(noun for noun in NOUNS.values() if noun != BYTES))


def _is_amount(argument: str) -> bool:
    return argument.isdecimal() and len(argument) <= _AMOUNT_DIGITS


def _is_object(argument: str) -> bool:
    return bool(_REF.fullmatch(argument) or _UUID.match(argument))


def _entity(argument: str, inventory: Naming | None) -> Entity | None:
    if inventory is None or not argument:
        return None
    return inventory.any_by_uuid(argument) if _UUID.match(argument) else inventory.any_by_ref(argument)


def _listed(arguments: Sequence[str], inventory: Naming | None) -> str:
    entities = [_entity(argument, inventory) for argument in arguments]
    names = [entity.name for entity in entities if entity]
    names += [readable(argument, inventory) for argument in arguments if not _is_object(argument)]
    unknown = len(arguments) - len(names)
    if not names:
        return f"{unknown} of them" if unknown else "not said which"
    return f"{joined(names)} and {unknown} more" if unknown else joined(names)


def _word(name: str) -> str:
    """A name as one word of a command."""
    return name if quoted(name) == name else '"' + without_marks(one_line(name)).replace('"', "'") + '"'


def _unheard_of(code: str, arguments: tuple[str, ...], inventory: Naming | None) -> str:
    words = code.replace("_", " ").lower() if code.isupper() or "_" in code else readable(code, inventory)
    told = [name_of(a, inventory) if _is_object(a) else readable(a, inventory) for a in arguments if a]
    return one_line(f"The pool refused: {words}{' – ' if told else ''}{'; '.join(told)}.")


def _cannot_evacuate(arguments: tuple[str, ...], inventory: Naming | None) -> tuple[str, str]:
    """`CANNOT_EVACUATE_HOST("CODE,arg,arg|CODE,arg")` (xapi 26.9 as recorded)."""
    parts = [part.split(",") for part in arguments[0].split(_NESTED) if part.strip()]
    explained = [explain([field.strip() for field in part], inventory) for part in parts]
    if not explained:
        return "The host cannot be evacuated, and the pool does not say why.", ""
    texts = list(dict.fromkeys(text for text, _ in explained))
    remedies = list(dict.fromkeys(remedy for _, remedy in explained if remedy))
    return one_line("The host cannot be evacuated. " + " ".join(texts)), " ".join(remedies[:2])
