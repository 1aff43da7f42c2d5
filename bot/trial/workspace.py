"""What Slack says: of the tokens, of the channels, of the people whom the policy names."""

from __future__ import annotations

from collections.abc import Iterator

from bot.config import Settings
from bot.errors import UserError
from bot.model import Level
from bot.policy import EVERYONE
from bot.slack.api import SlackFailure
from bot.slack.app import Workspace
from bot.slack.manifest import consequence
from bot.text import plural
from bot.trial.point import Point

PEOPLE_ASKED = 100
"""So many of the people whom the policy names are looked up; Slack lets an app ask about once a second."""


def of_slack(workspace: Workspace) -> Iterator[Point]:
    """The tokens of a workspace that took the bot token."""
    yield Point(Level.OK, f"Slack takes the bot token: workspace {workspace.team}, bot {workspace.bot_user}")
    for scope in workspace.missing:
        remedy = "Add it on the app's page under OAuth & Permissions, and install the app anew."
        yield Point(Level.WARN, f"the app lacks the scope {scope}: {consequence(scope)}", remedy)
    if workspace.settings.mode != "socket":
        yield Point(Level.OK, "Slack delivers over HTTP; whether it reaches the bot shows with the first command")
        return
    try:
        workspace.api.call("apps.connections.open", app_token=workspace.settings.socket_token())
    except (SlackFailure, UserError) as failure:
        remedy = "It needs the scope connections:write, and Socket Mode must be on for the app."
        yield Point(Level.BAD, f"Slack does not take the app-level token: {failure}", remedy)
    else:
        yield Point(Level.OK, "Slack takes the app-level token: Socket Mode works")


def of_channels(settings: Settings, workspace: Workspace) -> Iterator[Point]:
    """Where requests are decided and the record's head is posted: the bot must be there, and nobody of elsewhere."""
    wanted = {pool.approvals_channel: f"approvals of {name}" for name, pool in settings.pools.items()}
    wanted |= {settings.bot.heads_channel: "the record's head"}
    for channel, what in wanted.items():
        if not channel:
            continue
        found = workspace.places.look(channel)
        if found.private:
            yield Point(Level.BAD, f"{channel} ({what}): this is a direct message", "Name a channel.")
        elif found.cannot_post:
            level = Level.WARN if found.unknown else Level.BAD
            yield Point(level, f"{channel} ({what}): {found.cannot_post}", remedy_for(found.cannot_post))
        else:
            yield Point(Level.OK, f"{channel} ({what}): the bot is a member")


def remedy_for(why: str) -> str:
    """What to do about a channel where the bot cannot post."""
    if "shared" in why:
        return "People of another organisation would read it: name a channel that is not shared."
    return "Invite the bot there: /invite with its name; or correct the id."


def of_people(settings: Settings, workspace: Workspace) -> Iterator[tuple[str, Point]]:
    """Whom the policy names, with each who is not as they should be."""
    named = sorted(each for each in settings.rules().mentioned if each != EVERYONE and not each.startswith("os:"))
    good = 0
    for reference in named[:PEOPLE_ASKED]:
        try:
            flaw = workspace.people.flaw(reference)
        except UserError as error:
            yield reference, Point(Level.WARN, f"Slack was not asked whether it knows the people: {error.message}")
            return
        if flaw:
            yield reference, Point(Level.WARN, f"{reference}: {flaw}")
        else:
            good += 1
    if len(named) > PEOPLE_ASKED:
        told = f"of {len(named)} people named by the policy the first {PEOPLE_ASKED} were asked about"
        yield "", Point(Level.WARN, told)
    yield "", Point(Level.OK, f"{plural(good, 'name')} of the policy known to Slack as they should be")
