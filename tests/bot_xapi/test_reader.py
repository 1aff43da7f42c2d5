"""The inventory: few calls, nothing stale, nothing lost."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from bot.errors import Unavailable
from bot.inventory import CLASSES, VM, Host, Inventory, Task
from bot.xapi import PoolSettings
from bot.xapi.reader import LONGEST_GAP_SECONDS, MOST_WAITING, SILENT_SECONDS
from tests.bot_xapi.conftest import PoolsWith, Serve, plain
from tests.bot_xapi.hosts import Failure, PretendHost, PretendPool, WallClock


def calls(host: PretendHost) -> int:
    return sum(host.requests.values())


def view_of(pools_with: PoolsWith, settings: PoolSettings) -> Any:
    return pools_with(settings).view("lab")


def test_a_cold_start_costs_two_calls_and_a_look_one(serve: Serve, pools_with: PoolsWith) -> None:
    host = serve(PretendPool())
    view = view_of(pools_with, plain(host))
    assert {h.name for h in view.inventory().hosts} == {"xs1", "xs2"}
    assert calls(host) == 2
    view.inventory()
    assert calls(host) == 3


def test_changes_arrive_and_older_inventories_stay_as_they_were(serve: Serve, pools_with: PoolsWith) -> None:
    pool = PretendPool()
    view = view_of(pools_with, plain(serve(pool)))
    before = view.inventory()
    pool.put("VM", "OpaqueRef:v1", name_label="renamed")
    pool.put("task", "OpaqueRef:t1", uuid="t1-uuid", name_label="x", status="pending")
    pool.remove("VM", "OpaqueRef:v2")
    after = view.inventory()
    assert [vm.name for vm in before.all(VM)] == ["web-1", "web-2"]
    assert [vm.name for vm in after.all(VM)] == ["renamed"]
    assert after.by_uuid(Task, "t1-uuid") is not None
    assert after.records["host"] is before.records["host"], "what did not change is shared"


def test_a_pool_without_event_from_is_read_class_by_class(serve: Serve, pools_with: PoolsWith) -> None:
    pool = PretendPool()

    def unknown(method: str, arguments: list[Any]) -> Any:
        raise Failure("MESSAGE_METHOD_UNKNOWN", method)

    pool.extra["event.from"] = unknown
    pool.extra["PIF.get_all_records"] = unknown
    host = serve(pool)
    view = view_of(pools_with, plain(host))
    assert len(view.inventory().hosts) == 2
    pool.put("VM", "OpaqueRef:v1", name_label="renamed")
    assert "renamed" in [vm.name for vm in view.inventory().all(VM)]
    assert host.requests["event.from"] == 1
    assert calls(host) == 2 + 2 * len(CLASSES)


def test_a_deletion_that_the_pool_forgot_to_tell_is_noticed(serve: Serve, pools_with: PoolsWith) -> None:
    pool = PretendPool()
    view = view_of(pools_with, plain(serve(pool)))
    view.inventory()
    pool.remove("VM", "OpaqueRef:v1", silently=True)
    assert [vm.name for vm in view.inventory().all(VM)] == ["web-2"]


def test_forgotten_tasks_cost_one_call_not_everything(serve: Serve, pools_with: PoolsWith) -> None:
    pool = PretendPool()
    for number in range(3):
        pool.put("task", f"OpaqueRef:t{number}", uuid=f"t{number}", name_label="x", status="pending")
    host = serve(pool)
    view = view_of(pools_with, plain(host))
    view.inventory()
    pool.remove("task", "OpaqueRef:t1", silently=True)
    before = calls(host)
    assert {task.uuid for task in view.inventory().all(Task)} == {"t0", "t2"}
    assert calls(host) - before == 2


def test_a_token_of_another_session_is_not_even_tried(serve: Serve, pools_with: PoolsWith) -> None:
    pool = PretendPool()
    pool.extra["VM.get_possible_hosts"] = lambda method, arguments: []
    host = serve(pool)
    view = view_of(pools_with, plain(host))
    view.inventory()
    pool.sessions.clear()
    view.ask("VM.get_possible_hosts")
    before = host.requests["event.from"]
    view.inventory()
    assert host.requests["event.from"] == before + 1


@pytest.mark.parametrize("code", ["EVENTS_LOST", "EVENT_FROM_TOKEN_PARSE_FAILURE"])
def test_a_token_that_is_not_taken_is_dropped(code: str, serve: Serve, pools_with: PoolsWith) -> None:
    pool = PretendPool()
    view = view_of(pools_with, plain(serve(pool)))
    view.inventory()
    pool.put("VM", "OpaqueRef:v1", name_label="renamed")
    once = [True]

    def events(method: str, arguments: list[Any]) -> Any:
        if arguments[1] and once.pop():
            raise Failure(code)
        return pool._events(arguments[1])

    pool.extra["event.from"] = events
    assert "renamed" in [vm.name for vm in view.inventory().all(VM)]


def test_another_coordinator_s_database_is_read_anew(serve: Serve, pools_with: PoolsWith) -> None:
    """Its generations may be older than the token: changes would be silently missing."""
    pool = PretendPool()
    pool.generation = 1000
    view = view_of(pools_with, plain(serve(pool)))
    view.inventory()
    pool.generation = 5
    pool.put("VM", "OpaqueRef:v1", name_label="renamed")
    pool.sessions.clear()
    assert "renamed" in [vm.name for vm in view.inventory().all(VM)]


def test_after_a_long_silence_everything_is_read_anew(serve: Serve, pools_with: PoolsWith, clock: WallClock) -> None:
    pool = PretendPool()
    view = view_of(pools_with, plain(serve(pool)))
    tokens: list[str] = []

    def events(method: str, arguments: list[Any]) -> Any:
        tokens.append(arguments[1])
        return pool._events(arguments[1])

    pool.extra["event.from"] = events
    view.inventory()
    view.inventory()
    clock.sleep(LONGEST_GAP_SECONDS + 1)
    view.inventory()
    assert [bool(token) for token in tokens] == [False, True, False]


def test_who_arrives_while_a_read_runs_gets_a_later_one(serve: Serve, pools_with: PoolsWith) -> None:
    """A change that was there before somebody asked is in what they get; and many who ask cost few reads."""
    pool = PretendPool()
    host = serve(pool)
    view = view_of(pools_with, plain(host))
    view.inventory()
    entered, go_on = threading.Event(), threading.Event()
    reads = [0]

    def events(method: str, arguments: list[Any]) -> Any:
        answer = pool._events(arguments[1])  # what this read shows is decided here, before the change
        reads[0] += 1
        if reads[0] == 1:
            entered.set()
            pool.lock.release()
            go_on.wait(10)
            pool.lock.acquire()
        return answer

    pool.extra["event.from"] = events
    first = threading.Thread(target=view.inventory)
    first.start()
    assert entered.wait(10)
    pool.put("VM", "OpaqueRef:v1", name_label="renamed")
    found: list[str] = []
    late = [
        threading.Thread(target=lambda: found.append(view.inventory().by_uuid(VM, "v1-uuid").name)) for _ in range(20)
    ]
    for thread in late:
        thread.start()
    while view._reader._next is None or any(not thread.is_alive() for thread in late):
        assert first.is_alive()
    go_on.set()
    for thread in [first, *late]:
        thread.join(10)
    assert found == ["renamed"] * 20
    assert reads[0] <= 4


@pytest.mark.parametrize("failed_before", [False, True], ids=["long-silent", "failed-before"])
def test_only_a_few_wait_for_a_silent_pool(
    failed_before: bool, serve: Serve, pools_with: PoolsWith, clock: WallClock
) -> None:
    """Else one pool would have all the threads that answer people, about the other pools too."""
    pool = PretendPool()
    view = view_of(pools_with, plain(serve(pool), answer_seconds=60.0))
    view.inventory()
    if failed_before:
        good, pool.records["pool"] = pool.records["pool"], {}
        with pytest.raises(Unavailable):
            view.inventory()
        pool.records["pool"] = good
    entered, go_on = threading.Event(), threading.Event()

    def events(method: str, arguments: list[Any]) -> Any:
        answer = pool._events(arguments[1])
        entered.set()
        pool.lock.release()
        go_on.wait(60)
        pool.lock.acquire()
        return answer

    pool.extra["event.from"] = events
    answered: list[Inventory] = []
    turned_away: list[Unavailable] = []

    def ask() -> None:
        try:
            answered.append(view.inventory())
        except Unavailable as error:
            turned_away.append(error)

    asking = [threading.Thread(target=ask) for _ in range(20)]
    asking[0].start()
    assert entered.wait(60)
    for thread in asking[1:]:
        thread.start()
    if not failed_before:
        assert not turned_away
        clock.sleep(SILENT_SECONDS + 1)
    deadline = time.monotonic() + 60
    while len(turned_away) < 20 - MOST_WAITING and time.monotonic() < deadline:
        time.sleep(0.05)
    assert view._reader._waiting == MOST_WAITING
    assert len(turned_away) == 20 - MOST_WAITING
    assert all("The pool lab has not answered for" in error.message for error in turned_away)
    go_on.set()
    for thread in asking:
        thread.join(60)
    assert len(answered) == MOST_WAITING
    assert view.inventory().pool.name == "lab", "now that it speaks, everybody hears it"


def test_a_failed_read_is_everybody_s_and_the_next_one_works(serve: Serve, pools_with: PoolsWith) -> None:
    pool = PretendPool()
    host = serve(pool)
    view = view_of(pools_with, plain(host))
    good, pool.records["pool"] = pool.records["pool"], {}
    with pytest.raises(Unavailable, match="no pool"):
        view.inventory()
    pool.records["pool"] = good
    assert view.inventory().pool.name == "lab"


def test_times_stay_text(serve: Serve, pools_with: PoolsWith) -> None:
    pool = PretendPool()
    pool.put("task", "OpaqueRef:t1", uuid="t1", created="20260101T00:00:00Z", name_label="x", status="pending")
    view = view_of(pools_with, plain(serve(pool)))
    (task,) = view.inventory().all(Task)
    assert task.record["created"] == "20260101T00:00:00Z"


def test_the_hosts_addresses_are_learnt(serve: Serve, pools_with: PoolsWith) -> None:
    one, other = serve(PretendPool()), serve(PretendPool())
    mapped = {"10.0.0.101": one.endpoint, "10.0.0.102": other.endpoint}
    view = view_of(pools_with, plain(one, addresses=("10.0.0.101",), address_map=mapped))
    view.inventory()
    one.stop()
    assert next(view.inventory().all(Host)).name == "xs1"
    assert view.connection().address == "10.0.0.102"


def test_what_is_known_of_a_class_is_found_out_again_when_one_of_its_objects_changes(
    serve: Serve, pools_with: PoolsWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = PretendPool()
    view = view_of(pools_with, plain(serve(pool)))
    looked_at: list[str] = []

    def is_guest(vm: VM) -> bool:
        looked_at.append(vm.ref)
        return not vm.is_template

    monkeypatch.setattr(VM, "is_guest", property(is_guest))

    def seen(inventory: Inventory) -> tuple[list[str], list[list[str]], VM | None]:
        residents = [[vm.name for vm in host.resident_vms] for host in inventory.hosts]
        return [vm.name for vm in inventory.guests], residents, inventory.by_uuid(VM, "v1-uuid")

    first = view.inventory()
    before = seen(first)
    assert before[:2] == (["web-1", "web-2"], [["web-1", "web-2"], []])
    assert len(looked_at) == 2
    pool.put("task", "OpaqueRef:t1", uuid="t1-uuid", name_label="x", status="pending")
    second = view.inventory()
    assert seen(second) == before
    assert len(looked_at) == 2, "a task changes nothing about VMs"
    assert all(vm._inventory is second for vm in second.guests), "views lead to neighbours of the same instant"

    pool.put("VM", "OpaqueRef:v1", name_label="z", resident_on="OpaqueRef:h2", uuid="another")
    third = view.inventory()
    assert seen(third) == (["web-2", "z"], [["web-2"], ["z"]], None)
    assert seen(second) == before, "what was read before stays as it was"
    assert seen(third) == (["web-2", "z"], [["web-2"], ["z"]], None)
    pool.remove("VM", "OpaqueRef:v1")
    assert seen(view.inventory())[:2] == (["web-2"], [["web-2"], []])
