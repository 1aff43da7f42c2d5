"""Logging in, following the coordinator, and losing it."""

from __future__ import annotations

import threading
import time
import traceback
from typing import Any

import pytest

from bot.errors import OutcomeUnknown, Unavailable
from bot.xapi import PoolSettings
from bot.xapi.entrance import FIRST_PAUSE_SECONDS
from bot.xapi.session import PoolSession
from tests.bot_xapi.conftest import Serve, SessionWith, plain
from tests.bot_xapi.hosts import CUT_BEFORE, SILENT, Failure, Handler, PretendPool, WallClock, member_of


def test_the_login_names_its_originator(serve: Serve, session_with: SessionWith) -> None:
    seen: list[list[str]] = []
    pool = PretendPool()

    def handler(method: str, arguments: list[str]) -> object:
        if method == "session.login_with_password":
            seen.append(arguments)
        return pool(method, arguments)

    session_with(plain(serve(handler))).login()
    assert [arguments[0] for arguments in seen] == ["root"]
    assert seen[0][3] == "xenia"


def test_a_version_that_knows_no_originator_is_logged_in_to_without(serve: Serve, session_with: SessionWith) -> None:
    pool = PretendPool()

    def handler(method: str, arguments: list[str]) -> object:
        if method == "session.login_with_password" and len(arguments) > 3:
            raise Failure("MESSAGE_PARAMETER_COUNT_MISMATCH", method, "3", "4")
        return pool(method, arguments)

    assert session_with(plain(serve(handler))).read("VM.get_all_records")


def test_a_member_is_followed_to_its_coordinator(serve: Serve, session_with: SessionWith) -> None:
    member, coordinator = serve(member_of("10.0.0.102")), serve(PretendPool())
    session = session_with(plain(member, coordinator))
    assert session.facts().address == "10.0.0.102"
    assert member.requests["session.login_with_password"] == 1


def test_an_ipv6_coordinator_is_found_through_the_address_map(serve: Serve, session_with: SessionWith) -> None:
    member, coordinator = serve(member_of("FD00::2")), serve(PretendPool())
    mapped = {"10.0.0.101": member.endpoint, "fd00:0:0:0:0:0:0:2": coordinator.endpoint}
    session = session_with(plain(member, address_map=mapped))
    assert session.facts().address == "FD00::2"


def test_members_that_name_each_other_are_not_followed_for_ever(serve: Serve, session_with: SessionWith) -> None:
    one, other = serve(member_of("10.0.0.102")), serve(member_of("10.0.0.101"))
    with pytest.raises(Unavailable) as caught:
        session_with(plain(one, other)).login()
    assert one.requests["session.login_with_password"] <= 2
    assert "10.0.0.101 says that the coordinator is 10.0.0.102" in caught.value.evidence


def test_a_dead_coordinator_is_replaced_by_the_one_that_is_found(serve: Serve, session_with: SessionWith) -> None:
    first, second = PretendPool(), PretendPool()
    role: dict[str, Handler] = {"second": member_of("10.0.0.101")}
    one, other = serve(first), serve(lambda method, arguments: role["second"](method, arguments))
    session = session_with(plain(one, other))
    session.read("VM.get_all_records")
    one.stop()
    role["second"] = second
    assert session.read("VM.get_all_records")
    assert session.facts().address == "10.0.0.102"


def test_hosts_learnt_from_the_inventory_are_asked_too(serve: Serve, session_with: SessionWith) -> None:
    one, other = serve(PretendPool()), serve(PretendPool())
    session = session_with(
        plain(one, address_map={"10.0.0.101": one.endpoint, "10.0.0.102": other.endpoint}, addresses=("10.0.0.101",))
    )
    session.read("VM.get_all_records")
    session.learn({"10.0.0.101": "xs1", "10.0.0.102": "xs2"})
    one.stop()
    assert session.read("VM.get_all_records")


def test_without_any_coordinator_each_host_s_answer_is_told(serve: Serve, session_with: SessionWith) -> None:
    def booting(method: str, arguments: list[str]) -> object:
        raise Failure("HOST_STILL_BOOTING")

    one, other, third = serve(PretendPool()), serve(member_of("10.0.0.101")), serve(booting)
    session = session_with(plain(one, other, third))
    session.learn({"10.0.0.101": "xs1", "10.0.0.102": "xs2", "10.0.0.103": "xs3"})
    one.stop()
    with pytest.raises(Unavailable) as caught:
        session.read("VM.get_all_records")
    told = " / ".join(caught.value.evidence)
    assert "xs1 (10.0.0.101) refuses connections" in told
    assert "xs2 (10.0.0.102) says that the coordinator is 10.0.0.101" in told
    assert "xs3 (10.0.0.103) answers: The host is still starting, or has lost its coordinator." in told
    assert "“pool recover in lab”" in caught.value.remedy


def test_two_coordinators_are_refused(serve: Serve, session_with: SessionWith) -> None:
    one, other = PretendPool(), PretendPool()
    other.records["pool"]["OpaqueRef:p"]["master"] = "OpaqueRef:h2"
    first, second, third = serve(PretendPool()), serve(one), serve(other)
    session = session_with(plain(first, second, third))
    session.login()
    first.stop()
    with pytest.raises(Unavailable, match="Several hosts"):
        session.read("VM.get_all_records")
    assert not one.sessions
    assert not other.sessions


def test_one_host_under_two_addresses_is_one_coordinator(serve: Serve, session_with: SessionWith) -> None:
    first, host = serve(PretendPool()), serve(PretendPool())
    mapped = {"xs9": first.endpoint, "10.0.0.102": host.endpoint, "xs2.example": host.endpoint}
    session = session_with(plain(first, addresses=("xs9", "10.0.0.102", "xs2.example"), address_map=mapped))
    session.login()
    first.stop()
    assert session.read("VM.get_all_records")


def test_a_wrong_password_is_said_and_not_hammered(serve: Serve, session_with: SessionWith, clock: WallClock) -> None:
    pool = PretendPool()
    host = serve(pool)
    session = session_with(plain(host, password="wrong"))
    errors: list[Unavailable] = []

    def ask() -> None:
        try:
            session.read("VM.get_all_records")
        except Unavailable as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    ask()
    assert len(errors) == 11
    assert all("user name and password" in error.message for error in errors)
    assert pool.logins == 1
    clock.sleep(FIRST_PAUSE_SECONDS + 1)
    ask()
    assert pool.logins == 2
    clock.sleep(FIRST_PAUSE_SECONDS + 1)
    ask()
    assert pool.logins == 2, "the second pause is longer"


def test_another_password_is_tried_at_once(serve: Serve, stack: object, clock: WallClock) -> None:
    pool = PretendPool()
    host = serve(pool)
    passwords = ["wrong"]
    settings = PoolSettings(
        name="lab",
        addresses=("10.0.0.101",),
        username="root",
        password=lambda: passwords[0],
        plain_http=True,
        address_map={"10.0.0.101": host.endpoint},
    )
    session = PoolSession(settings, clock)
    with pytest.raises(Unavailable):
        session.login()
    passwords[0] = "secret"
    assert session.read("VM.get_all_records")
    session.close()


def test_a_session_that_is_gone_is_renewed_once(serve: Serve, session_with: SessionWith) -> None:
    pool = PretendPool()
    session = session_with(plain(serve(pool)))
    session.read("VM.get_all_records")
    pool.sessions.clear()
    assert session.read("VM.get_all_records")
    assert pool.logins == 2


def test_a_host_that_ends_every_session_is_given_up(serve: Serve, session_with: SessionWith) -> None:
    pool = PretendPool()

    def forgetful(method: str, arguments: list[str]) -> object:
        answer = pool(method, arguments)
        pool.sessions.clear()
        return answer

    session = session_with(plain(serve(forgetful)))
    with pytest.raises(Unavailable, match="cannot be reached"):
        session.read("VM.get_all_records")
    assert pool.logins <= 3


def test_an_async_call_refused_for_its_session_was_not_taken(serve: Serve, session_with: SessionWith) -> None:
    pool = PretendPool()
    host = serve(pool)
    session = session_with(plain(host))
    session.login()
    pool.sessions.clear()
    with pytest.raises(Unavailable, match="cannot be reached"):
        session.effect("Async.VM.start", "OpaqueRef:v1")
    session.login()
    pool.sessions.clear()
    with pytest.raises(OutcomeUnknown):
        session.effect("VM.start", "OpaqueRef:v1")
    assert host.requests["Async.VM.start"] == 1
    assert host.requests["VM.start"] == 1


def test_all_threads_share_one_login(serve: Serve, session_with: SessionWith) -> None:
    pool = PretendPool()
    session = session_with(plain(serve(pool)))
    numbers: list[int] = []
    threads = [threading.Thread(target=lambda: numbers.append(session.login().number)) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert numbers == [1] * 30
    assert pool.logins == 1


def test_threads_that_waited_for_a_failed_login_share_its_failure(serve: Serve, session_with: SessionWith) -> None:
    host = serve(PretendPool())
    host.faults += [("*", SILENT)] * 20
    session = session_with(plain(host, connect_seconds=1.5, probe_seconds=1.5))
    errors: list[Unavailable] = []

    def ask() -> None:
        try:
            session.login()
        except Unavailable as error:
            errors.append(error)

    began = time.monotonic()
    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(errors) == 10
    assert time.monotonic() - began < 12, "ten waits of a second and a half must not follow each other"


def test_closing_logs_out(serve: Serve, session_with: SessionWith) -> None:
    pool = PretendPool()
    session = session_with(plain(serve(pool)))
    session.login()
    session.close()
    assert not pool.sessions
    with pytest.raises(Unavailable, match="shutting down"):
        session.login()


def test_closing_survives_a_host_that_is_gone(serve: Serve, session_with: SessionWith) -> None:
    host = serve(PretendPool())
    session = session_with(plain(host))
    session.login()
    host.faults.append(("*", CUT_BEFORE))
    session.close()


class Talkative(PretendPool):
    """Quotes what it was sent where it refuses a login."""

    def _login(self, arguments: list[Any]) -> str:
        raise Failure("INTERNAL_ERROR", f"PAM does not take {arguments[1]} of {arguments[0]}")


@pytest.mark.parametrize("pool", [PretendPool, Talkative])
def test_no_session_or_password_reaches_the_log_or_a_text(
    pool: type[PretendPool], serve: Serve, session_with: SessionWith, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    host = serve(pool())
    settings = plain(host, password="hunter2-wrong")
    session = session_with(settings)
    with pytest.raises(Unavailable) as caught:
        session.login()
    trace = "".join(traceback.format_exception(caught.value))
    words = (caught.value.message, caught.value.remedy, *caught.value.evidence)
    told = " ".join([*words, trace, caplog.text, repr(settings)])
    assert "hunter2" not in told
    assert "OpaqueRef" not in told
