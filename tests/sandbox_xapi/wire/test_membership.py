"""The tutorial's hosts join and leave a pool over HTTPS, as the official client sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
import XenAPI

from sandbox.xapi.lab import load
from sandbox.xapi.running import RunningLab, start
from sandbox.xapi.worlds import worldfile
from tests.waiting import eventually

T = TypeVar("T")


def on_its_way(found: Callable[[], T]) -> T:
    """A host on its way refuses connections and sessions."""
    return eventually(found, passing=(OSError, XenAPI.Failure))


def login(lab: RunningLab, host: str) -> Any:
    session = XenAPI.Session(lab.hosts[host], ignore_ssl=True)
    session.xenapi.login_with_password(lab.username, lab.password, "1.0", "membership")
    return session.xenapi


def usable(lab: RunningLab, coordinator: str, host: str) -> str | None:
    """The host's reference when it is live, enabled and has its storage."""
    api = login(lab, coordinator)
    found = [ref for ref, row in api.host.get_all_records().items() if row["name_label"] == host]
    if not found or not api.host.get_enabled(found[0]):
        return None
    assert api.host_metrics.get_live(api.host.get_metrics(found[0]))
    assert all(api.PBD.get_currently_attached(pbd) for pbd in api.host.get_PBDs(found[0]))
    return str(found[0])


def test_join_live_eject_and_the_same_with_a_masked_processor() -> None:
    with start(load("tutorial-start"), tls=True, speed=60) as lab:
        joiner = login(lab, "xs2")
        task = joiner.Async.pool.join("10.0.0.101", lab.username, lab.password)
        on_its_way(lambda: joiner.task.get_status(task) == "success")
        on_its_way(lambda: usable(lab, "xs1", "xs2"))
        with pytest.raises(XenAPI.Failure) as slave:
            login(lab, "xs2")
        assert slave.value.details == ["HOST_IS_SLAVE", "10.0.0.101"]
        assert len(lab.pools) == 2
        assert lab.pools["xs1"]["hosts"] == ["xs1", "xs2"]

        other = login(lab, "xs3")
        with pytest.raises(XenAPI.Failure) as differs:
            other.pool.join("10.0.0.101", lab.username, lab.password)
        assert differs.value.details == ["HOSTS_NOT_HOMOGENEOUS", "CPUs differ"]
        (me,) = other.host.get_all()
        pool = login(lab, "xs1")
        words = pool.host.get_cpu_info(pool.host.get_by_name_label("xs1")[0])["features"]
        other.host.set_cpu_features(me, words)
        assert other.host.get_cpu_info(me)["features"] != words, "only after a reboot"
        other.host.disable(me)
        other.host.reboot(me)
        on_its_way(lambda: _features(lab, "xs3") == words)
        on_its_way(lambda: usable(lab, "xs3", "xs3"))
        login(lab, "xs3").pool.join("10.0.0.101", lab.username, lab.password)
        gone = on_its_way(lambda: usable(lab, "xs1", "xs3"))
        assert len(lab.pools) == 1

        pool = login(lab, "xs1")
        pool.pool.eject(gone)
        assert len(pool.host.get_all()) == 2
        on_its_way(lambda: usable(lab, "xs3", "xs3"))
        alone = login(lab, "xs3")
        assert len(alone.host.get_all()) == 1
        assert sorted(row["hosts"] for row in lab.pools.values()) == [["xs1", "xs2"], ["xs3"]]
        assert lab.estate.bugs == []


def _features(lab: RunningLab, host: str) -> str:
    api = login(lab, host)
    return str(api.host.get_cpu_info(api.host.get_all()[0])["features"])


def local(lab: RunningLab, host: str) -> tuple[Any, str]:
    """The official client's calls, and a session that is this host's alone."""
    session = XenAPI.Session(lab.hosts[host], ignore_ssl=True)
    session.slave_local_login_with_password(lab.username, lab.password)
    return session.xenapi, str(session.handle)


def test_a_survivor_leads_beside_an_old_coordinator_that_is_then_told() -> None:
    with start(load("tutorial"), tls=True, speed=100) as lab:
        lab.kill("xs1")
        survivor, _ = local(lab, "xs2")
        on_its_way(survivor.host.is_in_emergency_mode)
        survivor.pool.emergency_transition_to_master()
        client = on_its_way(lambda: login(lab, "xs2"))
        assert client.pool.recover_slaves() == []
        lab.start("xs1")
        on_its_way(lambda: login(lab, "xs1"))
        leaders = {
            name: row["coordinator"] for name, row in lab.pools.items() if row["uuid"] == lab.pools["lab"]["uuid"]
        }
        assert leaders == {"lab": "xs1", "xs2": "xs2"}
        again = worldfile.from_json(lab.world())
        assert len(again.pools) == 3
        with start(again) as saved:
            assert saved.pools["lab"]["coordinator"] == "xs2"
        old, _ = local(lab, "xs1")
        old.pool.emergency_reset_master("10.0.0.102")
        on_its_way(lambda: len(lab.pools) == 2)
        assert lab.pools["lab"]["coordinator"] == "xs2"
        on_its_way(lambda: usable(lab, "xs2", "xs1"))
        assert lab.estate.bugs == []
