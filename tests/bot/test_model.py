"""A plan's digest: every bound field counts, no free one does, and no field is unmarked."""

from __future__ import annotations

import dataclasses
import functools
import random
import types
import typing
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot import model
from bot.model import Plan, fields

PARTS = [
    Plan, model.Step, model.Finding, model.Expect, model.Trace, model.Window, model.ObjectId, model.Value, model.Object,
    model.Objects, model.ObjectMap, model.Connection, model.ResultOf, model.MapOf, model.Secret, model.PoolTarget,
    model.HostTarget, model.MemberTarget, model.BotTarget, model.Elsewhere,
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
ADAPTER = TypeAdapter(Plan)


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
            hints = typing.get_type_hints(hint)
            for bound in model.bound_fields(hint):  # what is in a free field is free as a whole
                visit(hints[bound.name])
        for inner in typing.get_args(hint):
            visit(inner)

    visit(Plan)
    assert seen == set(PARTS)


def test_what_came_later_changes_no_digest_until_it_is_used() -> None:
    @dataclasses.dataclass
    class Earlier:
        x: int = model.bound()

    @dataclasses.dataclass
    class Now(Earlier):
        y: bool = model.later(default=False)

    assert fields.binding(Now(1)) == fields.binding(Earlier(1))
    assert fields.binding(Now(1, y=True)) == {"x": 1, "y": True}


def test_an_unmarked_field_is_a_bug() -> None:
    @dataclasses.dataclass
    class Unmarked:
        x: int = 0

    with pytest.raises(TypeError, match="neither bound nor free"):
        list(model.bound_fields(Unmarked))


def _places(
    value: Any, path: tuple[Any, ...] = ()
) -> typing.Iterator[tuple[tuple[Any, ...], dataclasses.Field[Any], bool]]:
    """Every field of every dataclass in a plan, with its path and whether it is bound; all on the way to it is."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield (*path, field.name), field, bool(field.metadata["bound"])
            if field.metadata["bound"]:
                yield from _places(getattr(value, field.name), (*path, field.name))
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


def _random(hint: Any, dice: random.Random, depth: int = 0) -> Any:
    """A value of this type: much cheaper than hypothesis, which looks for the smallest counterexample instead."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return None
    if origin in (typing.Union, types.UnionType):
        return _random(dice.choice(inner), dice, depth)
    if origin is typing.Literal:
        return dice.choice(inner)
    if origin is tuple:
        each = inner[:1] * dice.randint(0, 2 if depth < 4 else 0) if inner[1:] == (...,) else inner
        return tuple(_random(one, dice, depth + 1) for one in each)
    if origin is Mapping:
        return {_random(inner[0], dice): _random(inner[1], dice) for _ in range(dice.randint(0, 2))}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = _hints(hint)
        return hint(**{field.name: _random(hints[field.name], dice, depth + 1) for field in dataclasses.fields(hint)})
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return dice.choice(list(hint))
    simple: dict[Any, Any] = {
        str: lambda: "".join(dice.choices("abé“ \n7", k=dice.randint(0, 4))),
        bool: lambda: dice.random() < 0.5,
        int: lambda: dice.randint(-5, 10_000),
        float: lambda: dice.random(),
        datetime: lambda: datetime.fromtimestamp(dice.randint(10**9, 2 * 10**9), UTC),
        type(None): lambda: None,
    }
    return simple[hint]()


_hints = functools.cache(typing.get_type_hints)


def test_ten_thousand_random_plans() -> None:
    dice, tried = random.Random(20260301), Counter[bool]()
    for _ in range(10_000):
        plan = _random(Plan, dice)
        path, _, is_bound = dice.choice(list(_places(plan)))
        other = _with(plan, path, _changed(_get(plan, path)))
        assert (plan.digest() != other.digest()) is is_bound, path
        tried[is_bound] += 1
    assert min(tried.values()) > 1_000


@settings(max_examples=100, deadline=None)
@given(PLANS, st.data())
def test_a_change_of_a_bound_field_changes_the_digest_and_of_a_free_one_does_not(
    plan: Plan, data: st.DataObject
) -> None:
    path, _, is_bound = data.draw(st.sampled_from(list(_places(plan))))
    other = _with(plan, path, _changed(_get(plan, path)))
    assert (plan.digest() != other.digest()) is is_bound


@settings(max_examples=100, deadline=None)
@given(PLANS)
def test_a_plan_survives_being_stored(plan: Plan) -> None:
    again = ADAPTER.validate_json(ADAPTER.dump_json(plan))
    assert again == plan
    assert again.digest() == plan.digest()


def test_a_field_that_came_later_leaves_the_digest_of_earlier_plans_as_it_was() -> None:
    """The digest here was made before there were such fields."""
    vm, sr = model.ObjectId("VM", "uuid-vm", "web-1"), model.ObjectId("SR", "uuid-sr", "fast")
    step = model.Step(title="move it", target=model.PoolTarget("uuid-pool"), arguments=(model.ObjectMap(((vm, sr),)),))
    plan = Plan(
        command="vm migrate",
        arguments=(("vm", "uuid-vm"),),
        pool=model.ObjectId("pool", "uuid-pool", "lab"),
        risk=model.Risk.DISRUPTIVE,
        steps=(step,),
        touches=(vm,),
        title="move web-1",
    )
    assert plan.digest() == "6d6b8c3044bb3b129820fd478af63a9938f44eb7a592549138899d8a9e0834cf"
    other = model.Elsewhere(pool=model.ObjectId("pool", "uuid-there", "prod"))
    assert dataclasses.replace(plan, elsewhere=(other,)).digest() != plan.digest()
    there = dataclasses.replace(step, arguments=(model.ObjectMap(((vm, sr),), at=model.PoolTarget("uuid-there")),))
    assert dataclasses.replace(plan, steps=(there,)).digest() != plan.digest()


def test_a_plan_may_be_graver_than_its_command_says_but_never_milder() -> None:
    order = [model.Risk.READ, model.Risk.ROUTINE, model.Risk.DISRUPTIVE, model.Risk.DESTRUCTIVE]
    allowed = {(declared, plan) for declared in order for plan in order if declared.covers(plan)}
    assert allowed == {
        (declared, plan)
        for at, declared in enumerate(order)
        for plan in order[at:]
        if declared is not model.Risk.READ or plan is declared
    }
