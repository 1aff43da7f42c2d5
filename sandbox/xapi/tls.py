"""The certificates that hosts present, and the TLS that their age allows.

Like xapi's own: self-signed, RSA 2048, valid for ten years, named by and for the host's name and address. One key per
process serves all hosts, since making one takes long; the certificates still differ, so each host has its fingerprint.
"""

from __future__ import annotations

import datetime
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

VALID_DAYS = 3650
KEY_BITS = 2048


@dataclass(frozen=True)
class HostCertificate:
    """A certificate with its key, as PEM, and what a client pins."""

    certificate_pem: bytes
    key_pem: bytes
    fingerprint: str
    """SHA-256 of the DER form, as `aa:bb:…` in lower case."""


@functools.cache
def certificate_of(name: str, address: str) -> HostCertificate:
    """The host's certificate: the same one whenever it is asked for in this process.

    Besides its own name and address it is valid for 127.0.0.1, where the sandbox serves it.
    """
    key = _key()
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


def server_context(certificate: HostCertificate, *, tls10_only: bool) -> ssl.SSLContext:
    """TLS 1.2 and later, or nothing but TLS 1.0, as hosts up to XenServer 6.5 offer it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if tls10_only:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that it is outdated is the point
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.TemporaryDirectory() as folder:  # the ssl module reads chains from files only
        chain = Path(folder) / "chain.pem"
        chain.touch(mode=0o600)
        chain.write_bytes(certificate.key_pem + certificate.certificate_pem)
        context.load_cert_chain(chain)
    return context


@functools.cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


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
