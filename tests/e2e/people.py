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
        approved_typing(place, request_id, who, name)
    return request_id


def approved_typing(place: Town, request_id: str, who: str, text: str, *, window: str = "") -> str:
    """An approval for which something has to be typed, in a window that says `window`; what is answered."""
    card = eventually(lambda: place.card(request_id), "the card")
    assert card
    before = {view["id"] for view in place.workspace.views(who)["views"]}
    place.workspace.press(who, channel="#infra", ts=card["ts"], text="Approve")

    def opened() -> list[dict[str, Any]]:
        return [view for view in place.workspace.views(who)["views"] if view["id"] not in before]

    (view,) = eventually(opened, "the window to type in")
    assert window in str(view)
    seen = {message["ts"] for message in place.workspace.messages("#infra", who)}
    place.workspace.submit(who, view["id"], {"typed": {"input": text}})
    return place.heard(seen, who)


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
