"""A plan's digest: every bound field counts, no free one does, and no field is unmarked."""

from __future__ import annotations

import dataclasses
import typing
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot import model
from bot.model import Plan

PARTS = [
    Plan, model.Step, model.Finding, model.Expect, model.Trace, model.Window, model.ObjectId, model.Value, model.Object,
    model.Objects, model.ResultOf, model.Secret, model.PoolTarget, model.HostTarget, model.MemberTarget, model.BotTarget,
]  # fmt: skip

# Times that a plan can have: aware, and near enough for every clock.
st.register_type_strategy(
    datetime, st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))
)
# Values of arguments are text here: whether a number and its text differ is JSON's matter, not the digest's.
st.register_type_strategy(
    model.Value, st.builds(model.Value, st.text() | st.dictionaries(st.text(), st.text(), max_size=2))
)
st.register_type_strategy(
    model.Step,
    st.builds(
        model.Step,
        arguments=st.lists(
            st.from_type(model.Object) | st.from_type(model.Value) | st.from_type(model.Secret), max_size=2
        ).map(tuple),
        expect=st.lists(st.from_type(model.Expect), max_size=1).map(tuple),
        undo=st.just(())
        | st.builds(model.Step, undo=st.just(()), arguments=st.just(()), expect=st.just(())).map(lambda s: (s,)),
    ),
)


PLANS = st.from_type(Plan)


@pytest.mark.parametrize("part", PARTS)
def test_every_field_is_marked(part: type) -> None:
    marked = {field.name for field in model.bound_fields(part)}
    free = {field.name for field in dataclasses.fields(part) if field.metadata.get("bound") is False}
    assert marked | free == {field.name for field in dataclasses.fields(part)}


def test_nothing_that_a_plan_holds_is_left_out_of_these_tests() -> None:
    seen: set[type] = set()

    def visit(hint: Any) -> None:
        if dataclasses.is_dataclass(hint) and isinstance(hint, type) and hint not in seen:
            seen.add(hint)
            for inner in typing.get_type_hints(hint).values():
                visit(inner)
        for inner in typing.get_args(hint):
            visit(inner)

    visit(Plan)
    assert seen == set(PARTS)


def test_an_unmarked_field_is_a_bug() -> None:
    @dataclasses.dataclass
    class Unmarked:
        x: int = 0

    with pytest.raises(TypeError, match="neither bound nor free"):
        list(model.bound_fields(Unmarked))


def _places(
    value: Any, path: tuple[Any, ...] = ()
) -> typing.Iterator[tuple[tuple[Any, ...], dataclasses.Field[Any], bool]]:
    """Every field of every dataclass in a plan, with its path and whether all on the way to it is bound."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield (*path, field.name), field, bool(field.metadata["bound"])
            for inner, at, is_bound in _places(getattr(value, field.name), (*path, field.name)):
                yield inner, at, is_bound and bool(field.metadata["bound"])
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _places(item, (*path, index))


def _changed(value: Any) -> Any:
    """Something else of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str) and type(value) is not str:
        kind: Any = type(value)
        return next(each for each in kind if each != value)
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, tuple):
        return (*value, *value) if value else (("new", "new"),)
    if isinstance(value, dict):
        return {**value, "new": "x"}
    return "something else" if value is None else None


def _with(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    head, *rest = path
    if isinstance(head, int):
        return (*value[:head], _with(value[head], tuple(rest), new), *value[head + 1 :])
    return dataclasses.replace(value, **{head: _with(getattr(value, head), tuple(rest), new)})


def _get(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step] if isinstance(step, int) else getattr(value, step)
    return value


@settings(max_examples=300, deadline=None)
@given(PLANS, st.data())
def test_a_change_of_a_bound_field_changes_the_digest_and_of_a_free_one_does_not(
    plan: Plan, data: st.DataObject
) -> None:
    path, _, is_bound = data.draw(st.sampled_from(list(_places(plan))))
    other = _with(plan, path, _changed(_get(plan, path)))
    assert (plan.digest() != other.digest()) is is_bound


@settings(max_examples=200, deadline=None)
@given(PLANS)
def test_a_plan_survives_being_stored(plan: Plan) -> None:
    adapter = TypeAdapter(Plan)
    again = adapter.validate_json(adapter.dump_json(plan))
    assert again == plan
    assert again.digest() == plan.digest()
