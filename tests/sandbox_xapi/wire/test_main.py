"""`python -m sandbox.xapi` as a person or a script runs it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import XenAPI

from sandbox.xapi.worlds import worldfile
from tests.sandbox_xapi.wire.small_world import small_lab, uuid

COMMAND = (sys.executable, "-m", "sandbox.xapi")
START_SECONDS = 60.0
"""A process start on a busy machine."""


@contextmanager
def running(*options: str) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    """The ready line, and the process, which is killed if the block did not end it."""
    process = subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline()), process
    finally:
        process.kill()
        process.communicate(timeout=START_SECONDS)


def refused(*options: str) -> tuple[int, str]:
    """The status and the complaint of a command that ends by itself; it prints nothing on standard output."""
    done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=START_SECONDS, check=False)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@pytest.fixture
def world_file(tmp_path: Path) -> Path:
    path = tmp_path / "world.json"
    worldfile.save(small_lab(), path)
    return path


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_end(world_file: Path, tmp_path: Path, ending: signal.Signals) -> None:
    record = tmp_path / "calls.jsonl"
    with running("--world", str(world_file), "--tls", "--record", str(record), "--speed", "50") as (ready, process):
        assert list(ready["hosts"]) == ["xs1", "xs2", "xs3"]
        assert set(ready["fingerprints"]) == set(ready["hosts"])
        client = XenAPI.Session(ready["hosts"]["xs3"], ignore_ssl=True)
        client.login_with_password(ready["username"], ready["password"], "1.0", "wire-tests")
        assert client.xenapi.host.get_by_uuid(uuid(201))
        process.send_signal(ending)
        rest, complaints = process.communicate(timeout=START_SECONDS)
        assert (process.returncode, rest, complaints) == (0, "", "")
    assert [json.loads(line)["method"] for line in record.read_text().splitlines()] == [
        "session.login_with_password",
        "host.get_by_uuid",
    ]


def test_the_default_is_the_tutorials_lab() -> None:
    with running() as (ready, process):
        assert set(ready["hosts"]) == {"xs1", "xs2", "xs3"}
        assert ready["pools"]["lab"]["coordinator"] == "xs1"
        assert ready["addresses"]["10.0.0.101"] == ready["hosts"]["xs1"].removeprefix("http://")
        client = XenAPI.Session(ready["hosts"]["xs1"])
        client.login_with_password(ready["username"], ready["password"], "1.0", "wire-tests")
        assert client.xenapi.VM.get_by_name_label("web-1")
        process.terminate()
        assert process.wait(START_SECONDS) == 0


def test_an_account_may_what_its_role_may(world_file: Path) -> None:
    with running("--world", str(world_file), "--account", "watcher:read-only") as (ready, process):
        client = XenAPI.Session(ready["hosts"]["xs3"])
        client.login_with_password("watcher", ready["password"], "1.0", "wire-tests")
        host = client.xenapi.host.get_by_uuid(uuid(201))
        with pytest.raises(XenAPI.Failure, match="RBAC_PERMISSION_DENIED"):
            client.xenapi.host.disable(host)
        process.terminate()
        assert process.wait(START_SECONDS) == 0


def test_what_a_file_lacked_is_told(tmp_path: Path) -> None:
    lab = small_lab()
    content = worldfile.to_json(lab)
    content["pools"][0]["notes"] = ["The table VBD is missing."]
    path = tmp_path / "world.json"
    path.write_text(json.dumps(content))
    with running("--world", str(path)) as (_, process):
        process.terminate()
        _, notes = process.communicate(timeout=START_SECONDS)
        assert notes == "The table VBD is missing.\n"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--account", "watcher:reader"), "roles: pool-admin, pool-operator"),
        (("--account", "read-only"), "must be a name and a role"),
        (("--lab", "nowhere"), "nowhere"),
        (("--world", "does-not-exist.json"), "does-not-exist.json"),
        (("--db", "does-not-exist.xml"), "does-not-exist.xml"),
        (("--lab", "tutorial", "--fleet", "2x2"), "not allowed with"),
        (("--upgrade",), "Only a database file can be shown as upgraded."),
        (("--port", "65536"), "from 0 to 65535"),
        (("--speed", "0"), "must be more than 0"),
        (("--latency", "-1"), "must be a number from 0"),
        (("--pools", "0"), "must be 1 or more"),
    ],
)
def test_wrong_options(options: tuple[str, ...], complaint: str) -> None:
    status, said = refused(*options)
    assert status == 2
    assert complaint in said


def test_a_taken_port(world_file: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        status, said = refused("--world", str(world_file), "--port", str(taken.getsockname()[1]))
    assert status == 1
    assert "in use" in said


def test_a_record_that_cannot_be_written(world_file: Path, tmp_path: Path) -> None:
    status, said = refused("--world", str(world_file), "--record", str(tmp_path / "missing" / "calls.jsonl"))
    assert status == 1
    assert "missing" in said
