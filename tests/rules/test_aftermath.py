"""What followed a host's failure, told from alerts alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.inventory import CLASSES, VM, Host, Inventory
from bot.rules import aftermath, conditions

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PATIENCE = timedelta(minutes=15)


def pool(*alerts: tuple[str, str, int], now: int = 60, **states: str) -> Inventory:
    """Two hosts, xs1 (coordinator) and xs2 (dead), and VMs by name as `name="Running"` (on xs1) or `"Halted"`.
    An alert is (name, the uuid that it is about, seconds after START).
    """
    records: dict[str, dict[str, dict[str, Any]]] = {kind.cls: {} for kind in CLASSES}
    records["pool"]["pool"] = {"uuid": "p", "name_label": "lab", "master": "xs1"}
    for name in ("xs1", "xs2"):
        records["host"][name] = {"uuid": name, "name_label": name, "metrics": f"m-{name}", "other_config": {}}
        records["host_metrics"][f"m-{name}"] = {"uuid": f"m-{name}", "live": name == "xs1"}
    for name, state in states.items():
        home = "xs1" if state == "Running" else "OpaqueRef:NULL"
        records["VM"][name] = {"uuid": name, "name_label": name, "power_state": state, "resident_on": home}
    for number, (name, about, seconds) in enumerate(alerts):
        at = START + timedelta(seconds=seconds)
        records["message"][f"a{number}"] = {
            "uuid": f"a{number}", "name": name, "obj_uuid": about, "timestamp": f"{at:%Y%m%dT%H:%M:%SZ}", "priority": 3,
        }  # fmt: skip
    return Inventory(records=records, read_at=(START + timedelta(seconds=now)).timestamp())


def xs2(inventory: Inventory) -> Host:
    found = inventory.by_uuid(Host, "xs2")
    assert found is not None
    return found


def web(inventory: Inventory) -> VM:
    found = inventory.by_uuid(VM, "web")
    assert found is not None
    return found


def test_only_a_failure_after_the_drill_began_counts() -> None:
    inventory = pool(("HA_HOST_FAILED", "xs2", 0))
    assert aftermath.failed(xs2(inventory), "", inventory) == (True, "12:00:00 UTC: xs2 was declared failed")
    assert aftermath.failed(xs2(inventory), "a0", inventory)[0] is False
    assert "has not declared it failed yet" in aftermath.failed(xs2(inventory), "a0", inventory)[1]
    later = pool(("HA_HOST_FAILED", "xs2", 0), ("HA_HOST_FAILED", "xs2", 4000))
    assert aftermath.failed(xs2(later), "a0", later)[0] is True


def test_a_vm_runs_again_and_how_much_later() -> None:
    inventory = pool(("HA_HOST_FAILED", "xs2", 0), ("VM_STARTED", "web", 85), web="Running")
    told = aftermath.settled(web(inventory), xs2(inventory), "", PATIENCE, inventory)
    assert told == (True, "12:01:25 UTC, 1 min 25 s later: web runs on xs1")


def test_a_vm_that_stays_down_is_waited_for_only_so_long() -> None:
    alerts = (("HA_HOST_FAILED", "xs2", 0), ("HA_PROTECTED_VM_RESTART_FAILED", "web", 30))
    early, late = pool(*alerts, now=600, web="Halted"), pool(*alerts, now=901, web="Halted")
    assert aftermath.settled(web(early), xs2(early), "", PATIENCE, early) == (False, "web is halted (1 restart failed)")
    assert aftermath.settled(web(late), xs2(late), "", PATIENCE, late) == (True, "web stays down (1 restart failed)")
    words = f"xs2//{int(PATIENCE.total_seconds())}"
    assert conditions.holds(conditions.SETTLED, web(late).id, late, words)[0] is True
    assert conditions.holds(conditions.SETTLED, web(early).id, early, words)[0] is False


def test_what_belongs_to_another_failure_is_left_out() -> None:
    inventory = pool(
        ("VM_STARTED", "old", -10),
        ("HA_HOST_FAILED", "xs2", 0),
        ("VM_STARTED", "web", 40),
        ("POOL_MASTER_TRANSITION", "xs1", 5),
        ("HA_HOST_FAILED", "xs1", 300),
        ("VM_STARTED", "mail", 350),
        web="Running",
        mail="Running",
        old="Running",
    )
    newest, first = aftermath.failures(inventory)
    assert (newest.host_name, first.host_name) == ("xs1", "xs2")
    assert [(event.name, event.about_uuid) for event in aftermath.events(first, inventory)] == [
        ("HA_HOST_FAILED", "xs2"),
        ("POOL_MASTER_TRANSITION", "xs1"),
        ("VM_STARTED", "web"),
    ]
    assert [(vm.name, seconds) for vm, seconds in aftermath.restarted(newest, inventory)] == [("mail", 50.0)]


def test_a_vm_that_is_gone_has_no_fate() -> None:
    inventory = pool(("HA_HOST_FAILED", "xs2", 0), web="Running")
    gone = web(inventory).id.__class__("VM", "gone", "gone")
    assert conditions.holds(conditions.SETTLED, gone, inventory, "xs2//900") == (True, "gone is gone")


def test_what_two_times_of_whole_seconds_say_of_the_time_between() -> None:
    assert [aftermath.bound(seconds) for seconds in (0.0, 4.0, 59.0)] == ["1 s", "5 s", "1 min"]
