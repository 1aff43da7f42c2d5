"""True time from NTP servers: what one exchange proves, and whom to believe."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.findings import TimeAnswer
from bot.ntp import NtpServers, parted
from bot.rules.truetime import agreed, exchanged
from tests.audits.time_server import TimeServer, time_server

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
PATIENCE = 20.0


def answer(server: str, middle: float, half: float = 0.01, failure: str = "") -> TimeAnswer:
    return TimeAnswer(server=server, at=AT, low=middle - half, high=middle + half, stratum=2, failure=failure)


def ask(*servers: TimeServer, seconds: float = PATIENCE, ahead: float = 0.0) -> tuple[TimeAnswer, ...]:
    return NtpServers([server.address for server in servers], seconds).ask(ahead)


# --- over the wire ---


@pytest.mark.parametrize("ahead", [0.0, 12.5, -3600.0])
def test_the_truth_is_inside_what_is_claimed(ahead: float) -> None:
    with time_server(ahead=ahead) as server:
        (said,) = ask(server)
    assert not said.failure
    assert said.low <= ahead <= said.high
    # Half the root delay and the dispersion to both sides, and the way there and back.
    assert said.high - said.low >= 2 * (0.005 + 0.005)
    assert said.server == server.address
    assert said.stratum == 2


def test_what_it_takes_to_answer_widens_nothing() -> None:
    """The server says when it took the question and when it answered."""
    with time_server(keeps=0.3) as server:
        (said,) = ask(server)
    assert said.low <= 0 <= said.high
    assert said.high - said.low < 0.3


def test_a_server_far_from_true_time_widens_the_claim() -> None:
    with time_server(root_delay=1.0, root_dispersion=0.5) as far, time_server() as near:
        wide, narrow = ask(far, near)
    assert (wide.high - wide.low) - (narrow.high - narrow.low) > 1.5


def test_the_answer_is_about_the_clock_that_was_asked_for() -> None:
    with time_server(ahead=5.0) as server:
        (said,) = ask(server, ahead=2.0)
    assert said.low <= 3.0 <= said.high
    assert said.high < 4.0


def test_a_silent_server_is_told_after_two_tries_and_the_others_answer() -> None:
    with time_server(silent=True) as silent, time_server() as good:
        first, second = ask(silent, good, seconds=0.2)
    assert first.failure == "no answer within 0.2 s"
    assert len(silent.asked) == 2
    assert not second.failure


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"stratum": 0, "reference": b"RATE"}, "turns the bot away (RATE)"),
        ({"stratum": 16}, "not synchronised"),
        ({"leap": 3}, "not synchronised"),
        ({"mode": 5}, "something else than a server (mode 5)"),
    ],
    ids=["kiss", "stratum", "leap", "mode"],
)
def test_an_answer_that_proves_nothing_is_not_believed(how: dict[str, object], told: str) -> None:
    with time_server(**how) as server:
        (said,) = ask(server)
    assert told in said.failure


@pytest.mark.parametrize("name", ["no.such.name.invalid", "", "127.0.0.1:0", "127.0.0.1:x", "127.0.0.1:99999"])
def test_a_name_that_is_none_is_told(name: str) -> None:
    (said,) = NtpServers([name], 0.2).ask(0.0)
    assert said.failure


def test_without_servers_nobody_is_asked() -> None:
    assert NtpServers([]).ask(0.0) == ()


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("ntp.example.org", "ntp.example.org", 123),
        ("10.0.0.1:1123", "10.0.0.1", 1123),
        ("2001:db8::1", "2001:db8::1", 123),
        ("[2001:db8::1]", "2001:db8::1", 123),
        ("[2001:db8::1]:1123", "2001:db8::1", 1123),
    ],
)
def test_names_and_ports(text: str, host: str, port: int) -> None:
    assert parted(text) == (host, port)


# --- whom to believe ---


def test_the_majority_outvotes_one_that_is_wrong() -> None:
    found = agreed([answer("a", 0.0), answer("b", 0.005), answer("c", 30.0)], AT.timestamp())
    assert found.interval is not None
    assert found.interval.low == pytest.approx(-0.005)
    assert found.interval.high == pytest.approx(0.010)
    assert [each.server for each in found.contradicted] == ["c"]
    assert [each.server for each in found.believed] == ["a", "b"]


def test_two_that_contradict_each_other_prove_nothing() -> None:
    found = agreed([answer("a", 0.0), answer("b", 30.0)], AT.timestamp())
    assert found.interval is None
    assert {each.server for each in found.contradicted} == {"a", "b"}


def test_who_is_silent_has_no_vote() -> None:
    found = agreed([answer("a", 0.0), answer("b", 9.0, failure="no answer")], AT.timestamp())
    assert found.interval is not None
    assert [each.server for each in found.silent] == ["b"]
    assert agreed([], AT.timestamp()).interval is None


def test_what_was_proved_earlier_claims_less_later() -> None:
    now, later = (agreed([answer("a", 0.0)], AT.timestamp() + seconds).interval for seconds in (0, 100))
    assert now is not None
    assert later is not None
    assert later.width == pytest.approx(now.width + 2 * 100 * 500e-6)


@given(
    truth=st.floats(-1000, 1000),
    way=st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)),
    keeps=st.floats(0, 1),
    off=st.floats(-0.1, 0.1),
)
def test_one_exchange_never_claims_too_much(truth: float, way: tuple[float, float], keeps: float, off: float) -> None:
    """Whatever the way there and back takes, and however the server is off within its root distance."""
    there, back = way
    sent = 1_000_000.0
    taken = sent + there + truth + off
    answered = taken + keeps
    received = sent + there + keeps + back
    found = exchanged(sent, taken, answered, received, abs(off))
    assert found.low - 1e-6 <= truth <= found.high + 1e-6


@given(
    truth=st.floats(-5, 5),
    right=st.lists(st.tuples(st.floats(-0.05, 0.05), st.floats(0.05, 0.2)), min_size=3, max_size=6),
    wrong=st.lists(st.floats(10, 100), max_size=2),
)
def test_what_a_majority_of_right_servers_proves_holds(
    truth: float, right: list[tuple[float, float]], wrong: list[float]
) -> None:
    answers = [answer(f"r{n}", truth + middle, half) for n, (middle, half) in enumerate(right)]
    answers += [answer(f"w{n}", truth + middle) for n, middle in enumerate(wrong)]
    found = agreed(answers, AT.timestamp())
    assert found.interval is not None
    assert found.interval.low - 1e-9 <= truth <= found.interval.high + 1e-9
    assert {each.server for each in found.contradicted} == {f"w{n}" for n in range(len(wrong))}


def test_the_pretend_server_ends_with_its_block() -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(time_server())
    (said,) = ask(server, seconds=0.2)
    assert said.failure
