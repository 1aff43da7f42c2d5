"""`--record`: what is written of a call, and what never is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.xapi.recording import HIDDEN, Recording, entry
from sandbox.xapi.values import I4, Time
from sandbox.xapi.wire import Call, Outcome
from tests.sandbox_xapi.wire.harness import FakeToolstack, Serve, ask, post, xml_call

SESSION = "OpaqueRef:5e551011"


def recorded(method: str, *params: Any, value: Any = None, failure: list[str] | None = None) -> dict[str, Any]:
    return entry(Call(method, list(params)), Outcome(value, failure))


def test_a_call_without_its_session() -> None:
    line = recorded("VM.get_power_state", SESSION, "OpaqueRef:vm", value="Running")
    assert line == {"method": "VM.get_power_state", "args": ["OpaqueRef:vm"], "result": "Running"}


def test_a_failure() -> None:
    line = recorded("VM.start", SESSION, "OpaqueRef:vm", False, False, failure=["VM_IS_TEMPLATE", "OpaqueRef:vm"])
    assert line["error"] == ["VM_IS_TEMPLATE", "OpaqueRef:vm"]
    assert "result" not in line


def test_a_void_call() -> None:
    assert recorded("VM.set_order", SESSION, "OpaqueRef:vm", 3) == {
        "method": "VM.set_order",
        "args": ["OpaqueRef:vm", 3],
        "result": "",
    }


def test_calls_without_a_session_keep_their_arguments() -> None:
    line = recorded("session.login_with_password", "root", "s3cret", "1.0", "me", value=SESSION)
    assert line["args"] == ["root", HIDDEN, "1.0", "me"]


@pytest.mark.parametrize(
    ("method", "params", "value"),
    [
        ("session.login_with_password", ["root", "s3cret"], SESSION),
        ("session.slave_local_login_with_password", ["root", "s3cret"], SESSION),
        ("session.slave_local_login", ["s3cret"], SESSION),
        ("session.change_password", [SESSION, "s3cret", "s3cret"], None),
        ("pool.join", [SESSION, "10.0.0.1", "root", "s3cret"], None),
        ("Async.pool.join_force", [SESSION, "10.0.0.1", "root", "s3cret"], "OpaqueRef:task"),
        ("pool.sync_updates", [SESSION, "OpaqueRef:pool", False, "s3cret", "id", "user", "s3cret"], ""),
        ("pool.initialize_wlb", [SESSION, "url", "u", "s3cret", "root", "s3cret"], None),
        ("pool.enable_external_auth", [SESSION, "OpaqueRef:pool", {"pass": "s3cret"}, "x", "AD"], None),
        ("host.install_server_certificate", [SESSION, "OpaqueRef:host", "cert", "s3cret", ""], None),
        ("SR.create", [SESSION, "OpaqueRef:host", {"cifspassword": "s3cret"}, 0, "n", "", "iso"], "OpaqueRef:sr"),
        ("PBD.create", [SESSION, {"device_config": {"chappassword": "s3cret"}}], "OpaqueRef:pbd"),
        ("PBD.get_record", [SESSION, "OpaqueRef:pbd"], {"device_config": {"chappassword": "s3cret"}}),
        ("secret.create", [SESSION, {"value": "s3cret"}], "OpaqueRef:secret"),
        ("secret.set_value", [SESSION, "OpaqueRef:secret", "s3cret"], None),
        ("secret.get_value", [SESSION, "OpaqueRef:secret"], "s3cret"),
        ("secret.get_all_records", [SESSION], {"OpaqueRef:secret": {"value": "s3cret"}}),
    ],
)
def test_secrets_are_never_written(method: str, params: list[Any], value: Any) -> None:
    line = json.dumps(recorded(method, *params, value=value))
    assert "s3cret" not in line
    assert SESSION not in line
    assert HIDDEN in line or SESSION in params


def test_an_error_does_not_give_them_away() -> None:
    text = "Failure(\"Expected string, got '{pwd:S(s3cret);session_id:S(OpaqueRef:5e551011)}'\")"
    failure = ["INTERNAL_ERROR", text, SESSION]
    wrong = recorded("session.change_password", SESSION, "s3cret", "n3w", failure=failure)
    assert "s3cret" not in json.dumps(wrong)
    assert SESSION not in json.dumps(wrong)
    assert wrong["error"][0] == "INTERNAL_ERROR"


def test_ordinary_values_are_kept() -> None:
    value = {
        "passthrough_enabled": "x",
        "token": "0001,0",
        "keys": ["a"],
        "count": I4(2),
        "at": Time("20260101T00:00:00Z"),
    }
    line = recorded("event.from", SESSION, ["*"], "", 5.0, value=value)
    assert json.loads(json.dumps(line))["result"] == value
    assert line["args"] == [["*"], "", 5.0]


def test_a_host_appends_each_call_it_takes(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text('{"before": 1}\n')
    recording = Recording(path)
    toolstack = FakeToolstack(**{"VM.get_all": ["OpaqueRef:1"]})
    host = serve(toolstack, recording=recording)
    for method in ("VM.get_all", "VM.nosuch"):
        ask(host, post("/", xml_call(method, SESSION)))
    ask(host, post("/", b"no call"))
    recording.close()
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"before": 1},
        {"method": "VM.get_all", "args": [], "result": ["OpaqueRef:1"]},
        {"method": "VM.nosuch", "args": [], "error": ["MESSAGE_METHOD_UNKNOWN", "VM.nosuch"]},
    ]
