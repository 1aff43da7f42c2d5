"""Messages: one store for the API's view of a conversation and the page's."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]


@dataclass
class Message:
    """One message, ephemeral message or typed slash command; `ts` is its name within the workspace.

    `only_for` makes it ephemeral. `command` is a typed command's line, which is no message of the API's.
    `troubles` are texts that Slack itself shows one person beside it (no answer within 3 s and the like).
    """

    ts: str
    channel: str
    user: str
    text: str
    team: str
    blocks: list[JSON] = field(default_factory=list)
    attachments: list[JSON] = field(default_factory=list)
    by_app: bool = False
    subtype: str | None = None
    username: str | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    edited: JSON | None = None
    metadata: JSON | None = None
    files: list[JSON] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    pinned: bool = False
    only_for: str | None = None
    command: str | None = None
    troubles: dict[str, str] = field(default_factory=dict)
    state: dict[str, JSON] = field(default_factory=dict)  # person → block_id → action_id → value, as they left it

    @property
    def in_thread(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    def visible_to(self, person_id: str | None) -> bool:
        return self.only_for is None or self.only_for == person_id


class Messages:
    """All messages of all conversations, oldest first."""

    def __init__(self) -> None:
        self._by_channel: dict[str, dict[str, Message]] = {}
        self._threads: dict[tuple[str, str], dict[str, Message]] = {}  # (channel, parent's ts) → what is in the thread
        self._last = 0

    def new_ts(self, now: float) -> str:
        """Microseconds, never twice in the workspace and never going back."""
        self._last = max(self._last + 1, int(now * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def add(self, message: Message) -> Message:
        self._by_channel.setdefault(message.channel, {})[message.ts] = message
        if message.thread_ts and message.in_thread:
            self._threads.setdefault((message.channel, message.thread_ts), {})[message.ts] = message
        return message

    def remove(self, message: Message) -> None:
        del self._by_channel[message.channel][message.ts]
        if message.thread_ts and message.in_thread:
            del self._threads[message.channel, message.thread_ts][message.ts]

    def of(self, channel_id: str) -> Iterator[Message]:
        return iter(list(self._by_channel.get(channel_id, {}).values()))

    def find(self, channel_id: str, ts: str) -> Message | None:
        return self._by_channel.get(channel_id, {}).get(ts)

    def public(self, channel_id: str, ts: str) -> Message | None:
        """A message the API may name: ephemerals and typed commands are not (Slack docs: messaging/managing)."""
        found = self.find(channel_id, ts)
        return found if found and found.only_for is None and found.command is None else None

    def in_history(self, channel_id: str) -> list[Message]:
        return [one for one in self.of(channel_id) if one.only_for is None and one.command is None]

    def replies(self, channel_id: str, thread_ts: str) -> list[Message]:
        """What the API counts as the thread's answers, oldest first."""
        return [one for one in self._threads.get((channel_id, thread_ts), {}).values() if one.only_for is None]
