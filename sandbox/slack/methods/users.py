"""users.*, usergroups.*, bots.info and team.info."""

from typing import Any

from sandbox.slack.directory import Person
from sandbox.slack.errors import ApiError
from sandbox.slack.limits import Tier
from sandbox.slack.methods.conversations import READ, listed
from sandbox.slack.methods.registry import Call, method, page

JSON = dict[str, Any]
CREATED = 1_700_000_000


@method("users.info", Tier.FOUR, "users:read")
def info(call: Call) -> JSON:
    person = call.workspace.directory.people.get(call.need("user"))
    if person is None:
        raise ApiError("user_not_found")
    return {"user": _user(call, person)}


@method("users.list", Tier.TWO, "users:read")
def list_(call: Call) -> JSON:
    """This workspace's people, deactivated ones too; outsiders are found by users.info only."""
    home = [one for one in call.workspace.directory.people.values() if one.team_id == call.workspace.settings.team_id]
    some, metadata = page(home, call, default=1000, most=1000)
    members = [_user(call, one) for one in some]
    return {"members": members, "cache_ts": int(call.workspace.clock.now()), "response_metadata": metadata}


@method("users.conversations", Tier.THREE, *READ)
def conversations(call: Call) -> JSON:
    """Where somebody is a member, the app itself unless `user` says who else; of what is not public, only where the app
    is, too. Raises: user_not_found (name inferred)."""
    workspace = call.workspace
    who = call.text("user") or workspace.bot
    if who not in workspace.directory.people:
        raise ApiError("user_not_found")
    found = [one for one in listed(call) if who in one.members]
    some, metadata = page(found, call, default=100, most=999)
    return {"channels": [one.api(workspace.settings) for one in some], "response_metadata": metadata}


@method("bots.info", Tier.THREE, "users:read")
def bot_info(call: Call) -> JSON:
    """By the id that starts with B; this workspace has one bot."""
    settings = call.workspace.settings
    bot = call.text("bot")
    if bot is None:
        raise ApiError("missing_argument")
    if bot != settings.bot_id:
        raise ApiError("bot_not_found")
    person = call.workspace.directory.people[settings.bot_user_id]
    about = {"id": bot, "app_id": settings.app_id, "user_id": person.id, "name": settings.bot_real_name}
    return {"bot": {**about, "deleted": person.deleted, "updated": CREATED, "icons": {}}}


@method("team.info", Tier.THREE, "team:read")
def team(call: Call) -> JSON:
    settings = call.workspace.settings
    if call.text("team") not in (None, settings.team_id):
        raise ApiError("team_not_found")
    about = {"id": settings.team_id, "name": settings.team_name, "domain": settings.team_domain}
    url = f"https://{settings.team_domain}.slack.com/"
    return {"team": {**about, "url": url, "email_domain": "", "icon": {"image_default": True}}}


@method("users.lookupByEmail", Tier.THREE, "users:read.email")
def lookup_by_email(call: Call) -> JSON:
    call.need_scope("users:read")
    email = call.need("email").lower()
    for person in call.workspace.directory.people.values():
        if person.email == email and not person.deleted and not person.is_bot:
            return {"user": _user(call, person)}
    raise ApiError("users_not_found")


@method("usergroups.list", Tier.TWO, "usergroups:read")
def groups(call: Call) -> JSON:
    settings = call.workspace.settings
    found = call.workspace.directory.groups.values()
    return {"usergroups": [one.api(settings, users=call.flag("include_users")) for one in found]}


@method("usergroups.users.list", Tier.TWO, "usergroups:read")
def group_users(call: Call) -> JSON:
    group = call.workspace.directory.groups.get(call.need("usergroup"))
    if group is None:
        raise ApiError("no_such_subteam")
    return {"users": list(group.users)}


def _user(call: Call, person: Person) -> JSON:
    settings = call.workspace.settings
    return person.api(email="users:read.email" in settings.scopes, home_team=settings.team_id)
