"""Large reads by JSON-RPC: the same inventory, and XML-RPC again whenever there is a doubt."""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import XenAPI
from hypothesis import given
from hypothesis import strategies as st

from bot.inventory import VM, Inventory
from bot.xapi import PoolSettings, XapiPools, jsonrpc
from bot.xapi.addresses import Endpoint
from bot.xapi.broken import AnswerLost, NotSent, Strange
from bot.xapi.jsonrpc import DOUBT_SECONDS, JsonRpc
from bot.xapi.reader import LONGEST_GAP_SECONDS
from bot.xapi.transport import Exchange, SessionGone
from bot.xapi.unmarshal import Answer
from sandbox.xapi import wire_json, wire_xml
from sandbox.xapi.lab import load
from sandbox.xapi.running import RunningLab, start
from sandbox.xapi.values import Time
from sandbox.xapi.wire import Outcome
from tests.bot_xapi.conftest import PoolsWith, Serve, SessionWith, plain
from tests.bot_xapi.hosts import CUT_AFTER, HALF, PretendPool, WallClock, small_pool
from tests.bot_xapi.labs import connected

#: The pretend host writes numbers as they are given, XML-RPC as `<int>`; XenAPI's own are text there.
RECORDS = {**small_pool(), "VM": {ref: {**vm, "memory": "1"} for ref, vm in small_pool()["VM"].items()}}

# Control characters are of the essence; only names of members are written as they are by XML-RPC.
_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"))
_NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N"]))
_SCALARS = st.one_of(
    _TEXT,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(-1e300, 1e300),
    st.integers(0, 2**31 - 1).map(Time.at),
)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_NAMES, inner, max_size=4))
)


@given(_VALUES)
def test_a_value_is_the_same_by_both_wires(value: Any) -> None:
    answer = Answer()
    answer.feed(wire_xml.write_answer("x", Outcome(value=value)))
    found = jsonrpc.read(wire_json.write_answer(wire_json.Envelope(version_2=True, id=1), Outcome(value=value)))
    assert found == answer.close()["Value"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("7", "7"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("1.0", 1.0),
        ("1e20", 1e20),
        ("0.30000000000000004", 0.3),
        ("true", True),
        ("null", None),
        ('"20260102T03:04:05Z"', "20260102T03:04:05Z"),
        ('"OpaqueRef:NULL"', "OpaqueRef:NULL"),
        ('"a\\r\\nb\\rc\\u000dd"', "a\nb\nc\nd"),
        ('"a\\u0001\\b\\f\\tb"', "a\tb"),
        ('"C:\\\\users\\\\rob \\"x\\" \\u00e9\\/"', 'C:\\users\\rob "x" \xe9/'),
    ],
)
def test_values(written: str, value: Any) -> None:
    found = jsonrpc.read(b'{"jsonrpc":"2.0","result":%b,"id":1}' % written.encode())
    assert found == value
    assert type(found) is type(value)


@pytest.fixture(params=["current", "tutorial", "healthy"])
def lab(request: pytest.FixtureRequest) -> Iterator[RunningLab]:
    with start(load(request.param), speed=50.0) as running:
        yield running


def test_a_pool_s_inventory_is_the_same_by_both_wires(lab: RunningLab, monkeypatch: pytest.MonkeyPatch) -> None:
    for pool in lab.pools:
        by_json = _inventory(lab, pool)
        with monkeypatch.context() as patched:
            patched.setattr(JsonRpc, "offered_by", lambda *_: False)
            by_xml = _inventory(lab, pool)
        assert by_json.records["VM"]
        assert repr(_still(by_json)) == repr(_still(by_xml))


def _inventory(lab: RunningLab, pool: str) -> Inventory:
    with connected(lab, pool) as pools:
        return pools.view(pool).inventory()


def _still(inventory: Inventory) -> dict[str, Any]:
    """What does not change between two reads; sorted, because neither wire orders a record's fields."""
    moving = {"task", "message"}
    return {
        name: {
            ref: {key: record[key] for key in sorted(record) if "last_" not in key}
            for ref, record in sorted(table.items())
        }
        for name, table in inventory.records.items()
        if name not in moving
    }


def as_it_is(body: bytes) -> bytes:
    return body


def names(pools: XapiPools) -> set[str]:
    return {host.name for host in pools.view("lab").inventory().hosts}


def test_only_the_whole_is_read_so(serve: Serve, pools_with: PoolsWith, clock: WallClock) -> None:
    pool = PretendPool(RECORDS)
    host = serve(pool, json_rpc=as_it_is)
    pools = pools_with(plain(host))
    assert names(pools) == {"xs1", "xs2"}
    assert dict(host.requests) == {"session.login_with_password": 1, "event.from": 1}
    pool.put("VM", "OpaqueRef:v1", name_label="renamed")
    assert names(pools) == {"xs1", "xs2"}
    assert dict(host.by_json) == {"event.from": 1}, "changes come by XML-RPC"
    clock.sleep(LONGEST_GAP_SECONDS + 1)
    names(pools)
    assert dict(host.by_json) == {"event.from": 2}


@pytest.mark.parametrize("key", ["a<b", "a&b"])
def test_a_change_that_is_no_xml_is_read_so(key: str) -> None:
    """xapi does not escape a map's keys."""
    with start(load("current")) as lab:
        (name,) = lab.pools
        with connected(lab, name) as pools:
            vm = next(each for each in pools.view(name).inventory().guests if each.name == "shop-1")
            witness = XenAPI.Session(lab.hosts[lab.pools[name]["coordinator"]])
            witness.login_with_password(lab.username, lab.password, "1.0", "witness")
            witness.xenapi.VM.add_to_other_config(vm.ref, key, "x")
            found = pools.view(name).inventory().get(VM, vm.ref)
            assert found is not None
            assert found.other_config[key] == "x"


def test_calls_with_effect_go_by_xml_rpc(serve: Serve, session_with: SessionWith) -> None:
    pool = PretendPool()
    pool.extra["Async.VM.start"] = lambda *_: "OpaqueRef:task"
    host = serve(pool, json_rpc=as_it_is)
    session = session_with(plain(host))
    assert session.effect("Async.VM.start", "OpaqueRef:v1", False, False) == "OpaqueRef:task"
    assert session.read("VM.get_uuid", "OpaqueRef:v1") == "v1-uuid"
    assert not host.by_json


def test_a_host_without_it_is_asked_once_in_a_while(
    serve: Serve, pools_with: PoolsWith, clock: WallClock, caplog: pytest.LogCaptureFixture
) -> None:
    host = serve(PretendPool())
    pools = pools_with(plain(host))
    with caplog.at_level("INFO"):
        assert names(pools) == {"xs1", "xs2"}
    assert "answers HTTP 500 instead of XenAPI; it is read by XML-RPC" in caplog.text
    assert "session-1" not in caplog.text, "a session is as good as a password"
    clock.sleep(LONGEST_GAP_SECONDS + 1)
    names(pools)
    assert dict(host.by_json) == {"event.from": 1}
    assert host.requests["event.from"] == 2
    clock.sleep(DOUBT_SECONDS)
    names(pools)
    assert dict(host.by_json) == {"event.from": 2}


def changed(**members: Any) -> Callable[[bytes], bytes]:
    """Members of the answer, or of its result (`result_…`), made other; None takes them out."""

    def answer(body: bytes) -> bytes:
        document = json.loads(body)
        for name, value in members.items():
            within = document["result"] if name.startswith("result_") else document
            within[name.removeprefix("result_")] = value
            if value is None:
                del within[name.removeprefix("result_")]
        return json.dumps(document).encode()

    return answer


def first_event(**members: Any) -> Callable[[bytes], bytes]:
    def answer(body: bytes) -> bytes:
        document = json.loads(body)
        event = document["result"]["events"][0]
        for name, value in members.items():
            event[name] = value
            if value is None:
                del event[name]
        return json.dumps(document).encode()

    return answer


STRANGE: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda body: b"",
    "a page": lambda body: b"<html>it works</html>",
    "half": lambda body: body[: len(body) // 2],
    "twice": lambda body: body * 2,
    "a batch": lambda body: b"[" + body + b"]",
    "not UTF-8": lambda body: body.replace(b"web-1", b"web-\xff"),
    "half a character": lambda body: body.replace(b"web-1", b"web-\\ud800"),
    "a control character": lambda body: body.replace(b"web-1", b"web-\x01"),
    "not a number": lambda body: body.replace(b'"web-1"', b"NaN"),
    "no end of a number": lambda body: body.replace(b'"web-1"', b"-Infinity"),
    "too large a number": lambda body: body.replace(b'"web-1"', b"1e999"),
    "too deep": lambda body: body.replace(b'"web-1"', b"[" * 100_000 + b"]" * 100_000),
    "no version": changed(jsonrpc=None),
    "version 1 with both": changed(jsonrpc=None, error=["X"]),
    "version 1 with an odd error": changed(jsonrpc=None, error="X"),
    "version 1 with no error's name": lambda body: b'{"result":null,"error":[],"id":0}',
    "another version": changed(jsonrpc="3.0"),
    "another's answer": changed(id=2),
    "no id": changed(id=None),
    "result and error": changed(error={"code": 1, "message": "X", "data": []}),
    "neither": changed(result=None),
    "another error": lambda body: b'{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}',
    "no object": changed(result="yes"),
    "no token": changed(result_token=None),
    "no counts": changed(result_valid_ref_counts=None),
    "no events": changed(result_events=None),
    "no event": changed(result_events=["add"]),
    "no snapshot": first_event(snapshot=None),
    "no class": first_event(**{"class": None}),
    "no reference": first_event(ref=None),
}


@pytest.mark.parametrize("answer", STRANGE.values(), ids=STRANGE)
def test_what_is_not_certain_is_read_again_by_xml_rpc(
    answer: Callable[[bytes], bytes], serve: Serve, pools_with: PoolsWith
) -> None:
    host = serve(PretendPool(RECORDS), json_rpc=answer)
    pools = pools_with(plain(host))
    view = pools.view("lab")
    assert {host.name for host in view.inventory().hosts} == {"xs1", "xs2"}
    assert {vm.name for vm in view.inventory().guests} == {"web-1", "web-2"}
    assert dict(host.by_json) == {"event.from": 1}
    assert host.requests["session.login_with_password"] == 1


def of_version_1(body: bytes) -> bytes:
    """As 6.5 to 7.2 answer a request of version 2."""
    document = json.loads(body)
    error = document.get("error")
    failure = [error["message"], *error["data"]] if error else None
    return json.dumps({"result": document.get("result"), "error": failure, "id": 0}).encode()


def test_version_1_is_read_too(serve: Serve, pools_with: PoolsWith, clock: WallClock) -> None:
    pool = PretendPool(RECORDS)
    host = serve(pool, json_rpc=of_version_1)
    pools = pools_with(plain(host))
    assert names(pools) == {"xs1", "xs2"}
    assert dict(host.requests) == {"session.login_with_password": 1, "event.from": 1}
    assert dict(host.by_json) == {"event.from": 1}
    pool.sessions.clear()
    clock.sleep(LONGEST_GAP_SECONDS + 1)
    assert names(pools) == {"xs1", "xs2"}
    assert (pool.logins, host.requests["event.from"]) == (2, 3), "the end of the session is understood"


@pytest.mark.parametrize("code", ["INTERNAL_ERROR", "MESSAGE_METHOD_UNKNOWN", "HOST_IS_SLAVE"])
def test_what_is_refused_there_is_asked_by_xml_rpc(code: str, serve: Serve, pools_with: PoolsWith) -> None:
    error = {"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": code, "data": ["x"]}}
    host = serve(PretendPool(), json_rpc=lambda body: json.dumps(error).encode())
    assert names(pools_with(plain(host))) == {"xs1", "xs2"}
    assert dict(host.by_json) == {"event.from": 1}
    assert host.requests["session.login_with_password"] == 1


def test_an_ended_session_is_renewed(serve: Serve, pools_with: PoolsWith, clock: WallClock) -> None:
    pool = PretendPool()
    host = serve(pool, json_rpc=as_it_is)
    pools = pools_with(plain(host))
    names(pools)
    pool.sessions.clear()
    clock.sleep(LONGEST_GAP_SECONDS + 1)
    assert names(pools) == {"xs1", "xs2"}
    assert pool.logins == 2
    assert dict(host.by_json) == {"event.from": 3}
    assert host.requests["event.from"] == 3, "none of them by XML-RPC"


@pytest.mark.parametrize("fault", [HALF, CUT_AFTER])
def test_a_connection_that_breaks_proves_nothing_about_the_host(
    fault: str, serve: Serve, pools_with: PoolsWith, clock: WallClock
) -> None:
    host = serve(PretendPool(), json_rpc=as_it_is)
    host.faults.append(("event.from", fault))
    pools = pools_with(plain(host))
    assert names(pools) == {"xs1", "xs2"}
    clock.sleep(LONGEST_GAP_SECONDS + 1)
    names(pools)
    assert dict(host.by_json) == {"event.from": 2}
    assert host.requests["event.from"] == 3


def test_what_is_remembered_of_a_host(clock: WallClock) -> None:
    host, other = Endpoint("10.0.0.1", "127.0.0.1", 1), Endpoint("10.0.0.2", "127.0.0.1", 2)
    json_rpc = JsonRpc(Exchange(PoolSettings(name="x", addresses=("x",), username="x", password=str)), clock)
    json_rpc.failed(host, AnswerLost("10.0.0.1", "broke the connection off"))
    json_rpc.failed(host, NotSent("10.0.0.1", "refuses connections"))
    assert json_rpc.offered_by(host)
    for broken in (AnswerLost("10.0.0.1", "did not answer", timed_out=True), Strange("10.0.0.1", "answers HTTP 404")):
        json_rpc.failed(host, broken)
        assert not json_rpc.offered_by(host)
        assert json_rpc.offered_by(other)
        clock.sleep(DOUBT_SECONDS)
        assert json_rpc.offered_by(host)


def test_errors_are_the_error_array() -> None:
    with pytest.raises(XenAPI.Failure) as refused:
        jsonrpc.read(b'{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"EVENTS_LOST","data":["a","b"]}}')
    assert refused.value.details == ["EVENTS_LOST", "a", "b"]
    with pytest.raises(SessionGone):
        jsonrpc.read(b'{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"SESSION_INVALID","data":["OpaqueRef:x"]}}')
    with pytest.raises(XenAPI.Failure) as refused:
        jsonrpc.read(b'{"result":null,"error":["EVENTS_LOST","a","b"],"id":0}')
    assert refused.value.details == ["EVENTS_LOST", "a", "b"]


@pytest.mark.parametrize("collecting", [True, False])
@pytest.mark.parametrize("body", [b'{"jsonrpc":"2.0","result":1.5,"id":1}', b"{"], ids=["whole", "half"])
def test_garbage_collection_is_as_it_was(collecting: bool, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    during: list[bool] = []
    monkeypatch.setattr(jsonrpc, "_finite", lambda text: during.append(gc.isenabled()))
    before = gc.isenabled()
    try:
        (gc.enable if collecting else gc.disable)()
        with contextlib.suppress(ValueError):
            jsonrpc.read(body)
        assert gc.isenabled() is collecting
        assert not any(during)
    finally:
        (gc.enable if before else gc.disable)()


_RECORDED = Path(__file__).parents[3] / "shared" / "xenapi" / "oracle" / "exchanges.jsonl"


@pytest.mark.skipif(not _RECORDED.exists(), reason="no recorded answers of a real toolstack here")
def test_answers_of_a_real_toolstack_are_read() -> None:
    read = 0
    for line in _RECORDED.read_text().splitlines():
        told = json.loads(line)
        if told["wire"] != "jsonrpc" or told.get("jsonrpc") != "2.0" or told.get("id") != 1 or "value" not in told:
            continue
        answer = {"jsonrpc": "2.0", "result": told["value"], "id": 1}
        assert jsonrpc.read(json.dumps(answer, ensure_ascii=False).encode()) == json.loads(
            json.dumps(told["value"]), parse_int=str
        )
        read += 1
    assert read
