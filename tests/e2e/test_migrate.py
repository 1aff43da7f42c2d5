"""A migration from the slash command to the verified result."""

from __future__ import annotations

from bot.model import State
from tests.e2e.conftest import Town, text_of
from tests.waiting import eventually


def test_it_needs_a_second_person_and_is_verified(lab_town: Town) -> None:
    before = lab_town.host_of("web-1")
    request_id = lab_town.ask("vm migrate web-1")
    assert "yourself" in lab_town.press("Approve", request_id, who="olga")
    assert "not an approver" in lab_town.press("Approve", request_id, who="sam")
    assert lab_town.host_of("web-1") == before
    assert lab_town.lab.calls().get("Async.VM.pool_migrate", 0) == 0
    assert "approved" in lab_town.press("Approve", request_id, who="ana")
    request = lab_town.ended(request_id)
    assert request.state is State.SUCCEEDED
    assert lab_town.host_of("web-1") != before
    assert lab_town.lab.calls()["Async.VM.pool_migrate"] == 1
    eventually(
        lambda: "Done in" in text_of(lab_town.card(request_id) or {"blocks": [], "text": ""}), "the card's last words"
    )
    (card,) = lab_town.cards(request_id)
    assert "[ Approve ]" not in text_of(card)


def test_a_change_between_approval_and_execution_makes_it_stale(lab_town: Town) -> None:
    request_id = lab_town.ask("vm migrate web-1 to xs2")
    api = lab_town.xenapi()
    (vm,), (target,) = api.VM.get_by_name_label("web-1"), api.host.get_by_name_label("xs2")
    api.VM.pool_migrate(vm, target, {"live": "true"})
    taken = lab_town.lab.calls().get("Async.VM.pool_migrate", 0)
    lab_town.press("Approve", request_id)
    assert lab_town.ended(request_id).state is State.STALE
    assert lab_town.lab.calls().get("Async.VM.pool_migrate", 0) == taken


def test_a_rejection_ends_it(lab_town: Town) -> None:
    request_id = lab_town.ask("vm migrate web-1 to xs2")
    assert lab_town.bot is not None
    card = lab_town.card(request_id)
    assert card is not None
    lab_town.workspace.press("ben", channel="#infra", ts=card["ts"], text="Reject")
    view = eventually(lambda: lab_town.workspace.views("ben")["views"], "the question for the reason")[-1]
    block = next(each for each in view["view"]["blocks"] if each["type"] == "input")
    values = {block["block_id"]: {block["element"]["action_id"]: {"type": "plain_text_input", "value": "not today"}}}
    lab_town.workspace.submit("ben", view["id"], values)
    request = lab_town.ended(request_id)
    assert request.state is State.REJECTED
    assert request.result is not None
    assert "not today" in request.result.summary
    assert lab_town.host_of("web-1") == "xs1"


def test_asking_the_same_again_finds_the_open_request(lab_town: Town) -> None:
    request_id = lab_town.ask("vm migrate web-1 to xs2")
    again = lab_town.say("migrate vm web-1 to xs2", who="ana")
    assert request_id in again
    assert lab_town.bot is not None
    assert len(lab_town.bot.store.open_requests()) == 1


def test_blockers_are_all_told_and_nothing_is_opened(lab_town: Town) -> None:
    # build-1's disk is on xs1's local storage.
    answer = lab_town.say("vm migrate build-1 to xs2")
    assert "not possible" in answer
    assert "not plugged there" in answer
    assert lab_town.bot is not None
    assert lab_town.bot.store.open_requests() == ()
