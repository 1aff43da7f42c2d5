"""users.* and usergroups.*."""

from typing import Any

from sandbox.slack.directory import Person
from sandbox.slack.errors import ApiError
from sandbox.slack.limits import Tier
from sandbox.slack.methods.registry import Call, method, page

JSON = dict[str, Any]


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
