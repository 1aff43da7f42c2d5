"""The sections of pools, and of hosts that are in none (yet)."""

from __future__ import annotations

from pathlib import Path

from bot.config.secret import SecretReference, secret
from bot.config.section import Channel, Section, setting
from bot.xapi.settings import PoolSettings

_UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


class _Reached(Section):
    """How XenAPI is reached, and how a host proves who it is."""

    username: str = setting("XenAPI account.", "root")
    password: SecretReference = setting("Its password.")
    fingerprints: tuple[str, ...] = setting(
        "SHA-256 fingerprints of the hosts' certificates: only these are trusted.", ()
    )
    ca_file: Path | None = setting("Certificates are verified against these authorities.", None)
    verify: bool = setting("false: trust any certificate. `pool status` shows it as a weakness.", True)
    allow_tls1: bool = setting(
        "Accept outdated encryption, as XenServer up to 6.5 (TLS 1.0) and 7.0 to 7.6 (no forward secrecy) have it; only"
        " with fingerprints.",
        False,
    )
    plain_http: bool = setting("Speak plain HTTP: the password can be read on the way. `pool status` shows it.", False)
    address_map: dict[str, str] = setting(
        "Host addresses as the pool knows them → where the bot reaches them (NAT, tunnels).", {}
    )

    def _values(self, name: str, addresses: tuple[str, ...], *, alone: bool, uuid: str = "") -> PoolSettings:
        return PoolSettings(
            name=name,
            addresses=addresses,
            username=self.username,
            password=secret(self.password),
            fingerprints=self.fingerprints,
            ca_file=self.ca_file,
            verify=self.verify,
            allow_tls1=self.allow_tls1,
            plain_http=self.plain_http,
            address_map=self.address_map,
            alone=alone,
            uuid=uuid,
        )


class PoolSection(_Reached):
    """One pool; its name here is what people type after `in`."""

    hosts: tuple[str, ...] = setting("Addresses of the pool's hosts; any one finds the others.", min_length=1)
    uuid: str | None = setting(
        "The pool's uuid: when a pool with another one answers, nothing is read or done. Without it the bot remembers"
        " the uuid that it found first; `xenia config accept-pool` takes another.",
        None,
        pattern=_UUID,
    )
    approvals_channel: Channel = setting(
        "Channel id where requests for this pool are decided; empty: where they are asked.", ""
    )

    def values(self, name: str) -> PoolSettings:
        """:raises UserError: the settings contradict each other."""
        return self._values(name, self.hosts, alone=False, uuid=self.uuid or "")


class HostSection(_Reached):
    """A host that is in no pool, but a pool of its own; its name here is what people type in `host add HOST`."""

    address: str = setting("Its address.", min_length=1)

    def values(self, name: str) -> PoolSettings:
        """:raises UserError: the settings contradict each other."""
        return self._values(name, (self.address,), alone=True)
