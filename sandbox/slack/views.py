"""Modals and App Homes: each person's stack of at most three, hashes, and who wrote what into the fields."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from sandbox.slack.clock import Clock
from sandbox.slack.errors import ApiError
from sandbox.slack.settings import Settings

JSON = dict[str, Any]
STACK_LIMIT = 3  # Slack docs: modals, "a view stack … up to three views"


@dataclass
class View:
    """One modal or Home, as `body` defines it (validated, completed), and its state for the person it is shown to."""

    id: str
    person: str
    body: JSON
    hash: str
    root_id: str
    previous_id: str | None = None
    state: dict[str, dict[str, JSON]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    trouble: str | None = None

    @property
    def type(self) -> str:
        return str(self.body["type"])

    def api(self, settings: Settings) -> JSON:
        """The view object of answers and payloads."""
        body = {key: self.body.get(key) for key in ("type", "blocks", "title", "close", "submit")}
        if self.type == "home":
            body |= {"title": {"type": "plain_text", "text": "View Title", "emoji": True}}
        return {
            "id": self.id,
            "team_id": settings.team_id,
            **body,
            "private_metadata": self.body.get("private_metadata", ""),
            "callback_id": self.body.get("callback_id", ""),
            "external_id": self.body.get("external_id", ""),
            "state": {"values": self.state},
            "hash": self.hash,
            "clear_on_close": bool(self.body.get("clear_on_close")),
            "notify_on_close": bool(self.body.get("notify_on_close")),
            "root_view_id": self.root_id,
            "previous_view_id": self.previous_id,
            "app_id": settings.app_id,
            "app_installed_team_id": settings.team_id,
            "bot_id": settings.bot_id,
        }


class Views:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}

    def stack(self, person: str) -> list[View]:
        """The open modals of a person, the one on top last."""
        return self._stacks.setdefault(person, [])

    def find(self, view_id: str | None, external_id: str | None = None) -> View | None:
        """An open modal or a published Home by either of its ids."""
        everything = [view for stack in self._stacks.values() for view in stack] + list(self.homes.values())
        for view in everything:
            if view_id is not None and view.id == view_id:
                return view
            if external_id and view.body.get("external_id") == external_id:
                return view
        return None

    def open(self, person: str, body: JSON) -> View:
        """A new stack with this view alone; what was open before is closed without a word to the app."""
        self._claim_external_id(body, None)
        view = self._new(person, body)
        self._stacks[person] = [view]
        return view

    def push(self, person: str, body: JSON) -> View:
        """Raises: push_limit_reached (three are open), not_found (none is)."""
        stack = self.stack(person)
        if not stack:
            raise ApiError("not_found")
        if len(stack) >= STACK_LIMIT:
            raise ApiError("push_limit_reached")
        self._claim_external_id(body, None)
        view = self._new(person, body)
        view.root_id, view.previous_id = stack[0].id, stack[-1].id
        stack.append(view)
        return view

    def update(self, view: View, body: JSON, expected_hash: str | None = None) -> None:
        """Replace what is shown; typed values stay where block_id and action_id stay. Raises hash_conflict."""
        if expected_hash and expected_hash != view.hash:
            raise ApiError("hash_conflict")
        self._claim_external_id(body, view)
        kept = {
            block["block_id"]: view.state[block["block_id"]]
            for block in body["blocks"]
            if block["block_id"] in view.state
        }
        view.body, view.hash, view.errors, view.trouble = body, self._new_hash(), {}, None
        view.state = kept

    def publish(self, person: str, body: JSON, expected_hash: str | None) -> View:
        """Raises hash_conflict."""
        view = self.homes.get(person)
        if view is None:
            self._claim_external_id(body, None)
            view = self.homes[person] = self._new(person, body)
        else:
            self.update(view, body, expected_hash)
        return view

    def close(self, view: View, *, everything: bool = False) -> list[View]:
        """Take the view (or its whole stack) away; the closed ones, top first."""
        stack = self.stack(view.person)
        closed = list(reversed(stack)) if everything else [view]
        for one in closed:
            stack.remove(one)
        return closed

    def forget(self, person: str) -> None:
        """Everything that was open for somebody whose account is gone."""
        self._stacks.pop(person, None)
        self.homes.pop(person, None)

    def _claim_external_id(self, body: JSON, owner: View | None) -> None:
        """external_id is unique in the team (Slack docs: views.open, duplicate_external_id)."""
        name = body.get("external_id")
        if name and self.find(None, name) not in (None, owner):
            raise ApiError("duplicate_external_id")

    def _new_hash(self) -> str:
        return f"{int(self._clock.now())}.{secrets.token_hex(4)}"

    def _new(self, person: str, body: JSON) -> View:
        name = "V0" + secrets.token_hex(5).upper()
        return View(name, person, body, self._new_hash(), root_id=name)
