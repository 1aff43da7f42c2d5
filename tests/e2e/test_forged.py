"""Deliveries that Slack did not send, or not like this, at the whole bot in HTTP mode: refused and on record, and the
request stays as it was.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import logging
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import compose, config
from bot.answers import Ask, Opened
from bot.demo.lab import write_config
from bot.model import Actor, Place, Request, State
from sandbox.slack.running import start as start_workspace
from sandbox.xapi import lab as labs
from sandbox.xapi.running import start as start_lab
from tests.e2e.conftest import SPEED, Town
from tests.waiting import eventually

JSON = dict[str, Any]
_triggers = itertools.count(1)


class Forger:
    """Knows the bot's address, and as much of its secrets as a test gives."""

    def __init__(self, place: Town, port: int) -> None:
        self.place = place
        self.url = f"http://127.0.0.1:{port}/slack/events"
        assert place.bot is not None
        self.bot = place.bot
        infra = Place(kind="slack", team=self.team, channel=place.workspace.channels["infra"])
        asked = self.bot.engine.answer(Ask(text="vm migrate web-1 to xs2", actor=self.person("olga"), place=infra))
        assert isinstance(asked, Opened), asked
        self.id = asked.request_id
        eventually(lambda: place.card(self.id), "the card")

    @property
    def team(self) -> str:
        return self.place.workspace.settings.team_id

    def person(self, name: str) -> Actor:
        return Actor(kind="slack", id=f"{self.team}/{self.place.workspace.people[name]}", name=name)

    @property
    def request(self) -> Request:
        found = self.bot.store.request(self.id)
        assert found is not None
        return found

    @property
    def paper(self) -> str:
        return f"{self.id}:{self.request.digest}"

    def press(self, value: str, who: str = "ana", team: str = "", action: str = "vote:approve") -> JSON:
        """The payload of a press of Approve, as Slack makes it."""
        ws, card = self.place.workspace, self.place.card(self.id)
        assert card is not None
        channel = ws.channels["infra"]
        return {
            "type": "block_actions",
            "api_app_id": ws.settings.app_id,
            "team": {"id": team or self.team, "domain": "example"},
            "user": {"id": ws.people[who], "name": who, "username": who, "team_id": team or self.team},
            "channel": {"id": channel, "name": "infra"},
            "container": {"type": "message", "message_ts": card["ts"], "channel_id": channel, "is_ephemeral": False},
            "message": {"ts": card["ts"], "type": "message", "text": ""},
            "trigger_id": f"{next(_triggers)}.forged",
            "response_url": "",
            "actions": [
                {"type": "button", "action_id": action, "block_id": "b", "value": value, "action_ts": f"{time.time()}"}
            ],
        }

    def send(self, payload: JSON, *, secret: str = "", age: float = 0.0, signature: str | None = None) -> int:
        """The HTTP status that the bot answers."""
        body = urllib.parse.urlencode({"payload": json.dumps(payload)}).encode()
        stamp = str(int(time.time() - age))
        key = (secret or self.place.workspace.signing_secret).encode()
        right = "v0=" + hmac.new(key, f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": right if signature is None else signature,
        }
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url, body, headers), timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def untouched(self) -> None:
        assert self.request.state is State.WAITING
        assert self.request.votes == ()
        assert self.place.lab.calls().get("Async.VM.pool_migrate", 0) == 0

    def rows(self, kind: str) -> list[JSON]:
        rows = self.bot.store.ledger(pools=None, last=50)
        return [dict(row.body) for row in rows if row.kind == kind and row.request_id in ("", self.id)]


@pytest.fixture
def forger(tmp_path: Path) -> Iterator[Forger]:
    with start_lab(labs.load("tutorial"), tls=True, speed=SPEED) as lab, start_workspace() as workspace:
        path = write_config(tmp_path, lab, workspace)
        (tmp_path / "signing-secret").write_text(workspace.signing_secret, encoding="utf-8")
        added = f'mode = "http"\nhttp_port = 0\nsigning_secret = "file:{tmp_path}/signing-secret"\n'
        path.write_text(path.read_text(encoding="utf-8").replace("[slack]\n", f"[slack]\n{added}", 1), encoding="utf-8")
        with compose.running(config.load(path)) as bot:
            assert bot.http_port
            yield Forger(Town(lab, workspace, path, bot), bot.http_port)


def test_what_slack_sends_counts(forger: Forger) -> None:
    """The forgeries below differ from this in one thing each."""
    assert forger.send(forger.press(forger.paper)) == 200
    assert forger.place.ended(forger.id).state is State.SUCCEEDED


def test_bad_signatures_and_old_timestamps_are_refused_and_logged(
    forger: Forger, caplog: pytest.LogCaptureFixture
) -> None:
    payload = forger.press(forger.paper)
    with caplog.at_level(logging.INFO):
        assert forger.send(payload, secret="another secret") == 401
        assert forger.send(payload, signature="") == 401
        assert forger.send(payload, signature="v0=00") == 401
        assert forger.send(payload, age=6 * 60) == 401
    forger.untouched()
    assert sum("signature" in record.getMessage().casefold() for record in caplog.records) >= 4


def test_a_replayed_press_counts_once(forger: Forger) -> None:
    """Within the five minutes that Slack allows, byte for byte: nothing more comes of it."""
    payload = forger.press(forger.paper)
    assert [forger.send(payload), forger.send(payload)] == [200, 200]
    assert forger.place.ended(forger.id).state is State.SUCCEEDED
    assert len(forger.rows("vote")) == 1
    assert forger.place.lab.calls()["Async.VM.pool_migrate"] == 1


def test_another_workspaces_payload_is_refused_and_logged(forger: Forger, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert forger.send(forger.press(forger.paper, team="T0ELSE")) == 403
    forger.untouched()
    assert any("workspace T0ELSE" in record.getMessage() for record in caplog.records)


def test_a_button_of_an_old_message_is_refused_and_recorded(forger: Forger) -> None:
    assert forger.send(forger.press(f"{forger.id}:{'0' * 64}")) == 200
    (row,) = eventually(lambda: forger.rows("vote refused"), "the record")
    assert row["reason"] == "it was for another plan"
    forger.untouched()


@pytest.mark.parametrize("value", ["", "X-1", "X-1:", "x" * 2000, "X-1:" + "g" * 64, "'; DROP TABLE requests; --"])
def test_forged_values_name_nothing(forger: Forger, value: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert forger.send(forger.press(value)) == 200
        eventually(lambda: "carried no request" in caplog.text, "the log")
    forger.untouched()


def test_a_forged_command_in_a_button_is_the_pressers_own_command(forger: Forger) -> None:
    """Whatever a button says, it is done in the name of whoever pressed it, or not."""
    forged = forger.press(f"request withdraw {forger.id}", who="sam", action="run:0")
    assert forger.send(forged) == 200
    eventually(lambda: forger.rows("denied"), "the record")
    forger.untouched()


def test_the_requesters_own_approval_is_refused_and_recorded(forger: Forger) -> None:
    assert forger.send(forger.press(forger.paper, who="olga")) == 200
    eventually(lambda: forger.rows("vote refused"), "the record")
    forger.untouched()
