"""What people do in Slack, in more than one press, and what they see of it."""

from __future__ import annotations

from typing import Any

from bot.model import Request, State
from sandbox.slack.running import RunningWorkspace
from tests.e2e.conftest import Town
from tests.waiting import eventually

PEOPLE = ("olga", "ana", "ben", "sam")


def done(place: Town, text: str, seconds: float = 180.0, channel: str = "#infra") -> str:
    """Asked by one person, approved by another, and carried out; the request's id."""
    request_id = place.ask(text, channel=channel)
    place.press("Approve", request_id, channel=channel)
    request = place.ended(request_id, seconds)
    assert request.state is State.SUCCEEDED, request.result
    return request_id


def approved_by_two(place: Town, text: str, name: str) -> str:
    """Something destructive: two people type the name of what it is about."""
    request_id = place.ask(text)
    for who in ("ana", "ben"):
        card = place.card(request_id)
        assert card
        seen = {message["ts"] for message in place.workspace.messages("#infra", who)}
        place.workspace.press(who, channel="#infra", ts=card["ts"], text="Approve")
        view = eventually(lambda who=who: place.workspace.views(who)["views"], "the window")[-1]  # type: ignore[misc]  # a lambda with a default
        place.workspace.submit(who, view["id"], {"typed": {"input": name}})
        place.heard(seen, who)
    return request_id


def note(place: Town, request: Request) -> dict[str, Any]:
    """The last note in the card's thread."""
    card = place.card(request.id)
    assert card

    def found() -> dict[str, Any] | None:
        thread = [m for m in place.workspace.messages("#infra", "olga", card["ts"]) if m["ts"] != card["ts"]]
        return thread[-1] if thread else None

    last = eventually(found, "the note")
    assert last is not None
    return last


def filled_form(workspace: RunningWorkspace) -> str:
    """The id of the form on olga's screen, once there is something to fill in; "" before."""
    for shown in workspace.views("olga")["views"]:
        if any(block["type"] == "input" for block in shown["view"]["blocks"]):
            return str(shown["id"])
    return ""


def private_answers(place: Town) -> int:
    """How many private answers people have got."""
    return sum(
        message["user"] == "U0XENIA" and bool(message.get("ephemeral"))
        for who in PEOPLE
        for message in place.workspace.messages("#infra", who)
    )
