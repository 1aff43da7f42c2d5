"""What happens to people: leaving the company, joining and leaving channels, inviting the bot."""

from typing import Any

from sandbox.slack.acts.who import acting
from sandbox.slack.errors import Refused
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]
ACTIONS = ("deactivate", "reactivate", "join", "leave", "invite", "remove", "archive")


def change_person(workspace: Workspace, body: JSON) -> JSON:
    """body: `person`, `action` (one of ACTIONS), `channel` for all but (de/re)activate.

    `invite` and `remove` are done to the person (or the bot) by somebody else; `join` only works where one may.
    """
    action = str(body.get("action") or "")
    if action not in ACTIONS:
        raise Refused(f"no such action: {action!r}; there are {', '.join(ACTIONS)}")
    word = str(body.get("person") or body.get("as") or "")
    person = workspace.directory.find_person(word)
    if person is None:
        raise Refused(f"there is nobody called {word!r}", 404)
    if action in ("deactivate", "reactivate"):
        if person.is_bot:
            raise Refused("the bot cannot be deactivated here")
        person.deleted = action == "deactivate"
        dm = workspace.directory.dm_of(person.id)
        for channel in workspace.directory.channels.values():
            if person.deleted and channel is not dm and person.id in channel.members:
                channel.members.remove(person.id)
        if dm:
            dm.is_archived = person.deleted
        if person.deleted:
            workspace.views.forget(person.id)
            for group in workspace.directory.groups.values():
                group.users = [one for one in group.users if one != person.id]
        workspace.changes.note("workspace")
        return {"ok": True}
    channel_word = str(body.get("channel") or "")
    place = workspace.directory.find_channel(channel_word)
    if place is None or place.kind == "dm":
        raise Refused(f"there is no channel {channel_word!r}", 404)
    if action == "archive":
        place.is_archived = True
    elif action in ("join", "invite"):
        if action == "join" and (place.is_private or acting(workspace, word).is_restricted):
            raise Refused(f"{person.name} has to be invited to #{place.name}", 403)
        if person.deleted:
            raise Refused(f"{person.name}'s account is deactivated", 403)
        if person.id not in place.members:
            place.members.append(person.id)
    elif person.id in place.members:
        place.members.remove(person.id)
    workspace.changes.note("workspace")
    return {"ok": True, "channel": place.page()}
