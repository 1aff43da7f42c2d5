"""How one pool is reached and how its hosts prove who they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import UserError

ORIGINATOR = "xenia"
_FINGERPRINT_DIGITS = 64


@dataclass(frozen=True, kw_only=True)
class PoolSettings:
    """The configuration of one pool.

    Trust, the first that applies: `plain_http` (nobody proves anything), `fingerprints` (each host's certificate is one
    of these), `verify=False` (explicit opt-out), `ca_file`, the operating system's certificate authorities.

    :raises UserError: the settings contradict each other.
    """

    name: str
    addresses: tuple[str, ...]
    """Hosts of the pool, as its database or the DNS names them; `host:port` and `[IPv6]:port` are understood too."""
    username: str
    password: Callable[[], str] = field(repr=False)
    """Asked for at each login, so that a changed secret needs no restart."""
    fingerprints: tuple[str, ...] = ()
    """SHA-256 of the certificates in hex, with or without colons."""
    ca_file: Path | None = None
    verify: bool = True
    allow_tls1: bool = False
    """Talk to hosts that know nothing newer than TLS 1.0 or 1.1; only with `fingerprints`."""
    plain_http: bool = False
    address_map: Mapping[str, str] = field(default_factory=dict)
    """Address in the pool's database → `host:port` at which the bot reaches it (NAT, tunnels, test labs)."""
    connect_seconds: float = 5.0
    """For the TCP connection, and again for the TLS handshake."""
    answer_seconds: float = 60.0
    """The longest silence of a host that owes an answer."""
    whole_answer_seconds: float = 300.0
    """The longest time for an answer from its request to its last byte, however much it trickles."""
    probe_seconds: float = 10.0
    """The longest wait for a host's answer while the coordinator is searched for."""
    alone: bool = False
    """It is one host by itself: it is asked, never a coordinator that it names."""
    uuid: str = ""
    """The pool's uuid; another pool is refused. "": whichever was found first."""

    def __post_init__(self) -> None:
        if not self.addresses:
            raise UserError(
                f"The {self.called} has no address.", remedy="Name at least one of its hosts in the configuration."
            )
        for fingerprint in self.fingerprints:
            digits = plain_fingerprint(fingerprint)
            if len(digits) != _FINGERPRINT_DIGITS or set(digits) - set("0123456789abcdef"):
                raise UserError(
                    f"A fingerprint of the {self.called} is not a SHA-256 fingerprint.",
                    remedy="It has 64 hexadecimal digits; colons between them are welcome.",
                )
        if self.plain_http and (self.fingerprints or self.ca_file):
            raise UserError(
                f"The {self.called} has plain_http and a certificate to trust: plain HTTP has none.",
                remedy="Remove plain_http, or fingerprints and ca_file.",
            )
        if self.allow_tls1 and (not self.fingerprints or self.plain_http):
            raise UserError(
                f"The {self.called} has allow_tls1 without a pinned fingerprint.",
                remedy="TLS 1.0 is only accepted from a host whose certificate is pinned: set fingerprints as well.",
            )

    @property
    def called(self) -> str:
        """`pool lab`, `host xs3`."""
        return f"{'host' if self.alone else 'pool'} {self.name}"

    @property
    def password_name(self) -> str:
        """What a step calls the password."""
        return f"{'hosts' if self.alone else 'pools'}.{self.name}.password"

    @property
    def pins(self) -> frozenset[str]:
        """The fingerprints in one form: 64 lower-case digits."""
        return frozenset(map(plain_fingerprint, self.fingerprints))


def plain_fingerprint(fingerprint: str) -> str:
    return fingerprint.replace(":", "").replace(" ", "").lower()


def shown_fingerprint(digits: str) -> str:
    """As `openssl x509 -fingerprint` shows it, in lower case: `aa:bb:…`."""
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
