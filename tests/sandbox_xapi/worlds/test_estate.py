"""The estate takes every world as it is, and hands it out again."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.xapi import lab
from sandbox.xapi.estate import Estate
from sandbox.xapi.failure import Failure
from sandbox.xapi.world import Lab, PoolWorld
from sandbox.xapi.worlds import check, worldfile

from .shared import DUMPS, needs_pools


def dumped(loaded: Lab) -> tuple[PoolWorld, ...]:
    return tuple(Estate(loaded.pools, loaded.username, loaded.password).dump())


def assert_kept(loaded: Lab) -> None:
    """Every stored field is handed out as it was loaded."""
    for before, after in zip(loaded.pools, dumped(loaded), strict=True):
        assert after.release == before.release
        for cls, rows in before.objects.items():
            for ref, row in rows.items():
                assert {name: after.objects[cls][ref][name] for name in row} == row


@pytest.mark.parametrize("name", lab.names())
def test_a_lab_is_kept_and_stays_sound(name: str) -> None:
    loaded = lab.load(name)
    assert_kept(loaded)
    for pool in dumped(loaded):
        assert check.problems(pool) == []


@pytest.mark.parametrize("name", lab.names())
def test_a_running_lab_is_saved_and_started_again(name: str) -> None:
    loaded = lab.load(name)
    shown = replace(loaded, pools=dumped(loaded))
    again = worldfile.from_json(json.loads(json.dumps(worldfile.to_json(shown))))
    assert again == shown
    assert dumped(again) == shown.pools


@needs_pools
@pytest.mark.parametrize("upgrade", [False, True], ids=["as it was", "upgraded"])
@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.name)
def test_an_old_database_is_kept(path: Path, upgrade: bool) -> None:
    assert_kept(lab.load(db=path, upgrade=upgrade))


class Asked:
    """A lab's first pool, asked as its coordinator's client would."""

    def __init__(self, name: str) -> None:
        loaded = lab.load(name)
        self.objects = loaded.pools[0].objects
        estate = Estate(loaded.pools, loaded.username, loaded.password)
        (pool,) = self.objects["pool"].values()
        coordinator = self.objects["host"][pool["master"]]["uuid"]
        session = estate.call(coordinator, "session.login_with_password", [loaded.username, loaded.password])
        self._estate, self._coordinator, self._session = estate, coordinator, session

    def ref(self, cls: str, name: str) -> str:
        (found,) = [ref for ref, row in self.objects[cls].items() if row["name_label"] == name]
        return found

    def refusal(self, method: str, *params: object) -> str:
        """The code of the failure; "" if the call succeeds."""
        try:
            self._estate.call(self._coordinator, method, [self._session, *params])
        except Failure as failure:
            return failure.code
        return ""


@pytest.fixture(scope="module", params=["tutorial", "current", "healthy"])
def asked(request: pytest.FixtureRequest) -> tuple[str, Asked]:
    return request.param, Asked(request.param)


REFUSED = {
    "tutorial": {
        ("files-1", "xs1"): "VM_REQUIRES_SR",
        ("build-1", "xs2"): "VM_REQUIRES_SR",
    },
    "current": {
        ("archive-1", "xs23"): "VM_REQUIRES_SR",
        ("build-2", "xs21"): "VM_REQUIRES_SR",
        ("build-2", "xs23"): "VM_REQUIRES_SR",
        ("sql-1", "xs22"): "HOST_NOT_ENOUGH_FREE_MEMORY",
        **{(vm, "xs21"): "HOST_NOT_ENOUGH_FREE_MEMORY" for vm in ("shop-2", "sql-2", "monitor-1", "desktop-1")},
    },
    "healthy": {},
}


def test_just_the_flaws_keep_vms_from_other_hosts(asked: tuple[str, Asked]) -> None:
    name, pool = asked
    refused = {}
    for vm_ref, vm in pool.objects["VM"].items():
        if vm["power_state"] != "Running" or vm["is_control_domain"]:
            continue
        for host_ref, host in pool.objects["host"].items():
            if host_ref != vm["resident_on"]:
                code = pool.refusal("VM.assert_can_boot_here", vm_ref, host_ref)
                if code:
                    refused[vm["name_label"], host["name_label"]] = code
    assert refused == REFUSED[name]


def test_just_the_flaws_make_vms_less_than_agile(asked: tuple[str, Asked]) -> None:
    name, pool = asked
    running = {
        r: v for r, v in pool.objects["VM"].items() if v["power_state"] == "Running" and not v["is_control_domain"]
    }
    bound = {vm["name_label"] for ref, vm in running.items() if pool.refusal("VM.assert_agile", ref)}
    expected = {"tutorial": {"files-1", "build-1"}, "current": {"archive-1", "build-2"}, "healthy": set()}
    assert bound == expected[name]


def test_the_tutorials_big_machine_fits_nowhere() -> None:
    pool = Asked("tutorial")
    assert pool.refusal("VM.start", pool.ref("VM", "analysis-1"), False, False) == "NO_HOSTS_AVAILABLE"
