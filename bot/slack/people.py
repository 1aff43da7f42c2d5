"""People as Slack knows them now: who counts, and in which user groups and channels."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from bot.errors import Unavailable
from bot.model import Actor
from bot.ports import People, Standing
from bot.slack.api import Api, Refused, SlackFailure

_log = logging.getLogger(__name__)

_FEW_SECONDS = 5.0
"""How long a failure to find out is believed: long enough not to hammer, short enough not to be noticed."""
_NOBODY = frozenset({"user_not_found", "user_not_visible"})
MOST_SECONDS = 300.0
"""Nothing that Slack said of people is believed for longer, whatever is configured."""
_PAGE = 1000
_PAGES = 20
"""A channel with more members than these pages hold is no list of people who may decide something."""


@dataclass(frozen=True, slots=True)
class _Remembered:
    until: float
    value: Any
    failure: str = ""


class SlackPeople(People):
    """users.info, usergroups.users.list and conversations.members, believed for `seconds` at most.

    :param team: the workspace whose members count.
    :param groups: user groups (`S…`) and channels (`C…`, `G…`) that the policy mentions; others are not asked about.
    :raises ValueError: `seconds` is more than :data:`MOST_SECONDS`.
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
        if seconds > MOST_SECONDS:
            raise ValueError(f"what Slack says of people is believed for {MOST_SECONDS:g} s at most")
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
            return Standing(member=False, why_not="That is not somebody of Slack.", flaw="the person is not of Slack")
        if team != self._team:
            return Standing(member=False, why_not="You belong to another workspace.", flaw=_ELSEWHERE)
        facts = self._user(user)
        why_not = _why_not(facts, self._team)
        if why_not:
            return Standing(member=False, why_not=why_not, flaw=_flaw(facts, self._team))
        return Standing(member=True, groups=frozenset(group for group in self._groups if user in self._members(group)))

    def individuals(self, references: Collection[str]) -> frozenset[str]:
        """See :class:`bot.ports.People`. A group that Slack does not tell of is left out."""
        found = {each for each in references if each[:1] in ("U", "W")}
        for group in references:
            if group[:1] in ("S", "C", "G"):
                try:
                    found |= self._members(group)
                except Unavailable as error:
                    _log.warning("%s are not reminded: %s", group, error.message)
        return frozenset(found)

    def name(self, user: str) -> str:
        """What to call somebody; the id when Slack does not tell. Never used to decide."""
        try:
            facts = self._user(user) or {}
        except Unavailable:
            return user
        profile = facts.get("profile") or {}
        return str(profile.get("display_name") or facts.get("real_name") or facts.get("name") or user)

    def title(self, reference: str) -> str:
        """What to call somebody whom the policy names, in a sentence; groups and channels keep their id."""
        return self.name(reference) if reference[:1] in ("U", "W") else reference

    def flaw(self, reference: str) -> str:
        """What is wrong with somebody whom the policy names, "" when nothing is.

        :raises Unavailable: Slack does not tell.
        """
        if reference[:1] in ("U", "W"):
            facts = self._user(reference)
            return "" if not _why_not(facts, self._team) else _flaw(facts, self._team)
        try:
            if not self._members(reference):
                return "it has no members"
            return "" if reference.startswith("S") else self._openness(reference)
        except Unavailable as error:
            if any(code in line for line in error.evidence for code in _NO_GROUP):
                return "Slack does not know it, or the app is not in it"
            raise

    def _openness(self, channel: str) -> str:
        def ask() -> dict[str, Any]:
            return dict(self._api.call("conversations.info", channel=channel).get("channel") or {})

        facts = self._recall(("channel", channel), ask, f"what the channel {channel} is")
        return "" if facts.get("is_private") else "the channel is public: whoever joins it becomes one of these people"

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
            if group.startswith("S"):
                return frozenset(self._api.call("usergroups.users.list", usergroup=group).get("users") or ())
            return self._channel(group)

        kind = "user group" if group.startswith("S") else "channel"
        found: frozenset[str] = self._recall(("group", group), ask, f"who is in the {kind} {group}")
        return found

    def _channel(self, channel: str) -> frozenset[str]:
        """Everybody in it; whether they count is asked of each by itself.

        :raises SlackFailure: Slack does not tell, or there are too many.
        """
        members: set[str] = set()
        where: dict[str, Any] = {"channel": channel, "limit": _PAGE}
        for _ in range(_PAGES):
            page = self._api.call("conversations.members", **where)
            members.update(page.get("members") or ())
            where["cursor"] = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not where["cursor"]:
                return frozenset(members)
        raise SlackFailure(f"the channel has more than {_PAGE * _PAGES} members")

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


_ELSEWHERE = "the person belongs to another workspace"
_NO_GROUP = ("no_such_subteam", "subteam_not_found", "channel_not_found", "plan_upgrade_required")


def _flaw(facts: dict[str, Any] | None, team: str) -> str:
    """Why a person whom the policy names does not count, said to whoever wrote it."""
    if not facts:
        return "Slack does not know such a person"
    if facts.get("team_id") != team or facts.get("is_stranger"):
        return _ELSEWHERE
    if facts.get("deleted"):
        return "the account is deactivated"
    return "the person is a guest or a bot, who never count"


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
