"""One-time codes: once each, at their moment, and not many guesses – across processes and restarts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest

from bot.clock import SystemClock
from bot.codes import PERIOD, TRIES, OneTimeCodes
from bot.errors import Denied, UserError
from bot.model import Actor
from bot.store import SqliteStore

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOW = datetime(2026, 11, 25, 12, 0, 10, tzinfo=UTC)
ANA = Actor(kind="slack", id="T1/U0ANA", name="ana")
BEN = Actor(kind="slack", id="T1/U0BEN", name="ben")


def code(at: datetime = NOW, secret: str = SECRET) -> str:
    return pyotp.TOTP(secret).at(at)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "xenia.sqlite3"


@pytest.fixture
def codes(path: Path) -> OneTimeCodes:
    return made(path)


def made(path: Path, secret: Callable[[], str] = lambda: SECRET) -> OneTimeCodes:
    store = SqliteStore(path, clock=SystemClock(), ledger_key=b"k" * 32)
    return OneTimeCodes({"U0ANA": secret, "U0BEN": lambda: SECRET[::-1].replace("0", "A")}, store.first_sight)


def test_it_is_what_the_standard_says() -> None:
    # RFC 6238, appendix B: SHA-1, the last six of its eight digits at 1111111109 s.
    seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    sure = OneTimeCodes({"U0ANA": lambda: seed}, lambda _key, _at: True)
    sure.check(ANA, "081804", datetime.fromtimestamp(1111111109, UTC))


def test_a_code_counts_once_even_for_another_process(codes: OneTimeCodes, path: Path) -> None:
    codes.check(ANA, code(), NOW)
    for again in (codes, made(path)):
        with pytest.raises(Denied, match="used before"):
            again.check(ANA, code(), NOW)
    codes.check(ANA, code(NOW + timedelta(seconds=30)), NOW + timedelta(seconds=30))


@pytest.mark.parametrize(("seconds", "good"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_half_a_minute_of_difference_between_clocks_is_allowed(codes: OneTimeCodes, seconds: int, good: bool) -> None:
    given = code(NOW + timedelta(seconds=seconds))
    if good:
        codes.check(ANA, f"{given[:3]} {given[3:]}", NOW)
    else:
        with pytest.raises(Denied, match="not your one-time code"):
            codes.check(ANA, given, NOW)


@pytest.mark.parametrize(("given", "why"), [("", "None was given"), ("12345", "no code"), ("abcdef", "no code")])
def test_what_is_no_code_uses_up_no_try(codes: OneTimeCodes, given: str, why: str) -> None:
    for _ in range(TRIES + 1):
        with pytest.raises(Denied, match=why):
            codes.check(ANA, given, NOW)
    codes.check(ANA, code(), NOW)


def test_somebody_elses_code_and_somebody_without(codes: OneTimeCodes) -> None:
    with pytest.raises(Denied, match="not your one-time code"):
        codes.check(BEN, code(), NOW)
    for actor in (Actor(kind="slack", id="T1/U0SAM", name="sam"), Actor(kind="terminal", id="U0ANA", name="ana")):
        with pytest.raises(Denied, match="none is set up") as raised:
            codes.check(actor, code(), NOW)
        assert "one_time_code" in raised.value.remedy


def test_guessing_ends_after_a_few_and_begins_anew_later(codes: OneTimeCodes, path: Path) -> None:
    wrong = f"{(int(code()) + 1) % 1_000_000:06}"
    for number in range(TRIES):
        with pytest.raises(Denied, match="not your"):
            (codes if number % 2 else made(path)).check(ANA, wrong, NOW)
    with pytest.raises(Denied, match="Too many"):
        codes.check(ANA, code(), NOW)
    codes.check(BEN, code(secret=SECRET[::-1].replace("0", "A")), NOW)
    later = NOW + timedelta(seconds=PERIOD)
    codes.check(ANA, code(later), later)


@pytest.mark.parametrize("secret", ["not base32!", "JBSWY3DP", ""])
def test_a_secret_that_is_none_is_refused_and_not_told(path: Path, secret: str) -> None:
    with pytest.raises(Denied, match="cannot be checked") as raised:
        made(path, lambda: secret).check(ANA, "123456", NOW)
    assert not secret or secret not in f"{raised.value.message} {raised.value.remedy} {raised.value.__context__}"


def test_a_secret_that_cannot_be_read_refuses(path: Path) -> None:
    def missing() -> str:
        raise UserError("The secret's file cannot be read.")

    with pytest.raises(UserError, match="cannot be read"):
        made(path, missing).check(ANA, "123456", NOW)
