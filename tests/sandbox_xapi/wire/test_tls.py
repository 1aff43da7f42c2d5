"""Certificates like a host's own, and hosts that speak nothing newer than TLS 1.0."""

from __future__ import annotations

import datetime
import hashlib
import socket
import ssl
import warnings
import xmlrpc.client

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.xapi.server import HostServer
from sandbox.xapi.tls import Era, certificate_of, era_of, server_context
from tests.sandbox_xapi.wire.harness import FakeToolstack, Serve, connect, is_ended, post, read_answer, xml_call

CALL = post("/", xml_call("VM.get_all", "s"))


def client_context(*, allow_tls10: bool = False) -> ssl.SSLContext:
    """Looks at no certificate, as one that pins a fingerprint."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if allow_tls10:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


def received(sock: socket.socket) -> bytes:
    """What comes next; nothing if the connection breaks."""
    try:
        return sock.recv(100)
    except (ConnectionError, ssl.SSLError):
        return b""


@pytest.fixture
def host(serve: Serve) -> HostServer:
    context = server_context(certificate_of("xs1", "10.0.0.101"))
    return serve(FakeToolstack(**{"VM.get_all": []}), tls=context)


@pytest.fixture
def old_host(serve: Serve) -> HostServer:
    context = server_context(certificate_of("xs1", "10.0.0.101", Era.TLS10), Era.TLS10)
    return serve(FakeToolstack(**{"VM.get_all": []}), tls=context)


def test_the_certificate_is_like_xapis_own() -> None:
    made = certificate_of("xs2", "10.0.0.102")
    certificate = x509.load_pem_x509_certificate(made.certificate_pem)
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 2048
    assert certificate.subject == certificate.issuer
    years = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert abs(years - datetime.timedelta(days=3650)) < datetime.timedelta(hours=1)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["xs2"]
    assert "10.0.0.102" in map(str, names.get_values_for_type(x509.IPAddress))
    certificate.verify_directly_issued_by(certificate)


def test_each_host_has_its_own_and_keeps_it() -> None:
    one, other = certificate_of("xs1", "10.0.0.101"), certificate_of("xs2", "10.0.0.102")
    assert one.fingerprint != other.fingerprint
    assert certificate_of("xs1", "10.0.0.101") is one


def test_a_name_that_no_certificate_can_hold_is_no_obstacle() -> None:
    assert certificate_of("Büro <1> " + "x" * 100, "").fingerprint


def test_the_fingerprint_is_of_what_is_presented(host: HostServer) -> None:
    with client_context().wrap_socket(connect(host)) as sock:
        presented = sock.getpeercert(binary_form=True)
        assert presented is not None
        digest = hashlib.sha256(presented).digest().hex(":")
        assert digest == certificate_of("xs1", "10.0.0.101").fingerprint
        assert sock.version() == "TLSv1.2"


def test_a_client_that_trusts_the_certificate_verifies_it(host: HostServer) -> None:
    pem = certificate_of("xs1", "10.0.0.101").certificate_pem.decode()
    context = ssl.create_default_context(cadata=pem)
    with context.wrap_socket(connect(host), server_hostname="127.0.0.1") as sock:
        sock.sendall(CALL)
        assert read_answer(sock)[0] == "HTTP/1.1 200 OK"


def test_connections_are_kept(host: HostServer) -> None:
    with client_context().wrap_socket(connect(host)) as sock:
        for _ in range(3):
            sock.sendall(CALL)
            assert read_answer(sock)[0] == "HTTP/1.1 200 OK"
        sock.sendall(CALL + CALL)
        read_answer(sock)
        read_answer(sock)


def test_a_plain_client_gets_no_answer(host: HostServer) -> None:
    with connect(host) as sock:
        sock.sendall(CALL)
        assert not received(sock).startswith(b"HTTP")


def test_a_dead_host_breaks_its_connections(host: HostServer) -> None:
    with client_context().wrap_socket(connect(host)) as sock:
        sock.sendall(CALL)
        read_answer(sock)
        host.kill()
        assert received(sock) == b""


def test_a_cut_connection_says_no_goodbye(host: HostServer) -> None:
    host.faults.drop("after")
    with client_context().wrap_socket(connect(host), suppress_ragged_eofs=False) as sock:
        sock.sendall(CALL)
        with pytest.raises((ConnectionError, ssl.SSLEOFError)):
            sock.recv(1)


def test_a_tls10_host_refuses_a_modern_client(old_host: HostServer) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        client_context().wrap_socket(connect(old_host))


@pytest.mark.parametrize(
    ("release", "era"),
    [
        ("tampa", Era.TLS10),
        ("cream", Era.TLS10),
        ("dundee", Era.NO_FORWARD_SECRECY),
        ("lima", Era.NO_FORWARD_SECRECY),
        ("naples", Era.PRESENT),
        ("26.9.0", Era.PRESENT),
    ],
)
def test_each_release_s_tls(release: str, era: Era) -> None:
    assert era_of(release) is era


def test_a_host_before_8_0_has_no_forward_secrecy_and_a_short_key(serve: Serve) -> None:
    made = certificate_of("xs1", "10.0.0.101", Era.NO_FORWARD_SECRECY)
    key = x509.load_pem_x509_certificate(made.certificate_pem).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 1024
    host = serve(FakeToolstack(**{"VM.get_all": []}), tls=server_context(made, Era.NO_FORWARD_SECRECY))
    with pytest.raises(ssl.SSLError, match=r"(?i)handshake.failure"):
        client_context().wrap_socket(connect(host))
    with client_context(allow_tls10=True).wrap_socket(connect(host)) as sock:
        assert (sock.version(), (sock.cipher() or ("",))[0]) == ("TLSv1.2", "AES128-SHA256")
        sock.sendall(CALL)
        assert read_answer(sock)[0] == "HTTP/1.1 200 OK"


def test_a_tls10_host_takes_a_client_that_allows_it(old_host: HostServer) -> None:
    with client_context(allow_tls10=True).wrap_socket(connect(old_host)) as sock:
        assert sock.version() == "TLSv1"
        sock.sendall(CALL)
        assert read_answer(sock)[0] == "HTTP/1.1 200 OK"


def test_the_standard_client_over_https(host: HostServer) -> None:
    with xmlrpc.client.ServerProxy(host.url, context=client_context()) as proxy:
        assert proxy.VM.get_all("s") == {"Status": "Success", "Value": []}


def test_a_paused_host_does_not_shake_hands(host: HostServer) -> None:
    host.faults.pause()
    sock: socket.socket = connect(host)
    sock.settimeout(0.3)
    with pytest.raises(TimeoutError), client_context().wrap_socket(sock):
        pass


def test_a_client_that_leaves_during_the_handshake_does_no_harm(host: HostServer) -> None:
    with connect(host) as sock:
        sock.sendall(b"\x16\x03\x01")
    with connect(host) as sock:
        sock.sendall(b"x" * 100)
        received(sock)
        assert is_ended(sock)
    with client_context().wrap_socket(connect(host)) as sock:
        sock.sendall(CALL)
        read_answer(sock)
