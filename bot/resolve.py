"""From words to values: the pool that is meant, the objects that are meant, and the plan made again from pinned
arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

from bot import appointed
from bot.context import Asking
from bot.errors import Ambiguous, Choice, NotFound, ParseError, Refused, UserError
from bot.findings import Audits
from bot.grammar import Parsed, near
from bot.inventory import Inventory
from bot.lookup import KIND_NAMES, find, matches
from bot.model import Actor, BotTarget, ObjectId, Place, Plan, Request, Risk, Target, Window
from bot.ports import Channels, Clock, History, PolicyBook, PoolHands, Pools, PoolView
from bot.registry import CANDIDATE, DESTINATION, NUMBERS, OBJECTS, POOL, Command, Registry, Scope
from bot.rules import namesakes
from bot.schedules import ScheduleBook
from bot.scope import Scopes, which_pool
from bot.tags import tagged
from bot.text import quoted
from bot.typed import Word
from bot.usage import WHEN_SLOT, Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """Finds the pool and the objects of a command, and makes its plan."""

    pools: Pools
    scopes: Scopes
    registry: Registry
    history: History
    clock: Clock
    readers: Executor
    policy: PolicyBook
    watched_tags: frozenset[str] = frozenset()
    """The tags that the policy depends on."""
    audits: Audits | None = None
    team: str = ""
    """The Slack workspace's id, for places that no message gave."""
    schedules: ScheduleBook | None = None
    channels: Channels | None = None
    """None: nobody can ask Slack from here."""
    own: Callable[[Request], PoolHands] | None = None
    """What changes the bot itself, as a request asks."""
    timezone: str = "UTC"
    """IANA name of the zone of times that people type without one."""
    runs_on: str = ""
    """The VM or host that the bot itself runs on, by name or uuid."""

    def resolve(self, command: Command, parsed: Parsed, actor: Actor, place: Place) -> tuple[Any, Asking]:
        """The command's arguments, and the context for its plan.

        :raises UserError: a name that is not there, or that several objects or pools have.
        """
        visible = self.scopes.visible(place, self.pools.names())
        pool = self._pool(command, parsed, actor, place, visible)
        seen = (pool,) if pool is not None and command.scope is Scope.POOLS and "pool" in parsed.values else visible
        context = self._context(actor, place, seen, pool)
        inventory = there = None
        if pool is not None and any(slot.placeholder in OBJECTS for slot in command.usage.slots):
            inventory = context.pool.inventory()
        if (destination := self._destination(command, parsed, place)) is not None:
            there = destination.inventory()
        values = {
            slot.field: self._value(command, slot, parsed, inventory, context)
            if there is None or destination is None or not command.far(slot)
            else self._value(command, slot, parsed, there, context, called=destination.name)
            for slot in command.usage.slots
            if slot.field in parsed.values and slot.placeholder != POOL
        }
        return command.arguments(**values), context

    def window(self, parsed: Parsed) -> Window:
        """When it is to be done, from `at WHEN`; as soon as it is approved without.

        :raises ParseError: what was typed is no time that can be kept, with its place in the line.
        """
        word = parsed.values.get(WHEN_SLOT.field)
        if word is None:
            return Window()
        try:
            return appointed.window(word.text, self.clock.now(), self.timezone)
        except Refused as error:
            raise _placed(error, parsed, word) from error

    def replan(self, request: Request) -> Plan:
        """The plan of an approved request, made anew from fresh state with the choices that were pinned.

        :raises Refused: an object is gone, or the command would now answer something else. :raises Unavailable: the
        pool is away.
        """
        command = self.registry[request.plan.command]
        if command.scope is Scope.NAMED:
            # What may be named was decided where it was asked, and is pinned.
            context = self._context(request.actor, request.place, self.pools.names(), None)
            return self._again(request, command, context, None)
        names = tuple(map(self.name_of, request.plan.pools))
        context = self._context(request.actor, request.place, names, names[0])
        if command.headless:
            return self._again(request, command, context, None)
        return self._again(request, command, context, *map(self._same, request.plan.pools))

    def _same(self, pool: ObjectId) -> Inventory:
        """:raises Refused: it is another pool than the one of the plan."""
        view = self.pools.view(self.name_of(pool))
        inventory = view.inventory()
        if inventory.pool.uuid != pool.uuid:
            raise Refused(f"Under the name {quoted(view.name)} there is another pool now.")
        return inventory

    def _again(
        self,
        request: Request,
        command: Command,
        context: Asking,
        inventory: Inventory | None,
        there: Inventory | None = None,
    ) -> Plan:
        pinned = dict(request.plan.arguments)
        slots = {slot.field: slot for slot in command.usage.slots}
        values = {
            name: self.pools.view(text)
            if slots[name].placeholder == DESTINATION
            else _pinned(slots[name], text, there if there and command.far(slots[name]) else inventory)
            for name, text in pinned.items()
        }
        planned = command.plan(command.arguments(**values), context)
        if not isinstance(planned, Plan):
            raise Refused("The command would now only report, not change anything.")
        return self.completed(replace(planned, window=request.plan.window))

    def completed(self, plan: Plan) -> Plan:
        """The plan with what no command may forget: its tags, and a warning for each object that has a namesake.

        :raises UserError: as :func:`bot.tags.tagged`.
        """
        inventory = self._latest(plan) if plan.touches else None
        if inventory is not None:
            plan = replace(plan, findings=(*plan.findings, *namesakes.of_touched(plan.touches, inventory)))
        return tagged(plan, self.pools, self.registry, self.watched_tags)

    def _latest(self, plan: Plan) -> Inventory | None:
        """What its pool's objects are called; None where nobody can tell, or it is about no pool."""
        if self.name_of(plan.pool) not in self.pools.names():
            return None
        view = self.pools.view(self.name_of(plan.pool))
        return view.latest() if self.registry[plan.command].headless else view.inventory()

    def hands(self, request: Request, target: Target | None = None) -> PoolHands:
        """What acts where `target` says, for the request's plan; None: on its pool."""
        if isinstance(target, BotTarget):
            if self.own is None:
                raise RuntimeError("this bot was put together without anything that changes it")
            return self.own(request)
        return self.pools.hands(self.name_of(request.plan.pool), target)

    def name_of(self, pool: ObjectId) -> str:
        """The configuration's name of a plan's pool: plans carry it as the pool's name."""
        return pool.name

    def _context(self, actor: Actor, place: Place, visible: tuple[str, ...], pool: str | None) -> Asking:
        return Asking(
            actor=actor,
            place=place,
            pools=tuple(self.pools.view(name) for name in visible),
            history=self.history,
            commands=self.registry.help,
            policy=self.policy,
            clock=self.clock,
            readers=self.readers,
            configured=self.pools,
            timezone=self.timezone,
            runs_on=self.runs_on,
            reached=self.channels,
            agenda=self.schedules,
            spoken_of=lambda channel: self.scopes.visible(Place(kind="slack", channel=channel), self.pools.names()),
            chosen=None if pool is None else self.pools.view(pool),
            auditor=self.audits,
        )

    # --- which pool ---------------------------------------------------------------------------------------------------

    def _pool(
        self, command: Command, parsed: Parsed, actor: Actor, place: Place, visible: tuple[str, ...]
    ) -> str | None:
        if command.scope is Scope.BOT:
            return None
        typed = parsed.values.get("pool")
        if typed is not None:
            before, after = parsed.line[: typed.start], parsed.line[typed.end :]
            return self.scopes.named(typed.text, place, self.pools.names(), before, after)
        default = self.scopes.default(place, actor, visible)
        if command.scope in (Scope.POOLS, Scope.NAMED):
            return default
        if not visible:
            raise Refused("No pool can be named in this channel.", remedy="Ask in another channel.")
        objects = [slot for slot in command.usage.slots if slot.placeholder in OBJECTS and slot.field in parsed.values]
        if default is not None:
            if objects and len(visible) > 1:
                self._offer_elsewhere(objects[0], parsed, default, visible)
            return default
        if not objects:
            raise which_pool(parsed.line, visible)
        return self._pool_having(command, objects[0], parsed, visible)

    def _offer_elsewhere(self, slot: Slot, parsed: Parsed, default: str, visible: tuple[str, ...]) -> None:
        """A name that the meant pool does not have, but another: offered, never taken silently."""
        word = parsed.values[slot.field]
        if self._has(default, slot, word):
            return
        others = [name for name in visible if name != default and self._has(name, slot, word)]
        if others:
            noun = KIND_NAMES[OBJECTS[slot.placeholder]]
            raise NotFound(
                f"Pool {quoted(default)} has no {noun} called {quoted(word.text)}, but another pool has.",
                remedy="If that one is meant:",
                choices=tuple(Choice(f"in {name}", f"{parsed.line} in {name}") for name in others),
            )

    def _pool_having(self, command: Command, slot: Slot, parsed: Parsed, visible: tuple[str, ...]) -> str:
        """No pool was named and none is the default: look for the object. What changes something always asks."""
        word = parsed.values[slot.field]
        having = [name for name in visible if self._has(name, slot, word)]
        if len(having) == 1 and command.risk is Risk.READ:
            return having[0]
        if having:
            raise which_pool(parsed.line, visible, having)
        noun = KIND_NAMES[OBJECTS[slot.placeholder]]
        raise NotFound(
            f"No pool that can be seen here has a {noun} called {quoted(word.text)}.",
            remedy=f"“{'vm' if noun == 'VM' else 'host'} list in POOL” shows what a pool has.",
        )

    def _has(self, name: str, slot: Slot, word: Word) -> bool:
        try:
            return bool(matches(self.pools.view(name).inventory(), OBJECTS[slot.placeholder], word.text))
        except UserError:
            # A pool that does not answer cannot be offered; the default pool's own silence is told when it is read.
            return False

    def _destination(self, command: Command, parsed: Parsed, place: Place) -> PoolView | None:
        """The other pool that was named; None when none was.

        :raises NotFound, Denied: there is none of that name to be named here, as for the command's own pool.
        """
        slot = next((slot for slot in command.usage.slots if slot.placeholder == DESTINATION), None)
        word = parsed.values.get(slot.field) if slot is not None else None
        if word is None:
            return None
        before, after = parsed.line[: word.start], parsed.line[word.end :]
        return self.pools.view(self.scopes.named(word.text, place, self.pools.names(), before, after))

    # --- which value --------------------------------------------------------------------------------------------------

    def _value(
        self,
        command: Command,
        slot: Slot,
        parsed: Parsed,
        inventory: Inventory | None,
        context: Asking,
        *,
        called: str = "",
    ) -> Any:
        word = parsed.values[slot.field]
        if slot.flag:
            return True
        kind = OBJECTS.get(slot.placeholder)
        if kind is not None:
            assert inventory is not None
            after = parsed.line[word.end :]
            if "pool" not in parsed.values and len(context.pools) > 1:
                after += f" in {context.pool.name}"
            try:
                return find(inventory, kind, word.text, (parsed.line[: word.start], after), called=called)
            except Ambiguous:
                raise
            except NotFound as error:
                raise _placed(error, parsed, word) from error
        if slot.placeholder in NUMBERS:
            return _number(slot, parsed, word)
        if slot.placeholder == CANDIDATE:
            return self._candidate(parsed, word)
        if slot.placeholder == DESTINATION:
            return self._destination(command, parsed, context.place)
        return word.text

    def _candidate(self, parsed: Parsed, word: Word) -> str:
        """The configuration's own spelling of a host that is in no pool."""
        try:
            return self.pools.candidate(word.text).name
        except NotFound as error:
            before, after = parsed.line[: word.start], parsed.line[word.end :]
            slips = near(word.text, self.pools.candidates())
            error.choices = tuple(Choice(name, f"{before}{name}{after}") for name in slips)
            raise _placed(error, parsed, word) from error


def _placed(error: UserError, parsed: Parsed, word: Word) -> UserError:
    """The same refusal with the place of the name in the line."""
    remedy = error.remedy if error.choices else appointed.if_meant(word.text) or error.remedy
    return ParseError(
        error.message, text=parsed.line, start=word.start, end=word.end, remedy=remedy, choices=error.choices
    )


def _number(slot: Slot, parsed: Parsed, word: Word) -> int:
    allowed = NUMBERS[slot.placeholder]
    if not word.text.isdecimal() or int(word.text) not in allowed:
        raise ParseError(
            f"{quoted(word.text)} is not a number from {allowed[0]} to {allowed[-1]}.",
            text=parsed.line,
            start=word.start,
            end=word.end,
        )
    return int(word.text)


def _pinned(slot: Slot, text: str, inventory: Inventory | None) -> Any:
    kind = OBJECTS.get(slot.placeholder)
    if kind is not None:
        assert inventory is not None
        found = inventory.by_uuid(kind, text)
        if found is None:
            raise Refused(f"A {KIND_NAMES[kind]} of the approved plan is not in the pool any more.")
        return found
    if slot.flag:
        return True
    return int(text) if slot.placeholder in NUMBERS else text
