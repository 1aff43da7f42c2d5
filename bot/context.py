"""What a command's plan sees: one value made for one asking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from bot import logs
from bot.errors import Unavailable, UserError
from bot.findings import Audits
from bot.inventory import Inventory
from bot.model import Actor, Place
from bot.ports import Channels, Clock, CommandHelp, History, PolicyBook, Pools, PoolView
from bot.schedules import ScheduleBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """The engine's :class:`bot.ports.Context`."""

    actor: Actor
    place: Place
    pools: tuple[PoolView, ...]
    history: History
    commands: tuple[CommandHelp, ...]
    policy: PolicyBook
    clock: Clock
    readers: Executor
    """Threads on which several pools are read at once; never the threads that answer people, which wait for them."""
    configured: Pools
    timezone: str = "UTC"
    runs_on: str = ""
    chosen: PoolView | None = None
    auditor: Audits | None = None
    reached: Channels | None = None
    agenda: ScheduleBook | None = None
    spoken_of: Callable[[str], tuple[str, ...]] | None = None

    @property
    def pool(self) -> PoolView:
        if self.chosen is None:
            raise RuntimeError("this command declared that it is not about one pool")
        return self.chosen

    @property
    def sees_all(self) -> bool:
        return {pool.name for pool in self.pools} == set(self.configured.names())

    @property
    def channels(self) -> Channels:
        if self.reached is None:
            raise Unavailable("Slack is not asked from here, so channels cannot be named.", remedy="Ask it in Slack.")
        return self.reached

    def pools_in(self, channel: str) -> tuple[str, ...]:
        if self.spoken_of is None:
            raise RuntimeError("this bot was put together without its channels' limits")
        return self.spoken_of(channel)

    @property
    def schedules(self) -> ScheduleBook:
        if self.agenda is None:
            raise RuntimeError("this bot was put together without schedules")
        return self.agenda

    @property
    def audits(self) -> Audits:
        if self.auditor is None:
            raise RuntimeError("this bot was put together without audits")
        return self.auditor

    @property
    def candidates(self) -> tuple[str, ...]:
        return self.configured.candidates()

    def candidate(self, name: str) -> PoolView:
        return self.configured.candidate(name)

    def each_pool(self, pools: Sequence[PoolView]) -> tuple[tuple[PoolView, Inventory | Exception], ...]:
        return tuple(zip(pools, self.readers.map(logs.carried(_read), pools), strict=True))


def _read(pool: PoolView) -> Inventory | Exception:
    try:
        return pool.inventory()
    except UserError as error:
        return error
