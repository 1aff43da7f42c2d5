"""The coordinator dies: from the slash command to a pool that works again, with every approver's own confirmation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.model import State
from tests.commands.world import Impatient
from tests.e2e.conftest import Town, text_of, town
from tests.e2e.people import approved_by_two, approved_typing
from tests.waiting import eventually


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path, "tutorial", speed=200.0, clock=Impatient()) as found:
        yield found


def typed(place: Town, request_id: str, who: str, text: str) -> str:
    return approved_typing(place, request_id, who, text, window="if you know that it is so")


def test_a_pool_is_recovered_backed_up_and_cleared_of_its_dead_host(place: Town) -> None:
    assert "lab" in place.say("pool status")
    backup = place.ask("pool backup")
    place.press("Approve", backup)
    assert place.ended(backup, 60.0).state is State.SUCCEEDED
    assert "1 copy" in place.say("pool backups")

    there = {vm for vm in ("web-1", "mail-1", "crm-1", "db-1") if place.host_of(vm) == "xs1"}
    place.lab.kill("xs1")
    assert "cannot be reached" in place.say("pool status")
    eventually(lambda: "was opened" in place.say("pool recover"), "that xs2 notices", 60.0)
    assert place.bot is not None
    waiting = place.bot.store.open_requests()
    request_id = next(each.id for each in waiting if each.plan.command == "pool recover")
    eventually(lambda: place.card(request_id), "its card")
    assert "type exactly: xs1 is off" in typed(place, request_id, "ana", "xs1")
    assert "still needs 1 more" in typed(place, request_id, "ana", "xs1 is off")
    typed(place, request_id, "ben", "xs1 is off")
    ended = place.ended(request_id, 120.0)
    assert ended.state is State.SUCCEEDED, ended.result
    card = place.card(request_id)
    assert card is not None
    assert "xs2 is the coordinator" in str(ended.result)
    assert "must stay off" in text_of(card) or "must stay off" in ended.plan.go_back
    api = place.xenapi("xs2")
    (pool,) = api.pool.get_all_records().values()
    assert api.host.get_name_label(pool["master"]) == "xs2"

    dead = approved_by_two(place, "host dead xs1", "xs1 is off")
    assert place.ended(dead, 120.0).state is State.SUCCEEDED
    for vm in there:
        (ref,) = api.VM.get_by_name_label(vm)
        assert api.VM.get_power_state(ref) == "Halted"
    gone = approved_by_two(place, "host forget xs1", "xs1 is off")
    assert place.ended(gone, 120.0).state is State.SUCCEEDED
    assert [row["name_label"] for row in place.xenapi("xs2").host.get_all_records().values()] == ["xs2"]
    assert "xs1" not in place.say("host list")
