"""Broken conversations: what is sent again, what never is, and what people are told."""

from __future__ import annotations

import threading
import time

import pytest

from bot.errors import OutcomeUnknown, Unavailable
from bot.xapi import line
from bot.xapi.addresses import endpoint_of
from bot.xapi.transport import Exchange
from tests.bot_xapi.conftest import Serve, SessionWith, plain
from tests.bot_xapi.hosts import (
    CLOSE_AFTER,
    CUT_AFTER,
    CUT_BEFORE,
    GARBAGE,
    HALF,
    HTTP_500,
    NO_STATUS,
    SAY_CLOSE,
    SILENT,
    TRICKLE,
    PretendPool,
    small_pool,
)

CALL = "Async.VM.pool_migrate"


def pool_with_a_call() -> PretendPool:
    pool = PretendPool()
    pool.extra[CALL] = lambda method, arguments: "OpaqueRef:t1"
    return pool


@pytest.mark.parametrize("fault", [CUT_AFTER, HALF, GARBAGE, NO_STATUS, HTTP_500])
def test_a_call_with_effect_whose_answer_is_lost_was_sent_once(
    fault: str, serve: Serve, session_with: SessionWith
) -> None:
    host = serve(pool_with_a_call())
    session = session_with(plain(host))
    session.read("VM.get_all_records")
    host.faults.append((CALL, fault))
    with pytest.raises(OutcomeUnknown):
        session.effect(CALL, "OpaqueRef:v1", "OpaqueRef:h2", {"live": "true"})
    assert host.requests[CALL] == 1
    assert host.taken[CALL] == 1


def test_a_call_with_effect_cut_before_it_was_taken_is_unknown_and_not_sent_again(
    serve: Serve, session_with: SessionWith
) -> None:
    host = serve(pool_with_a_call())
    session = session_with(plain(host))
    session.read("VM.get_all_records")
    host.faults.append((CALL, CUT_BEFORE))
    with pytest.raises(OutcomeUnknown):
        session.effect(CALL, "OpaqueRef:v1", "OpaqueRef:h2", {})
    assert host.requests[CALL] == 1
    assert host.taken[CALL] == 0


def test_a_connection_that_breaks_while_a_large_request_is_sent_is_unknown_not_failed(
    serve: Serve, session_with: SessionWith
) -> None:
    host = serve(pool_with_a_call())
    session = session_with(plain(host))
    session.read("VM.get_all_records")
    host.faults.append(("*", CUT_BEFORE))
    with pytest.raises(OutcomeUnknown, match=r"while the request was sent|before it answered"):
        session.effect(CALL, "x" * 30_000_000)
    assert host.requests[CALL] == 0


def test_a_call_with_effect_gets_a_connection_of_its_own(serve: Serve, session_with: SessionWith) -> None:
    host = serve(pool_with_a_call())
    session = session_with(plain(host))
    session.read("VM.get_all_records")
    before = host.connections
    assert session.effect(CALL, "OpaqueRef:v1") == "OpaqueRef:t1"
    assert host.connections == before + 1


def test_a_kept_connection_that_the_host_closed_is_not_used_again(serve: Serve) -> None:
    host = serve(PretendPool())
    exchange = Exchange(plain(host))
    endpoint = endpoint_of(host.endpoint, {}, plain_http=True)
    line = exchange.line(endpoint, fresh=True)
    exchange.keep(line)
    assert exchange.line(endpoint, fresh=False) is line
    exchange.keep(line)
    deadline = time.monotonic() + 30
    while not line.stale():
        host.drop_connections()  # again, until it has accepted the connection
        assert time.monotonic() < deadline
    assert exchange.line(endpoint, fresh=False) is not line
    exchange.close()


def test_a_call_with_effect_that_never_left_says_so(serve: Serve, session_with: SessionWith) -> None:
    host = serve(pool_with_a_call())
    session = session_with(plain(host))
    session.read("VM.get_all_records")
    host.stop()
    with pytest.raises(Unavailable) as caught:
        session.effect(CALL, "OpaqueRef:v1")
    assert "refuses connections" in caught.value.evidence[0]


@pytest.mark.parametrize("fault", [CUT_BEFORE, CUT_AFTER, HALF, GARBAGE, HTTP_500])
def test_a_read_survives_one_broken_connection(fault: str, serve: Serve, session_with: SessionWith) -> None:
    pool = PretendPool()
    host = serve(pool)
    session = session_with(plain(host))
    session.login()
    host.faults.append(("VM.get_all_records", fault))
    assert session.read("VM.get_all_records") == small_pool()["VM"]
    assert pool.logins == 1


@pytest.mark.parametrize("fault", [CLOSE_AFTER, SAY_CLOSE])
def test_a_read_on_a_kept_connection_that_the_host_closed_needs_no_new_login(
    fault: str, serve: Serve, session_with: SessionWith
) -> None:
    pool = PretendPool()
    host = serve(pool)
    session = session_with(plain(host))
    host.faults.append(("VM.get_all_records", fault))
    session.read("VM.get_all_records")
    session.read("VM.get_all_records")
    host.drop_connections()
    session.read("VM.get_all_records")
    assert pool.logins == 1


def test_a_host_that_accepts_and_never_answers_costs_a_bounded_wait(serve: Serve, session_with: SessionWith) -> None:
    host = serve(PretendPool())
    session = session_with(plain(host, answer_seconds=0.3, probe_seconds=0.3))
    session.login()
    host.faults += [("*", SILENT)] * 5
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        session.read("VM.get_all_records")
    assert time.monotonic() - began < 20
    assert any("did not answer within" in line for line in caught.value.evidence)


def test_an_answer_that_trickles_for_ever_is_given_up(serve: Serve, session_with: SessionWith) -> None:
    host = serve(PretendPool())
    session = session_with(plain(host, answer_seconds=0.3, whole_answer_seconds=0.5, probe_seconds=0.3))
    session.login()
    host.faults += [("*", TRICKLE)] * 5
    began = time.monotonic()
    with pytest.raises(Unavailable):
        session.read("VM.get_all_records")
    assert time.monotonic() - began < 20


def test_one_slow_call_does_not_end_another_thread_s_session(serve: Serve, session_with: SessionWith) -> None:
    pool = PretendPool()
    host = serve(pool)
    session = session_with(plain(host, answer_seconds=0.3))
    session.login()
    host.faults.append(("SR.probe", SILENT))
    failed: list[BaseException] = []

    def slow() -> None:
        try:
            session.read("SR.probe")
        except Unavailable as error:
            failed.append(error)

    thread = threading.Thread(target=slow)
    thread.start()
    for _ in range(5):
        assert session.read("VM.get_all_records")
    thread.join(10)
    assert "did not answer" in " ".join(failed[0].evidence)  # type: ignore[attr-defined]


def test_many_threads_use_few_connections(serve: Serve, session_with: SessionWith) -> None:
    pool = PretendPool()
    host = serve(pool)
    session = session_with(plain(host))
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(5):
                session.read("VM.get_all_records")
        except BaseException as error:  # noqa: BLE001 - to be seen by the test
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not errors
    assert pool.logins == 1
    assert host.connections < 60


def test_an_answer_that_is_too_large_is_refused_in_words_and_not_asked_for_again(
    serve: Serve, session_with: SessionWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = serve(PretendPool())
    session = session_with(plain(host))
    session.login()
    monkeypatch.setattr(line, "LARGEST_ANSWER_BYTES", 512)
    with pytest.raises(Unavailable, match="pool lab answers with more than the bot reads") as refused:
        session.read("VM.get_all_records")
    assert refused.value.evidence == ("10.0.0.101 answers with more than 512 B, the most that the bot reads",)
    assert refused.value.remedy
    assert host.requests["VM.get_all_records"] == 1
