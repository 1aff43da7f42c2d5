"""Changes of several calls, one of which the toolstack refuses, or loses the connection of: what was done before is
taken back, nothing is sent twice, and what is said of it is true, as another client sees the pool.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import XenAPI

from bot.model import Request, State
from sandbox.xapi.failure import Failure, HostDown
from tests.e2e.conftest import Town, town
from tests.e2e.people import approved_typing

CLASSES = ("pool", "host", "VM", "VBD", "VIF", "VDI", "SR", "PBD", "PIF", "network")
PASSING = {
    "allowed_operations",
    "current_operations",
    "last_booted_record",
    "memory_free_computed",
    "snapshot_info",
    "API_version_vendor_implementation",
}
"""Fields that change by themselves, or with what goes on."""
WITHOUT_APPROVAL = "approvals = { routine = 0, disruptive = 0, destructive = 0 }\n"


def changes(text: str) -> str:
    """Nobody has to approve anything: this is about what is done, not about whether."""
    return text.replace('readers = ["everyone"]\n', f'readers = ["everyone"]\n{WITHOUT_APPROVAL}')


def leader(place: Town, host: str) -> Any:
    """A session with the host that leads the pool that this one is in."""
    for name in (host, *place.lab.hosts):
        try:
            return place.xenapi(name)
        except XenAPI.Failure as failure:
            assert failure.details[0] == "HOST_IS_SLAVE"
    pytest.fail("nobody leads")


def seen(place: Town, host: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Everything that the pool holds to be so, by class and uuid."""
    api = leader(place, host)
    return {
        (cls, row["uuid"]): {key: value for key, value in row.items() if key not in PASSING}
        for cls in CLASSES
        for row in getattr(api, cls).get_all_records().values()
    }


def differences(before: dict[Any, dict[str, Any]], after: dict[Any, dict[str, Any]]) -> list[str]:
    return [
        f"{cls} {before.get(key, after.get(key, {})).get('name_label', uuid)} {field}: {was} -> {now}"
        for key in sorted(before.keys() | after.keys())
        for cls, uuid in [key]
        for field in sorted(before.get(key, {}).keys() | after.get(key, {}).keys())
        for was, now in [(before.get(key, {}).get(field), after.get(key, {}).get(field))]
        if was != now
    ]


def has_effect(method: str) -> bool:
    cls, _, message = method.removeprefix("Async.").partition(".")
    looks = message.startswith(("get_", "assert_", "compute_", "ha_compute_", "ha_failover_plan_exists_for"))
    return cls not in ("session", "event", "task", "system") and not looks


@contextmanager
def meddling(place: Town, nth: int, meddle: Callable[[str, str], None]) -> Iterator[list[str]]:
    """Something befalls one call with effect, the nth from now on, before it is taken: `meddle` is told its host and
    its method. Yields the methods of all that are sent.
    """
    estate = place.lab.estate
    take, met = estate.call, list[str]()

    def call(host: str, method: str, params: list[Any], **more: Any) -> Any:
        if has_effect(method):
            met.append(method)
            if len(met) == nth + 1:
                meddle(host, method)
        return take(host, method, params, **more)

    vars(estate).update(call=call)
    try:
        yield met
    finally:
        del vars(estate)["call"]


def refuse(_host: str, _method: str) -> None:
    raise Failure("INTERNAL_ERROR", "a disk of the toolstack's own is full")


def run(place: Town, text: str) -> Request:
    answer = place.say(text)
    assert "was opened" in answer, answer
    request_id = answer.split()[0]
    assert place.bot
    request = place.bot.store.request(request_id)
    if request and request.requirement.approvals:
        approved_typing(place, request_id, "ana", request.requirement.type_name)  # whatever the policy says
    return place.ended(request_id)


EMPTY = ("vm eject files-1", "vm shutdown legacy-1 force")
"""What lets xs2 of the tutorial's pool be emptied."""
AWAY = ("ha tolerate 0", "host maintenance xs33 on")
CASES: list[tuple[str, str, tuple[str, ...], str, tuple[int, ...]]] = [
    ("tutorial", "xs1", (), "ha protect web-2 restart order 3 delay 5", (0, 1, 2)),
    ("tutorial", "xs1", ("ha protect web-2 restart",), "ha enable tolerate 1", (0, 1)),
    ("tutorial", "xs1", EMPTY, "host maintenance xs2 on", (0, 1, 2, 4)),
    ("tutorial", "xs1", (*EMPTY, "host maintenance xs2 on"), "host maintenance xs2 off", (0, 2)),
    ("tutorial", "xs1", EMPTY, "host reboot xs2", (2, 8)),
    ("tutorial", "xs1", (), "vm migrate build-1 to xs2 storage NFS storage", (0, 1)),
    ("healthy", "xs31", (), "host maintenance xs33 on", (0, 1, 2, 3, 4, 6)),
    ("healthy", "xs31", AWAY, "host remove xs33", (0, 1, 2)),
    ("healthy", "xs31", (), "pool shutdown", (0, 1, 12)),
    ("healthy", "xs31", (), "host reboot xs31 handover", (0, 1, 2)),
    ("current", "xs21", (), "host ntp xs22 servers 10.0.0.7", (0, 1)),
    ("tutorial-start", "xs1", (), "host add xs2 to xs1", (0,)),
    ("tutorial-start", "xs3", (), "host mask-cpu xs3 like xs1", (0, 1, 2)),
]
"""A lab, its coordinator, what is done first, what is asked for, and which of its calls are refused, each in turn."""


@pytest.mark.parametrize(("lab", "coordinator", "first", "text", "calls"), CASES, ids=[case[3] for case in CASES])
def test_what_was_done_before_a_refusal_is_taken_back_or_said(
    tmp_path: Path, lab: str, coordinator: str, first: tuple[str, ...], text: str, calls: tuple[int, ...]
) -> None:
    left = list(calls)
    while left:
        folder = tmp_path / str(left[0])
        folder.mkdir()
        with town(folder, lab, speed=500.0, change=changes) as place:
            for each in first:
                assert run(place, each).state is State.SUCCEEDED
            before = seen(place, coordinator)
            as_before = True
            while left and as_before:
                refused = left.pop(0)
                with meddling(place, refused, refuse) as met:
                    request = run(place, text)
                assert len(met) > refused, f"there were only {met}"
                assert (request.state, request.result is not None) == (State.FAILED, True)
                assert request.result
                assert "a disk of the toolstack's own is full" in request.result.summary
                stays = [line for line in request.result.lines if line.startswith("stays done: ")]
                different = differences(before, seen(place, coordinator))
                assert bool(stays) == bool(different), (stays, different)
                as_before = not different


LOST: list[tuple[str, str, tuple[str, ...], str, int]] = [
    ("tutorial", "xs1", ("ha protect web-2 restart",), "ha enable tolerate 1", 1),
    ("tutorial", "xs1", EMPTY, "host maintenance xs2 on", 1),
    ("tutorial", "xs1", EMPTY, "host maintenance xs2 on", 4),
    ("tutorial", "xs1", EMPTY, "host reboot xs2", 8),
    ("tutorial", "xs1", (), "vm migrate build-1 to xs2 storage NFS storage", 1),
    ("healthy", "xs31", AWAY, "host remove xs33", 1),
    ("healthy", "xs31", (), "host reboot xs31 handover", 1),
    ("tutorial-start", "xs1", (), "host add xs2 to xs1", 0),
]
"""As above; and the one call whose connection breaks."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("lab", "host", "first", "text", "nth"), LOST, ids=[f"{case[3]} {case[4]}" for case in LOST])
def test_a_call_whose_connection_broke_is_sent_once_and_what_is_said_of_it_is_true(
    tmp_path: Path, lab: str, host: str, first: tuple[str, ...], text: str, nth: int, when: str
) -> None:
    with town(tmp_path, lab, speed=500.0, change=changes) as place:
        for each in first:
            assert run(place, each).state is State.SUCCEEDED
        before = seen(place, host)

        def lose(host: str, method: str) -> None:
            if when == "before":
                raise HostDown(host)
            place.lab.drop(host, "after", 1, method)

        with meddling(place, nth, lose) as met:
            request = run(place, text)
        steps = request.plan.steps
        planned = Counter(step.call for step in steps if not step.waits)
        undoing = Counter(undo.call for step in steps for undo in step.undo)
        sent = Counter(method.removeprefix("Async.") for method in met)
        assert request.result
        told = "\n".join((request.result.summary, *request.result.lines))
        if when == "after":
            assert (request.state, sent) == (State.SUCCEEDED, planned), told
            assert "the connection broke during the call" in told
            return
        assert sent <= planned + undoing
        if not met[nth].startswith("Async."):
            # It leaves no task to look for, so the toolstack may still be at it: nobody can tell.
            assert request.state is State.UNKNOWN, told
            return
        assert request.state is State.FAILED, told
        assert "never reached the pool" in told
        assert bool(differences(before, seen(place, host))) == ("stays done: " in told), told
