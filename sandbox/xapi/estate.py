"""The estate: every pretend pool with its hosts, and the hands of fate on them.

`Estate.call` is what a wire puts a request through; it blocks as long as the toolstack would, and is safe to call from
many threads. Values come back as str, int, float, bool, Time, I4, list, dict, and None for no result.
"""

from __future__ import annotations

import collections
import threading
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sandbox.xapi import dispatch, life
from sandbox.xapi.accounts import introduce
from sandbox.xapi.failure import HostDown
from sandbox.xapi.hosts import Host
from sandbox.xapi.pool import Pool
from sandbox.xapi.storage.array import Array
from sandbox.xapi.storage.declared import Storage
from sandbox.xapi.timing import LabTime
from sandbox.xapi.world import PASSWORD, PoolWorld

NOBODY: Mapping[str, str] = MappingProxyType({})


class Estate:
    """`username` and `password` are root's on every host. `speed` divides every simulated duration. `storage` is what
    stands behind the pools; None leaves that open. `accounts` are further ones, each with its role."""

    def __init__(
        self,
        pools: Iterable[PoolWorld],
        username: str = "root",
        password: str = PASSWORD,
        speed: float = 1.0,
        storage: Storage | None = None,
        accounts: Mapping[str, str] = NOBODY,
    ) -> None:
        self.username, self.password = username, password
        self.accounts = dict(accounts)
        self.time = LabTime(speed)
        self.stopped = False
        self.storage = Array(storage)
        self.pools = [Pool(self, world) for world in pools]
        for pool in self.pools:
            self.storage.learn(pool.db)
            introduce(pool, self.accounts)
        self.hosts: dict[str, Host] = {h.uuid: h for pool in self.pools for h in pool.hosts.values()}
        self.pools = self._led(self.pools)
        self.counts: collections.Counter[str] = collections.Counter()
        self._waiting = list(self.pools)
        """Every pool that ever was: somebody may still wait in one that is gone."""
        self.bugs: list[Exception] = []
        """What went wrong inside the sandbox itself; tests look that it stays empty."""
        self._counting = threading.Lock()
        self._membership = threading.Lock()

    @property
    def speed(self) -> float:
        return self.time.speed

    @speed.setter
    def speed(self, factor: float) -> None:
        self.time.set_speed(factor)
        self._wake()

    def call(self, host_uuid: str, method: str, params: Sequence[Any], *, originator: str = "") -> Any:
        """Ask a host, as its wire does. Raises Failure as XenAPI answers, HostDown when it is off, KeyError when
        there is no such host."""
        host = self.hosts[host_uuid]
        if not host.alive:
            raise HostDown(host_uuid)
        with self._counting:
            self.counts[method] += 1
        return dispatch.answer(self, host, method, params, originator)

    def kill(self, host_uuid: str) -> None:
        """Pull the host's plug. Its VMs are gone, but the pool believes otherwise until it notices."""
        life.power_lost(self.hosts[host_uuid])

    def start(self, host_uuid: str) -> None:
        """Give the host power again; its toolstack answers at once, and it becomes usable as in a real boot."""
        life.power_back(self.hosts[host_uuid])

    def dump(self) -> list[PoolWorld]:
        """Every pool as data that an estate can be made of again. Sessions and tasks are not part of it."""
        out = []
        for pool in self.pools:
            with pool.db.lock:
                out.append(pool.world())
        return out

    def found(self, pool: Pool, machine: Host) -> None:
        """A pool has come into being, of a machine that left another."""
        self.storage.learn(pool.db)
        self._waiting = [*self._waiting, pool]
        self.succeed(machine)

    def succeed(self, machine: Host) -> Host:
        """The machine is from now on what it became by joining, leaving or leading; a pool without hosts is gone."""
        with self._membership:
            heir = machine.successor
            if heir is None:
                return self.hosts[machine.uuid]
            heir.powered, machine.successor = machine.powered, None
            self.hosts = {**self.hosts, machine.uuid: heir}
            self.pools = self._led(self._waiting)
            return heir

    def _led(self, pools: Iterable[Pool]) -> list[Pool]:
        """Pools that a machine is in."""
        there = {id(host.pool) for host in self.hosts.values()}
        return [pool for pool in pools if id(pool) in there]

    def close(self) -> None:
        """End everything that still waits."""
        self.stopped = True
        self._wake()

    def _wake(self) -> None:
        for pool in self._waiting:
            with pool.db.lock:
                pool.db.changed.notify_all()
