"""What plans are made of: objects, checks, arguments, and to whom a call goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from bot.model.fields import bound, free, later


@dataclass(frozen=True, slots=True)
class ObjectId:
    """An object of a pool as a person knows it. `cls` is XenAPI's class ("VM", "host"); refs are not kept: they change,
    uuids do not.
    """

    cls: str = bound()
    uuid: str = bound()
    name: str = free()


class Risk(StrEnum):
    """What an action can cost. Commands declare it; the policy decides what it takes."""

    READ = "read-only"
    ROUTINE = "routine"
    DISRUPTIVE = "disruptive"
    DESTRUCTIVE = "destructive"

    def covers(self, plan: Risk) -> bool:
        """May a command that declares this risk make such a plan? A graver one, too (with `force`); never a milder, and
        what only reads none at all.
        """
        order = list(Risk)
        return plan is self or (self is not Risk.READ and order.index(plan) > order.index(self))


class Verdict(StrEnum):
    BLOCK = "block"
    WARN = "warn"
    PASS = "pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check and its result. All checks of a plan are listed, not only the first that fails."""

    id: str = bound()
    """Stable name of the rule, e.g. `vm.migrate.memory`."""
    verdict: Verdict = bound()
    subject: ObjectId | None = bound(default=None)
    title: str = free()
    evidence: str = free(default="")
    remedy: str = free(default="")
    code: str = free(default="")
    """For a blocker: the code with which the toolstack would refuse; "" where it would not notice."""


@dataclass(frozen=True, slots=True)
class Value:
    """A literal argument: JSON data as XenAPI takes it."""

    value: str | int | float | bool | tuple[str, ...] | Mapping[str, str] | None = bound()
    kind: Literal["value"] = bound(default="value")


@dataclass(frozen=True, slots=True)
class Object:
    """An object as an argument: its reference is looked up by uuid when the call is made."""

    object: ObjectId = bound()
    kind: Literal["object"] = bound(default="object")


@dataclass(frozen=True, slots=True)
class Objects:
    """A set of objects as an argument."""

    objects: tuple[ObjectId, ...] = bound()
    kind: Literal["objects"] = bound(default="objects")


@dataclass(frozen=True, slots=True)
class ObjectMap:
    """A map from objects to objects as an argument: each disk's storage. `at` is the pool in which the second of each
    pair is looked up; None: that of the call.
    """

    pairs: tuple[tuple[ObjectId, ObjectId], ...] = bound()
    kind: Literal["object map"] = bound(default="object map")
    at: PoolTarget | None = later(default=None)


@dataclass(frozen=True, slots=True)
class Connection:
    """A host's connection to a storage (its PBD) as an argument: found when the call is made, since the pool may have
    made it only then.
    """

    host: ObjectId = bound()
    sr: ObjectId = bound()
    kind: Literal["connection"] = bound(default="connection")


@dataclass(frozen=True, slots=True)
class ResultOf:
    """The result of an earlier step (its index) as an argument."""

    step: int = bound()
    kind: Literal["result"] = bound(default="result")


@dataclass(frozen=True, slots=True)
class MapOf:
    """The map that an earlier step (its index) answered, as an argument."""

    step: int = bound()
    kind: Literal["map"] = bound(default="map")


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret by name; the value is known to nobody but the call itself."""

    name: str = bound()
    kind: Literal["secret"] = bound(default="secret")


Argument = Value | Object | Objects | ObjectMap | Connection | ResultOf | MapOf | Secret


@dataclass(frozen=True, slots=True)
class PoolTarget:
    """The call goes to the pool's coordinator."""

    pool_uuid: str = bound()
    kind: Literal["pool"] = bound(default="pool")


@dataclass(frozen=True, slots=True)
class HostTarget:
    """The call goes to a stand-alone host, in a session with its own account. `host` is the configuration's name
    (`[hosts.NAME]`), `pool_uuid` the uuid of the pool that it is by itself: when that has changed, nothing is sent.
    """

    host: str = bound()
    pool_uuid: str = bound()
    kind: Literal["host"] = bound(default="host")


@dataclass(frozen=True, slots=True)
class MemberTarget:
    """The call goes to one host of the plan's pool itself, whatever its coordinator does: in a session of that host
    alone (`session.slave_local_login_with_password`), which also a host in emergency mode gives out.
    """

    host: ObjectId = bound()
    address: str = bound()
    kind: Literal["member"] = bound(default="member")


@dataclass(frozen=True, slots=True)
class BotTarget:
    """The change is one of the bot itself (a schedule, a mute, a policy)."""

    kind: Literal["bot"] = bound(default="bot")


Target = PoolTarget | HostTarget | MemberTarget | BotTarget
