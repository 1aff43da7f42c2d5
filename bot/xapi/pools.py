"""The configured pools."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from bot.errors import NotFound
from bot.model import HostTarget, MemberTarget, PoolTarget, Secret, Target
from bot.ports import Account, Clock, KnownHost, PoolHands, PoolMemory, Pools
from bot.text import joined, quoted
from bot.xapi import failures
from bot.xapi.hands import XapiHands
from bot.xapi.identity import Forgetful, Identity
from bot.xapi.member import Member, MemberHands
from bot.xapi.reader import Reader
from bot.xapi.rollcall import RollCall
from bot.xapi.session import PoolSession, Refusal
from bot.xapi.settings import PoolSettings
from bot.xapi.view import XapiView

DATABASE_PATH = "/pool/xmldbdump"
DATABASE_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class PoolSighting:
    """How a pool looked when it was asked last. `read_at` is seconds since the epoch, None when it has not been read
    yet; `trouble` is why the last try failed, "" when it did not.
    """

    name: str
    read_at: float | None
    trouble: str


@dataclass(frozen=True, slots=True)
class _Pool:
    settings: PoolSettings
    session: PoolSession
    identity: Identity
    reader: Reader
    view: XapiView
    hands: XapiHands


class XapiPools(Pools):
    """:class:`bot.ports.Pools`: nothing is connected before it is asked for. Close it to log out everywhere. Settings
    of hosts by themselves (`alone`) make candidates.

    `secret` gives the value of a secret by its name, for steps that hold one. `witness` is told of every login: the
    pool's name, what happened, and how. `counted` is told of every call: the pool's name, the method, `answered`,
    `refused` or `lost`, and the seconds it took. `memory` knows which pool each name stands for.
    """

    def __init__(
        self,
        settings: Iterable[PoolSettings],
        clock: Clock,
        *,
        secret: Callable[[str], str] | None = None,
        witness: Callable[[str, str, Mapping[str, str]], None] | None = None,
        counted: Callable[[str, str, str, float], None] | None = None,
        memory: PoolMemory | None = None,
    ) -> None:
        self._clock = clock
        self._secret = secret
        self._pools: dict[str, _Pool] = {}
        self._alone: dict[str, _Pool] = {}
        remembered = memory or Forgetful()
        for each in settings:
            session = PoolSession(
                each,
                clock,
                partial(witness, each.name) if witness else None,
                partial(counted, each.name) if counted else None,
            )
            identity = Identity(each, remembered, self._names_of)
            if known := identity.before():
                session.remember({host.address: host.name for host in known.hosts})
            reader = Reader(session, clock, identity.check, each.called)
            account = Account(username=each.username, password=Secret(each.password_name))
            view = XapiView(each.name, session, reader, account, identity, RollCall(each, session.exchange))
            hands = XapiHands(
                each.name, session, reader, clock, secret, partial(self.hands, each.name), view.nobody_leads
            )
            made = _Pool(each, session, identity, reader, view, hands)
            (self._alone if each.alone else self._pools)[each.name] = made

    def names(self) -> tuple[str, ...]:
        return tuple(self._pools)

    def view(self, name: str) -> XapiView:
        """:raises NotFound: no such pool is configured."""
        return self._found(name).view

    def candidates(self) -> tuple[str, ...]:
        return tuple(self._alone)

    def candidate(self, name: str) -> XapiView:
        """:raises NotFound: no such host is configured."""
        return self._candidate(name).view

    def hands(self, name: str, target: Target | None = None) -> PoolHands:
        """:raises NotFound: no such pool or host is configured."""
        pool = self._found(name)
        match target:
            case None:
                return pool.hands
            case PoolTarget(uuid):
                return self._known_as(uuid, pool).hands
            case HostTarget(host):
                alone, elsewhere = self._candidate(host), partial(self.hands, name)
                leads = alone.view.nobody_leads
                return XapiHands(host, alone.session, alone.reader, self._clock, self._secret, elsewhere, leads)
            case MemberTarget(host, address):
                member = Member(pool.settings, pool.session.exchange, address, host.name)
                known = KnownHost(uuid=host.uuid, name=host.name, address=address)
                return MemberHands(member, partial(pool.view.answer_of, known), self._secret, partial(self.hands, name))
        raise ValueError("what the bot itself does is done by no pool")

    def database(self, name: str) -> Iterator[bytes]:
        """The whole database of a pool as `xe pool-dump-database` writes it, in pieces. Secrets of storage are in it.

        :raises NotFound: no such pool is configured. :raises Refused: another pool answers under its name.
        :raises Unavailable: nobody answers, or the connection broke on the way.
        """
        pool = self._found(name)
        pool.view.inventory()
        yield from pool.session.download(DATABASE_PATH, whole_seconds=DATABASE_SECONDS)

    def permissions(self, name: str) -> frozenset[str] | None:
        """What the account may do in a pool, as XenAPI names it (`vm.start`); None: everything.

        :raises UserError: the pool does not say.
        """
        try:
            return (self._alone.get(name) or self._found(name)).session.permissions()
        except Refusal as refusal:
            raise failures.refusal(refusal.error, None) from refusal

    def sightings(self) -> tuple[PoolSighting, ...]:
        """When each pool was read last, and whether the last try went well. Asks nobody."""
        return tuple(PoolSighting(name, *each.reader.seen()) for name, each in self._pools.items())

    def close(self) -> None:
        """Log out of all pools, at the same time."""
        everywhere = (*self._pools.values(), *self._alone.values())
        if everywhere:
            with ThreadPoolExecutor(len(everywhere), thread_name_prefix="logout") as threads:
                list(threads.map(lambda pool: pool.session.close(), everywhere))

    def _names_of(self, uuid: str) -> tuple[str, ...]:
        """The configured names that are known to stand for the pool with that uuid."""
        return tuple(name for name, each in self._pools.items() if each.identity.is_known_as(uuid))

    def _found(self, name: str) -> _Pool:
        if name not in self._pools:
            raise NotFound(
                f"There is no pool {quoted(name)}.",
                remedy=f"The configured pools: {joined(self._pools, limit=20)}." if self._pools else "",
            )
        return self._pools[name]

    def _known_as(self, uuid: str, meant: _Pool) -> _Pool:
        """The pool with that uuid: `meant`, or another of the configuration that is known to be it. Where none is,
        `meant`: what acts there refuses when it finds that it is another.
        """
        if meant.identity.is_known_as(uuid):
            return meant
        return next((each for each in self._pools.values() if each.identity.is_known_as(uuid)), meant)

    def _candidate(self, name: str) -> _Pool:
        if name not in self._alone:
            named = f"The hosts that it names: {joined(self._alone, limit=20)}. " if self._alone else ""
            raise NotFound(
                f"The configuration has no host {quoted(name)} beside its pools.",
                remedy=f"{named}Whoever runs the bot adds one under [hosts.{name}], with its address and password.",
            )
        return self._alone[name]
