"""The database: relations, filters, times."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.xapi.failure import Failure
from sandbox.xapi.filters import compile_filter
from sandbox.xapi.marshal import ocaml_int64
from sandbox.xapi.model import model
from sandbox.xapi.store import Database
from sandbox.xapi.values import NULL, Time


@pytest.fixture
def db() -> Iterator[Database]:
    """An empty one, with its lock held as every user of it must."""
    made = Database(model("26.9.0"))
    with made.lock:
        yield made


HOSTS = ["OpaqueRef:a", "OpaqueRef:b", NULL]


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(HOSTS)), max_size=30))
def test_derived_sides_follow_every_write(moves: list[tuple[int, str]]) -> None:
    db = Database(model("26.9.0"))
    with db.lock:
        follow(db, moves)


def follow(db: Database, moves: list[tuple[int, str]]) -> None:
    for host in HOSTS[:2]:
        db.create("host", {}, host)
    vms = [db.create("VM", {}) for _ in range(4)]
    for number, host in moves:
        before = db.generation
        db.write("VM", vms[number], resident_on=host)
        assert db.generation >= before
    for host in HOSTS[:2]:
        assert set(db.value("host", host, "resident_VMs")) == {
            v for v in vms if db.value("VM", v, "resident_on") == host
        }


def test_a_handed_out_record_is_not_changed_by_later_writes(db: Database) -> None:
    ref = db.create("VM", {"other_config": {"a": "1"}})
    held = dict(db.get("VM", ref))
    db.set_key("VM", ref, "other_config", "b", "2")
    assert held["other_config"] == {"a": "1"}


def test_writing_the_same_value_is_no_change(db: Database) -> None:
    ref = db.create("VM", {"name_label": "x"})
    before = db.generation
    db.write("VM", ref, name_label="x")
    assert db.generation == before


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("true", True),
        ('field "name__label" = "x" and field "order" = "2"', True),
        ('field "name__label" = "X"', False),
        ('not (field "name__label" = "y") and true', True),
        ('field "is_a_template" = "false" or false', True),
        ('field "tags" = "(\'t\')"', True),
        ('"a" = "b" or "c" = "c"', True),
    ],
)
def test_filters(db: Database, text: str, matches: bool) -> None:
    ref = db.create("VM", {"name_label": "x", "order": 2, "tags": ["t"]})
    assert compile_filter(text, db.model.classes["VM"])(db.get("VM", ref)) is matches


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_integers_as_text(number: int) -> None:
    assert ocaml_int64(str(number)) == number


@pytest.mark.parametrize("text", ["", " 1", "1 ", "x", "9223372036854775808", "1.0", "--1", "٣"])
def test_what_is_no_integer(text: str) -> None:
    with pytest.raises(Failure):
        ocaml_int64(text)


def test_times_in_every_form() -> None:
    for text in ("20261123T01:02:03Z", "2026-11-23T01:02:03Z", "20261123T02:02:03+0100", "2026-11-23T01:02:03.5Z"):
        assert Time.parse(text) == "20261123T01:02:03Z"
    with pytest.raises(ValueError, match="garbage"):
        Time.parse("garbage")
