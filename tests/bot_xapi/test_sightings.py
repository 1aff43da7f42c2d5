"""What looking for a lost call may conclude: never a guess."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from bot.inventory import Inventory
from bot.model import Expect, Object, ObjectId, PoolTarget, Step, Trace
from bot.ports import Sighting, Taken
from bot.xapi.sightings import PROOF_SECONDS, Look, Mark, conclusion, restarted, seen
from tests.bot_xapi.hosts import small_pool

VM1 = ObjectId("VM", "v1-uuid", "web-1")
STEP = Step(
    title="Move web-1",
    target=PoolTarget("p-uuid"),
    call="VM.pool_migrate",
    arguments=(),
    trace=Trace(object=VM1, operation="pool_migrate"),
    expect=(Expect(object=VM1, field="resident_on", equals=Object(ObjectId("host", "h2-uuid", "xs2"))),),
)
BARE = dataclasses.replace(STEP, trace=None, expect=())
SYNC = dataclasses.replace(STEP, asynchronous=False)


def inventory(
    *tasks: Mapping[str, Any],
    operations: Mapping[str, Mapping[str, str]] | None = None,
    at: float = 100.0,
    life: str = "1.",
) -> Inventory:
    records: dict[str, Any] = small_pool()
    for vm, current in (operations or {}).items():
        records["VM"][vm]["current_operations"] = current
    for host in records["host"].values():
        host["other_config"] = {"agent_start_time": life}
    records["task"] = {f"OpaqueRef:{task['uuid']}": task for task in tasks}
    return Inventory(records=records, read_at=at)


def task(uuid: str, status: str = "pending", name: str = "Async.VM.pool_migrate", **fields: Any) -> dict[str, Any]:
    return {
        "uuid": uuid,
        "name_label": name,
        "status": status,
        "error_info": [],
        "subtask_of": "OpaqueRef:NULL",
        **fields,
    }


OURS = {"OpaqueRef:v1": {"OpaqueRef:t1": "pool_migrate"}}
ANOTHERS = {"OpaqueRef:v2": {"OpaqueRef:t1": "pool_migrate"}}
OLD = inventory(task("old"))


def found(
    *after: Inventory, step: Step = STEP, holds: bool | None = False, held: bool = False, before: Inventory = OLD
) -> Sighting:
    """As :meth:`bot.ports.PoolHands.look` goes about it."""
    mark = Mark.read(Mark.taken(step, before, held=held).text())
    looks = [Look(each, holds, "web-1: resident on is xs1, not xs2") for each in (after * 4)[:4]]
    for look in looks:
        settled = seen(step, mark, look)
        if settled is not None:
            return settled
    return conclusion(step, mark, looks)


def test_the_task_that_the_object_names_is_ours() -> None:
    sighting = found(
        inventory(
            task("old"), task("t1"), task("t2"), operations=OURS | {"OpaqueRef:v2": {"OpaqueRef:t2": "pool_migrate"}}
        )
    )
    assert (sighting.taken, sighting.task_uuid) == (Taken.RUNNING, "t1")


def test_a_part_of_our_task_is_traced_to_it() -> None:
    part = task("part", name="VM.migrate", subtask_of="OpaqueRef:t1")
    sighting = found(inventory(task("t1"), part, operations={"OpaqueRef:v1": {"OpaqueRef:part": "pool_migrate"}}))
    assert (sighting.taken, sighting.task_uuid) == (Taken.RUNNING, "t1")


def test_another_vm_s_migration_is_not_ours() -> None:
    assert found(inventory(task("t1"), operations=ANOTHERS)).taken is Taken.NOT_TAKEN


def test_another_vm_s_failed_migration_is_not_ours() -> None:
    failed = task("t1", "failure", error_info=["VM_REQUIRES_SR", "OpaqueRef:v2", "OpaqueRef:s"])
    assert found(inventory(failed)).taken is Taken.NOT_TAKEN


def test_our_failed_task_is_found_by_its_error() -> None:
    failed = task("t1", "failure", error_info=["VM_REQUIRES_SR", "OpaqueRef:v1", "OpaqueRef:s"])
    sighting = found(inventory(failed))
    assert (sighting.taken, sighting.task_uuid) == (Taken.RUNNING, "t1")


def test_a_failed_task_is_not_taken_for_ours_while_another_may_be_it() -> None:
    """Somebody asked for the same at the same time, and was refused because ours ran."""
    refused = task("t2", "failure", error_info=["OTHER_OPERATION_IN_PROGRESS", "VM", "OpaqueRef:v1", "pool_migrate"])
    assert found(inventory(task("t1", "success"), refused)).taken is Taken.UNKNOWN
    assert found(inventory(task("t1", "success"), refused), holds=True).taken is Taken.DONE
    running = found(inventory(task("t1"), refused, operations=OURS))
    assert (running.taken, running.task_uuid) == (Taken.RUNNING, "t1")


def test_the_only_new_task_is_ours() -> None:
    sighting = found(inventory(task("old"), task("t1")))
    assert (sighting.taken, sighting.task_uuid) == (Taken.RUNNING, "t1")


def test_two_tasks_that_could_be_ours_are_unknown() -> None:
    assert found(inventory(task("t1"), task("t2"))).taken is Taken.UNKNOWN


def test_an_ended_task_whose_effect_is_there_is_done() -> None:
    sighting = found(inventory(task("t1", "success")), holds=True)
    assert (sighting.taken, sighting.task_uuid) == (Taken.DONE, "t1")


def test_an_ended_task_without_its_effect_is_not_called_done() -> None:
    assert found(inventory(task("t1", "success")), holds=False).taken is Taken.UNKNOWN


def test_the_effect_alone_is_enough() -> None:
    sighting = found(OLD, holds=True)
    assert (sighting.taken, sighting.task_uuid) == (Taken.DONE, "")


def test_an_effect_that_was_there_before_proves_nothing() -> None:
    assert found(OLD, holds=True, held=True).taken is Taken.UNKNOWN


def test_while_our_task_runs_its_effect_does_not_make_it_done() -> None:
    assert found(inventory(task("t1"), operations=OURS), holds=True).taken is Taken.RUNNING


@pytest.mark.parametrize("step", [STEP, BARE])
def test_no_trace_at_all_in_several_looks_is_not_taken(step: Step) -> None:
    sighting = found(OLD, step=step, holds=False if step.expect else None)
    assert sighting.taken is Taken.NOT_TAKEN
    assert "4 looks" in sighting.evidence


def test_without_expectations_nothing_is_ever_done() -> None:
    assert found(inventory(task("t1", "success")), step=BARE, holds=None).taken is Taken.RUNNING
    assert found(OLD, step=BARE, holds=None).taken is Taken.NOT_TAKEN


@pytest.mark.parametrize(
    ("after", "step", "holds"),
    [
        pytest.param(OLD, SYNC, False, id="a synchronous call leaves no task"),
        pytest.param(inventory(life="2."), STEP, False, id="the toolstack was restarted"),
        pytest.param(inventory(at=100 + PROOF_SECONDS + 1), STEP, False, id="long ago"),
        pytest.param(inventory(*(task(f"f{n}", "success", "VM.x") for n in range(151))), STEP, False, id="many tasks"),
        pytest.param(
            inventory(operations={"OpaqueRef:v1": {"OpaqueRef:x": "pool_migrate"}}), STEP, False, id="operation"
        ),
        pytest.param(OLD, STEP, None, id="its effect cannot be told"),
    ],
)
def test_absence_is_no_proof(after: Inventory, step: Step, holds: bool | None) -> None:
    sighting = found(after, step=step, holds=holds)
    assert sighting.taken is Taken.UNKNOWN
    assert sighting.evidence.startswith("It cannot be told: ")


def test_one_look_is_no_proof() -> None:
    mark = Mark.taken(STEP, OLD, held=False)
    assert conclusion(STEP, mark, [Look(OLD, False)]).taken is Taken.UNKNOWN


def test_an_operation_that_was_there_before_is_not_ours() -> None:
    before = inventory(operations=OURS)
    assert found(before, before=before).taken is Taken.NOT_TAKEN


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"at": null}'])
def test_what_is_not_a_mark(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's and our own
        Mark.read(text)


# --- a task that has ended and proves nothing -------------------------------------------------------------------------


def by_its_effect(*, holds: bool | None, held: bool = False) -> Sighting:
    mark = Mark.read(Mark.taken(STEP, OLD, held=held).text())
    look = Look(inventory(task("old"), task("t1", "failure")), holds, "web-1 is on xs1, not xs2")
    return seen(STEP, mark, look, ended="t1") or conclusion(STEP, mark, [look] * 4, ended="t1")


def test_of_a_task_that_proves_nothing_only_the_effect_tells() -> None:
    assert by_its_effect(holds=True).taken is Taken.DONE
    sighting = by_its_effect(holds=False)
    assert (sighting.taken, sighting.task_uuid) == (Taken.UNKNOWN, "")
    assert sighting.evidence == "web-1 is on xs1, not xs2"


def test_what_was_so_before_is_no_effect() -> None:
    sighting = by_its_effect(holds=True, held=True)
    assert sighting.taken is Taken.UNKNOWN
    assert sighting.evidence.endswith(", as before")


@pytest.mark.parametrize(
    ("started", "again"), [("1700000000.", False), ("1700000200.5", True), ("", False), ("soon", False)]
)
def test_a_toolstack_that_started_anew_since_the_task_was_made(started: str, again: bool) -> None:
    record = {"resident_on": "OpaqueRef:h2", "created": "20231114T22:15:00Z"}  # 1700000100
    assert restarted(record, inventory(life=started)) is again


def test_a_task_of_no_known_host_or_time_ran_on_nothing_that_started_anew() -> None:
    now = inventory(life="1700000200.")
    assert not restarted({"resident_on": "OpaqueRef:NULL", "created": "20231114T22:15:00Z"}, now)
    assert not restarted({"resident_on": "OpaqueRef:h2", "created": "19700101T00:00:00Z"}, now)
