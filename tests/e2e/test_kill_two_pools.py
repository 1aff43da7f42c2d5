"""The bot is killed (SIGKILL) on the way of a VM to another pool, between the two calls above all, and started again.

Afterwards, at each point: what the bot says is so in both pools, the VM is in one of them, nothing waits for somebody
to settle it that need not, and what let the sender in is nowhere in the bot's files.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from bot.model import State
from tests.e2e.conftest import town
from tests.e2e.south import MOVE, RECEIVE, SEND, where
from tests.e2e.victims import Case, Victims

HERE, THERE = {"n1": "n1"}, {"s1": "s1"}
POINTS = {
    # nothing is known of the first call's answer, or it was given to a process that is gone
    "store.intend after 1": (State.FAILED, 0, 0, HERE),
    "hands.send after 1": (State.FAILED, 1, 0, HERE),
    "store.note_call after 1": (State.FAILED, 1, 0, HERE),
    "store.intend after 2": (State.FAILED, 1, 0, HERE),
    # it is on its way
    "hands.send after 2": (State.SUCCEEDED, 1, 1, THERE),
    "store.note_call after 2": (State.SUCCEEDED, 1, 1, THERE),
    # it has arrived, and that is not written down yet
    "store.note_call before 3": (State.SUCCEEDED, 1, 1, THERE),
}
"""At each point: the end, how often either call was taken, and where the VM is."""


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.parametrize("point", POINTS)
def test_killed_on_the_way_to_another_pool(point: str, tmp_path: Path, victims: Victims) -> None:
    state, received, sent, home = POINTS[point]
    with town(tmp_path, "two-pools", speed=300, run=False) as place:
        made = Case(place, victims, point, MOVE)
        try:
            request = made.go()
            assert made.statuses == [-signal.SIGKILL], "it was not killed there"
            kept = b"".join(path.read_bytes() for path in tmp_path.rglob("xenia.sqlite3*") if path.is_file())
        finally:
            made.close()
        assert request.state is state, request.result
        assert request.result is not None
        assert ("nothing was changed" in request.result.lines) is (state is State.FAILED)
        assert ("safe to ask again" in request.result.remedy) is (state is State.FAILED)
        calls = place.lab.calls()
        assert (calls.get(RECEIVE, 0), calls.get(SEND, 0)) == (received, sent)
        assert where(place) == home
        assert request.id.encode() in kept
        assert b"OpaqueRef" not in kept
        assert b"session_id" not in kept
