"""GET /pool/xmldbdump: the pool's database in the form that a dump has."""

from __future__ import annotations

import base64
import ssl
import urllib.error
import urllib.request

import pytest
import XenAPI

from sandbox.xapi.lab import load
from sandbox.xapi.running import RunningLab, start
from sandbox.xapi.worlds import dump

ANY = ssl._create_unverified_context()


def fetch(lab: RunningLab, host: str, query: str = "", method: str = "GET", user: str = "") -> bytes:
    request = urllib.request.Request(f"{lab.hosts[host]}/pool/xmldbdump{query}", method=method)
    if user:
        request.add_header("Authorization", f"Basic {base64.b64encode(user.encode()).decode()}")
    with urllib.request.urlopen(request, context=ANY, timeout=60) as answer:
        return bytes(answer.read())


def session(lab: RunningLab, host: str) -> str:
    client = XenAPI.Session(lab.hosts[host], ignore_ssl=True)
    client.login_with_password(lab.username, lab.password, "1.0", "dump")
    return str(client.handle)


@pytest.mark.parametrize("name", ["tutorial", "current"])
def test_it_is_the_database(name: str) -> None:
    with start(load(name), tls=True) as lab:
        pool = next(p for p in lab.pools.values() if len(p["hosts"]) > 1)
        found = dump.read(fetch(lab, pool["coordinator"], f"?session_id={session(lab, pool['coordinator'])}"))
        (world,) = [w for w in lab.estate.dump() if next(iter(w.objects["pool"].values()))["uuid"] == pool["uuid"]]
        assert found.release == world.release
        for cls in ("pool", "host", "VM", "VDI", "PBD", "SR", "PIF"):
            assert found.objects[cls].keys() == world.objects[cls].keys()
        for ref, row in found.objects["VM"].items():
            assert {k: world.objects["VM"][ref][k] for k in row} == row


def test_who_may_have_it() -> None:
    with start(load("tutorial")) as lab:
        member = next(h for h in lab.pools["lab"]["hosts"] if h != lab.pools["lab"]["coordinator"])
        leads = lab.pools["lab"]["coordinator"]
        assert fetch(lab, leads, user=f"{lab.username}:{lab.password}").startswith(b"<?xml")
        for host, query, user, status in (
            (leads, "", "", 401),
            (leads, "?session_id=OpaqueRef:other", "", 401),
            (leads, "", "root:wrong", 401),
            (member, "", f"{lab.username}:{lab.password}", 500),
        ):
            with pytest.raises(urllib.error.HTTPError) as refused:
                fetch(lab, host, query, user=user)
            assert refused.value.code == status
        with pytest.raises(urllib.error.HTTPError) as restore:
            fetch(lab, leads, method="PUT", user=f"{lab.username}:{lab.password}")
        assert restore.value.code == 500


def test_a_connection_that_breaks_leaves_no_answer() -> None:
    with start(load("tutorial")) as lab:
        leads = lab.pools["lab"]["coordinator"]
        lab.drop(leads, "after", 1, "/pool/xmldbdump")
        with pytest.raises(OSError):  # noqa: PT011 - reset, or closed before a byte: both are OSErrors
            fetch(lab, leads, user=f"{lab.username}:{lab.password}")
        assert fetch(lab, leads, user=f"{lab.username}:{lab.password}")
