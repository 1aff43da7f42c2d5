"""conversations.*: what a bot may see of channels and DMs, their members and their history."""

from typing import Any

from sandbox.slack.directory import Channel
from sandbox.slack.errors import ApiError
from sandbox.slack.limits import Tier
from sandbox.slack.messages import Message
from sandbox.slack.methods.registry import Call, method, page
from sandbox.slack.shown import message_api

JSON = dict[str, Any]
TYPES = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}
MOST_PEOPLE = 8  # Slack docs: conversations.open
READ = ("channels:read", "groups:read", "im:read", "mpim:read")
HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")


@method("conversations.info", Tier.THREE, *READ)
def info(call: Call) -> JSON:
    channel = call.channel(call.need("channel"), scope="read")
    return {"channel": channel.api(call.workspace.settings, num_members=call.flag("include_num_members"))}


@method("conversations.list", Tier.TWO, *READ)
def list_(call: Call) -> JSON:
    """Public channels all, private ones and DMs only with the bot."""
    found = listed(call)
    some, metadata = page(found, call, default=100, most=1000)
    channels = [one.api(call.workspace.settings, num_members=one.kind != "dm") for one in some]
    return {"channels": channels, "response_metadata": metadata}


def listed(call: Call) -> list[Channel]:
    """What the app may know of the kinds that are asked for, public channels unless `types` says otherwise.

    Raises: invalid_types, missing_scope.
    """
    kinds = call.names("types") or ["public_channel"]
    for kind in kinds:
        if kind not in TYPES:
            raise ApiError("invalid_types")
        call.need_scope(f"{TYPES[kind]}:read")
    families = {TYPES[kind] for kind in kinds}
    return [
        one
        for one in call.workspace.directory.channels.values()
        if one.scope_word in families
        and (not one.is_private or call.workspace.is_member(one))
        and not (call.flag("exclude_archived") and one.is_archived)
    ]


@method("conversations.members", Tier.FOUR, *READ)
def members(call: Call) -> JSON:
    channel = call.channel(call.need("channel"), scope="read")
    some, metadata = page(channel.members, call, default=100, most=1000)
    return {"members": some, "response_metadata": metadata}


@method("conversations.history", Tier.THREE, *HISTORY)
def history(call: Call) -> JSON:
    """Newest first, without replies in threads (but with those also sent to the channel)."""
    channel_id = _readable(call)
    messages = call.workspace.messages
    oldest, latest = _bounds(call)
    inclusive = call.flag("inclusive")
    found = [
        one
        for one in reversed(messages.in_history(channel_id))
        if (not one.in_thread or one.broadcast) and _between(float(one.ts), oldest, latest, inclusive=inclusive)
    ]
    some, metadata = page(found, call, default=100, most=999)
    more = bool(metadata["next_cursor"])
    answer: JSON = {"messages": _shown(call, some), "has_more": more, "pin_count": sum(one.pinned for one in found)}
    return answer | ({"response_metadata": metadata} if more else {})


@method("conversations.replies", Tier.THREE, *HISTORY)
def replies(call: Call) -> JSON:
    """The parent first, then its replies, oldest first."""
    channel_id = _readable(call)
    ts = call.need("ts")
    parent = call.workspace.messages.public(channel_id, ts)
    if parent is None:
        raise ApiError("thread_not_found")
    oldest, latest = _bounds(call)
    inclusive = call.flag("inclusive")
    answers = [] if parent.in_thread else call.workspace.messages.replies(channel_id, ts)
    within = [one for one in answers if _between(float(one.ts), oldest, latest, inclusive=inclusive)]
    some, metadata = page([parent, *within], call, default=1000, most=1000)
    more = bool(metadata["next_cursor"])
    answer: JSON = {"messages": _shown(call, some), "has_more": more}
    return answer | ({"response_metadata": metadata} if more else {})


@method("conversations.join", Tier.THREE, "channels:join")
def join(call: Call) -> JSON:
    """A bot joins public channels only; into others somebody has to invite it."""
    workspace = call.workspace
    channel = call.channel(call.need("channel"))
    if channel.is_private:
        raise ApiError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise ApiError("is_archived")
    answer: JSON = {}
    if workspace.is_member(channel):
        answer = {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    else:
        channel.members.append(workspace.bot)
        workspace.changes.note("workspace")
    return {"channel": channel.api(workspace.settings), **answer}


@method("conversations.open", Tier.THREE, "im:write", "mpim:write")
def open_(call: Call) -> JSON:
    """The DM with one person. Group DMs are not part of this workspace and are refused."""
    workspace = call.workspace
    if word := call.text("channel"):
        channel = call.channel(word)
        if channel.kind != "dm":
            raise ApiError("method_not_supported_for_channel_type")
        return _opened(call, channel.id)
    ids = call.names("users")
    if not ids:
        raise ApiError("users_list_not_supplied")
    if len(ids) > MOST_PEOPLE:
        raise ApiError("too_many_users")
    people = [workspace.directory.people.get(one) for one in ids]
    for person in people:
        if person is None or person.is_bot:
            raise ApiError("user_not_found")
        if person.deleted:
            raise ApiError("user_disabled")
    if len(ids) > 1:
        call.need_scope("mpim:write")
        raise ApiError("method_not_supported_for_channel_type")
    channel_found = workspace.directory.dm_of(ids[0])
    if channel_found is None:  # an outsider: a workspace's bot has no DM with people of another one
        raise ApiError("user_not_visible")
    return _opened(call, channel_found.id)


def _opened(call: Call, channel_id: str) -> JSON:
    channel = call.workspace.directory.channels[channel_id]
    whole = channel.api(call.workspace.settings) if call.flag("return_im") else {"id": channel_id}
    return {"channel": whole, "no_op": True, "already_open": True}


def _readable(call: Call) -> str:
    """A bot reads only where it is a member: not_in_channel elsewhere, even in public channels."""
    channel = call.channel(call.need("channel"), scope="history")
    if not call.workspace.is_member(channel):
        raise ApiError("not_in_channel")
    return channel.id


def _bounds(call: Call) -> tuple[float, float]:
    """Raises invalid_ts_oldest, invalid_ts_latest."""
    found = []
    for name, default in (("oldest", "0"), ("latest", "inf")):
        try:
            found.append(float(call.text(name) or default))
        except ValueError:
            raise ApiError(f"invalid_ts_{name}") from None
    return found[0], found[1]


def _between(ts: float, oldest: float, latest: float, *, inclusive: bool) -> bool:
    return oldest <= ts <= latest if inclusive else oldest < ts < latest


def _shown(call: Call, messages: list[Message]) -> list[JSON]:
    whole = call.flag("include_all_metadata")
    settings, store = call.workspace.settings, call.workspace.messages
    return [message_api(settings, store, one, all_metadata=whole) for one in messages]
