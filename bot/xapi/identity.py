"""Is the pool that answers the one that is meant? Approvals are for one pool; its name does not say which it is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from bot.errors import Refused, UserError
from bot.inventory import Inventory
from bot.ports import KnownHost, KnownPool, PoolMemory
from bot.text import joined, quoted
from bot.xapi.settings import PoolSettings

_log = logging.getLogger(__name__)


class Forgetful:
    """:class:`bot.ports.PoolMemory` for as long as the process lives."""

    def __init__(self) -> None:
        self._known: dict[str, KnownPool] = {}

    def known(self, name: str) -> KnownPool | None:
        return self._known.get(name)

    def remember(self, found: KnownPool, *, certain: bool = False) -> KnownPool:
        known = self._known.get(found.name)
        if known is None or known.uuid == found.uuid or certain:
            self._known[found.name] = found
            return found
        return known


class Identity:
    """Holds a configured pool to its uuid: the configuration's, or else the one that was found first. `twins` are the
    names that stand for the pool with a uuid, this one among them: a pool has one, or what is ruled for one of them
    could be gone around by the other.
    """

    def __init__(
        self, settings: PoolSettings, memory: PoolMemory, twins: Callable[[str], Collection[str]] = lambda _: ()
    ) -> None:
        self._settings = settings
        self._memory = memory
        self._twins = twins
        self._sure: KnownPool | None = None

    def check(self, inventory: Inventory) -> None:
        """:raises Refused: another pool answers under this name, or this pool has another name besides."""
        if self._settings.alone:
            return  # what pool it is by itself changes when it joins one or leaves one
        found = _found(self._settings.name, inventory)
        if self._settings.uuid:
            if found.uuid != self._settings.uuid:
                raise self._refusal(found, f"the configuration names {self._settings.uuid}", self._pinned())
        elif self._sure is None or self._sure.uuid != found.uuid:
            known = self._remembered(found)  # read again: a person may have accepted another one meanwhile
            if known.uuid != found.uuid:
                told = f"the bot knows {quoted(known.label)} ({known.uuid}) by that name"
                raise self._refusal(found, told, self._unpinned(found))
        if found != self._sure:
            self._remembered(found)
            self._sure = found
        if len(names := self._twins(found.uuid)) > 1:
            raise Refused(
                f"{joined(sorted(names))} of the configuration are one pool, {quoted(found.label)}: nothing is read or"
                " done there, since the rules of one could be gone around by another name.",
                evidence=(f"under each of these names hosts answer for {found.uuid}",),
                remedy="Leave one of them in the configuration.",
            )

    def known(self) -> KnownPool | None:
        """The pool as it was seen last, maybe by an earlier run of the bot. :raises Unavailable: nobody can say."""
        return self._sure or self._memory.known(self._settings.name)

    def is_known_as(self, uuid: str) -> bool:
        """Is this the pool with that uuid, as far as is known?"""
        if self._settings.uuid:
            return self._settings.uuid == uuid
        known = self._sure or self.before()
        return known is not None and known.uuid == uuid

    def before(self) -> KnownPool | None:
        """The pool as an earlier run of the bot saw it, if that can be told."""
        try:
            return None if self._settings.alone else self._memory.known(self._settings.name)
        except UserError as error:
            _log.warning("pool %s: what was known of it cannot be read: %s", self._settings.name, error.message)
            return None

    def _remembered(self, found: KnownPool) -> KnownPool:
        """Looking must be possible also while nothing can be written: then what was known counts, or what is found."""
        try:
            return self._memory.remember(found, certain=bool(self._settings.uuid))
        except UserError as error:
            _log.warning("pool %s: what was found is not kept: %s", found.name, error.message)
            known = self._memory.known(found.name)
            return known or found

    def _refusal(self, found: KnownPool, known: str, remedy: str) -> Refused:
        return Refused(
            f"Another pool answers under the name {quoted(self._settings.name)}: nothing is read or done there.",
            evidence=(f"{known}; the hosts answer for {quoted(found.label)} ({found.uuid})",),
            remedy=remedy,
        )

    def _pinned(self) -> str:
        name = self._settings.name
        return f"Correct hosts or address_map of pools.{name} in the configuration; or its uuid, if this is the pool."

    def _unpinned(self, found: KnownPool) -> str:
        accept = f"xenia config accept-pool {self._settings.name} {found.uuid}"
        return f"If that is the pool that is meant now, on the bot's machine: {accept}"


def _found(name: str, inventory: Inventory) -> KnownPool:
    hosts = (KnownHost(uuid=host.uuid, name=host.name, address=host.address) for host in inventory.hosts)
    pool = inventory.pool
    coordinator = pool.coordinator
    return KnownPool(
        name=name,
        uuid=pool.uuid,
        label=pool.name,
        hosts=tuple(hosts),
        coordinator=coordinator.uuid if coordinator else "",
        ha_enabled=pool.ha_enabled,
    )
