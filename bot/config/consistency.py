"""What the sections of the file say about each other: mistakes that no single setting shows."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from bot.config.settings import Settings
from bot.errors import UserError
from bot.grammar import near
from bot.xapi.addresses import endpoint_of


@dataclass(frozen=True, slots=True)
class Mistake:
    """`where` is the path of the setting."""

    where: tuple[str | int, ...]
    text: str


def mistakes(settings: Settings, commands: Collection[str]) -> Iterator[Mistake]:
    """Every one that there is."""
    yield from _channels(settings)
    yield from _slack(settings)
    yield from _pools(settings)
    yield from _rules(settings, commands)
    yield from _people(settings)


def _channels(settings: Settings) -> Iterator[Mistake]:
    for channel, section in settings.channels.items():
        where = ("channels", channel)
        for name in section.pools or ():
            if name not in settings.pools:
                yield Mistake((*where, "pools"), _unknown(f"channels.{channel}.pools", "pool", name, settings.pools))
        if section.default and section.default not in settings.pools:
            text = _unknown(f"channels.{channel}.default", "pool", section.default, settings.pools)
            yield Mistake((*where, "default"), text)
        elif section.pools is not None and section.default and section.default not in section.pools:
            text = f"channels.{channel}: its default pool {section.default} is not among its pools"
            yield Mistake((*where, "default"), text)


def _people(settings: Settings) -> Iterator[Mistake]:
    if settings.terminal and not settings.slack.team:
        text = (
            "terminal: slack.team has to name the workspace, or nobody here could be told to be the same person there"
        )
        yield Mistake(("terminal",), text)
    for person, choice in settings.people.items():
        if choice.default and choice.default not in settings.pools:
            text = _unknown(f"people.{person}.default", "pool", choice.default, settings.pools)
            yield Mistake(("people", person, "default"), text)


def _slack(settings: Settings) -> Iterator[Mistake]:
    if settings.slack.mode == "socket" and settings.slack.app_token is None:
        yield Mistake(("slack", "app_token"), "slack: Socket Mode needs app_token")
    if settings.slack.mode == "http" and settings.slack.signing_secret is None:
        yield Mistake(("slack", "mode"), "slack: HTTP mode needs signing_secret")
    if not _keeps_tokens(settings.slack.api_url):
        text = "slack.api_url: the tokens travel there, so it begins with https:// (http:// only on this machine)"
        yield Mistake(("slack", "api_url"), text)
    if settings.bot.sandbox:
        for where, name in _outside(settings):
            text = f"bot.sandbox is only for the pretend lab, but {name} is not on the loopback address"
            yield Mistake(where, text)


def _outside(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """What is not on this machine."""
    if not _is_loopback(settings.slack.api_url.partition("//")[2].partition("/")[0]):
        yield ("slack", "api_url"), "slack.api_url"
    for name, pool in settings.pools.items():
        for host in pool.hosts:
            if not _is_loopback(pool.address_map.get(host, host)):
                yield ("pools", name, "hosts"), f"pools.{name}.hosts: {host}"
        for host, end in pool.address_map.items():
            if host not in pool.hosts and not _is_loopback(end):
                yield ("pools", name, "address_map", host), f"pools.{name}.address_map: {end}"
    for name, alone in settings.hosts.items():
        if not _is_loopback(alone.address_map.get(alone.address, alone.address)):
            yield ("hosts", name, "address"), f"hosts.{name}.address: {alone.address}"


def _pools(settings: Settings) -> Iterator[Mistake]:
    for section, named in (("pools", settings.pools), ("hosts", settings.hosts)):
        for name, each in named.items():
            try:
                each.values(name)
            except UserError as error:
                yield Mistake((section, name), f"{section}.{name}: {error.message} {error.remedy}")
    yield from _twins(settings)


def _twins(settings: Settings) -> Iterator[Mistake]:
    """A pool has one name: what is ruled for it could be gone around by another."""
    hosts: dict[tuple[str, int], str] = {}
    uuids: dict[str, str] = {}
    for name, each in settings.pools.items():
        for host in each.hosts:
            end = endpoint_of(host, each.address_map, plain_http=each.plain_http)
            first = hosts.setdefault((end.host.casefold(), end.port), name)
            if first != name:
                text = f"pools.{name}.hosts: {host} is a host of pools.{first} already; a pool has one name"
                yield Mistake(("pools", name, "hosts"), text)
        if each.uuid and (first := uuids.setdefault(each.uuid, name)) != name:
            text = f"pools.{name}.uuid: it is that of pools.{first} already; a pool has one name"
            yield Mistake(("pools", name, "uuid"), text)


def _rules(settings: Settings, commands: Collection[str]) -> Iterator[Mistake]:
    """A rule that names what is not there would silently leave its changes to the next rule."""
    for kind in ("rules", "freezes"):
        seen: set[str] = set()
        for where, section in settings.policy.named():
            if where[1] != kind:
                continue
            name = getattr(section, "name", "")
            if name in seen:
                yield Mistake((*where, "name"), f"policy.{kind}: “{name}” is there twice")
            seen.add(name)
            label = f"policy.{kind} “{name}”"
            for what, asked, known in (
                ("command", section.commands, commands),
                ("pool", section.pools, tuple(settings.pools)),
            ):
                for each in asked:
                    if not any(fnmatchcase(one, each) for one in known):
                        yield Mistake((*where, f"{what}s"), _unknown(label, what, each, known))


def _unknown(where: str, what: str, name: str, known: Collection[str]) -> str:
    slips = near(name, known, limit=1)
    hint = f"; did you mean “{slips[0]}”?" if slips else ""
    return f"{where}: there is no {what} “{name}”{hint}"


def _keeps_tokens(url: str) -> bool:
    """Whether nobody on the way can read what is sent there."""
    try:
        api = urlsplit(url)
    except ValueError:
        return False
    return (api.scheme == "https" and bool(api.hostname)) or (api.scheme == "http" and _is_loopback(api.netloc))


def _is_loopback(end: str) -> bool:
    """`127.0.0.1:80`, `[::1]:443`, `localhost`."""
    host = urlsplit(f"//{end}").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
