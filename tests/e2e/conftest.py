"""The whole bot against both sandboxes, over the real wire."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import XenAPI

from bot import compose, config
from bot.approval import END_STATES
from bot.compose import Bot
from bot.demo.conversation import plain
from bot.demo.lab import write_config
from bot.model import Request, State
from bot.ports import Clock
from sandbox.slack.running import RunningWorkspace
from sandbox.slack.running import start as start_workspace
from sandbox.xapi import lab as labs
from sandbox.xapi.running import RunningLab
from sandbox.xapi.running import start as start_lab
from tests.waiting import eventually

if TYPE_CHECKING:
    from tests.e2e.victims import Victims

SPEED = 20.0


HOW_FAR = re.compile(r"\d+ of \d+ [a-z ]+ …")
"""What comes before an answer that takes long."""


@dataclass
class Town:
    """A lab, a workspace and a bot between them, with a second XenAPI client as witness."""

    lab: RunningLab
    workspace: RunningWorkspace
    config: Path
    bot: Bot | None = None
    sessions: dict[str, Any] = field(default_factory=dict)

    # --- people -------------------------------------------------------------------------------------------------------

    def say(self, text: str, who: str = "olga", channel: str = "#infra") -> str:
        """Type a command; the bot's private answer as lines."""
        seen = {message["ts"] for message in self.workspace.messages(channel, who)}
        self.workspace.say(who, channel, f"/xen {text}")
        return self.heard(seen, who, channel)

    def heard(self, seen: set[str], who: str, channel: str = "#infra") -> str:
        def found() -> str:
            for message in self.workspace.messages(channel, who):
                told = message["ts"] not in seen and message["user"] == "U0XENIA" and message.get("ephemeral")
                if told and not HOW_FAR.fullmatch(text := text_of(message)):
                    return text
            return ""

        return eventually(found, f"an answer for {who}")

    def ask(self, text: str, who: str = "olga", channel: str = "#infra") -> str:
        """Ask for a change: the request's id, once its card can be pressed."""
        answer = self.say(text, who, channel)
        assert "was opened" in answer, answer
        request_id = answer.split()[0]
        eventually(lambda: self.card(request_id), f"the card of {request_id}")
        return request_id

    def cards(self, request_id: str, channel: str = "#infra") -> list[dict[str, Any]]:
        """The messages that are this request's card: one, if all is well."""
        return [
            message
            for message in self.workspace.messages(channel, "olga")
            if not message.get("ephemeral") and f"{request_id} ·" in text_of(message)
        ]

    def card(self, request_id: str, channel: str = "#infra") -> dict[str, Any] | None:
        return next(iter(self.cards(request_id, channel)), None)

    def press(self, button: str, request_id: str, who: str = "ana", channel: str = "#infra") -> str:
        seen = {message["ts"] for message in self.workspace.messages(channel, who)}
        card = self.card(request_id, channel)
        assert card is not None
        self.workspace.press(who, channel=channel, ts=card["ts"], text=button)
        return self.heard(seen, who, channel)

    def ended(self, request_id: str, seconds: float = 120.0) -> Request:
        """The request, once it is at an end (or UNKNOWN) and its card shows it."""
        assert self.bot is not None
        store = self.bot.store
        last = [store.request(request_id)]

        def over() -> bool:
            last[0] = store.request(request_id)
            return last[0] is not None and last[0].state in END_STATES | {State.UNKNOWN}

        eventually(over, f"the end of {request_id}", seconds)
        assert last[0] is not None
        return last[0]

    # --- the witness --------------------------------------------------------------------------------------------------

    def xenapi(self, host: str = "xs1") -> Any:
        session = XenAPI.Session(self.lab.hosts[host], ignore_ssl=True)
        session.xenapi.login_with_password(self.lab.username, self.lab.password, "1.0", "witness")
        return session.xenapi

    def host_of(self, vm: str, host: str = "xs1") -> str:
        api = self.xenapi(host)
        (ref,) = api.VM.get_by_name_label(vm)
        return str(api.host.get_name_label(api.VM.get_resident_on(ref)))


def text_of(message: dict[str, Any]) -> str:
    return "\n".join(plain(message["blocks"])) or str(message["text"])


@contextmanager
def town(
    folder: Path,
    lab: str = "tutorial",
    *,
    speed: float = SPEED,
    run: bool = True,
    tls10: bool = False,
    change: Callable[[str], str] | None = None,
    clock: Clock | None = None,
) -> Iterator[Town]:
    """`change` edits the configuration's text before the bot reads it; `clock` is the bot's, else the machine's."""
    with ExitStack() as stack:
        pools = stack.enter_context(start_lab(labs.load(lab), tls=True, tls10=tls10, speed=speed))
        workspace = stack.enter_context(start_workspace())
        path = write_config(folder, pools, workspace)
        if change is not None:
            path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
        place = Town(pools, workspace, path)
        if run:
            place.bot = stack.enter_context(compose.running(config.load(path), clock))
        yield place


@pytest.fixture
def lab_town(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as place:
        yield place


@pytest.fixture(scope="module")
def victims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    from tests.e2e.victims import Victims  # it needs a town

    made = Victims(tmp_path_factory.mktemp("victims") / "log")
    yield made
    made.close()
