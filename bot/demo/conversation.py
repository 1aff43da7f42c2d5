"""The pretend workspace as a conversation in the terminal: who says what, and what is answered. Answers are awaited,
with a limit.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.text import Text

from bot.text import one_line
from sandbox.slack.running import RunningWorkspace

WAIT_SECONDS = 30.0
_COLOURS = {"olga": "cyan", "ana": "green", "ben": "green", "sam": "magenta", "xenia": "yellow"}


class Unexpected(Exception):
    """An answer that is not what it should be; the tour ends and says so."""


def plain(block: Any) -> Iterator[str]:
    """A message's blocks as lines of text, roughly as a person sees them."""
    if isinstance(block, list):
        for each in block:
            yield from plain(each)
        return
    if not isinstance(block, dict):
        return
    kind = block.get("type")
    if kind in ("rich_text_section", "rich_text_quote"):
        yield "".join(_inline(each) for each in block["elements"])
    elif kind == "rich_text_preformatted":
        yield from "".join(_inline(each) for each in block["elements"]).split("\n")
    elif kind == "actions":
        yield "   ".join(f"[ {each['text']['text']} ]" for each in block["elements"] if each["type"] == "button")
    elif kind in ("plain_text", "mrkdwn"):
        yield str(block["text"])
    else:
        for key in ("text", "fields", "elements"):
            if isinstance(block.get(key), dict | list):
                yield from plain(block[key])


def _inline(element: dict[str, Any]) -> str:
    match element["type"]:
        case "emoji":
            return f":{element['name']}:"
        case "user":
            return f"@{element['user_id']}"
        case "channel":
            return f"#{element['channel_id']}"
        case "date":
            return str(element.get("fallback", ""))
        case _:
            return str(element.get("text", element.get("url", "")))


@dataclass
class Conversation:
    """Says, presses, waits, shows; and counts what it checked."""

    workspace: RunningWorkspace
    console: Console = field(default_factory=lambda: Console(highlight=False, markup=False, emoji=False, width=110))
    checks: int = 0

    def heading(self, text: str) -> None:
        self.console.print()
        self.console.rule(Text(text, "bold"), align="left")

    def say(self, who: str, text: str, channel: str = "#infra") -> list[str]:
        """Somebody types; the lines of the bot's private answer."""
        before = {message["ts"] for message in self._heard(who, channel)}
        self._spoken(who, text)
        self.workspace.say(who, channel, text)
        answer = self.wait(lambda: self._news(before, who, channel, private=True), f"an answer to {text!r}")
        return self._shown(answer)

    def press(self, who: str, button: str, ts: str, channel: str = "#infra") -> list[str]:
        """Somebody presses a button; the lines of the bot's private answer."""
        before = {message["ts"] for message in self._heard(who, channel)}
        self._spoken(who, f"presses [ {button} ]")
        self.workspace.press(who, channel=channel, ts=ts, text=button)
        answer = self.wait(lambda: self._news(before, who, channel, private=True), f"an answer to {button}")
        return self._shown(answer)

    def card(self, request: str, until: str, channel: str = "#infra") -> tuple[str, list[str]]:
        """The request's card once it says `until`: its timestamp and lines."""

        def found() -> dict[str, Any] | None:
            for message in self._heard("olga", channel):
                lines = "\n".join(plain(message["blocks"]))
                if not message.get("ephemeral") and request in lines and until in lines:
                    return message
            return None

        message = self.wait(found, f"the card of {request} with {until!r}")
        self._shown(message)
        return str(message["ts"]), list(plain(message["blocks"]))

    def ask(self, who: str, text: str) -> tuple[str, str]:
        """Ask for a change: the request's id and its card's timestamp, once it can be decided."""
        request = re.search(r"X-\d+", "\n".join(self.say(who, text)))
        if request is None:
            raise Unexpected("no request was opened")
        ts, _ = self.card(request[0], "Waiting for approval")
        return request[0], ts

    def done(self, who: str, text: str, by: str) -> None:
        """Ask for a change and let it be approved by another person; returns when it is done."""
        request, ts = self.ask(who, text)
        self.press(by, "Approve", ts)
        self.card(request, "Done in")

    def thread(self, ts: str, until: str, channel: str = "#infra") -> list[str]:
        """The note in a card's thread that says `until`."""

        def found() -> dict[str, Any] | None:
            for message in self.workspace.messages(channel, "olga", ts)[1:]:
                if until in "\n".join(plain(message["blocks"])):
                    return message
            return None

        return self._shown(self.wait(found, f"a note with {until!r}"))

    def expect(self, what: str, true: bool) -> None:
        """:raises Unexpected: it is not so."""
        if not true:
            self.console.print(Text(f"  ✗ {what}", "bold red"))
            raise Unexpected(what)
        self.checks += 1
        self.console.print(Text(f"  ✓ {what}", "green"))

    def wait(self, found: Callable[[], Any], what: str, seconds: float = WAIT_SECONDS) -> Any:
        """The first thing that `found` finds. :raises Unexpected: nothing within the time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = found()
            if answer:
                return answer
            time.sleep(0.05)
        raise Unexpected(f"waited {seconds:.0f} s in vain for {what}")

    def note(self, text: str) -> None:
        self.console.print(Text(f"  ({text})", "dim"))

    def _heard(self, who: str, channel: str) -> list[dict[str, Any]]:
        return self.workspace.messages(channel, who)

    def _news(self, before: set[str], who: str, channel: str, *, private: bool) -> dict[str, Any] | None:
        bot = self.workspace.people["xenia"]
        for message in self._heard(who, channel):
            if message["ts"] not in before and message["user"] == bot and bool(message.get("ephemeral")) is private:
                return message
        return None

    def _spoken(self, who: str, text: str) -> None:
        self.console.print()
        self.console.print(Text(f"{who}: ", f"bold {_COLOURS.get(who, '')}") + Text(one_line(text)))

    def _shown(self, message: dict[str, Any]) -> list[str]:
        lines = list(plain(message["blocks"])) or [message["text"]]
        only = " (only visible to the one who asked)" if message.get("ephemeral") else ""
        self.console.print(Text(f"xenia{only}:", f"bold {_COLOURS['xenia']}"))
        for line in lines:
            self.console.print(Text(f"  │ {one_line(line)}"), soft_wrap=True)
        return lines
