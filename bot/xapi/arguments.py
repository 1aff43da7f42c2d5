"""A step's arguments as XenAPI takes them: objects become references, secrets their values, at the last moment."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.errors import Refused, ToolstackRefusal
from bot.inventory import CLASSES, NULL_REF, PBD, Inventory
from bot.model import (
    Argument,
    Connection,
    MapOf,
    Object,
    ObjectId,
    ObjectMap,
    Objects,
    PoolTarget,
    ResultOf,
    Secret,
    Value,
)
from bot.text import quoted
from bot.xapi import failures
from bot.xapi.session import PoolSession, Refusal

_KINDS = {kind.cls: kind for kind in CLASSES}
# What XML 1.0 cannot carry, even escaped.
_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Arguments:
    """Turns arguments into wire values for one call. `there` gives what looks objects of another pool up."""

    def __init__(
        self,
        session: PoolSession,
        inventory: Inventory,
        *,
        results: Mapping[int, str] | None = None,
        secret: Callable[[str], str] | None = None,
        there: Callable[[PoolTarget], Callable[[ObjectId], str]] | None = None,
    ) -> None:
        self._session = session
        self._inventory = inventory
        self._results = results
        self._secret = secret
        self._there = there
        self.secrets: list[str] = []
        """The values of the secrets that were asked for so far: they must not be told."""

    def wire(self, argument: Argument) -> Any:
        """:raises ToolstackRefusal: the object is gone (UUID_INVALID). :raises Refused: there is no such connection.
        :raises ValueError: a result or a secret that there cannot be here, or a text that XML cannot carry (a bug).
        :raises Unavailable: the pool cannot be asked for the object.
        """
        match argument:
            case Value(value):
                return wire_value(value)
            case Object(found):
                return self.reference(found)
            case Objects(several):
                return [self.reference(found) for found in several]
            case ObjectMap():
                return self._mapped(argument)
            case Connection():
                return self._connection(argument)
            case ResultOf(step):
                return wire_value(self._result(step))
            case MapOf(step):
                return wire_value(json.loads(self._result(step)))
            case Secret(name):
                if self._secret is None:
                    raise ValueError(f"no secrets here (asked for {name})")
                self.secrets.append(self._secret(name))
                return wire_value(self.secrets[-1])

    def _connection(self, argument: Connection) -> str:
        """:raises Refused: the host has none to that storage."""
        for pbd in self._inventory.all(PBD):
            if (pbd.host and pbd.host.uuid) == argument.host.uuid and (pbd.sr and pbd.sr.uuid) == argument.sr.uuid:
                return pbd.ref
        raise Refused(
            f"{quoted(argument.host.name)} has no connection (PBD) to {quoted(argument.sr.name)}.",
            remedy=f"Make one with the settings of another host's: xe pbd-create sr-uuid={argument.sr.uuid}"
            f" host-uuid={argument.host.uuid} device-config:KEY=VALUE; then “sr repair”.",
        )

    def _mapped(self, argument: ObjectMap) -> dict[str, str]:
        """:raises Refused: the other pool is not the one that was meant."""
        second: Callable[[ObjectId], str] = self.reference
        if argument.at is not None:
            if self._there is None:
                raise ValueError("no other pool here")
            second = self._there(argument.at)
        return {self.reference(one): second(other) for one, other in argument.pairs}

    def _result(self, step: int) -> str:
        if self._results is None or step not in self._results:
            raise ValueError(f"no result of step {step} yet")
        return self._results[step]

    def reference(self, found: ObjectId) -> str:
        """The object's reference now, by its uuid. Classes that no inventory holds are asked for."""
        kind = _KINDS.get(found.cls)
        if kind is not None:
            entity = self._inventory.by_uuid(kind, found.uuid)
            if entity is None:
                raise self._gone(found)
            return entity.ref
        try:
            return str(self._session.read(f"{found.cls}.get_by_uuid", found.uuid))
        except Refusal as refusal:
            raise failures.refusal(refusal.error, self._inventory) from refusal

    def _gone(self, found: ObjectId) -> ToolstackRefusal:
        return failures.refusal(("UUID_INVALID", found.cls, found.name or found.uuid), self._inventory)


def wire_value(value: object) -> Any:
    """JSON data as XML-RPC to XenAPI: integers as decimal text (they have 64 bits), null as the null reference."""
    match value:
        case None:
            return NULL_REF
        case bool() | float():
            return value
        case int():
            return str(value)
        case str():
            if unfit := _NOT_IN_XML.search(value):
                raise ValueError(f"XML cannot carry the character U+{ord(unfit[0]):04X}")
            return value
        case Mapping():
            return {wire_value(str(key)): wire_value(item) for key, item in value.items()}
        case list() | tuple():
            return [wire_value(item) for item in value]
    raise ValueError(f"XenAPI takes no {type(value).__name__}")
