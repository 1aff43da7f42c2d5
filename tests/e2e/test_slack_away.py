"""Slack away, overloaded, talking nonsense, or taking posts and cutting the line: nothing lost, nothing double."""

from __future__ import annotations

import pytest

from bot.answers import Ask, Opened, VoteAsk, Voted
from bot.model import Actor, Ballot, Place, State
from tests.e2e.conftest import Town, text_of
from tests.waiting import eventually

METHODS = ("chat.postMessage", "chat.update")


def carried_out_without_slack(place: Town) -> str:
    """Asked and approved at the engine, as from a terminal: a request's id, when it has ended."""
    assert place.bot is not None
    engine, ws = place.bot.engine, place.workspace
    team = ws.settings.team_id
    olga, ana = (Actor(kind="slack", id=f"{team}/{ws.people[name]}", name=name) for name in ("olga", "ana"))
    infra = Place(kind="slack", team=team, channel=ws.channels["infra"])
    engine.people.standing(olga), engine.people.standing(ana)  # known before Slack goes away
    opened = engine.answer(Ask(text="vm migrate web-1 to xs2", actor=olga, place=infra))
    assert isinstance(opened, Opened), opened
    request = engine.store.request(opened.request_id)
    assert request is not None
    vote = VoteAsk(
        request_id=request.id, ballot=Ballot.APPROVE, digest=request.digest, actor=ana, place=infra, reason=""
    )
    assert isinstance(engine.vote(vote), Voted)
    assert place.ended(request.id, 60).state is State.SUCCEEDED
    return request.id


def shown_once(place: Town, request_id: str) -> None:
    """One card with the right end, and one note below it."""
    assert place.bot is not None
    store = place.bot.store
    eventually(lambda: store.next_due() is None, "everything to be delivered", 60)
    (card,) = place.cards(request_id)
    assert "Done in" in text_of(card)
    notes = place.workspace.messages("#infra", "olga", card["ts"])[1:]
    assert len([each for each in notes if "succeeded" in text_of(each)]) == 1
    assert len(notes) == 1
    assert place.lab.calls()["Async.VM.pool_migrate"] == 1


@pytest.mark.timeout(120)
@pytest.mark.parametrize("what", ["error_500", "not_json", "drop_before", "drop_after", "rate_limit"])
def test_it_fails_for_a_while_in_one_way(lab_town: Town, what: str) -> None:
    for method in METHODS:
        lab_town.workspace.fault(what, method=method, count=2, seconds=1)
    shown_once(lab_town, carried_out_without_slack(lab_town))


@pytest.mark.timeout(120)
def test_it_is_away_through_a_whole_request_and_comes_back(lab_town: Town) -> None:
    assert lab_town.bot is not None
    ws = lab_town.workspace
    for name in ("olga", "ana"):
        actor = Actor(kind="slack", id=f"{ws.settings.team_id}/{ws.people[name]}", name=name)
        lab_town.bot.engine.people.standing(actor)
    ws.fault("drop_before", count=1000)
    request_id = carried_out_without_slack(lab_town)
    assert lab_town.cards(request_id) == []
    ws.fault("clear")
    shown_once(lab_town, request_id)


@pytest.mark.timeout(120)
def test_the_websocket_is_cut_again_and_again_while_people_press(lab_town: Town) -> None:
    lab_town.workspace.fault("disconnect")
    request_id = lab_town.ask("vm migrate web-1 to xs2")
    lab_town.workspace.fault("disconnect")
    connections = lab_town.workspace.workspace.socket_mode
    eventually(lambda: lab_town.workspace.run(lambda: bool(connections.connections)), "the new websocket")
    lab_town.press("Approve", request_id)
    lab_town.workspace.fault("disconnect")
    assert lab_town.ended(request_id).state is State.SUCCEEDED
    shown_once(lab_town, request_id)
