"""The certificates that hosts present, and the TLS that their age allows.

Like xapi's own: self-signed, RSA, valid for ten years, named by and for the host's name and address. One key of each
size per process serves all hosts, since making one takes long; the certificates differ, so each host has its own
fingerprint.

What a host offers, and how long its key is, is its release's (xapi's scripts `init.d-xapissl` and `generate_ssl_cert`,
later `xapi_stunnel_server.ml` and `Tls_policy`): up to 6.5 TLS 1.0 with RSA key exchange; 7.0 to 7.6 up to TLS 1.2, but
RSA key exchange alone; since 8.0 TLS 1.2 with forward secrecy, and nothing newer.
"""

from __future__ import annotations

import datetime
import enum
import functools
import ipaddress
import ssl
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from sandbox.xapi.model import release_key

VALID_DAYS = 3650


class Era(enum.Enum):
    """What a host's TLS is like: its key's bits, the versions it speaks, and its ciphers as OpenSSL names them."""

    TLS10 = (1024, ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1, "AES256-SHA:AES128-SHA:@SECLEVEL=0")
    NO_FORWARD_SECRECY = (
        1024,
        ssl.TLSVersion.TLSv1,
        ssl.TLSVersion.TLSv1_2,
        "AES128-SHA256:AES256-SHA:AES128-SHA:@SECLEVEL=0",
    )
    PRESENT = (
        2048,
        ssl.TLSVersion.TLSv1_2,
        ssl.TLSVersion.TLSv1_2,
        "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256",
    )

    @property
    def key_bits(self) -> int:
        return self.value[0]


def era_of(release: str) -> Era:
    age = release_key(release)
    if age < release_key("dundee"):
        return Era.TLS10
    return Era.NO_FORWARD_SECRECY if age < release_key("naples") else Era.PRESENT


@dataclass(frozen=True)
class HostCertificate:
    """A certificate with its key, as PEM, and what a client pins."""

    certificate_pem: bytes
    key_pem: bytes
    fingerprint: str
    """SHA-256 of the DER form, as `aa:bb:…` in lower case."""


@functools.cache
def certificate_of(name: str, address: str, era: Era = Era.PRESENT) -> HostCertificate:
    """The host's certificate: the same one whenever it is asked for in this process.

    Besides its own name and address it is valid for 127.0.0.1, where the sandbox serves it.
    """
    key = _key(era.key_bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _common_name(name))])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(_alternative_names(name, address)), critical=False)
        .sign(key, hashes.SHA256())
    )
    return HostCertificate(
        certificate_pem=certificate.public_bytes(serialization.Encoding.PEM),
        key_pem=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(":"),
    )


def server_context(certificate: HostCertificate, era: Era = Era.PRESENT) -> ssl.SSLContext:
    _, oldest, newest, ciphers = era.value
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is outdated is the point
        context.minimum_version = oldest
        context.maximum_version = newest
    context.set_ciphers(ciphers)
    with tempfile.TemporaryDirectory() as folder:  # the ssl module reads chains from files only
        chain = Path(folder) / "chain.pem"
        chain.touch(mode=0o600)
        chain.write_bytes(certificate.key_pem + certificate.certificate_pem)
        context.load_cert_chain(chain)
    return context


@functools.cache
def _key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def _common_name(name: str) -> str:
    """X.509 allows it 1 to 64 bytes."""
    return name.encode()[:64].decode(errors="ignore") or "host"


def _alternative_names(name: str, address: str) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    if name.isascii() and name.replace("-", "").replace(".", "").isalnum():
        names.append(x509.DNSName(name))
    names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    try:
        own = ipaddress.ip_address(address)
    except ValueError:
        return names
    return [*names, x509.IPAddress(own)] if str(own) != "127.0.0.1" else names
