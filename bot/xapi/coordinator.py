"""Who is the pool's coordinator now? Asked by logging in: a coordinator accepts, a member names the coordinator."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import XenAPI

from bot.text import one_line, quoted
from bot.xapi import failures, transport
from bot.xapi.addresses import Endpoint, endpoint_of, same
from bot.xapi.broken import Broken
from bot.xapi.settings import ORIGINATOR, PoolSettings
from bot.xapi.transport import Exchange, OnceTransport
from bot.xapi.trust import Proof

_log = logging.getLogger(__name__)

_FOLLOWED_AT_MOST = 2
_ASKED_AT_ONCE = 64
LONGEST_ADDRESS = 100
_API_VERSION = "1.0"  # required by the call and ignored by every server
_WRONG_CREDENTIALS = {"SESSION_AUTHENTICATION_FAILED", "SESSION_AUTHORIZATION_FAILED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What one host answered to a login. `words` continue "the host …"."""

    endpoint: Endpoint
    handle: str = ""
    proof: Proof | None = None
    coordinator: str = ""
    """The address that a member named as its coordinator."""
    denied: tuple[str, ...] = ()
    """The error array of a coordinator that refused the user name and password."""
    words: str = ""
    remedy: str = ""
    answered: bool = True
    """It answered something, if only a refusal."""
    absent: bool = False
    """Nothing takes connections at its address."""


class Doorbell:
    """Logs in to hosts of one pool."""

    def __init__(self, settings: PoolSettings, exchange: Exchange) -> None:
        self._settings = settings
        self._exchange = exchange

    def ring(self, address: str, password: str) -> Tried:
        """Try to log in to one host. Bounded by the settings' connect and probe seconds."""
        settings = self._settings
        endpoint = endpoint_of(address, settings.address_map, plain_http=settings.plain_http)
        credentials = (settings.username, password, _API_VERSION, ORIGINATOR)
        try:
            try:
                return self._log_in(endpoint, credentials)
            except XenAPI.Failure as failure:
                if failures.code_of(failure.details) != "MESSAGE_PARAMETER_COUNT_MISMATCH":
                    raise
                # XenServer 6.1 and older do not know the originator (introduced in 6.2).
                return self._log_in(endpoint, credentials[:3])
        except Broken as broken:
            return Tried(
                endpoint=endpoint, words=broken.why, remedy=broken.remedy, answered=False, absent=broken.absent
            )
        except transport.SessionGone:
            return Tried(endpoint=endpoint, words="gives out no sessions")
        except XenAPI.Failure as failure:
            return _refusal(endpoint, failures.texts_of(failure.details))

    def follow(self, address: str, password: str) -> list[Tried]:
        """Try a host and, when it is a member, the coordinator that it names; at most twice. The last counts. Of a host
        that is to be alone only itself is tried.
        """
        tried = [self.ring(address, password)]
        while not self._settings.alone and tried[-1].coordinator and len(tried) <= _FOLLOWED_AT_MOST:
            tried.append(self.ring(tried[-1].coordinator, password))
        return tried

    def ring_the_others(self, tried: list[Tried], addresses: Iterable[str], password: str) -> list[Tried]:
        """Try all hosts that were not tried yet at the same time, then the coordinators that they named."""
        asked = [each.endpoint.address for each in tried]
        others = [address for address in _distinct(addresses) if not _among(address, asked)]
        tried = [*tried, *self._at_once(others, password)]
        named = [] if self._settings.alone else _distinct(each.coordinator for each in tried if each.coordinator)
        return [*tried, *self._at_once([a for a in named if not _among(a, [*asked, *others])], password)]

    def this_host(self, tried: Tried) -> str:
        """The reference of the host that accepted the login, "" when it does not say."""
        once = OnceTransport(self._exchange, tried.endpoint, fresh=False, silence_seconds=self._settings.probe_seconds)
        try:
            return str(transport.call(once, tried.handle, "session.get_this_host", (tried.handle,)))
        except (Broken, transport.SessionGone, XenAPI.Failure):
            return ""

    def close(self, tried: Tried) -> None:
        """Log out, if that is quickly done."""
        once = OnceTransport(
            self._exchange, tried.endpoint, fresh=False, silence_seconds=self._settings.connect_seconds
        )
        try:
            transport.logout(once, tried.handle)
        except (Broken, transport.SessionGone, XenAPI.Failure) as error:
            _log.info("pool %s: no logout at %s (%r)", self._settings.name, tried.endpoint.address, type(error))

    def _at_once(self, addresses: list[str], password: str) -> list[Tried]:
        if not addresses:
            return []
        with ThreadPoolExecutor(min(len(addresses), _ASKED_AT_ONCE), thread_name_prefix="coordinator") as pool:
            ring: Callable[[str], Tried] = lambda address: self.ring(address, password)  # noqa: E731
            return list(pool.map(ring, addresses))

    def _log_in(self, endpoint: Endpoint, credentials: tuple[str, ...]) -> Tried:
        once = OnceTransport(self._exchange, endpoint, fresh=True, silence_seconds=self._settings.probe_seconds)
        handle = transport.login(once, *credentials)
        return Tried(endpoint=endpoint, handle=handle, proof=once.proof, words="answers as the coordinator")


def what_now(tried: list[Tried], settings: PoolSettings) -> str:
    """What a person can do when no host accepted a login."""
    if settings.alone and any(each.coordinator for each in tried):
        return "It is a member of a pool now; ask about it in that pool."
    if any(each.coordinator or each.words.startswith("answers:") for each in tried):
        return f"Bring the coordinator back. If it is lost: “pool recover in {quoted(settings.name)}”."
    return "Check the hosts' power and the network between the bot and them."


def _refusal(endpoint: Endpoint, error: tuple[str, ...]) -> Tried:
    code = failures.code_of(error)
    if code == "HOST_IS_SLAVE" and len(error) > 1:
        words = f"says that the coordinator is {one_line(error[1], LONGEST_ADDRESS)}"
        return Tried(endpoint=endpoint, coordinator=error[1], words=words)
    text, remedy = failures.explain(error, None)
    if code in _WRONG_CREDENTIALS:
        return Tried(endpoint=endpoint, denied=error, words="refuses the user name and password", remedy=remedy)
    return Tried(endpoint=endpoint, words=f"answers: {text}", remedy=remedy)


def _distinct(addresses: Iterable[str]) -> list[str]:
    found: list[str] = []
    for address in addresses:
        if not _among(address, found):
            found.append(address)
    return found


def _among(address: str, addresses: Iterable[str]) -> bool:
    return any(same(address, known) for known in addresses)
