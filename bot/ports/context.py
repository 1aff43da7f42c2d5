"""What a command's plan sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.findings import Audits
from bot.inventory import Inventory
from bot.model import Actor, Line, Place, Request, Risk
from bot.ports.channels import Channels
from bot.ports.clock import Clock
from bot.ports.history import History
from bot.ports.people import Standing
from bot.ports.pools import PoolView
from bot.schedules import ScheduleBook


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandHelp:
    """A command as the help and the generated reference show it."""

    name: str
    usage: str
    """Everything that it takes."""
    own_usage: str
    """Without what many commands take alike: the pool, and the time of a change."""
    pooled: bool
    """It is about a pool."""
    summary: str
    details: tuple[str, ...]
    examples: tuple[str, ...]
    risk: Risk


class PolicyBook(Protocol):
    """What commands may read of the policy."""

    def explain(self, command: str, risk: Risk, pool: str, now: datetime) -> tuple[Line, ...]:
        """What applies to a command in a pool now, in words. `pool` is the configuration's name, "" for none."""

    def held(self, request: Request, now: datetime) -> str:
        """Why an approved request may not begin now, in words; "" when it may."""

    def stricter(self, request: Request) -> tuple[str, ...]:
        """What the policy wants of a request now and did not want when it was asked, in words; empty when nothing."""

    def asks_no_more(self, request: Request, standing: Standing, now: datetime) -> str:
        """Why who asked, of this standing, could not ask for it now, in words; "" when they could. :raises Unavailable:
        it cannot be told.
        """

    def counts_no_more(self, request: Request, voter: Actor, standing: Standing) -> str:
        """Why the approval of somebody, of this standing, does not count any more, in words; "" when it does. :raises
        Unavailable: it cannot be told.
        """


class Context(Protocol):
    """What a command's plan may use. Read-only."""

    @property
    def actor(self) -> Actor: ...
    @property
    def place(self) -> Place: ...
    @property
    def pool(self) -> PoolView:
        """The command's pool. :raises RuntimeError: the command declared that it has none (a bug)."""

    @property
    def pools(self) -> tuple[PoolView, ...]:
        """All pools that may be seen from here."""

    @property
    def sees_all(self) -> bool:
        """No pool is hidden here, or left out by what was asked: what is about the bot as a whole may be told too."""

    @property
    def history(self) -> History: ...
    @property
    def commands(self) -> tuple[CommandHelp, ...]: ...
    @property
    def policy(self) -> PolicyBook: ...
    @property
    def audits(self) -> Audits: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def timezone(self) -> str:
        """IANA name of the zone of times that people type without one."""

    @property
    def runs_on(self) -> str:
        """The VM or host that the bot itself runs on, by name or uuid, as the configuration says; "" for neither."""

    @property
    def schedules(self) -> ScheduleBook: ...
    @property
    def channels(self) -> Channels:
        """:raises Unavailable: nobody can ask Slack from here (the terminal)."""

    def pools_in(self, channel: str) -> tuple[str, ...]:
        """The pools that may be spoken of in a channel, by the configuration's names. Slack is not asked."""

    @property
    def candidates(self) -> tuple[str, ...]:
        """The hosts that the configuration names beside its pools."""

    def candidate(self, name: str) -> PoolView:
        """A stand-alone host, which is a pool of its own. :raises NotFound: no such host is configured."""

    def each_pool(self, pools: Sequence[PoolView]) -> tuple[tuple[PoolView, Inventory | Exception], ...]:
        """The inventories of several pools, read at the same time; a pool that cannot be read gives its UserError
        instead.
        """
