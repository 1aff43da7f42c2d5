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


def where(workspace: Workspace, word: str, person: Person | None) -> Channel:
    """By id, `#name`, or `@name` for a DM. Raises Refused unless the person is in it."""
    channel = workspace.directory.find_channel(word)
    if channel is None:
        raise Refused(f"there is no conversation {word!r}", 404)
    if person and person.id not in channel.members:
        raise Refused(f"{person.name} is not in {'#' if channel.kind != 'dm' else 'the DM of '}{channel.name}", 403)
    return channel
