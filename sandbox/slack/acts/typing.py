"""Typing into the composer: messages, slash commands, opening the app's Home."""

import re
import time
from typing import Any

from sandbox.slack import mrkdwn, payloads
from sandbox.slack.acts.who import acting, where
from sandbox.slack.delivery import Parcel
from sandbox.slack.directory import Channel, Person
from sandbox.slack.errors import ApiError, Refused
from sandbox.slack.messages import Message
from sandbox.slack.replies import command_reply
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]
TYPED_LIMIT = 12_000  # Slack's client: a longer text is offered as a snippet instead

# What Slack shows when a command fails (slack-poker-planner issue 89; bolt-python issue 951).
NO_ANSWER = "{command} failed because the app did not respond. Please try again or contact the app developer."
FAILED = '{command} failed with the error "{error}"'


async def say(workspace: Workspace, as_: str, channel: str, text: str, thread_ts: str | None = None) -> JSON:
    """Type `text` and press Enter. What starts with "/" is a command: its delivery is waited for, at most 3 s."""
    person = acting(workspace, as_)
    place = where(workspace, channel, person)
    if place.is_archived:
        raise Refused("this conversation is archived", 403)
    if not text.strip():
        raise Refused("there is nothing to send")
    if len(text) > TYPED_LIMIT:
        raise Refused(f"Your message is too long ({len(text)} characters, at most {TYPED_LIMIT})")
    if thread_ts is not None and workspace.messages.public(place.id, thread_ts) is None:
        raise Refused("there is no such thread", 404)
    if workspace.settings.switches.smart_quotes:
        text = mrkdwn.smarten(text)
    if text.startswith("/"):
        return await _command(workspace, person, place, text, thread_ts)
    return _message(workspace, person, place, text, thread_ts)


def open_home(workspace: Workspace, as_: str, tab: str = "home") -> JSON:
    """Open the app's Home or Messages tab: the app is told (app_home_opened)."""
    person = acting(workspace, as_)
    if tab not in ("home", "messages", "about"):
        raise Refused("the tabs are home, messages and about")
    channel = workspace.directory.dm_of(person.id)
    if channel is None:
        raise Refused(f"{person.name} has no conversation with the app", 403)
    inner: JSON = {
        "type": "app_home_opened",
        "user": person.id,
        "channel": channel.id,
        "tab": tab,
        "event_ts": workspace.messages.new_ts(workspace.clock.now()),
    }
    view = workspace.views.homes.get(person.id)
    if view and tab == "home":
        inner["view"] = view.api(workspace.settings)
    workspace.announce("app_home_opened", inner)
    return {"ok": True}


async def _command(workspace: Workspace, person: Person, place: Channel, line: str, thread_ts: str | None) -> JSON:
    found = re.fullmatch(r"(/\S*)(?:\s(.*))?", line, re.DOTALL)
    name, rest = (found[1], found[2] or "") if found else (line, "")
    known = workspace.settings.command(name)
    # A workspace's commands are not shared with other workspaces (Slack docs: channels-between-orgs).
    if known is None or person.team_id != workspace.settings.team_id:
        raise Refused(f"{name} is not a valid command.")
    if thread_ts is not None:
        raise Refused(f"{name} is not supported in threads. Sorry!")
    typed = workspace.post(
        Message(
            workspace.messages.new_ts(workspace.clock.now()),
            place.id,
            person.id,
            mrkdwn.escape(line),
            person.team_id,
            only_for=person.id,
            command=line,
        )
    )
    if known.should_escape:
        rest = mrkdwn.command_escaped(rest, workspace.directory)
    elif workspace.settings.switches.slash_text_entities:
        rest = mrkdwn.escape(rest)
    url = workspace.response_url(workspace.grants.new_response_url("commands", person.id, place.id))
    trigger = workspace.grants.new_trigger(person.id)
    payload = payloads.slash_command(workspace.settings, person, place, name, rest, url, trigger)
    started = time.monotonic()
    answer = await workspace.delivery.deliver(Parcel("slash_commands", payload, answerable=True))
    error = None
    if answer.outcome == "timeout":
        error = NO_ANSWER.format(command=name)
    elif not answer.ok:
        error = FAILED.format(command=name, error="dispatch_failed")
    elif answer.payload not in (None, {}):
        try:
            command_reply(workspace, typed, person.id, answer.payload)
        except ApiError:
            error = FAILED.format(command=name, error="invalid_command_response")
    if error:
        typed.troubles[person.id] = error
        workspace.touched(typed)
    result: JSON = {
        "ok": True,
        "ts": typed.ts,
        "acknowledged": answer.ok,
        "seconds": round(time.monotonic() - started, 4),
    }
    return result | ({"error": error} if error else {})


def _message(workspace: Workspace, person: Person, place: Channel, text: str, thread_ts: str | None) -> JSON:
    stored = mrkdwn.typed(text, workspace.directory)
    message = workspace.post(
        Message(
            workspace.messages.new_ts(workspace.clock.now()),
            place.id,
            person.id,
            stored,
            person.team_id,
            thread_ts=thread_ts,
        )
    )
    inner: JSON = {
        "user": person.id,
        "text": stored,
        "ts": message.ts,
        "client_msg_id": payloads.new_id(),
        "team": person.team_id,
        "channel": place.id,
        "event_ts": message.ts,
        "blocks": mrkdwn.rich_text(stored),
    }
    if thread_ts:
        inner["thread_ts"] = thread_ts
    if place.kind == "dm":
        # A mention in a DM comes as a message only.
        inner |= {"type": "message", "channel_type": "im"}
        workspace.announce("message.im", inner, scope="im:history", channel=place)
    elif f"<@{workspace.bot}>" in stored and workspace.is_member(place):
        workspace.announce("app_mention", inner | {"type": "app_mention"}, scope="app_mentions:read", channel=place)
    return {"ok": True, "ts": message.ts}
