"""A whole lab over the wire: the official XenAPI client, one host's fate at a time."""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
import threading
import time
import urllib.request
import warnings
import xmlrpc.client
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import XenAPI

from sandbox.xapi.control import WrongRequest
from sandbox.xapi.running import RunningLab, start, unique_names
from tests.sandbox_xapi.wire.harness import PATIENCE
from tests.sandbox_xapi.wire.small_world import PASSWORD, USERNAME, ref, small_lab, uuid
from tests.waiting import eventually

WEB_1 = ref(190)


@pytest.fixture
def lab() -> Iterator[RunningLab]:
    with start(small_lab()) as running:
        yield running
        assert not running.estate.bugs


@contextmanager
def session(lab: RunningLab, host: str = "xs1", **options: Any) -> Iterator[Any]:
    """The official client, logged in."""
    client = XenAPI.Session(lab.hosts[host], **options)
    client.login_with_password(USERNAME, PASSWORD, "1.0", "wire-tests")
    try:
        yield client
    finally:
        client("close")()


def refuses(lab: RunningLab, host: str) -> bool:
    try:
        http.client.HTTPConnection(lab.hosts[host].removeprefix("http://"), timeout=PATIENCE).connect()
    except ConnectionRefusedError:
        return True
    return False


def control(lab: RunningLab, path: str, **body: Any) -> Any:
    request = urllib.request.Request(lab.control + path, json.dumps(body).encode() if body else None)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)


class TestClient:
    def test_it_logs_in_and_out(self, lab: RunningLab) -> None:
        with session(lab) as client:
            assert client.xenapi.VM.get_name_label(WEB_1) == "web-1"
            client.xenapi.session.logout()

    def test_a_wrong_password(self, lab: RunningLab) -> None:
        lab.set_speed(100)
        client = XenAPI.Session(lab.hosts["xs1"])
        with pytest.raises(XenAPI.Failure) as failure:
            client.login_with_password(USERNAME, "wrong", "1.0", "wire-tests")
        assert failure.value.details[0] == "SESSION_AUTHENTICATION_FAILED"

    def test_a_member_points_to_its_coordinator(self, lab: RunningLab) -> None:
        client = XenAPI.Session(lab.hosts["xs2"])
        with pytest.raises(XenAPI.Failure) as failure:
            client.login_with_password(USERNAME, PASSWORD, "1.0", "wire-tests")
        assert failure.value.details == ["HOST_IS_SLAVE", "10.0.0.101"]
        assert lab.addresses["10.0.0.101"] == lab.hosts["xs1"].removeprefix("http://")

    def test_over_https(self) -> None:
        with start(small_lab(), tls=True) as lab:
            assert lab.hosts["xs1"].startswith("https://")
            with session(lab, ignore_ssl=True) as client:
                assert client.xenapi.VM.get_all() == [WEB_1]
            assert set(lab.fingerprints) == {"xs1", "xs2", "xs3"}
            assert len(set(lab.fingerprints.values())) == 3

    def test_the_fingerprint_can_be_pinned(self) -> None:
        with start(small_lab(), tls=True) as lab:
            address, port = lab.addresses["10.0.0.103"].split(":")
            pem = ssl.get_server_certificate((address, int(port)))
            digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest().hex(":")
            assert lab.fingerprints["xs3"] == digest

    @pytest.mark.parametrize(
        ("release", "tls10", "old"),
        [
            ("cream", True, True),
            ("26.9.0", True, True),
            ("cream", None, True),
            ("26.9.0", None, False),
            ("cream", False, False),
        ],
    )
    def test_who_speaks_tls10_only(self, release: str, tls10: bool | None, old: bool) -> None:
        with start(small_lab(release), tls=True, tls10=tls10) as lab:
            modern = XenAPI.Session(lab.hosts["xs1"], ignore_ssl=True)
            if not old:
                modern.login_with_password(USERNAME, PASSWORD, "1.0", "wire-tests")
                return
            with pytest.raises(ssl.SSLError):
                modern.login_with_password(USERNAME, PASSWORD, "1.0", "wire-tests")
            context = ssl._create_unverified_context()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = ssl.TLSVersion.TLSv1
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            willing = xmlrpc.client.ServerProxy(lab.hosts["xs1"], context=context)
            answer: Any = willing.session.login_with_password(USERNAME, PASSWORD)
            assert answer["Status"] == "Success"


class TestWhatThereIs:
    def test_the_ready_line(self, lab: RunningLab) -> None:
        line = lab.ready()
        assert json.loads(json.dumps(line)) == line
        assert list(line["hosts"]) == ["xs1", "xs2", "xs3"]
        assert (line["username"], line["password"]) == (USERNAME, PASSWORD)
        assert line["pools"] == {
            "pair": {"uuid": uuid(100), "release": "26.9.0", "coordinator": "xs1", "hosts": ["xs1", "xs2"]},
            "xs3": {"uuid": uuid(200), "release": "26.9.0", "coordinator": "xs3", "hosts": ["xs3"]},
        }
        assert set(line["addresses"]) == {"10.0.0.101", "10.0.0.102", "10.0.0.103"}
        assert "fingerprints" not in line

    def test_names_that_hosts_share_are_told_apart(self) -> None:
        named = [("a", "12345678-x"), ("a", "87654321-x"), ("b", "0000"), ("", "abcdefgh-x")]
        assert unique_names(named) == ["a-12345678", "a-87654321", "b", "unnamed-abcdefgh"]

    def test_a_host_goes_by_name_address_or_uuid(self, lab: RunningLab) -> None:
        for name in ("xs2", "10.0.0.102", uuid(102)):
            lab.kill(name)
            assert refuses(lab, "xs2")
            lab.start(name)
            assert not refuses(lab, "xs2")
        with pytest.raises(WrongRequest, match="there is no host 'xs9'; the hosts are xs1, xs2, xs3"):
            lab.kill("xs9")


class TestFate:
    def test_a_killed_host_comes_back_at_its_port(self, lab: RunningLab) -> None:
        with session(lab, "xs3") as client:
            control(lab, "/sandbox/host", host="xs3", action="kill")
            with pytest.raises((ConnectionError, http.client.HTTPException)):
                client.xenapi.pool.get_all()
        assert refuses(lab, "xs3")
        assert not refuses(lab, "xs1")
        control(lab, "/sandbox/host", host="xs3", action="start")
        with session(lab, "xs3") as client:
            assert client.xenapi.pool.get_all() == [ref(200)]

    def test_a_host_that_the_estate_turns_off_and_on(self, lab: RunningLab) -> None:
        lab.estate.kill(uuid(201))
        assert eventually(lambda: refuses(lab, "xs3"))
        lab.estate.start(uuid(201))
        assert eventually(lambda: not refuses(lab, "xs3"))

    def test_a_cut_before_has_no_effect_and_after_has_one(self, lab: RunningLab) -> None:
        with session(lab) as client:
            for when, name in (("before", "web-1"), ("after", "renamed")):
                # Twice: the client's transport sends a call again when its connection breaks.
                control(lab, "/sandbox/host", host="xs1", action="drop", when=when, count=2, method="VM.set_name_label")
                with pytest.raises((ConnectionError, http.client.HTTPException)):
                    client.xenapi.VM.set_name_label(WEB_1, "renamed")
                assert client.xenapi.VM.get_name_label(WEB_1) == name
            assert control(lab, "/sandbox/calls")["VM.set_name_label"] == 2

    def test_a_paused_host_answers_when_it_goes_on(self, lab: RunningLab) -> None:
        lab.pause("xs1")
        done = threading.Event()

        def log_in() -> None:
            with session(lab):
                done.set()

        thread = threading.Thread(target=log_in)
        thread.start()
        assert not done.wait(0.3)
        with session(lab, "xs3"):
            pass
        lab.resume("xs1")
        assert done.wait(PATIENCE)
        thread.join(PATIENCE)

    def test_a_dead_host_cannot_be_paused(self, lab: RunningLab) -> None:
        lab.kill("xs2")
        with pytest.raises(WrongRequest, match="xs2 is dead"):
            lab.pause("xs2")

    def test_a_wrong_clock(self, lab: RunningLab) -> None:
        with session(lab, "xs3") as client:
            before = client.xenapi.host.get_servertime(ref(201)).value
            control(lab, "/sandbox/host", host="xs3", action="clock", offset=-86400 * 400)
            assert client.xenapi.host.get_servertime(ref(201)).value < before

    def test_latency_and_slowness(self) -> None:
        with start(small_lab(), latency=0.2) as lab:
            begin = time.monotonic()
            with session(lab) as client:
                assert time.monotonic() - begin >= 0.2
                lab.slow("xs1", 0.2, "VM.get_all")
                begin = time.monotonic()
                client.xenapi.VM.get_all()
                assert time.monotonic() - begin >= 0.4

    def test_speed(self, lab: RunningLab) -> None:
        control(lab, "/sandbox/speed", factor=7)
        assert lab.estate.speed == 7

    def test_waiting_calls_end_when_the_lab_does(self) -> None:
        broken = threading.Event()
        with start(small_lab()) as lab, session(lab) as client:

            def wait() -> None:
                try:
                    getattr(client.xenapi.event, "from")(["nothing"], "", 60.0)
                except (OSError, http.client.HTTPException):
                    broken.set()

            thread = threading.Thread(target=wait)
            thread.start()
            assert eventually(lambda: lab.calls().get("event.from") == 1)
            begin = time.monotonic()
            lab.stop()
            assert time.monotonic() - begin < PATIENCE / 2
            assert broken.wait(PATIENCE)
            thread.join(PATIENCE)


def test_a_recording_tells_every_call(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    with start(small_lab(), record=path) as lab, session(lab) as client:
        client.xenapi.VM.get_name_label(WEB_1)
        handle = client.handle
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["method"] for line in lines] == ["session.login_with_password", "VM.get_name_label"]
    assert lines[1] == {"method": "VM.get_name_label", "args": [WEB_1], "result": "web-1"}
    assert PASSWORD not in path.read_text()
    assert handle not in path.read_text()


def test_a_taken_control_port_is_told_and_leaves_nothing_behind(lab: RunningLab) -> None:
    before = threading.active_count()
    with pytest.raises(OSError, match="in use"):
        start(small_lab(), control_port=int(lab.control.rpartition(":")[2]))
    assert eventually(lambda: threading.active_count() <= before)
