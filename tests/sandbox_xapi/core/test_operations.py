"""Operations on one object at the same time, tasks, and many clients at once."""

from __future__ import annotations

import threading

import pytest

from sandbox.xapi.estate import Estate
from sandbox.xapi.failure import Failure
from tests.sandbox_xapi.core import world
from tests.sandbox_xapi.core.world import Client, ref
from tests.waiting import eventually


@pytest.fixture
def slow() -> Client:
    """A pool where a migration takes a good second."""
    return Client(world.estate(speed=10))


def test_a_migration_shows_itself_and_a_second_operation_waits(slow: Client) -> None:
    task = slow("Async.VM.pool_migrate", ref("web"), ref("h3"), {})
    record = slow("VM.get_record", ref("web"))
    assert record["current_operations"] == {task: "pool_migrate"}
    assert record["scheduled_to_be_resident_on"] == ref("h3")
    assert record["resident_on"] == ref("h1")
    assert list(slow("host.get_current_operations", ref("h3")).values()) == ["vm_migrate"]
    assert slow("task.get_allowed_operations", task) == ["cancel"]
    slow("VM.pause", ref("web"))
    assert slow("task.get_status", task) == "success", "the pause waited for the migration"
    assert slow("VM.get_resident_on", ref("web")) == ref("h3")
    assert slow("VM.get_power_state", ref("web")) == "Paused"
    slow.estate.close()


def test_a_migration_reports_progress_and_its_message(slow: Client) -> None:
    task = slow("Async.VM.pool_migrate", ref("web"), ref("h3"), {})
    eventually(lambda: 0 < slow("task.get_progress", task) < 1)
    eventually(lambda: slow("task.get_status", task) == "success")
    bodies = [m["body"] for m in slow("message.get_all_records").values() if m["name"] == "VM_MIGRATED"]
    assert len(bodies) == 1
    assert "from host 'h1'" in bodies[0]
    assert "to host 'h3'" in bodies[0]
    slow.estate.close()


def test_a_cancelled_migration_leaves_the_vm_where_it_was(slow: Client) -> None:
    task = slow("Async.VM.pool_migrate", ref("web"), ref("h3"), {})
    slow("task.cancel", task)
    eventually(lambda: slow("task.get_status", task) == "cancelled")
    record = slow("task.get_record", task)
    assert record["error_info"] == []
    assert record["progress"] == 1.0
    assert list(record["current_operations"].values()) == ["cancel"]
    vm = slow("VM.get_record", ref("web"))
    assert (vm["resident_on"], vm["scheduled_to_be_resident_on"]) == (ref("h1"), "OpaqueRef:NULL")
    assert vm["current_operations"] == {}
    slow.estate.close()


def test_a_hard_shutdown_need_not_wait(slow: Client) -> None:
    task = slow("Async.VM.pool_migrate", ref("web"), ref("h3"), {})
    slow("VM.hard_shutdown", ref("web"))
    assert slow("VM.get_power_state", ref("web")) == "Halted"
    assert slow("task.get_status", task) == "cancelled"
    slow.estate.close()


def test_a_pending_task_goes_when_it_is_done(slow: Client) -> None:
    task = slow("Async.VM.pool_migrate", ref("web"), ref("h3"), {})
    slow("task.destroy", task)
    assert slow("task.get_status", task) == "pending"
    eventually(lambda: task not in slow("task.get_all"))
    slow.estate.close()


def test_a_synchronous_call_shows_as_a_task_while_it_runs(slow: Client) -> None:
    running = threading.Thread(target=lambda: slow("VM.pool_migrate", ref("web"), ref("h3"), {}))
    running.start()
    eventually(lambda: [t["name_label"] for t in slow("task.get_all_records").values()] == ["VM.pool_migrate"])
    running.join(20)
    assert slow("task.get_all") == []
    slow.estate.close()


def test_a_host_that_dies_under_a_migration_away_from_it(slow: Client) -> None:
    task = slow("Async.VM.pool_migrate", ref("db"), ref("h3"), {})
    slow.estate.kill(next(h.uuid for h in slow.estate.hosts.values() if h.name == "h2"))
    eventually(lambda: slow("task.get_status", task) == "failure")
    assert slow("task.get_error_info", task) == ["CANNOT_CONTACT_HOST", ref("h2")]
    slow.estate.close()


def test_a_host_that_dies_under_a_migration_to_it(slow: Client) -> None:
    task = slow("Async.VM.pool_migrate", ref("web"), ref("h3"), {})
    slow.estate.kill(next(h.uuid for h in slow.estate.hosts.values() if h.name == "h3"))
    eventually(lambda: slow("task.get_status", task) == "failure")
    assert slow("task.get_error_info", task) == ["INTERNAL_ERROR", "xenopsd internal error: End_of_file"]
    assert slow("VM.get_resident_on", ref("web")) == ref("h1")
    slow.estate.close()


@pytest.mark.parametrize("call", ["clean_shutdown", "hard_shutdown", "clean_reboot", "hard_reboot", "suspend", "pause"])
def test_a_host_that_dies_under_what_is_done_to_its_vm(call: str, slow: Client) -> None:
    """The coordinator does not learn what became of the VM: it stays on record as it was."""
    slow.estate.speed = 0.05
    task = slow(f"Async.VM.{call}", ref("db"))
    eventually(lambda: slow("VM.get_current_operations", ref("db")))
    slow.estate.kill(next(h.uuid for h in slow.estate.hosts.values() if h.name == "h2"))
    eventually(lambda: slow("task.get_status", task) == "failure")
    assert slow("task.get_error_info", task) == ["CANNOT_CONTACT_HOST", ref("h2")]
    assert slow("VM.get_power_state", ref("db")) == "Running"
    assert slow("VM.get_resident_on", ref("db")) == ref("h2")
    slow.estate.close()
    assert slow.estate.bugs == []


def test_a_coordinator_that_dies_drops_what_it_was_doing(slow: Client) -> None:
    slow("Async.VM.pool_migrate", ref("db"), ref("h3"), {})
    coordinator = slow.host
    slow.estate.kill(coordinator)
    slow.estate.start(coordinator)
    fresh = Client(slow.estate)
    assert fresh("task.get_all") == []
    eventually(lambda: fresh("VM.get_current_operations", ref("db")) == {})
    assert fresh("VM.get_resident_on", ref("db")) == ref("h2")
    assert fresh("VM.get_scheduled_to_be_resident_on", ref("db")) == "OpaqueRef:NULL"
    fresh.estate.close()
    assert fresh.estate.bugs == []


def test_fifty_clients_at_once(estate: Estate) -> None:
    clients = [Client(estate) for _ in range(50)]
    failures: list[Exception] = []

    def work(number: int) -> None:
        client, hosts = clients[number], [ref("h1"), ref("h3")]
        try:
            for turn in range(3):
                client("VM.pool_migrate", ref("web"), hosts[(number + turn) % 2], {})
                client("VM.get_all_records")
                client("event.from", ["VM", "task"], "", 1)
        except Failure as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(t.is_alive() for t in threads)
    assert failures == []
    record = clients[0]("VM.get_record", ref("web"))
    assert record["current_operations"] == {}
    assert record["scheduled_to_be_resident_on"] == "OpaqueRef:NULL"
    assert estate.counts["VM.pool_migrate"] == 150


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_asynchronous_call_about_tasks_makes_none(client: Client) -> None:
    """xapi makes no tasks for the classes task and event: the answer is a reference of nothing."""
    own = client("task.create", "mine", "")
    answer = client("Async.task.add_to_other_config", own, "k", "v")
    assert answer.startswith("DummyRef:")
    eventually(lambda: client("task.get_other_config", own) == {"k": "v"})
    assert client("Async.task.add_to_other_config", "OpaqueRef:gone", "k", "v").startswith("DummyRef:")
    assert list(client("task.get_all")) == [own]
