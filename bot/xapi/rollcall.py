"""What each host of a pool answers for itself, whether or not the pool has a coordinator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from bot.errors import ToolstackRefusal, Unavailable
from bot.ports import HostAnswer, KnownHost, Standpoint
from bot.xapi.addresses import endpoint_of, same, split
from bot.xapi.broken import NotSent
from bot.xapi.coordinator import Doorbell, Tried
from bot.xapi.member import Member
from bot.xapi.settings import PoolSettings
from bot.xapi.transport import Exchange

_AT_ONCE = 64


class RollCall:
    """Asks hosts one by one, with the pool's account. Nothing here has an effect."""

    def __init__(self, settings: PoolSettings, exchange: Exchange) -> None:
        self._settings = settings
        self._exchange = exchange
        self._doorbell = Doorbell(settings, exchange)

    def all(self, known: Iterable[KnownHost]) -> tuple[HostAnswer, ...]:
        """Every host that the configuration names or that was seen before, asked at the same time.

        :raises ConfigError: the password cannot be read.
        """
        hosts = list(known)
        for address in self._settings.addresses:
            if not any(same(address, host.address) for host in hosts):
                hosts.append(KnownHost(uuid="", name="", address=address))
        with ThreadPoolExecutor(min(len(hosts), _AT_ONCE), thread_name_prefix="roll-call") as threads:
            return tuple(threads.map(self.one, hosts))

    def nobody_leads(self, known: Iterable[KnownHost]) -> bool:
        """Is the coordinator gone, as far as the hosts tell: nothing is at its address, and no other says that it
        leads? That the bot cannot ask (a wrong password, a certificate that is not trusted) is no such sign.

        :raises ConfigError: the password cannot be read.
        """
        said = {each.standpoint for each in self.all(known)}
        return Standpoint.SILENT in said and said <= {Standpoint.SILENT, Standpoint.LOST, Standpoint.MEMBER}

    def one(self, host: KnownHost) -> HostAnswer:
        """:raises ConfigError: the password cannot be read."""
        tried = self._doorbell.ring(host.address, self._settings.password())
        found = HostAnswer(host=host, standpoint=Standpoint.REFUSES, words=tried.words, coordinator=tried.coordinator)
        if tried.handle:
            self._doorbell.close(tried)
            return replace(found, standpoint=Standpoint.COORDINATOR)
        if tried.absent:
            return replace(found, standpoint=Standpoint.SILENT)
        return self._itself(found, tried) if tried.answered else found

    def lacking(self, host: KnownHost) -> tuple[str, ...]:
        """What the settings lack for a host that is not of this pool (yet). No password is sent."""
        return tuple(self._lacking(host))

    def _lacking(self, host: KnownHost) -> Iterator[str]:
        settings, port = self._settings, 0
        named = [split(address, port)[0] for address in settings.addresses]
        called = host.name.casefold()
        if not any(same(each, host.address) or each.partition(".")[0].casefold() == called for each in named):
            yield f"hosts does not name {host.address}"
        try:
            endpoint = endpoint_of(host.address, settings.address_map, plain_http=settings.plain_http)
            self._exchange.line(endpoint, fresh=True).close()
        except NotSent as error:
            yield f"at {endpoint.host}:{endpoint.port} the host {error.why}"

    def _itself(self, found: HostAnswer, tried: Tried) -> HostAnswer:
        """Whether it has lost its coordinator only a session with the host alone tells."""
        if tried.denied:
            return found
        member = Member(self._settings, self._exchange, found.host.address, found.host.name)
        try:
            lost = bool(member.read("host.is_in_emergency_mode"))
        except (Unavailable, ToolstackRefusal) as error:
            return replace(found, words=f"{tried.words}; {error.message}")
        if lost:
            return replace(found, standpoint=Standpoint.LOST, words="has lost its coordinator (emergency mode)")
        return replace(found, standpoint=Standpoint.MEMBER)
