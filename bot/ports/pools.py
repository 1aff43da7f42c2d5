"""What may be read of a pool, and what may be done to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from bot.inventory import Inventory
from bot.model import Argument, Expect, Secret, Step, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFacts:
    """How the bot is connected to a pool: which host answers, over what, and how it knows that it is that host."""

    address: str
    tls: str
    """`TLSv1.3`, `TLSv1`, … or "" for plain HTTP."""
    trust: str
    """`fingerprint`, `ca` or `none`."""
    weaknesses: tuple[str, ...] = ()
    """What is weak about it, in words; empty when nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownHost:
    """A host of a pool as it was seen last."""

    uuid: str
    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPool:
    """Which pool stands behind a name of the configuration, and how it was seen last. `label` is the pool's own
    name; `coordinator` the uuid of its coordinator.
    """

    name: str
    uuid: str
    label: str
    hosts: tuple[KnownHost, ...] = ()
    coordinator: str = ""
    ha_enabled: bool = False


class Standpoint(StrEnum):
    """What a host says of itself when it is asked alone."""

    COORDINATOR = "coordinator"
    MEMBER = "member"
    LOST = "without coordinator"
    """In emergency mode: a member that has lost its coordinator."""
    REFUSES = "refuses"
    """It is there, but does not say what it is: a wrong password, a certificate that is not trusted, a toolstack that
    is still starting or hangs.
    """
    SILENT = "silent"
    """Nothing takes connections at its address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAnswer:
    """What one host answered. `words` continue "the host …"; `coordinator` is the address that a member names. The
    host's uuid and name are "" for an address of the configuration at which no host was ever seen.
    """

    host: KnownHost
    standpoint: Standpoint
    words: str
    coordinator: str = ""

    @property
    def called(self) -> str:
        return self.host.name or self.host.address


class PoolMemory(Protocol):
    """What the bot remembers of its pools from one start to the next."""

    def known(self, name: str) -> KnownPool | None: ...
    def remember(self, found: KnownPool, *, certain: bool = False) -> KnownPool:
        """Keep what was found, unless another pool is known by that name and it is not `certain` (by the configuration)
        that this one is meant. Returns what is known now.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account that the bot uses with a pool or host. The password is named, never told."""

    username: str
    password: Secret


class PoolView(Protocol):
    """What may be read of a pool, or of a stand-alone host, which is a pool of its own. Nothing here can change it."""

    @property
    def name(self) -> str:
        """The configuration's name of the pool, which people type after `in`; or of the stand-alone host."""

    @property
    def account(self) -> Account: ...

    def inventory(self) -> Inventory:
        """The pool's database as it is now: never older than this call.

        :raises Unavailable: no host of the pool answers as its coordinator; the evidence says which host answered what.
        """

    def ask(self, call: str, *arguments: Argument) -> Any:
        """A read-only XenAPI call (a getter, `assert_…`, `compute_…`, a dry run). Objects are resolved from uuid to
        reference.

        :raises ToolstackRefusal: XenAPI's failure, in plain words, with its code.
        :raises Unavailable: as :meth:`inventory`.
        :raises ValueError: the call is not on the list of read-only calls (a bug).
        """

    def latest(self) -> Inventory | None:
        """The database as this process read it last; it may be old, or of a coordinator that is dead now."""

    def known(self) -> KnownPool | None:
        """The pool as it was seen last, maybe by an earlier run of the bot; None: never."""

    def roll_call(self) -> tuple[HostAnswer, ...]:
        """What each known or configured host answers now, asked by itself: also without a coordinator."""

    def answer_of(self, host: KnownHost) -> HostAnswer:
        """What one host answers now, asked by itself."""

    def lacking(self, host: KnownHost) -> tuple[str, ...]:
        """What the pool's section of the configuration lacks to reach that host and to trust it, by a handshake with it
        and nothing more: in words, empty when nothing.
        """

    def connection(self) -> ConnectionFacts:
        """How the last answer came. :raises Unavailable: never connected, and cannot connect."""


class TaskStatus(StrEnum):
    """XenAPI's task_status_type."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A XenAPI task as it was read. `progress` is 0 to 1 and may go back; `error` is XenAPI's error array."""

    status: TaskStatus
    progress: float
    error: tuple[str, ...] = ()
    result: str = ""
    lost: bool = False
    """It has ended, and that proves nothing of its call: the coordinator lost the host that was doing it, which may
    have done it, or still be doing it.
    """


class Taken(StrEnum):
    """What looking for a call after a broken connection (or a crash) found."""

    RUNNING = "running"
    """Its task was found; attach to it."""
    NOT_TAKEN = "not taken"
    """The pool never took it: no task of it exists, nothing runs, and nothing changed."""
    DONE = "done"
    """Its effect is there."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """The answer of :meth:`PoolHands.look`, with the evidence in words."""

    taken: Taken
    evidence: str
    task_uuid: str = ""


class PoolHands(Protocol):
    """What the engine may do to a pool, one call at a time. A call with effect is sent at most once by any of these."""

    def mark(self, step: Step) -> str:
        """What must be known before the step is sent, to find it again afterwards (opaque; the store keeps it)."""

    def send(self, step: Step, results: Mapping[int, str]) -> str:
        """Send the step's call, once. Returns the task's uuid (asynchronous steps) or the call's result as text.

        :raises Unavailable: nothing was sent (no connection, no session).
        :raises ToolstackRefusal: taken and refused.
        :raises OutcomeUnknown: the connection broke after the request left; use :meth:`look`.
        """

    def look(self, step: Step, mark: str, *, ended: str = "") -> Sighting:
        """Find out what became of a step whose answer was lost, by its task, its trace and its expectations. Reading
        only. `ended` is the uuid of its task, if that has ended and proves nothing: only the effect can tell then.

        :raises Unavailable: the pool cannot be asked now; look again later.
        """

    def task(self, task_uuid: str) -> TaskView | None:
        """The task now; None when the pool does not know it any more (destroyed, or another coordinator).

        :raises Unavailable: the pool cannot be asked now.
        """

    def explain(self, error: Sequence[str]) -> tuple[str, str]:
        """XenAPI's error array as (what it means with names instead of references, what to do)."""

    def holds(self, expect: Expect, results: Mapping[int, str]) -> tuple[bool, str]:
        """Is it so, read afresh? With the evidence in words. :raises Unavailable: the pool cannot be asked now."""

    def cancel(self, task_uuid: str) -> None:
        """Ask the pool to cancel the task; whether it does shows in the task. :raises ToolstackRefusal, Unavailable:"""

    def forget(self, task_uuid: str) -> None:
        """Destroy a finished task's record (the client's duty). Failing is no error."""


class Pools(Protocol):
    """The configured pools, and the hosts that are in none (yet), by the configuration's names."""

    def names(self) -> tuple[str, ...]: ...
    def view(self, name: str) -> PoolView: ...
    def candidates(self) -> tuple[str, ...]:
        """The hosts that the configuration names beside its pools."""

    def candidate(self, name: str) -> PoolView:
        """:raises NotFound: no such host is configured."""

    def hands(self, name: str, target: Target | None = None) -> PoolHands:
        """What acts where `target` says, for a plan of the pool `name`; None: on the pool. A target may be another
        configured pool, by its uuid.

        :raises NotFound: no such pool or host is configured.
        """
