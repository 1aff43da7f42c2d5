"""TLS to a host: how it proves who it is, before it hears anything.

Hosts have self-signed certificates by default, each its own. XenServer up to 6.5 speaks nothing newer than TLS 1.0, and
7.0 to 7.6 offer TLS 1.2 by RSA key exchange alone. Both are refused unless `allow_tls1` says otherwise, and then they
are a weakness. Keys of 1024 bits, which such hosts made and upgrades keep, are no obstacle where they are pinned.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
import ssl
import warnings
from dataclasses import dataclass

from bot.xapi.addresses import Endpoint
from bot.xapi.broken import NotSent
from bot.xapi.settings import PoolSettings, shown_fingerprint

_OLD_VERSIONS = {"TLSv1", "TLSv1.1", "SSLv3"}
_TOO_OLD_REASONS = {
    "UNSUPPORTED_PROTOCOL",
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "NO_PROTOCOLS_AVAILABLE",
    "WRONG_SSL_VERSION",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "NO_SHARED_CIPHER",
    "DH_KEY_TOO_SMALL",
    "EE_KEY_TOO_SMALL",
}
# Key exchange with forward secrecy, by what OpenSSL calls the cipher; those of TLS 1.3 always have it.
_FORWARD_SECRET = ("ECDHE-", "DHE-", "TLS_")
# OpenSSL's SSL_OP_LEGACY_SERVER_CONNECT; the ssl module names it from Python 3.12 on.
_LEGACY_SERVER_CONNECT = 0x4


@dataclass(frozen=True, slots=True)
class Proof:
    """How a connection is protected: the TLS version ("" for plain HTTP), by what the host is known (`fingerprint`,
    `ca` or `none`), and what is weak about it.
    """

    tls: str
    trust: str
    weaknesses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """What a host shows to anyone: the TLS version, its certificate's fingerprint, and what is outdated about it, in
    words that continue "the host …" ("" where nothing is): without `allow_tls1` such a host is refused.
    """

    tls: str
    fingerprint: str
    outdated: str = ""


PLAIN_HTTP = Proof("", "none", ("plain HTTP: the password and everything else can be read and changed on the way",))


def context_for(settings: PoolSettings) -> ssl.SSLContext:
    """The TLS settings for a pool's hosts. With pinned fingerprints the certificate is checked by :func:`prove`.

    :raises NotSent: the CA file cannot be read.
    """
    if settings.pins or not settings.verify:
        context = _unverified()
    else:
        try:
            context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
        except (OSError, ssl.SSLError) as error:
            raise NotSent(
                settings.name,
                f"cannot be asked: the CA file {settings.ca_file} cannot be read ({error})",
                remedy="ca_file is a PEM file with the certificate authorities of the pool's hosts.",
            ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.allow_tls1:
        _allow_old(context)
    return context


def prove(endpoint: Endpoint, sock: socket.socket, context: ssl.SSLContext, settings: PoolSettings) -> ssl.SSLSocket:
    """TLS over a fresh connection, with the host's identity proven. Nothing of a request has been sent yet.

    :raises NotSent: the handshake failed, or the certificate is not one that is trusted; says how to trust it.
    """
    try:
        secure = context.wrap_socket(sock, server_hostname=endpoint.address or None)
    except ssl.SSLCertVerificationError as error:
        raise _unknown_certificate(endpoint, settings, error.verify_message or str(error)) from error
    except ssl.SSLError as error:
        raise _failed_handshake(endpoint, settings, error) from error
    except TimeoutError as error:
        raise NotSent(endpoint.address, "accepts connections but does not answer the TLS handshake") from error
    except OSError as error:
        raise NotSent(endpoint.address, "breaks the connection off during the TLS handshake") from error
    if settings.pins:
        digits = _fingerprint(secure)
        if not any(hmac.compare_digest(digits, pin) for pin in settings.pins):
            secure.close()
            raise NotSent(
                endpoint.address,
                f"shows a certificate that is not pinned (SHA-256 {shown_fingerprint(digits)})",
                remedy="If the host's certificate was renewed, compare this fingerprint at the host's own console"
                f" and put it into fingerprints of the {settings.called}. If not, somebody may be in between.",
            )
    return secure


def proof_of(secure: ssl.SSLSocket, settings: PoolSettings) -> Proof:
    version = secure.version() or ""
    weaknesses = []
    if version in _OLD_VERSIONS:
        weaknesses.append(f"{_spoken(version)}: outdated encryption, allowed by allow_tls1")
    elif not _forward_secret(secure):
        weaknesses.append(f"{_spoken(version)} without forward secrecy: outdated encryption, allowed by allow_tls1")
    if settings.pins:
        trust = "fingerprint"
    elif settings.verify:
        trust = "ca"
    else:
        trust = "none"
        weaknesses.append("the certificate is not verified (verify = false): anyone on the way can pose as the host")
    return Proof(version, trust, tuple(weaknesses))


def peek(endpoint: Endpoint, seconds: float) -> Shown | None:
    """What a host shows by a handshake and nothing more; None when it shows nothing."""
    try:
        return _looked_at(endpoint, seconds, old=False)
    except ssl.SSLError:
        pass
    except OSError:
        return None
    try:
        return _looked_at(endpoint, seconds, old=True)
    except OSError:
        return None


def _looked_at(endpoint: Endpoint, seconds: float, *, old: bool) -> Shown:
    """:raises OSError: no handshake (`ssl.SSLError`: the two sides do not agree)."""
    context = _unverified()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if old:
        _allow_old(context)
    with (
        socket.create_connection((endpoint.host, endpoint.port), timeout=seconds) as sock,
        context.wrap_socket(sock, server_hostname=endpoint.address or None) as secure,
    ):
        return Shown(secure.version() or "", _fingerprint(secure), _outdated(secure) if old else "")


def _outdated(secure: ssl.SSLSocket) -> str:
    """What is outdated about a host with which there is no handshake but an old one."""
    version = secure.version() or ""
    if version in _OLD_VERSIONS:
        return f"only speaks {_spoken(version)}"
    if not _forward_secret(secure):
        return f"offers {_spoken(version)} only without forward secrecy"
    return f"offers {_spoken(version)} only with weak encryption"


def _forward_secret(secure: ssl.SSLSocket) -> bool:
    return (secure.cipher() or ("",))[0].startswith(_FORWARD_SECRET)


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _allow_old(context: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is outdated is what the setting is for
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.options |= _LEGACY_SERVER_CONNECT


def _fingerprint(secure: ssl.SSLSocket) -> str:
    return hashlib.sha256(secure.getpeercert(binary_form=True) or b"").hexdigest()


def _spoken(version: str) -> str:
    return {"TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1", "TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3"}.get(version, version)


def _unknown_certificate(endpoint: Endpoint, settings: PoolSettings, why: str) -> NotSent:
    shown = peek(endpoint, settings.connect_seconds)
    fingerprint = f", SHA-256 {shown_fingerprint(shown.fingerprint)}" if shown else ""
    return NotSent(
        endpoint.address,
        f"shows a certificate that nobody vouches for ({why}{fingerprint})",
        remedy="Compare the fingerprint at the host's own console (openssl x509 -in /etc/xensource/xapi-ssl.pem -noout"
        f" -fingerprint -sha256), then put it into fingerprints of the {settings.called}; or set ca_file.",
    )


def _failed_handshake(endpoint: Endpoint, settings: PoolSettings, error: ssl.SSLError) -> NotSent:
    if error.reason in _TOO_OLD_REASONS and not settings.allow_tls1:
        shown = peek(endpoint, settings.connect_seconds)
        if shown and shown.outdated:
            pinned = " It is pinned already." if shown.fingerprint in settings.pins else ""
            return NotSent(
                endpoint.address,
                f"{shown.outdated}, which is refused as outdated"
                f" (its certificate: SHA-256 {shown_fingerprint(shown.fingerprint)})",
                remedy=f"Bring the host up to date, or set allow_tls1 = true for the {settings.called} together"
                f" with this fingerprint in fingerprints, compared at the host's own console.{pinned}",
            )
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return NotSent(
            endpoint.address,
            f"does not speak TLS on port {endpoint.port}",
            remedy=f"Check the port, or set plain_http = true for the {settings.called} if it really has no TLS.",
        )
    return NotSent(endpoint.address, f"fails the TLS handshake ({error.reason or error})")
