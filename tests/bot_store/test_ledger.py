from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from pathlib import Path

import pytest

from bot.errors import Unavailable
from bot.model import BOT, Entry
from bot.store import Head, SqliteStore, export_file, heads_in, verify_file
from bot.store.chain import COLUMNS, GENESIS, Seal, walk
from bot.store.ledger import imported
from tests.bot_store.helpers import ANNA, BEN, KEY, HandClock, after, entry, look, meddle


def fill(store: SqliteStore, rows: int = 5) -> Head:
    for number in range(1, rows + 1):
        store.record(entry("test", pool=("lab", "prod")[number % 2], body={"n": number, "name": "web-ü\ud800"}))
    return store.head()


def test_rows_come_newest_first_and_by_pool(store: SqliteStore, clock: HandClock) -> None:
    assert store.ledger(pools=None, last=9) == ()
    fill(store)
    clock.sleep(10)
    store.record(Entry(kind="login", actor=BEN, request_id="X-9"))
    newest = store.ledger(pools=None, last=1)[0]
    assert (newest.seq, newest.at, newest.kind, newest.actor, newest.pool, newest.request_id, dict(newest.body)) == (
        *(6, after(10), "login", BEN, "", "X-9", {}),
    )
    assert newest.hash == store.head().hash
    assert [row.seq for row in store.ledger(pools=None, last=3)] == [6, 5, 4]
    assert [row.seq for row in store.ledger(pools=["lab"], last=9)] == [4, 2]
    assert [row.seq for row in store.ledger(pools=["lab", "prod"], last=2)] == [5, 4]
    assert store.ledger(pools=[], last=9) == ()
    assert store.ledger(pools=None, last=0) == ()
    assert store.ledger(pools=["lab"], last=1)[0].body == {"n": 4, "name": "web-ü\ud800"}


def test_the_chain_is_as_documented(store: SqliteStore, path: Path) -> None:
    """Recomputed here with nothing of ours."""
    fill(store, 3)
    previous = "0" * 64
    rows = look(
        path,
        "SELECT seq, at, kind, actor_kind, actor_id, actor_name, pool, request_id, body, mode, prev, hash"
        " FROM ledger ORDER BY seq",
    )
    for *columns, digest in rows:
        assert columns[-1] == previous
        message = json.dumps(["xenia-ledger-1", *columns], separators=(",", ":"))
        assert hmac.new(KEY, message.encode(), hashlib.sha256).hexdigest() == digest
        previous = digest
    assert rows[0][9].startswith("hmac-sha256/")
    assert KEY.decode() not in rows[0][9]
    assert store.head() == (3, previous)


def test_without_a_key_it_is_chained_all_the_same_and_says_so(path: Path, clock: HandClock) -> None:
    store = SqliteStore(path, clock=clock)
    assert store.head() == GENESIS
    assert store.verify().ok
    fill(store)
    assert look(path, "SELECT DISTINCT mode FROM ledger") == [("sha256",)]
    found = store.verify()
    assert (found.ok, found.rows, found.keyed_from, found.head) == (True, 5, None, store.head())
    store.close()


def test_a_key_set_later_is_used_from_then_on(path: Path, clock: HandClock) -> None:
    plain = SqliteStore(path, clock=clock)
    fill(plain)
    plain.close()
    keyed = SqliteStore(path, clock=clock, ledger_key=KEY)
    row = keyed.ledger(pools=None, last=1)[0]
    assert (row.seq, row.kind, row.actor, row.body) == (6, "ledger.keyed", BOT, {"plain_up_to": 5})
    found = keyed.verify()
    assert (found.ok, found.keyed_from) == (True, 6)
    keyed.close()
    SqliteStore(path, clock=clock, ledger_key=KEY).close()
    assert look(path, "SELECT count(*) FROM ledger") == [(6,)]


NEXT = b"the key after that, long enough"


def test_a_key_is_replaced_and_both_parts_verify(store: SqliteStore, path: Path, clock: HandClock) -> None:
    fill(store)
    rows = store.head().seq
    store.close()
    after = SqliteStore(path, clock=clock, ledger_key=NEXT, former_keys=[KEY])
    retired, rekeyed = reversed(after.ledger(pools=None, last=2))
    assert (retired.seq, retired.kind, rekeyed.kind) == (rows + 1, "ledger key retired", "ledger.rekeyed")
    fill(after)
    found = after.verify()
    assert (found.ok, found.keyed_from) == (True, 1)
    after.close()
    SqliteStore(path, clock=clock, ledger_key=NEXT).close()  # to go on, the former is not needed
    assert verify_file(path, NEXT, former_keys=[KEY]).ok
    alone = verify_file(path, NEXT)
    assert alone.flaw is not None
    assert (alone.flaw.row, "another key" in alone.flaw.why) == (1, True)


def test_a_retired_key_seals_nothing_more(store: SqliteStore, path: Path, clock: HandClock) -> None:
    """Who steals the old key later cannot go on with it, nor take the chain over with a third."""
    fill(store)
    store.close()
    SqliteStore(path, clock=clock, ledger_key=NEXT, former_keys=[KEY]).close()
    with pytest.raises(Unavailable, match="another key"):
        SqliteStore(path, clock=clock, ledger_key=KEY)
    db = sqlite3.connect(path)
    columns = (*COLUMNS, "hash")
    last = dict(zip(columns, db.execute(f"SELECT {', '.join(columns)} FROM ledger").fetchall()[-1], strict=True))
    row = {**last, "seq": last["seq"] + 1, "mode": Seal(KEY).mode, "prev": last["hash"]}
    row["hash"] = Seal(KEY).hash(row)
    db.execute(f"INSERT INTO ledger ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
    db.commit()
    db.close()
    found = verify_file(path, NEXT, former_keys=[KEY])
    assert found.flaw is not None
    assert (found.flaw.row, "does not hand over" in found.flaw.why) == (row["seq"], True)


def test_a_key_can_be_replaced_again_before_anything_was_written_under_it(
    store: SqliteStore, path: Path, clock: HandClock
) -> None:
    fill(store)
    store.close()
    third = b"yet another key, long enough"
    SqliteStore(path, clock=clock, ledger_key=NEXT, former_keys=[KEY]).close()
    SqliteStore(path, clock=clock, ledger_key=third, former_keys=[KEY, NEXT]).close()
    assert verify_file(path, third, former_keys=[KEY, NEXT]).ok


@pytest.mark.parametrize(("key", "words"), [(None, "none is set"), (b"another key, as long", "another key")])
def test_a_keyed_ledger_is_not_gone_on_with_otherwise(
    store: SqliteStore, path: Path, clock: HandClock, key: bytes | None, words: str
) -> None:
    fill(store)
    with pytest.raises(Unavailable, match=words):
        SqliteStore(path, clock=clock, ledger_key=key)
    found = verify_file(path, key)
    assert found.flaw is not None
    assert found.flaw.row == 1
    assert "cannot be checked" in found.flaw.why


def test_a_short_key_is_refused(path: Path, clock: HandClock) -> None:
    with pytest.raises(Unavailable, match="too short"):
        SqliteStore(path, clock=clock, ledger_key=b"secret")
    assert not path.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET kind = 'x' WHERE seq = 2",
        "DELETE FROM ledger WHERE seq = 5",
        "DELETE FROM ledger",
        "INSERT INTO ledger SELECT 7, at, kind, actor_kind, actor_id, actor_name, pool, request_id, body, mode, prev,"
        " hash FROM ledger WHERE seq = 1",
        "INSERT OR REPLACE INTO ledger SELECT 2, at, kind, actor_kind, actor_id, actor_name, pool, request_id, body,"
        " mode, prev, hash FROM ledger WHERE seq = 1",
        "INSERT INTO ledger SELECT NULL, at, kind, actor_kind, actor_id, actor_name, pool, request_id, body, mode,"
        " prev, hash FROM ledger WHERE seq = 1",
    ],
)
def test_triggers_refuse_all_but_the_next_row(store: SqliteStore, path: Path, statement: str) -> None:
    fill(store)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        meddle(path, statement)
    assert store.verify().ok


def test_heads_are_compared_and_say_how_far_back_they_vouch(store: SqliteStore) -> None:
    early = fill(store, 3)
    late = fill(store, 2)
    assert store.verify().vouched_to == 0
    assert store.verify([early]).vouched_to == 3
    assert store.verify([late, early]).vouched_to == 5
    wrong = store.verify([Head(3, "f" * 64), late])
    assert wrong.flaw is not None
    assert wrong.flaw.row == 3
    assert wrong.head.seq == 2


def test_heads_are_found_in_pasted_text(store: SqliteStore) -> None:
    head = fill(store)
    none = f"12:{'g' * 64} 13:{'a' * 63} 14:{'a' * 65} 1:2:{'b' * 64}"
    text = f"X-7 succeeded · ledger `{head}`.\n{none} <{Head(9, 'c' * 64)}>"
    assert heads_in(text) == (head, Head(9, "c" * 64))
    assert store.verify(heads_in(f"seen: {head}")).vouched_to == 5


def test_half_of_a_heads_digits_vouch_as_well(store: SqliteStore) -> None:
    """So it stands below a card; another row's half does not."""
    head = fill(store)
    half = heads_in(f"record {head.seq}:{head.hash[:32]}")
    assert half == (Head(head.seq, head.hash[:32]),)
    assert store.verify(half).vouched_to == 5
    redone = store.verify([*half, Head(3, "f" * 32)])
    assert redone.flaw is not None
    assert redone.flaw.row == 3


def test_exported_and_verified_elsewhere(store: SqliteStore, path: Path) -> None:
    fill(store)
    lines = list(export_file(path))
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3, 4, 5]
    assert json.loads(lines[0])["body"] == {"n": 1, "name": "web-ü\ud800"}
    assert walk(imported(lines), Seal(KEY), expected=[store.head()]).vouched_to == 5
    bent = [lines[0], lines[1].replace('"n": 2', '"n": 3'), *lines[2:]]
    flaw = walk(imported(bent), Seal(KEY)).flaw
    assert flaw is not None
    assert flaw.row == 2


def test_verified_and_exported_beside_the_running_bot(store: SqliteStore, path: Path) -> None:
    fill(store)
    lines = export_file(path)
    next(lines)
    store.record(entry())
    assert len(list(lines)) == 4
    found = verify_file(path, KEY)
    assert (found.ok, found.rows) == (True, 6)


@pytest.mark.parametrize(
    "body",
    [{"x": float("nan")}, {"x": float("inf")}, {"x": {1, 2}}, {"x": [b"bytes"]}],
)
def test_only_json_data_is_recorded(store: SqliteStore, body: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError)):
        store.record(entry(body=body))
    assert store.head() == GENESIS


def test_odd_texts_are_recorded(store: SqliteStore) -> None:
    odd = "a\x00b\ud83d\ude00\ud800\n"
    store.record(Entry(kind=odd, actor=ANNA, pool=odd, body={odd: [odd, {"x": (1, 2.5, None, True)}]}))
    row = store.ledger(pools=None, last=1)[0]
    assert row.kind == "a\x00b😀\ufffd\n"
    assert row.body == {
        odd.replace("\ud83d\ude00", "😀"): [odd.replace("\ud83d\ude00", "😀"), {"x": [1, 2.5, None, True]}]
    }
    assert store.verify().ok


def test_a_damaged_row_is_named_when_read(store: SqliteStore, path: Path) -> None:
    fill(store)
    meddle(path, "DROP TRIGGER ledger_refuses_update", "UPDATE ledger SET body = '{' WHERE seq = 2")
    with pytest.raises(Unavailable, match="Row 2 "):
        store.ledger(pools=None, last=9)
