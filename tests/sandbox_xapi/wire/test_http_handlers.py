"""What a host gives and takes beside calls, for clients that name a task and wait for that."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import XenAPI

from sandbox.xapi.lab import load
from sandbox.xapi.running import RunningLab, start


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    with start(load("tutorial")) as lab:
        yield lab


@pytest.fixture(scope="module")
def client(lab: RunningLab) -> Any:
    session = XenAPI.Session(lab.hosts[lab.pools["lab"]["coordinator"]])
    session.login_with_password(lab.username, lab.password, "1.0", "handlers")
    return session


def ask(
    lab: RunningLab, method: str, path: str, query: dict[str, str], cookie: str = "", body: bytes | None = None
) -> tuple[int, bytes]:
    where = urlsplit(lab.hosts[lab.pools["lab"]["coordinator"]])
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    try:
        connection.request(method, f"{path}?{urlencode(query)}", body, {"Cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_the_named_task_ends_with_the_dump(lab: RunningLab, client: Any) -> None:
    task = client.xenapi.task.create("dump", "")
    status, body = ask(lab, "GET", "/pool/xmldbdump", {"session_id": client.handle, "task_id": task})
    assert (status, body[:5]) == (200, b"<?xml")
    record = client.xenapi.task.get_record(task)
    assert (record["status"], record["result"], record["progress"]) == ("success", "", 1.0)


def test_cookies_go_before_the_query(lab: RunningLab, client: Any) -> None:
    task = client.xenapi.task.create("dump", "")
    cookie = f"session_id={client.handle}; task_id={task}"
    assert ask(lab, "GET", "/pool/xmldbdump", {"session_id": "OpaqueRef:other"}, cookie)[0] == 200
    assert client.xenapi.task.get_status(task) == "success"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/export"),
        ("GET", "/export_raw_vdi/"),
        ("GET", "/rrd_updates"),
        ("GET", "/host_rrd"),
        ("PUT", "/import"),
        ("PUT", "/import_raw_vdi"),
        ("PUT", "/pool_patch_upload"),
        ("PUT", "/pool/xmldbdump"),
    ],
)
def test_what_is_not_simulated_fails_the_task_too(lab: RunningLab, client: Any, method: str, path: str) -> None:
    task = client.xenapi.task.create("transfer", "")
    query = {"session_id": client.handle, "task_id": task}
    status, page = ask(lab, method, path, query, body=b"bytes" if method == "PUT" else None)
    assert status == 500
    assert b"NOT_IMPLEMENTED" in page
    record = client.xenapi.task.get_record(task)
    assert (record["status"], record["error_info"]) == ("failure", ["NOT_IMPLEMENTED", f"{method} {path.rstrip('/')}"])


def test_without_a_session_the_task_fails_and_the_answer_is_401(lab: RunningLab, client: Any) -> None:
    for query in ({}, {"session_id": "OpaqueRef:other"}):
        task = client.xenapi.task.create("transfer", "")
        assert ask(lab, "GET", "/export", {**query, "task_id": task})[0] == 401
        assert client.xenapi.task.get_error_info(task) == ["SESSION_AUTHENTICATION_FAILED"]


def test_where_xapi_has_nothing(lab: RunningLab, client: Any) -> None:
    task = client.xenapi.task.create("transfer", "")
    query = {"session_id": client.handle, "task_id": task}
    assert ask(lab, "GET", "/nothing", query)[0] == 404
    assert ask(lab, "PUT", "/nothing", query)[0] == 403
    assert client.xenapi.task.get_status(task) == "pending"


def test_a_task_that_is_not_there_harms_nothing(lab: RunningLab, client: Any) -> None:
    query = {"session_id": client.handle, "task_id": "OpaqueRef:gone"}
    assert ask(lab, "GET", "/pool/xmldbdump", query)[0] == 200
