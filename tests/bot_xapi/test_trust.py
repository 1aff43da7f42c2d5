"""TLS: who is believed, who is not, and what people are told to do about it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Unavailable, UserError
from bot.xapi import PoolSettings
from bot.xapi.addresses import endpoint_of
from bot.xapi.session import PoolSession
from bot.xapi.trust import peek
from sandbox.xapi.tls import Era, certificate_of, server_context
from tests.bot_xapi.conftest import Serve, SessionWith, plain
from tests.bot_xapi.hosts import PretendHost, PretendPool

CERTIFICATE = certificate_of("xs1", "10.0.0.101")
OTHER = certificate_of("xs2", "10.0.0.102")


def modern() -> ssl.SSLContext:
    return server_context(CERTIFICATE)


def outdated() -> ssl.SSLContext:
    return server_context(CERTIFICATE, Era.TLS10)


SHORT = certificate_of("xs1", "10.0.0.101", Era.NO_FORWARD_SECRECY)


def before_8_0() -> ssl.SSLContext:
    return server_context(SHORT, Era.NO_FORWARD_SECRECY)


@pytest.fixture
def upgraded(tmp_path: Path) -> ssl.SSLContext:
    """A present host with the key that an early version made."""
    context = modern()
    context.set_ciphers("ECDHE+AESGCM:@SECLEVEL=0")
    chain = tmp_path / "chain.pem"
    chain.write_bytes(SHORT.key_pem + SHORT.certificate_pem)
    context.load_cert_chain(chain)
    return context


def tls(host: PretendHost, **changes: Any) -> PoolSettings:
    return plain(host, plain_http=False, **changes)


def refusal(session: PoolSession) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        session.login()
    return caught.value


@pytest.mark.parametrize(
    "fingerprint",
    [CERTIFICATE.fingerprint, CERTIFICATE.fingerprint.replace(":", "").upper()],
    ids=["with colons", "without, in capitals"],
)
def test_a_pinned_certificate_is_believed(fingerprint: str, serve: Serve, session_with: SessionWith) -> None:
    session = session_with(tls(serve(PretendPool(), tls=modern()), fingerprints=(OTHER.fingerprint, fingerprint)))
    facts = session.facts()
    assert (facts.tls, facts.trust, facts.weaknesses) == ("TLSv1.2", "fingerprint", ())


def test_another_certificate_than_the_pinned_hears_nothing(serve: Serve, session_with: SessionWith) -> None:
    host = serve(PretendPool(), tls=modern())
    error = refusal(session_with(tls(host, fingerprints=(OTHER.fingerprint,))))
    assert CERTIFICATE.fingerprint in " ".join(error.evidence)
    assert "fingerprints of the pool lab" in error.remedy
    assert host.bytes_in == 0


def test_an_unknown_certificate_is_refused_with_its_fingerprint_and_how_to_pin_it(
    serve: Serve, session_with: SessionWith
) -> None:
    host = serve(PretendPool(), tls=modern())
    error = refusal(session_with(tls(host)))
    assert CERTIFICATE.fingerprint in " ".join(error.evidence)
    assert "fingerprints of the pool lab" in error.remedy
    assert host.bytes_in == 0


def test_a_certificate_of_the_ca_file_is_believed(serve: Serve, session_with: SessionWith, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_bytes(CERTIFICATE.certificate_pem)
    session = session_with(tls(serve(PretendPool(), tls=modern()), ca_file=authority))
    assert session.facts().trust == "ca"


def test_a_certificate_of_the_ca_file_for_another_host_is_refused(
    serve: Serve, session_with: SessionWith, tmp_path: Path
) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_bytes(CERTIFICATE.certificate_pem)
    host = serve(PretendPool(), tls=modern())
    settings = tls(host, ca_file=authority, addresses=("10.0.0.199",), address_map={"10.0.0.199": host.endpoint})
    assert "not valid for" in " ".join(refusal(session_with(settings)).evidence)
    assert host.bytes_in == 0


def test_a_ca_file_that_cannot_be_read_is_said(serve: Serve, session_with: SessionWith, tmp_path: Path) -> None:
    error = refusal(session_with(tls(serve(PretendPool(), tls=modern()), ca_file=tmp_path / "none.pem")))
    assert "none.pem" in " ".join(error.evidence)


def test_an_opt_out_is_a_weakness(serve: Serve, session_with: SessionWith) -> None:
    facts = session_with(tls(serve(PretendPool(), tls=modern()), verify=False)).facts()
    assert facts.trust == "none"
    assert "not verified" in facts.weaknesses[0]


def test_plain_http_is_a_weakness(serve: Serve, session_with: SessionWith) -> None:
    facts = session_with(plain(serve(PretendPool()))).facts()
    assert (facts.tls, facts.trust) == ("", "none")
    assert "plain HTTP" in facts.weaknesses[0]


@pytest.mark.parametrize("trust", [{"fingerprints": (CERTIFICATE.fingerprint,)}, {"verify": False}, {}])
def test_tls_1_0_is_refused_with_the_setting_that_allows_it(
    trust: dict[str, Any], serve: Serve, session_with: SessionWith
) -> None:
    host = serve(PretendPool(), tls=outdated())
    error = refusal(session_with(tls(host, **trust)))
    told = " ".join(error.evidence)
    assert "only speaks TLS 1.0" in told
    assert CERTIFICATE.fingerprint in told
    assert "allow_tls1 = true for the pool lab" in error.remedy
    assert host.bytes_in == 0


def test_tls_1_0_with_a_pinned_fingerprint_is_allowed_and_a_weakness(serve: Serve, session_with: SessionWith) -> None:
    host = serve(PretendPool(), tls=outdated())
    facts = session_with(tls(host, fingerprints=(CERTIFICATE.fingerprint,), allow_tls1=True)).facts()
    assert facts.tls == "TLSv1"
    assert "TLS 1.0" in facts.weaknesses[0]


@pytest.mark.parametrize("trust", [{"fingerprints": (SHORT.fingerprint,)}, {"verify": False}, {}])
def test_a_host_before_8_0_is_refused_with_the_setting_that_allows_it(
    trust: dict[str, Any], serve: Serve, session_with: SessionWith
) -> None:
    host = serve(PretendPool(), tls=before_8_0())
    error = refusal(session_with(tls(host, **trust)))
    told = " ".join(error.evidence)
    assert "offers TLS 1.2 only without forward secrecy, which is refused as outdated" in told
    assert SHORT.fingerprint in told
    assert "allow_tls1 = true for the pool lab" in error.remedy
    assert host.bytes_in == 0


def test_a_host_before_8_0_is_allowed_with_a_pinned_fingerprint_and_a_weakness(
    serve: Serve, session_with: SessionWith
) -> None:
    host = serve(PretendPool(), tls=before_8_0())
    facts = session_with(tls(host, fingerprints=(SHORT.fingerprint,), allow_tls1=True)).facts()
    assert facts.tls == "TLSv1.2"
    assert facts.weaknesses == ("TLS 1.2 without forward secrecy: outdated encryption, allowed by allow_tls1",)


def test_a_short_key_is_no_obstacle_where_it_is_pinned(
    upgraded: ssl.SSLContext, serve: Serve, session_with: SessionWith
) -> None:
    facts = session_with(tls(serve(PretendPool(), tls=upgraded), fingerprints=(SHORT.fingerprint,))).facts()
    assert (facts.tls, facts.trust, facts.weaknesses) == ("TLSv1.2", "fingerprint", ())


def test_allowing_tls_1_0_does_not_weaken_a_modern_host(serve: Serve, session_with: SessionWith) -> None:
    host = serve(PretendPool(), tls=modern())
    facts = session_with(tls(host, fingerprints=(CERTIFICATE.fingerprint,), allow_tls1=True)).facts()
    assert (facts.tls, facts.weaknesses) == ("TLSv1.2", ())


@pytest.mark.parametrize(
    ("context", "tls_version", "outdated_words"),
    [
        (modern, "TLSv1.2", ""),
        (before_8_0, "TLSv1.2", "offers TLS 1.2 only without forward secrecy"),
        (outdated, "TLSv1", "only speaks TLS 1.0"),
    ],
    ids=["present", "before 8.0", "before 7.0"],
)
def test_what_a_host_shows_to_anyone(
    context: Callable[[], ssl.SSLContext], tls_version: str, outdated_words: str, serve: Serve
) -> None:
    host = serve(PretendPool(), tls=context())
    shown = peek(endpoint_of("10.0.0.101", {"10.0.0.101": host.endpoint}, plain_http=False), 5.0)
    assert shown is not None
    assert (shown.tls, shown.outdated) == (tls_version, outdated_words)
    pinned = SHORT if context is before_8_0 else CERTIFICATE
    assert shown.fingerprint == pinned.fingerprint.replace(":", "")
    assert host.bytes_in == 0


def test_a_host_without_tls_shows_nothing(serve: Serve) -> None:
    assert peek(endpoint_of("x", {"x": serve(PretendPool()).endpoint}, plain_http=False), 5.0) is None


def test_a_host_without_tls_on_that_port_is_told(serve: Serve, session_with: SessionWith) -> None:
    error = refusal(session_with(tls(serve(PretendPool()), verify=False)))
    assert "TLS" in " ".join(error.evidence)


@pytest.mark.parametrize(
    "changes",
    [
        {"allow_tls1": True},
        {"fingerprints": ("12:34",)},
        {"fingerprints": ("zz" * 32,)},
        {"plain_http": True, "fingerprints": (CERTIFICATE.fingerprint,)},
        {"addresses": ()},
    ],
)
def test_settings_that_contradict_each_other_are_refused(changes: dict[str, Any]) -> None:
    given: dict[str, Any] = {"name": "lab", "addresses": ("xs1",), "username": "root", "password": lambda: ""}
    with pytest.raises(UserError):
        PoolSettings(**(given | changes))
