"""Who acts, and where they may."""

from sandbox.slack.directory import Channel, Person
from sandbox.slack.errors import Refused
from sandbox.slack.workspace import Workspace


def acting(workspace: Workspace, word: str) -> Person:
    """By id or name. Raises Refused for nobody, the bot, or a deactivated account."""
    person = workspace.directory.find_person(word)
    if person is None:
        raise Refused(f"there is nobody called {word!r}", 404)
    if person.is_bot:
        raise Refused("the bot acts through its own program, not here")
    if person.deleted:
        raise Refused(f"{person.name}'s account is deactivated", 403)
    return person


def full_member(workspace: Workspace, person: Person) -> bool:
    """Neither a guest nor somebody from another workspace."""
    return person.team_id == workspace.settings.team_id and not person.is_restricted


def where(workspace: Workspace, word: str, person: Person | None, *, reading: bool = False) -> Channel:
    """By id, `#name`, or `@name` for a DM. Raises Refused unless the person is in it.

    `reading`: a full member may also look into a public channel without joining; nobody else may.
    """
    channel = workspace.directory.find_channel(word)
    if channel is None:
        raise Refused(f"there is no conversation {word!r}", 404)
    looks_in = reading and channel.kind == "public" and person is not None and full_member(workspace, person)
    if person and person.id not in channel.members and not looks_in:
        raise Refused(f"{person.name} is not in {'#' if channel.kind != 'dm' else 'the DM of '}{channel.name}", 403)
    return channel
