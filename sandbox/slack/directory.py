"""People, channels and user groups, and the workspace everybody starts with."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from sandbox.slack.settings import Settings

Role = Literal["operator", "approver", "approver2", "stranger", "guest", "outsider", "bot"]
Kind = Literal["public", "private", "dm", "shared"]

OUTSIDE_TEAM = "T0PARTNER"


@dataclass
class Person:
    """A member, guest, outsider or the bot (Slack docs: types/user)."""

    id: str
    name: str
    real_name: str
    role: Role
    team_id: str
    color: str
    deleted: bool = False
    is_restricted: bool = False
    is_bot: bool = False
    tz: str = "Europe/Amsterdam"
    tz_label: str = "Central European Time"
    tz_offset: int = 3600

    @property
    def email(self) -> str:
        return f"{self.name}@{'partner' if self.role == 'outsider' else 'infra'}.example"

    @property
    def initials(self) -> str:
        return "".join(word[0] for word in self.real_name.split()[:2]).upper()

    def api(self, *, email: bool, home_team: str) -> dict[str, Any]:
        """The user object; the address only for an app with users:read.email."""
        profile = {"real_name": self.real_name, "display_name": self.name, "team": self.team_id}
        if email and not self.is_bot:
            profile["email"] = self.email
        answer: dict[str, Any] = {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "deleted": self.deleted,
            "color": self.color,
            "real_name": self.real_name,
            "profile": profile,
            "is_bot": self.is_bot,
            "is_app_user": False,
        }
        if not self.deleted:
            answer |= {
                "tz": self.tz,
                "tz_label": self.tz_label,
                "tz_offset": self.tz_offset,
                "is_admin": False,
                "is_owner": False,
                "is_primary_owner": False,
                "is_restricted": self.is_restricted,
                "is_ultra_restricted": False,
            }
        if self.team_id != home_team:
            answer["is_stranger"] = False  # from elsewhere, but in a channel shared with this workspace
        return answer

    def page(self) -> dict[str, Any]:
        keys = ("id", "name", "real_name", "initials", "color")
        return {key: getattr(self, key) for key in keys} | {"role": "deactivated" if self.deleted else self.role}


@dataclass
class Channel:
    """A conversation of any kind (Slack docs: types/conversation). `members` keeps the order of joining."""

    id: str
    name: str
    kind: Kind
    members: list[str] = field(default_factory=list)
    topic: str = ""
    is_archived: bool = False
    created: int = 1_700_000_000
    creator: str = "U0OLGA"

    @property
    def is_private(self) -> bool:
        return self.kind in ("private", "dm")

    @property
    def scope_word(self) -> str:
        """The scope family that covers it: `channels`, `groups` or `im`."""
        return {"private": "groups", "dm": "im"}.get(self.kind, "channels")

    def api(self, settings: Settings, *, num_members: bool = False) -> dict[str, Any]:
        shared = self.kind == "shared"
        answer: dict[str, Any] = {
            "id": self.id,
            "created": self.created,
            "is_im": self.kind == "dm",
            "is_mpim": False,
            "is_archived": self.is_archived,
            "is_org_shared": False,
            "is_shared": shared,
            "is_ext_shared": shared,
            "context_team_id": settings.team_id,
        }
        if self.kind == "dm":
            answer["user"] = next(member for member in self.members if member != settings.bot_user_id)
            return answer
        answer |= {
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": True,
            "is_group": False,
            "is_private": self.is_private,
            "is_member": settings.bot_user_id in self.members,
            "is_general": False,
            "creator": self.creator,
            "shared_team_ids": [settings.team_id, *([OUTSIDE_TEAM] if shared else [])],
            "topic": {"value": self.topic, "creator": self.creator, "last_set": self.created},
            "purpose": {"value": "", "creator": "", "last_set": 0},
        }
        if num_members:
            answer["num_members"] = len(self.members)
        return answer

    def page(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "kind": self.kind,
            "members": list(self.members),
            "topic": self.topic,
        }


@dataclass
class UserGroup:
    id: str
    handle: str
    name: str
    users: list[str]

    def api(self, settings: Settings, *, users: bool) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "id": self.id,
            "team_id": settings.team_id,
            "is_usergroup": True,
            "name": self.name,
            "handle": self.handle,
            "description": "",
            "is_external": False,
            "date_delete": 0,
            "user_count": len(self.users),
        }
        return answer | ({"users": list(self.users)} if users else {})


class Directory:
    """Who and what there is, by id; `find_…` also takes the names that a script or a page uses."""

    def __init__(self, people: Iterable[Person], channels: Iterable[Channel], groups: Iterable[UserGroup]) -> None:
        self.people = {person.id: person for person in people}
        self.channels = {channel.id: channel for channel in channels}
        self.groups = {group.id: group for group in groups}

    def find_person(self, word: str) -> Person | None:
        """By id or name (`U0OLGA`, `olga`, `@olga`)."""
        name = word.removeprefix("@")
        return self.people.get(word) or next((one for one in self.people.values() if one.name == name), None)

    def find_channel(self, word: str) -> Channel | None:
        """By id, name or `#name`; a person's DM with the bot as `@name`."""
        if word in self.channels:
            return self.channels[word]
        want_dm = word.startswith("@")
        name = word[1:] if word[:1] in ("#", "@") else word
        found = (one for one in self.channels.values() if one.name == name and (one.kind == "dm") == want_dm)
        return next(found, None)

    def dm_of(self, person_id: str) -> Channel | None:
        dms = (one for one in self.channels.values() if one.kind == "dm")
        return next((one for one in dms if person_id in one.members), None)


def default_directory(settings: Settings) -> Directory:
    """The team of the tutorial: one operator, two approvers, and everybody who must not get through."""
    home, bot = settings.team_id, settings.bot_user_id
    people = [
        Person("U0OLGA", "olga", "Olga Operator", "operator", home, "#2f6f8f"),
        Person("U0ANA", "ana", "Ana Approver", "approver", home, "#8f4f2f"),
        Person("U0BEN", "ben", "Ben Approver", "approver2", home, "#3f7f3f"),
        Person("U0SAM", "sam", "Sam Stranger", "stranger", home, "#6f4f8f"),
        Person("U0GIL", "gil", "Gil Guest", "guest", home, "#7f7f3f", is_restricted=True),
        Person("U0OTTO", "otto", "Otto Outsider", "outsider", OUTSIDE_TEAM, "#8f2f5f"),
        Person("U0DEE", "dee", "Dee Parted", "stranger", home, "#7f7f7f", deleted=True),
        Person(bot, settings.bot_name, settings.bot_real_name, "bot", home, "#4a154b", is_bot=True),
    ]
    team = ["U0OLGA", "U0ANA", "U0BEN"]
    channels = [
        Channel("C0INFRA", "infra", "public", [*team, "U0SAM", bot], "Pools, hosts and VMs"),
        Channel("C0LAB", "lab", "public", [*team, "U0SAM", "U0GIL", bot], "The tutorial's lab"),
        Channel("C0RANDOM", "random", "public", [*team, "U0SAM"], "Anything else"),
        Channel("C0OPSPRIVATE", "ops-private", "private", [*team, bot], "For operators"),
        Channel("C0SECRET", "secret", "private", ["U0OLGA", "U0ANA"], "Without the bot"),
        Channel("C0PARTNERS", "partners", "shared", ["U0OLGA", "U0ANA", "U0OTTO", bot], "Shared with a partner"),
    ]
    channels += [
        Channel(f"D0{one.name.upper()}", one.name, "dm", [one.id, bot], is_archived=one.deleted)
        for one in people
        if one.team_id == home and not one.is_bot
    ]
    groups = [UserGroup("S0APPROVERS", "approvers", "Approvers", ["U0ANA", "U0BEN"])]
    return Directory(people, channels, groups)
