from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import (
    Argument,
    Cell,
    Facts,
    Line,
    Lines,
    MapOf,
    Object,
    ObjectMap,
    Part,
    Plan,
    Report,
    ResultOf,
    Secret,
    Step,
    Table,
    Target,
    Value,
    Window,
)
from bot.store.encoding import canonical, moment, pack, stamp, storable, unpack
from tests.bot_store.helpers import plan

few = settings(max_examples=40, deadline=None)
names = st.text(st.characters(codec=None), max_size=8)
"""With what UTF-8 cannot hold: lone surrogates."""
times = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))
arguments: st.SearchStrategy[Argument] = st.one_of(
    st.builds(
        Value, st.one_of(names, st.lists(names, max_size=3).map(tuple), st.dictionaries(names, names, max_size=3))
    ),
    st.builds(Value, st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False))),
    st.from_type(Object),
    st.from_type(ObjectMap),
    st.from_type(ResultOf),
    st.from_type(MapOf),
    st.from_type(Secret),
)
parts: st.SearchStrategy[Part] = st.one_of(
    st.builds(Lines, heading=names, lines=st.lists(st.builds(Line, text=names), max_size=2).map(tuple)),
    st.builds(Table, rows=st.lists(st.tuples(st.builds(Cell, names), st.builds(Cell, names)), max_size=2).map(tuple)),
    st.builds(Facts, pairs=st.lists(st.tuples(names, st.builds(Cell, names)), max_size=2).map(tuple)),
)
steps = st.builds(
    Step,
    title=names,
    target=st.from_type(Target),  # type: ignore[arg-type]
    arguments=st.lists(arguments, max_size=4).map(tuple),
    expect=st.just(()),
    undo=st.lists(
        st.builds(Step, arguments=st.lists(arguments, max_size=2).map(tuple), undo=st.just(())), max_size=1
    ).map(tuple),
)


@few
@given(st.tuples(steps, steps), names, times)
def test_a_plan_comes_back_with_its_digest(steps: tuple[Step, ...], name: str, at: datetime) -> None:
    original = plan(steps=steps, title=name, facts=((name, name),), window=Window(not_before=at))
    text = pack(Plan, original)
    assert text.isascii()
    again = unpack(Plan, text)
    assert again == original
    assert again.digest() == original.digest()


@few
@given(st.builds(Report, parts=st.lists(parts, max_size=3).map(tuple)))
def test_a_report_comes_back(report: Report) -> None:
    assert unpack(Report, pack(Report, report)) == report


@few
@given(times, st.timedeltas(min_value=timedelta(hours=-12), max_value=timedelta(hours=12)))
def test_stamps_compare_as_times_do_whatever_the_zone(one: datetime, apart: timedelta) -> None:
    two = (one + apart).astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert moment(stamp(two)) == two
    assert (stamp(one) < stamp(two)) is (one < two)
    assert (stamp(one) == stamp(two)) is (one == two)
    assert len(stamp(one)) == len(stamp(two))


def test_a_time_without_a_zone_is_a_bug() -> None:
    with pytest.raises(ValueError, match="zone"):
        stamp(datetime(2026, 1, 1))


@few
@given(st.text(st.characters(codec=None)))
def test_any_text_can_be_stored(text: str) -> None:
    kept = storable(text)
    kept.encode()
    assert storable(kept) == kept
    if not any("\ud800" <= letter <= "\udfff" for letter in text):
        assert kept == text


def test_canonical() -> None:
    assert canonical({"b": [1, 2.5, None], "a": "ü\ud800"}) == '{"a":"\\u00fc\\ud800","b":[1,2.5,null]}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(float("nan"))
