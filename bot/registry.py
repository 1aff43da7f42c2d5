"""The commands: one declaration each, from which the parser, the help, the forms and the generated reference are made.

A command is one module with one decorated function::

    @dataclass(frozen=True)
    class Arguments:
        vm: VM
        host: Host | None = None

    @command("vm migrate VM [to HOST]", risk=Risk.DISRUPTIVE, summary="Move a running VM to another host of its pool.")
    def plan(arguments: Arguments, context: Context) -> Plan: ...

The dataclass has a field for every argument of the usage line, of the type that its placeholder stands for; this is
checked when the command is loaded.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from bot import grammar
from bot.errors import ParseError
from bot.grammar import Parsed
from bot.inventory import SR, VDI, VM, Entity, Host, Network
from bot.model import Plan, Report, Risk
from bot.ports import CommandHelp, Context, PoolView
from bot.usage import EMERGENCY_SLOT, POOL_SLOT, REST_OF_LINE, WHEN_SLOT, Slot, Usage, usage_of

PlanFunction = Callable[[Any, Context], Plan | Report]

CANDIDATE = "CANDIDATE"
"""The placeholder of a host that is in no pool, by its name in the configuration."""
POOL = POOL_SLOT.placeholder
DESTINATION = "DESTINATION"
"""The placeholder of another pool than the command's. What follows it in the usage is looked up there, if it is
given.
"""

OBJECTS: Mapping[str, type[Entity]] = {
    "VM": VM,
    "HOST": Host,
    "MEMBER": Host,
    "SR": SR,
    "DISK": VDI,
    "NETWORK": Network,
}
"""Placeholders that name an object of the pool. MEMBER is another host beside HOST."""

_CALLED = {DESTINATION: "POOL", "MEMBER": "HOST"}
"""What placeholders of the other pool are called where people read them."""

_TEXTS: Mapping[str, type] = {
    **dict.fromkeys(
        (
            CANDIDATE,
            "TEXT",
            "NAME",
            "SNAPSHOT",
            "SERVERS",
            "COMMAND",
            "REQUEST",
            "RUN",
            "FINDING",
            "SCHEDULE",
            "POOLS",
            "CHANNEL",
            "DATE",
            "WHO",
            "WHEN",
            "SURVIVOR",
            REST_OF_LINE,
        ),
        str,
    ),
}

NUMBERS: Mapping[str, range] = {
    "NUMBER": range(1, 1001),
    "FAILURES": range(65),
    "ORDER": range(1_000_000),
    "SECONDS": range(86_401),
}
"""Placeholders that stand for a number, and which."""


class Scope(StrEnum):
    """What a command is about: one pool (it takes `in POOL`), whichever pools may be seen, the same but with a word of
    its own for them, or the bot itself.
    """

    POOL = "one pool"
    POOLS = "pools"
    NAMED = "pools that it names itself"
    BOT = "the bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command as it was declared."""

    usage: Usage
    scope: Scope
    risk: Risk
    summary: str
    details: tuple[str, ...]
    examples: tuple[str, ...]
    arguments: type
    plan: PlanFunction
    headless: bool = False
    """It is planned without the pool's database, which a pool without a coordinator does not show."""

    @property
    def name(self) -> str:
        return self.usage.name

    @property
    def slots(self) -> tuple[Slot, ...]:
        """All arguments, `in POOL`, `at WHEN` and `emergency "why"` included."""
        return (*self.usage.slots, *self.common)

    def far(self, slot: Slot) -> bool:
        """Is that argument looked up in the destination, where one is given?"""
        names = [each.placeholder for each in self.usage.slots]
        return DESTINATION in names and slot in self.usage.slots[names.index(DESTINATION) + 1 :]

    @property
    def common(self) -> tuple[Slot, ...]:
        """What it takes besides its own arguments: its pool, and, when it changes something there, the time."""
        if self.scope in (Scope.BOT, Scope.NAMED):
            return ()
        pool = () if any(slot.placeholder == POOL for slot in self.usage.slots) else (POOL_SLOT,)
        return pool if self.scope is Scope.POOLS or self.risk is Risk.READ else (*pool, WHEN_SLOT, EMERGENCY_SLOT)

    @property
    def understood(self) -> tuple[Slot, ...]:
        """As :attr:`common`; and `in POOL` also where the usage has another word for it (`host add xs3 to lab`)."""
        if self.scope in (Scope.BOT, Scope.NAMED):
            return ()
        return tuple(dict.fromkeys((*self.common, POOL_SLOT)))

    @property
    def help(self) -> CommandHelp:
        common = "".join(f" [{slot.keyword} {slot.placeholder}]" for slot in self.common if slot != EMERGENCY_SLOT)
        return CommandHelp(
            name=self.name,
            usage=self.usage.text + common,
            own_usage=self.usage.text,
            pooled=self.scope in (Scope.POOL, Scope.POOLS),
            summary=self.summary,
            details=self.details,
            examples=self.examples,
            risk=self.risk,
        )


def command(
    usage: str,
    *,
    summary: str,
    risk: Risk,
    scope: Scope = Scope.POOL,
    details: Iterable[str] = (),
    examples: Iterable[str] = (),
    headless: bool = False,
) -> Callable[[PlanFunction], PlanFunction]:
    """Declare a command. `details` are further lines of its help; `examples` are whole command lines; a `headless` one
    is for a pool without a coordinator.
    """

    def declare(plan: PlanFunction) -> PlanFunction:
        grammar_of_it = replace(usage_of(usage), text=_shown(usage))
        hints = typing.get_type_hints(plan)
        arguments = next(iter(hints.values()))
        declared = Command(
            usage=grammar_of_it,
            scope=scope,
            risk=risk,
            summary=summary,
            details=tuple(details),
            examples=tuple(examples),
            arguments=arguments,
            plan=plan,
            headless=headless,
        )
        _check(declared)
        plan.__command__ = declared  # type: ignore[attr-defined]
        return plan

    return declare


def _shown(usage: str) -> str:
    """A usage line as people read it, where it is about two pools."""
    if DESTINATION not in usage:
        return usage
    return re.sub(r"[A-Z]+", lambda found: _CALLED.get(found[0], found[0]), usage)


def _check(declared: Command) -> None:
    """The usage line and the dataclass must tell the same story.

    :raises TypeError: they do not: a mistake of the command's author, found when the command is loaded.
    """
    clash = {slot.keyword for slot in declared.usage.slots} & {slot.keyword for slot in declared.common}
    if clash - {""}:
        raise TypeError(f"{declared.name}: {sorted(clash)} is what every such command takes besides")
    hints = typing.get_type_hints(declared.arguments)
    fields = {field.name: field for field in dataclasses.fields(declared.arguments)}
    slots = {slot.field: slot for slot in declared.usage.slots if slot.placeholder != POOL}
    if fields.keys() != slots.keys():
        raise TypeError(f"{declared.name}: the usage has {sorted(slots)}, its arguments {sorted(fields)}")
    for name, slot in slots.items():
        hint = hints[name]
        parts = set(typing.get_args(hint)) if isinstance(hint, types.UnionType) else {hint}
        wanted: set[Any] = {_type_of(slot)}
        if not slot.required and not slot.flag:
            wanted.add(type(None))
        if parts != wanted:
            raise TypeError(f"{declared.name}: {name} is {hint}, the usage says {wanted}")
        has_default = fields[name].default is not dataclasses.MISSING
        if has_default is slot.required:
            raise TypeError(f"{declared.name}: {name} must {'not ' if slot.required else ''}have a default")


def _type_of(slot: Slot) -> type:
    if slot.flag:
        return bool
    if slot.choices:
        return str
    if slot.placeholder == DESTINATION:
        return PoolView
    return int if slot.placeholder in NUMBERS else OBJECTS.get(slot.placeholder) or _TEXTS[slot.placeholder]


class Registry:
    """All commands, by name."""

    def __init__(self, commands: Iterable[Command]) -> None:
        self._commands: dict[str, Command] = {}
        for each in sorted(commands, key=lambda each: each.name):
            if each.name in self._commands:
                raise ValueError(f"two commands are called {each.name}")
            self._commands[each.name] = each
        self._usages = tuple(each.usage for each in self._commands.values())
        self._common = {each.name: each.understood for each in self}

    @classmethod
    def of_package(cls, package: types.ModuleType) -> Registry:
        """The commands of every module directly in a package."""
        found = []
        for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            module = importlib.import_module(info.name)
            found += [each.__command__ for each in vars(module).values() if hasattr(each, "__command__")]
        return cls(found)

    def __iter__(self) -> typing.Iterator[Command]:
        return iter(self._commands.values())

    def __getitem__(self, name: str) -> Command:
        return self._commands[name]

    def parse(self, text: str) -> tuple[Command, Parsed]:
        """:raises ParseError: see :func:`bot.grammar.parse`."""
        parsed = grammar.parse(text, self._usages, self._common)
        return self._commands[parsed.usage.name], parsed

    def knows(self, text: str) -> bool:
        """Is it a whole command?"""
        try:
            return not self.parse(text)[1].missing
        except ParseError:
            return False

    @property
    def help(self) -> tuple[CommandHelp, ...]:
        return tuple(each.help for each in self)
