"""The three pages over real HTTP, and that their figures name what they should and nobody that they should not."""

from __future__ import annotations

import itertools
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

import commands
from bot.answers import Ask, Bug, Opened, Problem, Shown, VoteAsk, Voted
from bot.errors import Denied, Unavailable
from bot.model import Actor, Ballot, Place, Report
from bot.registry import Registry
from bot.store.figures import Figures
from bot.watch import Health, Meters, Others, Pulse, WatchedDesk, WatchServer
from bot.watch.health import PULSE_SECONDS
from bot.xapi.pools import PoolSighting
from tests.bot_slack.fake_desk import FakeDesk
from tests.watch.scraped import figures

FIGURES = Figures(
    requests={"waiting": 2, "succeeded": 5},
    outbox_waiting=3,
    outbox_oldest_seconds=12.5,
    outbox_given_up=1,
    outbox_error="",
    ledger_rows=99,
    verified_at=datetime(2026, 3, 1, tzinfo=UTC),
    flaw="",
)
OLGA = Actor(kind="slack", id="T1/U0OLGA", name="olga-the-operator")
PLACE = Place(kind="slack", team="T1", channel="C0SECRET")
_deliveries = itertools.count(1)


def ask(text: str) -> Ask:
    return Ask(text=text, actor=OLGA, place=PLACE, delivery_key=f"slack:{next(_deliveries)}")


@pytest.fixture
def meters() -> Meters:
    return Meters("1.2.3")


def watched(meters: Meters) -> tuple[WatchedDesk, FakeDesk]:
    desk = FakeDesk()
    ticks = iter(range(1000))
    return WatchedDesk(desk, Registry.of_package(commands), meters, lambda: float(next(ticks))), desk


# --- commands ---------------------------------------------------------------------------------------------------------


def test_a_command_is_counted_by_its_name_and_answer_and_timed(meters: Meters) -> None:
    desk, behind = watched(meters)
    assert desk.answer(ask("pool status in lab")) == Shown(Report(title="you said pool status in lab"))
    behind.reply = lambda _: Opened("X-1", PLACE, "Migrate", existing=False)
    desk.answer(ask("migrate vm web-1 to xs2"))
    behind.reply = lambda _: Problem.of(Denied("no"))
    desk.answer(ask("vm migrate web-1"))
    behind.reply = lambda _: Bug("1234")
    desk.answer(ask(""))
    found = figures(meters.page())
    for command, outcome in (
        ("pool status", "shown"),
        ("vm migrate", "opened"),
        ("vm migrate", "denied"),
        ("help", "bug"),
    ):
        assert found["xenia_commands_total", (("command", command), ("outcome", outcome))] == 1
    assert found["xenia_command_seconds_count", (("command", "vm migrate"),)] == 2
    assert found["xenia_command_seconds_sum", (("command", "vm migrate"),)] == 2


def test_what_is_no_command_is_no_label(meters: Meters) -> None:
    desk, _ = watched(meters)
    desk.answer(ask("delete web-1 now"))
    page = meters.page()
    assert figures(page)["xenia_commands_total", (("command", "(none)"), ("outcome", "shown"))] == 1
    assert b"web-1" not in page


def test_a_form_is_counted_as_its_command(meters: Meters) -> None:
    desk, behind = watched(meters)
    desk.submit("vm migrate", {"vm": "web-1"}, ask(""))
    assert behind.submitted
    assert figures(meters.page())["xenia_command_seconds_count", (("command", "vm migrate"),)] == 1


def test_votes_are_counted_by_what_became_of_them(meters: Meters) -> None:
    desk, behind = watched(meters)
    vote = VoteAsk(request_id="X-1", digest="d", ballot=Ballot.APPROVE, actor=OLGA, place=PLACE)
    behind.vote_reply = lambda _: Voted("Counted.")
    desk.vote(replace(vote, delivery_key="slack:1"))
    behind.vote_reply = lambda _: Problem.of(Denied("not yours"))
    desk.vote(replace(vote, delivery_key="slack:2"))
    found = figures(meters.page())
    assert found["xenia_votes_total", (("ballot", "approve"), ("outcome", "counted"))] == 1
    assert found["xenia_votes_total", (("ballot", "approve"), ("outcome", "denied"))] == 1


# --- what is asked for ------------------------------------------------------------------------------------------------


def asked(meters: Meters, *, fails: bool = False) -> dict[Any, float]:
    def of_store() -> Figures:
        if fails:
            raise Unavailable("the disk is full")
        return FIGURES

    pools = (PoolSighting("lab", 1000.0, ""), PoolSighting("far", 900.0, "away"), PoolSighting("new", None, ""))
    meters.ask(Others(figures=of_store, pools=lambda: pools, connected=lambda: True, running=lambda: 4))
    return figures(meters.page())


def test_store_and_pools_are_asked_when_somebody_looks(meters: Meters) -> None:
    found = asked(meters)
    assert found["xenia_requests", (("state", "waiting"),)] == 2
    assert found["xenia_outbox_waiting", ()] == 3
    assert found["xenia_outbox_oldest_seconds", ()] == 12.5
    assert found["xenia_ledger_rows", ()] == 99
    assert found["xenia_ledger_whole", ()] == 1
    assert found["xenia_ledger_verified_timestamp_seconds", ()] == FIGURES.verified_at.timestamp()  # type: ignore[union-attr]
    assert found["xenia_pool_up", (("pool", "lab"),)] == 1
    assert found["xenia_pool_up", (("pool", "far"),)] == 0
    assert found["xenia_pool_read_timestamp_seconds", (("pool", "far"),)] == 900
    assert ("xenia_pool_up", (("pool", "new"),)) not in found
    assert (found["xenia_slack_connected", ()], found["xenia_requests_running", ()]) == (1, 4)


def test_a_database_that_cannot_be_asked_is_a_figure(meters: Meters) -> None:
    found = asked(meters, fails=True)
    assert found["xenia_database_up", ()] == 0
    assert found["xenia_pool_up", (("pool", "lab"),)] == 1
    assert ("xenia_ledger_rows", ()) not in found


def test_calls_to_pools_are_counted_by_method(meters: Meters) -> None:
    meters.pool_call("lab", "event.from", "answered", 0.02)
    meters.pool_call("lab", "event.from", "lost", 60)
    found = figures(meters.page())
    labels = (("method", "event.from"), ("outcome", "answered"), ("pool", "lab"))
    assert found["xenia_pool_calls_total", labels] == 1
    assert found["xenia_pool_call_seconds_count", (("pool", "lab"),)] == 2


# --- over HTTP --------------------------------------------------------------------------------------------------------


@pytest.fixture
def wrong() -> dict[str, str]:
    return {"timer": "", "slack": ""}


@pytest.fixture
def server(meters: Meters, wrong: dict[str, str]) -> Iterator[WatchServer]:
    health = Health({"timer": lambda: wrong["timer"]}, {"slack": lambda: wrong["slack"]})
    server = WatchServer("127.0.0.1", 0, health, meters.page)
    yield server
    server.close()


def get(server: WatchServer, page: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{page}", timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_well_and_ready_are_two_questions(server: WatchServer, wrong: dict[str, str]) -> None:
    assert get(server, "/healthz")[0] == get(server, "/readyz?verbose")[0] == 200
    wrong["slack"] = "not connected"
    assert get(server, "/healthz")[0] == 200
    status, body = get(server, "/readyz")
    assert status == 503
    assert json.loads(body) == {"ok": False, "checks": {"timer": "ok", "slack": "not connected"}}
    wrong["timer"] = "stands still"
    assert get(server, "/healthz")[0] == 503


def test_the_figures_are_served_as_prometheus_reads_them(server: WatchServer, meters: Meters) -> None:
    meters.acknowledged(0.2)
    status, body = get(server, "/metrics")
    assert status == 200
    assert figures(body)["xenia_acknowledgement_seconds_count", ()] == 1
    assert figures(body)["xenia_info", (("version", "1.2.3"),)] == 1
    assert ("process_open_fds", ()) in figures(body)


def test_there_is_nothing_else(server: WatchServer) -> None:
    assert get(server, "/")[0] == 404
    posted = urllib.request.Request(f"http://127.0.0.1:{server.port}/healthz", data=b"x", method="POST")
    with pytest.raises(urllib.error.HTTPError, match="501"):
        urllib.request.urlopen(posted, timeout=60)


def test_a_port_that_is_taken_is_told_with_what_to_do(meters: Meters) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Unavailable, match="Nothing can listen on") as raised:
            WatchServer("127.0.0.1", taken.getsockname()[1], Health({}, {}), meters.page)
    assert "in use" in raised.value.evidence[0]
    assert "watch.port" in raised.value.remedy


def test_a_check_that_cannot_be_made_is_one_that_fails() -> None:
    def check() -> str:
        raise Unavailable("The database is locked.")

    assert Health({}, {"database": check}).ready() == {"database": "The database is locked."}


def test_a_timer_that_stands_still_is_seen() -> None:
    now = [0.0]
    pulse = Pulse(lambda: now[0])
    now[0] = PULSE_SECONDS
    assert pulse.check() == ""
    now[0] += 1
    assert "no due work" in pulse.check()
    pulse.beat()
    assert pulse.check() == ""
