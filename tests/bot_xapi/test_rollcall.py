"""Hosts asked alone: silent is only one at whose address nothing is, for then others are told to take its place."""

from __future__ import annotations

import dataclasses
import errno
import socket
from typing import Any

import pytest

from bot.ports import KnownHost, Standpoint
from bot.xapi import PoolSettings
from bot.xapi.rollcall import RollCall
from bot.xapi.transport import Exchange
from sandbox.xapi.tls import certificate_of, server_context
from tests.bot_xapi.conftest import Serve, plain
from tests.bot_xapi.hosts import CUT_AFTER, CUT_BEFORE, GARBAGE, HALF, HTTP_500, SILENT, PretendPool

XS1 = KnownHost(uuid="h1-uuid", name="xs1", address="10.0.0.101")
CERTIFICATE = certificate_of("xs1", "10.0.0.101")
OTHER = certificate_of("xs2", "10.0.0.102")


def standpoint(settings: PoolSettings) -> Standpoint:
    return RollCall(settings, Exchange(settings)).one(XS1).standpoint


def test_nothing_at_its_address_is_silence(serve: Serve) -> None:
    host = serve(PretendPool())
    assert standpoint(plain(host)) is Standpoint.COORDINATOR
    host.stop()
    assert standpoint(plain(host)) is Standpoint.SILENT


@pytest.mark.parametrize(
    "changes",
    [{"fingerprints": (OTHER.fingerprint,)}, {}, {"ca_file": "/nowhere/ca.pem"}],
    ids=["another than the pinned", "nobody vouches for it", "the CA file is missing"],
)
def test_a_host_that_is_not_trusted_is_there_all_the_same(changes: dict[str, Any], serve: Serve) -> None:
    host = serve(PretendPool(), tls=server_context(CERTIFICATE))
    assert standpoint(plain(host, plain_http=False, **changes)) is Standpoint.REFUSES
    assert host.bytes_in == 0


def lacking(settings: PoolSettings, host: KnownHost = XS1) -> tuple[str, ...]:
    return RollCall(settings, Exchange(settings)).lacking(host)


def test_what_the_configuration_lacks_for_a_new_host_is_told(serve: Serve) -> None:
    host = serve(PretendPool(), tls=server_context(CERTIFICATE))
    pinned = plain(host, plain_http=False, fingerprints=(CERTIFICATE.fingerprint,))
    assert lacking(pinned) == ()
    (untrusted,) = lacking(plain(host, plain_http=False, fingerprints=(OTHER.fingerprint,)))
    assert "shows a certificate that is not pinned (SHA-256 " in untrusted
    assert CERTIFICATE.fingerprint.replace(":", "").lower()[:8] in untrusted.replace(":", "").lower()
    elsewhere = dataclasses.replace(pinned, addresses=("10.0.0.109", "pool.example"))
    assert lacking(elsewhere) == ("hosts does not name 10.0.0.101",)
    by_name = dataclasses.replace(pinned, addresses=("XS1.example:443",))
    assert lacking(by_name) == ()
    host.stop()
    (away,) = lacking(pinned)
    assert away.startswith(f"at {host.endpoint} the host ")
    assert host.bytes_in == 0


def test_a_host_that_speaks_no_tls_is_there_all_the_same(serve: Serve) -> None:
    settings = plain(serve(PretendPool()), plain_http=False, verify=False, connect_seconds=0.5)
    assert standpoint(settings) is Standpoint.REFUSES


@pytest.mark.parametrize("fault", [SILENT, CUT_BEFORE, CUT_AFTER, HALF, GARBAGE, HTTP_500])
def test_a_host_that_takes_a_request_is_there_whatever_it_makes_of_it(fault: str, serve: Serve) -> None:
    host = serve(PretendPool())
    host.faults.append(("session.login_with_password", fault))
    assert standpoint(plain(host, probe_seconds=0.5)) is Standpoint.REFUSES


@pytest.mark.parametrize(
    "error",
    [socket.gaierror(socket.EAI_NONAME, "unknown"), OSError(errno.EMFILE, "files"), OSError(errno.ENETUNREACH, "net")],
    ids=["no such name", "no file descriptors", "no network"],
)
def test_what_the_bot_itself_lacks_proves_nothing(error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(socket, "create_connection", failing)
    settings = PoolSettings(name="lab", addresses=(XS1.address,), username="root", password=lambda: "", plain_http=True)
    assert standpoint(settings) is Standpoint.REFUSES
