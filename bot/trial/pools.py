"""What each pool says: whether it can be reached, how it proves who it is, and what the account may do there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.errors import UserError
from bot.model import Level
from bot.ports import Clock
from bot.rules.roles import refused
from bot.text import plural, quoted
from bot.trial.point import Point
from bot.xapi.addresses import endpoint_of
from bot.xapi.pools import XapiPools
from bot.xapi.settings import PoolSettings, shown_fingerprint
from bot.xapi.trust import peek


def of_pools(settings: Iterable[PoolSettings], commands: Iterable[str], clock: Clock) -> Iterator[Point]:
    """:param commands: names of the commands there are."""
    known, names = tuple(settings), tuple(commands)
    pools = XapiPools(known, clock)
    try:
        for each in known:
            yield from _of(each, pools, names)
    finally:
        pools.close()


def _of(settings: PoolSettings, pools: XapiPools, commands: tuple[str, ...]) -> Iterator[Point]:
    name = settings.name
    try:
        view = pools.candidate(name) if settings.alone else pools.view(name)
        inventory, facts = view.inventory(), view.connection()
        permissions = pools.permissions(name)
    except UserError as error:
        yield Point.of(error)
        return
    trust = {"fingerprint": "its certificate is pinned", "ca": "its certificate is vouched for"}.get(facts.trust)
    how = f"over {facts.tls}, {trust or 'with a certificate that nobody checks'}" if facts.tls else "over plain HTTP"
    label = quoted(inventory.pool.name) if inventory.pool.name else "a pool without a name"
    yield Point(Level.OK, f"{name}: {label}, {plural(len(inventory.hosts), 'host')}, {facts.address} {how}")
    for weakness in facts.weaknesses:
        yield Point(Level.WARN, f"{name}: {weakness}")
    yield from _pins(settings, [host.address for host in inventory.hosts if host.address])
    cannot = refused(commands, permissions)
    if cannot:
        named = ", ".join(f"“{command}”" for command in cannot)
        text = f"{name}: the role of {quoted(settings.username)} is not enough for: {named}"
        yield Point(Level.WARN, text, "docs/commands.md names the role that each command needs.")
    else:
        yield Point(Level.OK, f"{name}: {quoted(settings.username)} may do everything that commands ask for")


def _pins(settings: PoolSettings, addresses: list[str]) -> Iterator[Point]:
    """Members whose certificate is not pinned: when the coordinator moves there, the bot would not follow."""
    if not settings.pins:
        return
    for address in addresses:
        seen = peek(endpoint_of(address, settings.address_map, plain_http=False), settings.connect_seconds)
        if seen is not None and seen.fingerprint not in settings.pins:
            shown = shown_fingerprint(seen.fingerprint)
            yield Point(
                Level.WARN,
                f"{settings.name}: the certificate of {address} is not pinned (SHA-256 {shown})",
                "Compare it at the host's own console, then add it: the bot would not follow the coordinator there.",
            )
