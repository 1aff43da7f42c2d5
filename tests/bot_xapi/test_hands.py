"""Acting on a pool: once, on the right pool, and found again when the answer is lost."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bot.errors import OutcomeUnknown, Refused, ToolstackRefusal, Unavailable
from bot.model import (
    BotTarget,
    Connection,
    Expect,
    MapOf,
    Object,
    ObjectId,
    ObjectMap,
    PoolTarget,
    ResultOf,
    Secret,
    Value,
)
from bot.ports import PoolHands, Pools, PoolView, Taken, TaskStatus
from bot.xapi import XapiPools
from bot.xapi.hands import XapiHands
from bot.xapi.tasks import result_text
from bot.xapi.view import XapiView
from tests.bot_xapi.conftest import PoolsWith, Serve, plain
from tests.bot_xapi.hosts import (
    CALL,
    CUT_AFTER,
    CUT_BEFORE,
    MIGRATE,
    ON_XS2,
    SILENT,
    VM1,
    XS2,
    Failure,
    PretendHost,
    PretendPool,
)


def _conforms(pools: XapiPools, view: XapiView, hands: XapiHands) -> tuple[Pools, PoolView, PoolHands]:
    return pools, view, hands


class Migrating(PretendPool):
    """Takes a migration; `finish` ends it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[list[Any]] = []
        self.extra[CALL] = self._migrate
        self.extra["task.cancel"] = lambda method, arguments: self._put("task", arguments[0], {"status": "cancelled"})
        self.extra["task.destroy"] = lambda method, arguments: self.records["task"].pop(arguments[0])

    def _migrate(self, method: str, arguments: list[Any]) -> str:
        self.seen.append(arguments)
        ref = f"OpaqueRef:t{len(self.seen)}"
        task = {"uuid": f"t{len(self.seen)}-uuid", "name_label": method, "status": "pending", "progress": 0.25,
                "result": "", "error_info": [], "subtask_of": "OpaqueRef:NULL"}  # fmt: skip
        self._put("task", ref, task)
        self._put("VM", arguments[0], {"current_operations": {ref: "pool_migrate"}})
        return ref

    def finish(self) -> None:
        self.put("VM", "OpaqueRef:v1", resident_on="OpaqueRef:h2", current_operations={})
        self.put("task", "OpaqueRef:t1", status="success", progress=1.0, result="<value></value>")


@pytest.fixture
def pool() -> Migrating:
    return Migrating()


@pytest.fixture
def host(serve: Serve, pool: Migrating) -> PretendHost:
    return serve(pool)


@pytest.fixture
def hands(host: PretendHost, pools_with: PoolsWith) -> XapiHands:
    made = pools_with(plain(host, answer_seconds=1.0), secret={"chap": "s3cret"}.__getitem__).hands("lab")
    assert isinstance(made, XapiHands)
    return made


def test_a_step_is_sent_with_references_and_its_task_followed_to_the_end(pool: Migrating, hands: XapiHands) -> None:
    task_uuid = hands.send(MIGRATE, {})
    assert pool.seen == [["OpaqueRef:v1", "OpaqueRef:h2", {"live": "true"}]]
    assert task_uuid == "t1-uuid"
    running = hands.task(task_uuid)
    assert running is not None
    assert (running.status, running.progress) == (TaskStatus.PENDING, 0.25)
    assert hands.holds(ON_XS2, {}) == (False, "web-1: resident on is xs1, not xs2")
    pool.finish()
    ended = hands.task(task_uuid)
    assert ended is not None
    assert (ended.status, ended.result) == (TaskStatus.SUCCESS, "")
    assert hands.holds(ON_XS2, {}) == (True, "web-1 is on xs2")
    hands.forget(task_uuid)
    assert hands.task(task_uuid) is None


def test_a_mark_costs_one_call(host: PretendHost, hands: XapiHands) -> None:
    hands.mark(MIGRATE)
    before = sum(host.requests.values())
    hands.mark(MIGRATE)
    assert sum(host.requests.values()) == before + 1


def test_cut_after_it_was_taken_it_is_found_running_and_was_sent_once(
    pool: Migrating, host: PretendHost, hands: XapiHands
) -> None:
    mark = hands.mark(MIGRATE)
    host.faults.append((CALL, CUT_AFTER))
    with pytest.raises(OutcomeUnknown):
        hands.send(MIGRATE, {})
    sighting = hands.look(MIGRATE, mark)
    assert (sighting.taken, sighting.task_uuid) == (Taken.RUNNING, "t1-uuid")
    pool.finish()
    assert hands.look(MIGRATE, mark).taken is Taken.DONE
    assert host.requests[CALL] == 1
    assert pool.logins == 1, "one broken connection is no reason to log in again"


def test_cut_before_it_was_taken_it_is_found_not_taken(host: PretendHost, hands: XapiHands) -> None:
    mark = hands.mark(MIGRATE)
    host.faults.append((CALL, CUT_BEFORE))
    with pytest.raises(OutcomeUnknown):
        hands.send(MIGRATE, {})
    sighting = hands.look(MIGRATE, mark)
    assert sighting.taken is Taken.NOT_TAKEN
    assert host.requests[CALL] == 1


def test_a_host_that_never_answers_the_call_leaves_it_unknown(host: PretendHost, hands: XapiHands) -> None:
    hands.mark(MIGRATE)
    host.faults.append((CALL, SILENT))
    with pytest.raises(OutcomeUnknown, match="did not answer within"):
        hands.send(MIGRATE, {})


def test_a_task_that_cannot_be_read_after_the_call_is_unknown_not_failed(
    pool: Migrating, host: PretendHost, hands: XapiHands
) -> None:
    mark = hands.mark(MIGRATE)

    def lost(method: str, arguments: list[Any]) -> Any:
        raise Failure("HANDLE_INVALID", "task", arguments[0])

    pool.extra["task.get_uuid"] = lost
    with pytest.raises(OutcomeUnknown, match="took the call"):
        hands.send(MIGRATE, {})
    assert hands.look(MIGRATE, mark).task_uuid == "t1-uuid"


def test_after_a_restart_of_the_bot_the_task_is_found_by_its_uuid(
    host: PretendHost, hands: XapiHands, pools_with: PoolsWith
) -> None:
    task_uuid = hands.send(MIGRATE, {})
    view = pools_with(plain(host)).hands("lab").task(task_uuid)
    assert view is not None
    assert view.status is TaskStatus.PENDING


def test_a_task_that_nobody_knows_is_none(hands: XapiHands) -> None:
    assert hands.task("no-such-task") is None
    with pytest.raises(ToolstackRefusal):
        hands.cancel("no-such-task")
    hands.forget("no-such-task")


def test_a_task_is_cancelled(hands: XapiHands) -> None:
    task_uuid = hands.send(MIGRATE, {})
    hands.cancel(task_uuid)
    view = hands.task(task_uuid)
    assert view is not None
    assert view.status is TaskStatus.CANCELLED


def test_a_cancel_whose_answer_is_lost_can_be_asked_again(host: PretendHost, hands: XapiHands) -> None:
    task_uuid = hands.send(MIGRATE, {})
    host.faults.append(("task.cancel", CUT_AFTER))
    with pytest.raises(Unavailable, match="may not have heard"):
        hands.cancel(task_uuid)


def test_a_running_task_is_not_forgotten(pool: Migrating, hands: XapiHands) -> None:
    hands.forget(hands.send(MIGRATE, {}))
    assert "OpaqueRef:t1" in pool.records["task"]


LOST = ["CANNOT_CONTACT_HOST", "OpaqueRef:h1"]


def ended(pool: Migrating, **fields: Any) -> None:
    pool.put("VM", "OpaqueRef:v1", current_operations={})
    pool.put("task", "OpaqueRef:t1", **fields)


@pytest.mark.parametrize(
    ("name", "error", "lost"),
    [
        (CALL, LOST, True),
        (CALL, ["CANNOT_CONTACT_HOST", "10.0.0.9"], False),
        (CALL, ["CANNOT_CONTACT_HOST"], False),
        (CALL, ["HOST_OFFLINE", "OpaqueRef:h1"], False),
        ("Async.pool.enable_ha", LOST, False),
        ("Async.pool.eject", LOST, True),
        ("Async.pool.designate_new_master", LOST, True),
        ("Async.pool.designate_new_master", ["INTERNAL_ERROR", "Unix.Unix_error(Unix.ECONNREFUSED)"], False),
        (CALL, ["INTERNAL_ERROR", "xenopsd internal error: End_of_file"], False),
    ],
    ids=[
        "passed on",
        "the other pool",
        "nobody",
        "not asked",
        "the coordinator itself",
        "leaving",
        "leading",
        "peers",
        "inside",
    ],
)
def test_a_failure_over_a_host_that_was_lost_proves_nothing(
    pool: Migrating, hands: XapiHands, name: str, error: list[str], lost: bool
) -> None:
    task_uuid = hands.send(MIGRATE, {})
    ended(pool, status="failure", name_label=name, error_info=error)
    view = hands.task(task_uuid)
    assert view is not None
    assert (view.status, view.lost) == (TaskStatus.FAILURE, lost)


def test_what_a_lost_host_has_done_is_seen_by_its_effect_alone(pool: Migrating, hands: XapiHands) -> None:
    mark = hands.mark(MIGRATE)
    task_uuid = hands.send(MIGRATE, {})
    ended(pool, status="failure", error_info=LOST)
    sighting = hands.look(MIGRATE, mark, ended=task_uuid)
    assert (sighting.taken, sighting.evidence) == (Taken.UNKNOWN, "web-1: resident on is xs1, not xs2")
    pool.put("VM", "OpaqueRef:v1", resident_on="OpaqueRef:h2")
    assert hands.look(MIGRATE, mark, ended=task_uuid).taken is Taken.DONE


@pytest.mark.parametrize(("started", "lost"), [("1700000200.", True), ("1700000000.", False)])
def test_a_task_that_a_restarted_toolstack_has_cancelled_proves_nothing(
    pool: Migrating, hands: XapiHands, started: str, lost: bool
) -> None:
    task_uuid = hands.send(MIGRATE, {})
    pool.put("host", "OpaqueRef:h1", other_config={"agent_start_time": started})
    ended(pool, status="cancelled", resident_on="OpaqueRef:h1", created="20231114T22:15:00Z")  # 1700000100
    view = hands.task(task_uuid)
    assert view is not None
    assert view.lost is lost


def test_a_synchronous_call_that_was_passed_on_to_a_lost_host_is_unknown(pool: Migrating, hands: XapiHands) -> None:
    def lost(method: str, arguments: list[Any]) -> Any:
        raise Failure(*LOST)

    pool.extra["VM.pool_migrate"] = pool.extra[CALL] = lost
    with pytest.raises(OutcomeUnknown, match="lost the connection to xs1"):
        hands.send(dataclasses.replace(MIGRATE, asynchronous=False), {})
    with pytest.raises(ToolstackRefusal):
        hands.send(dataclasses.replace(MIGRATE, asynchronous=False, prepares=True), {})
    with pytest.raises(ToolstackRefusal):  # at the door nothing has begun
        hands.send(MIGRATE, {})


def test_a_refusal_is_told_with_names(pool: Migrating, hands: XapiHands) -> None:
    def refuse(method: str, arguments: list[Any]) -> Any:
        raise Failure("HOST_DISABLED", arguments[1])

    pool.extra[CALL] = refuse
    with pytest.raises(ToolstackRefusal, match="xs2 is disabled"):
        hands.send(MIGRATE, {})


def test_a_step_for_another_pool_is_not_sent(host: PretendHost, hands: XapiHands) -> None:
    with pytest.raises(Refused, match="another pool now"):
        hands.send(dataclasses.replace(MIGRATE, target=PoolTarget("another-uuid")), {})
    with pytest.raises(ValueError, match="coordinator"):
        hands.send(dataclasses.replace(MIGRATE, target=BotTarget()), {})
    assert host.requests[CALL] == 0


def test_an_object_that_is_gone_is_not_sent(host: PretendHost, hands: XapiHands) -> None:
    gone = dataclasses.replace(MIGRATE, arguments=(Object(ObjectId("VM", "gone-uuid", "web-9")),))
    with pytest.raises(ToolstackRefusal, match="web-9"):
        hands.send(gone, {})
    assert host.requests[CALL] == 0


def test_results_and_secrets_are_filled_in_at_the_call(pool: Migrating, hands: XapiHands) -> None:
    step = dataclasses.replace(MIGRATE, arguments=(ResultOf(0), Secret("chap"), Object(XS2)))

    def take(method: str, arguments: list[Any]) -> str:
        pool.seen.append(arguments)
        return "OpaqueRef:none"

    pool.extra[CALL] = take
    with pytest.raises(ValueError, match="step 0"):
        hands.send(step, {})
    with pytest.raises(OutcomeUnknown):
        hands.send(step, {0: "OpaqueRef:v1"})
    assert pool.seen == [["OpaqueRef:v1", "s3cret", "OpaqueRef:h2"]]


def test_a_refusal_that_quotes_a_secret_is_told_without_it(pool: Migrating, hands: XapiHands) -> None:
    def refuse(method: str, arguments: list[Any]) -> str:
        raise Failure("SR_BACKEND_FAILURE_1", "", f"iscsiadm -v {arguments[0]} failed", "OpaqueRef:v1")

    pool.extra[CALL] = refuse
    with pytest.raises(ToolstackRefusal) as refused:
        hands.send(dataclasses.replace(MIGRATE, arguments=(Secret("chap"),)), {})
    told = " ".join((refused.value.message, refused.value.remedy, *refused.value.params))
    assert "s3cret" not in told
    assert "iscsiadm -v [withheld] failed" in told


def test_a_map_that_a_call_answered_goes_into_another_as_a_map(pool: Migrating, hands: XapiHands) -> None:
    pool.extra["host.migrate_receive"] = lambda method, arguments: {"SM": "http://…", "session_id": "OpaqueRef:s"}
    first = dataclasses.replace(MIGRATE, call="host.migrate_receive", asynchronous=False)
    step = dataclasses.replace(MIGRATE, arguments=(MapOf(0), ObjectMap(((XS2, XS2),))))

    def take(method: str, arguments: list[Any]) -> str:
        pool.seen.append(arguments)
        return "OpaqueRef:none"

    pool.extra[CALL] = take
    with pytest.raises(OutcomeUnknown):
        hands.send(step, {0: hands.send(first, {})})
    assert pool.seen == [[{"SM": "http://…", "session_id": "OpaqueRef:s"}, {"OpaqueRef:h2": "OpaqueRef:h2"}]]


def test_a_connection_is_found_when_the_call_is_made(pool: Migrating, hands: XapiHands) -> None:
    storage = ObjectId("SR", "s1", "NFS")
    step = dataclasses.replace(MIGRATE, call="PBD.plug", arguments=(Connection(XS2, storage),), asynchronous=False)
    with pytest.raises(Refused) as caught:
        hands.send(step, {})
    assert "xs2 has no connection (PBD) to NFS" in caught.value.message
    assert f"sr-uuid=s1 host-uuid={XS2.uuid}" in caught.value.remedy
    pool.put("SR", "OpaqueRef:s1", uuid="s1", name_label="NFS")
    for number in (1, 2):
        pool.put("PBD", f"OpaqueRef:p{number}", uuid=f"p{number}", host=f"OpaqueRef:h{number}", SR="OpaqueRef:s1")

    def plug(method: str, arguments: list[Any]) -> str:
        pool.seen.append(arguments)
        return ""

    pool.extra["PBD.plug"] = plug
    hands.send(step, {})
    assert pool.seen == [["OpaqueRef:p2"]]


def test_a_synchronous_call_gives_its_result(pool: Migrating, hands: XapiHands) -> None:
    pool.extra["VM.set_tags"] = lambda method, arguments: ["a", "b"]
    step = dataclasses.replace(MIGRATE, call="VM.set_tags", asynchronous=False)
    assert hands.send(step, {}) == '["a", "b"]'


@pytest.mark.parametrize(
    ("field", "value", "equals", "is_so"),
    [
        ("memory", "4294967296", Value(4294967296), True),
        ("memory", "4294967296", Value(1), False),
        ("flag", True, Value(True), True),
        ("flag", False, Value(True), False),
        ("ratio", 0.5, Value(0.5), True),
        ("tags", ["b", "a"], Value(("a", "b")), True),
        ("tags", ["a"], Value(("a", "b")), False),
        ("other_config", {"k": "v"}, Value({"k": "v"}), True),
        ("affinity", "", Value(None), True),
        ("affinity", "OpaqueRef:NULL", Value(None), True),
        ("affinity", "OpaqueRef:h1", Value(None), False),
        ("name_label", "", Value(""), True),
        ("missing", None, Value(""), False),
    ],
)
def test_fields_are_compared_as_xenapi_means_them(
    field: str, value: Any, equals: Value, is_so: bool, pool: Migrating, hands: XapiHands
) -> None:
    if value is not None:
        pool.put("VM", "OpaqueRef:v1", **{field: value})
    assert hands.holds(Expect(object=VM1, field=field, equals=equals), {})[0] is is_so


@pytest.mark.parametrize(
    ("value", "equals", "differs", "is_so"),
    [
        ({"auto": "on"}, "on", False, True),
        ({"auto": "on"}, "off", False, False),
        ({"auto": "on"}, "on", True, False),
        ({"auto": "on"}, "off", True, True),
        ({}, "", False, True),
        ({}, "on", True, True),
        ("auto", "", False, False),
        ("auto", "on", True, False),
        (None, "", False, False),
        (None, "on", True, False),
    ],
)
def test_one_key_of_a_map_is_compared_and_what_has_no_keys_proves_nothing(
    value: Any, equals: str, differs: bool, is_so: bool, pool: Migrating, hands: XapiHands
) -> None:
    if value is not None:
        pool.put("VM", "OpaqueRef:v1", settings=value)
    expect = Expect(object=VM1, field="settings", key="auto", equals=Value(equals), differs=differs)
    assert hands.holds(expect, {})[0] is is_so


def test_an_expectation_of_an_object_that_is_gone_does_not_hold(hands: XapiHands) -> None:
    gone = Expect(object=ObjectId("VM", "gone-uuid", "web-9"), field="power_state", equals=Value("Running"))
    is_so, words = hands.holds(gone, {})
    assert not is_so
    assert "web-9" in words


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("", ""),
        ("<value></value>", ""),
        ("<value>OpaqueRef:x</value>", "OpaqueRef:x"),
        ("OpaqueRef:x", "OpaqueRef:x"),
        ("<value>5</value>", "5"),
        ("<value><boolean>0</boolean></value>", "false"),
        ("<value>&lt;SRlist&gt;&lt;/SRlist&gt;</value>", "<SRlist></SRlist>"),
        ("<value><array><data><value>a</value></data></array></value>", '["a"]'),
        ("<value>broken", "<value>broken"),
    ],
)
def test_results_of_tasks(result: str, text: str) -> None:
    assert result_text(result) == text
