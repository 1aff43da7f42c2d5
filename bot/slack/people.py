"""People as Slack knows them now: who counts, and in which user groups."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from bot.errors import Unavailable
from bot.model import Actor
from bot.ports import People, Standing
from bot.slack.api import Api, Refused, SlackFailure

_FEW_SECONDS = 5.0
"""How long a failure to find out is believed: long enough not to hammer, short enough not to be noticed."""
_NOBODY = frozenset({"user_not_found", "user_not_visible"})


@dataclass(frozen=True, slots=True)
class _Remembered:
    until: float
    value: Any
    failure: str = ""


class SlackPeople(People):
    """users.info and usergroups.users.list, believed for `seconds` at most.

    :param team: the workspace whose members count.
    :param groups: ids of the user groups that the policy mentions; others are not asked about.
    """

    def __init__(
        self,
        api: Api,
        team: str,
        groups: Collection[str] = (),
        *,
        seconds: float = 120.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._team = team
        self._groups = tuple(groups)
        self._seconds = seconds
        self._monotonic = monotonic
        self._remembered: dict[tuple[str, str], _Remembered] = {}
        self._lock = threading.Lock()

    def standing(self, actor: Actor) -> Standing:
        """Whether the person is a full member of this workspace now.

        :raises Unavailable: Slack does not tell.
        """
        team, _, user = actor.id.partition("/")
        if actor.kind != "slack" or not user:
            return Standing(member=False, why_not="That is not somebody of Slack.")
        if team != self._team:
            return Standing(member=False, why_not="You belong to another workspace.")
        facts = self._user(user)
        why_not = _why_not(facts, self._team)
        if why_not:
            return Standing(member=False, why_not=why_not)
        return Standing(member=True, groups=frozenset(group for group in self._groups if user in self._members(group)))

    def name(self, user: str) -> str:
        """What to call somebody; the id when Slack does not tell. Never used to decide."""
        try:
            facts = self._user(user) or {}
        except Unavailable:
            return user
        profile = facts.get("profile") or {}
        return str(profile.get("display_name") or facts.get("real_name") or facts.get("name") or user)

    def _user(self, user: str) -> dict[str, Any] | None:
        def ask() -> dict[str, Any] | None:
            try:
                return dict(self._api.call("users.info", user=user).get("user") or {})
            except Refused as refused:
                if refused.code in _NOBODY:
                    return None
                raise

        found: dict[str, Any] | None = self._recall(("user", user), ask, "who you are")
        return found

    def _members(self, group: str) -> frozenset[str]:
        def ask() -> frozenset[str]:
            return frozenset(self._api.call("usergroups.users.list", usergroup=group).get("users") or ())

        found: frozenset[str] = self._recall(("group", group), ask, f"who is in the user group {group}")
        return found

    def _recall(self, key: tuple[str, str], ask: Callable[[], Any], what: str) -> Any:
        now = self._monotonic()
        with self._lock:
            kept = self._remembered.get(key)
        if not kept or now >= kept.until:
            try:
                kept = _Remembered(now + self._seconds, ask())
            except SlackFailure as failure:
                kept = _Remembered(now + _FEW_SECONDS, None, str(failure))
            with self._lock:
                self._remembered = {name: each for name, each in self._remembered.items() if each.until > now}
                self._remembered[key] = kept
        if kept.failure:
            raise Unavailable(f"Slack does not tell {what}.", remedy="Try again shortly.", evidence=(kept.failure,))
        return kept.value


def _why_not(facts: dict[str, Any] | None, team: str) -> str:
    """Why somebody does not count, "" for a full member (Slack docs: types/user)."""
    if not facts:
        return "Slack does not know you here."
    if facts.get("team_id") != team or facts.get("is_stranger"):
        return "You belong to another workspace."
    if facts.get("deleted"):
        return "Your account is deactivated."
    if facts.get("is_bot") or facts.get("is_workflow_bot") or facts.get("id") == "USLACKBOT":
        return "Bots cannot use this."
    if facts.get("is_restricted") or facts.get("is_ultra_restricted"):
        return "Guests cannot use this."
    return ""
