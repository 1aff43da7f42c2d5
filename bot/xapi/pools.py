"""The configured pools."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from bot.errors import NotFound
from bot.ports import Clock, Pools
from bot.text import joined, quoted
from bot.xapi.hands import XapiHands
from bot.xapi.reader import Reader
from bot.xapi.session import PoolSession
from bot.xapi.settings import PoolSettings
from bot.xapi.view import XapiView


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
    session: PoolSession
    reader: Reader
    view: XapiView
    hands: XapiHands


class XapiPools(Pools):
    """:class:`bot.ports.Pools`: nothing is connected before it is asked for. Close it to log out everywhere.

    `secret` gives the value of a secret by its name, for steps that hold one. `witness` is told of every login: the
    pool's name, what happened, and how. `counted` is told of every call: the pool's name, the method, `answered`,
    `refused` or `lost`, and the seconds it took.
    """

    def __init__(
        self,
        settings: Iterable[PoolSettings],
        clock: Clock,
        *,
        secret: Callable[[str], str] | None = None,
        witness: Callable[[str, str, Mapping[str, str]], None] | None = None,
        counted: Callable[[str, str, str, float], None] | None = None,
    ) -> None:
        self._pools: dict[str, _Pool] = {}
        for each in settings:
            session = PoolSession(
                each,
                clock,
                partial(witness, each.name) if witness else None,
                partial(counted, each.name) if counted else None,
            )
            reader = Reader(session, clock)
            hands = XapiHands(each.name, session, reader, clock, secret)
            self._pools[each.name] = _Pool(session, reader, XapiView(each.name, session, reader), hands)

    def names(self) -> tuple[str, ...]:
        return tuple(self._pools)

    def view(self, name: str) -> XapiView:
        """:raises NotFound: no such pool is configured."""
        return self._found(name).view

    def hands(self, name: str) -> XapiHands:
        """:raises NotFound: no such pool is configured."""
        return self._found(name).hands

    def sightings(self) -> tuple[PoolSighting, ...]:
        """When each pool was read last, and whether the last try went well. Asks nobody."""
        return tuple(PoolSighting(name, *each.reader.seen()) for name, each in self._pools.items())

    def close(self) -> None:
        """Log out of all pools, at the same time."""
        if self._pools:
            with ThreadPoolExecutor(len(self._pools), thread_name_prefix="logout") as threads:
                list(threads.map(lambda pool: pool.session.close(), self._pools.values()))

    def _found(self, name: str) -> _Pool:
        if name not in self._pools:
            raise NotFound(
                f"There is no pool {quoted(name)}.",
                remedy=f"The configured pools: {joined(self._pools, limit=20)}." if self._pools else "",
            )
        return self._pools[name]
