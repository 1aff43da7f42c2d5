"""The command line, and the record it keeps."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient

from sandbox.slack import start
from sandbox.slack.main import add_arguments, settings_of
from tests.sandbox_slack.conftest import ConnectBot, StartWorkspace

JSON = dict[str, Any]


def test_it_prints_one_line_when_it_is_ready_and_stops_when_told(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    command = [sys.executable, "-m", "sandbox.slack", "--record", str(record)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line: JSON = json.loads(process.stdout.readline())
            assert set(line) == {"api", "bot_token", "app_token", "signing_secret", "page", "people", "channels"}
            assert line["api"].endswith("/api/")
            assert line["people"]["olga"] == "U0OLGA"
            assert line["channels"]["infra"] == "C0INFRA"
            assert line["channels"]["@ana"] == "D0ANA"
            client = WebClient(line["bot_token"], base_url=line["api"])
            client.chat_postMessage(channel="C0INFRA", text="hello")
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
        assert process.stdout.read() == ""
    written = [json.loads(one) for one in record.read_text().splitlines()]
    assert written[0]["method"] == "chat.postMessage"
    assert written[0]["args"] == {"channel": "C0INFRA", "text": "hello"}
    assert written[0]["result"]["message"]["text"] == "hello"


def test_the_record_has_calls_and_deliveries_and_no_secret(
    workspace_with: StartWorkspace, connect: ConnectBot, tmp_path: Path
) -> None:
    path = tmp_path / "record.jsonl"
    workspace = workspace_with(record=path)
    bot = connect(workspace)

    @bot.app.command("/xen")
    def xen(ack: Any, client: WebClient) -> None:
        client.api_call("auth.test", params={"token": workspace.bot_token})
        ack("pong")

    workspace.say("olga", "#infra", "/xen ping")
    text = path.read_text()
    lines = [json.loads(one) for one in text.splitlines()]
    assert [one.get("method") or one["delivery"] for one in lines] == [
        "auth.test",
        "apps.connections.open",
        "auth.test",
        "slash_commands",
    ]
    assert lines[1]["result"]["url"].endswith("?ticket=…")
    delivery = lines[3]
    assert (delivery["payload"]["text"], delivery["outcome"], delivery["answer"]) == (
        "ping",
        "acknowledged",
        {"text": "pong"},
    )
    settings = workspace.settings
    for secret in (settings.bot_token, settings.app_token, settings.signing_secret, settings.verification_token):
        assert secret not in text


def test_a_port_that_is_taken_is_an_error(workspace_with: StartWorkspace) -> None:
    port = int(workspace_with().base.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"), start(port=port):
        pass


def test_options_become_settings() -> None:
    import argparse

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args(
        ["--should-escape", "--smart-quotes", "--no-rate-limits", "--lenient", "card.body", "--request-url", "http://x"]
    )
    settings = settings_of(args)
    assert settings.commands[0].should_escape is True
    assert settings.switches.smart_quotes is True
    assert settings.switches.rate_limits is False
    assert settings.switches.block_rules_off == {"card.body"}
    assert settings.request_url == "http://x"
    with pytest.raises(SystemExit):
        parser.parse_args(["--lenient", "nonsense"])


def test_secrets_are_new_each_time_and_not_in_the_settings_words(workspace_with: StartWorkspace) -> None:
    first, second = workspace_with(), workspace_with()
    assert first.bot_token != second.bot_token
    assert first.bot_token not in repr(first.settings)
    assert first.signing_secret not in repr(first.settings)
