"""A configuration tried against both sandboxes: what is wrong is named, with what to do, before it is needed."""

from __future__ import annotations

import logging
import os
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot import cli, compose, config
from bot.cli.run import first_look
from bot.clock import SystemClock
from bot.errors import Unavailable
from bot.model import Level
from bot.slack.api import Api, Refused
from bot.slack.app import connect
from bot.trial import here, of_pools, worst
from bot.xapi.session import PoolSession
from tests.e2e.conftest import Town, town

WRONG_PIN = ":".join(["ab"] * 32)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Both sandboxes and a configuration that is right; no bot runs."""
    with town(tmp_path_factory.mktemp("trial"), run=False) as made:
        yield made


@pytest.fixture
def changed(place: Town) -> Iterator[Callable[..., Path]]:
    """The configuration with some of its text replaced, in a file of its own."""
    made = place.config.with_name("changed.toml")

    def change(*pairs: tuple[str, str]) -> Path:
        text = place.config.read_text(encoding="utf-8")
        for pattern, replacement in pairs:
            text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
            assert count, pattern
        made.write_text(text, encoding="utf-8")
        return made

    yield change
    made.unlink(missing_ok=True)


def tried(capsys: pytest.CaptureFixture[str], path: Path, *words: str) -> tuple[int, str]:
    status = cli.main([*(words or ("config", "check", "--live")), "--config", str(path)])
    said = capsys.readouterr()
    return status, said.out + said.err


def test_what_is_right_is_said_point_by_point(place: Town, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = tried(capsys, place.config)
    assert status == 0, said
    for word in (
        "5 secrets can be read",
        "takes the bot token",
        "Socket Mode works",
        "the bot is a member",
        "is pinned",
    ):
        assert word in said
    assert "lab: root may do everything" in said
    assert "xs3: root may do everything" in said
    assert "has no mistakes" in said
    assert "✗" not in said
    assert "xoxb-" not in said
    assert place.lab.password not in said


BAD = {
    "token missing": (r'bot_token = "file:.*"', 'bot_token = "file:/nowhere/token"', "/nowhere/token cannot be read"),
    "token wrong": (
        r'bot_token = "file:(.*)bot-token"',
        r'bot_token = "file:\1app-token"',
        "does not begin with xoxb-",
    ),
    "app token wrong": (r'app_token = "file:.*"', 'app_token = "env:WRONG_APP_TOKEN"', "app-level token"),
    "workspace wrong": (r'team = "T0\w+"', 'team = "T0OTHER"', "the configuration says T0OTHER"),
    "channel without the bot": (r'approvals_channel = ".*"', 'approvals_channel = "C0NOWHERE"', "Invite the bot"),
    "channel shared": (r'approvals_channel = ".*"', 'approvals_channel = "C0PARTNERS"', "another organisation"),
    "certificate not pinned": (r"fingerprints = .*", f'fingerprints = ["{WRONG_PIN}"]', "is not pinned"),
    "certificate unknown": (r"fingerprints = .*\n", "", "nobody vouches for"),
    "password wrong": (
        r'password = "file:(.*)pool-password"',
        r'password = "file:\1ledger-key"',
        "refuses the bot's user",
    ),
    "path not there": (r'database = ".*"', 'database = "/nowhere/xenia.sqlite3"', "Create the directory /nowhere"),
    "Slack not there": (
        r'api_url = ".*"',
        'api_url = "http://127.0.0.1:1/api/"',
        "Slack cannot be reached at 127.0.0.1",
    ),
    "secret empty": (r'ledger_key = "file:.*"', 'ledger_key = "file:/dev/null"', "/dev/null is empty"),
}


@pytest.mark.parametrize(("pattern", "replacement", "told"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_named_with_what_to_do(
    changed: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    pattern: str,
    replacement: str,
    told: str,
) -> None:
    monkeypatch.setenv("WRONG_APP_TOKEN", "xapp-1-A0XENIA-0-wrong")
    status, said = tried(capsys, changed((pattern, replacement)))
    assert status == 1
    (line,) = [line for line in said.splitlines() if told in line][:1]
    assert "✗" in said
    assert line


REFUSED_AT_START = (
    "token missing",
    "token wrong",
    "app token wrong",
    "workspace wrong",
    "channel shared",
    "path not there",
    "Slack not there",
    "secret empty",
)


@pytest.mark.parametrize("name", REFUSED_AT_START)
def test_the_bot_does_not_start_with_what_it_cannot_work_with(
    changed: Callable[..., Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("WRONG_APP_TOKEN", "xapp-1-A0XENIA-0-wrong")
    pattern, replacement, _ = BAD[name]
    status, said = tried(capsys, changed((pattern, replacement)), "run")
    assert status == (os.EX_CONFIG if name in ("token missing", "secret empty") else 1)
    assert len([line for line in said.splitlines() if line]) >= 2, f"what to do is not said: {said}"
    assert "Traceback" not in said


def test_as_json_also_the_reason_why_it_does_not_start_is_an_object(
    changed: Callable[..., Path], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    pattern, replacement, told = BAD["Slack not there"]
    status, said = tried(capsys, changed((pattern, replacement), (r"^\[bot\]", '[bot]\nlog = "json"')), "run")
    assert status == 1
    assert said == ""
    (record,) = [record for record in caplog.records if record.levelno == logging.CRITICAL]
    assert told in record.getMessage()
    assert "network, DNS, firewall" in record.getMessage()


def test_where_slack_asks_to_wait_it_is_told_for_how_long(place: Town, capsys: pytest.CaptureFixture[str]) -> None:
    place.workspace.fault("rate_limit", method="auth.test", seconds=40)
    status, said = tried(capsys, place.config, "run")
    assert status == 1
    assert "Start again in 40 s." in said


@pytest.mark.parametrize(
    ("code", "told"),
    [("account_inactive", "was taken out of the workspace"), ("token_revoked", "was taken back"), ("odd", "OAuth")],
)
def test_a_token_that_was_good_once_is_told_with_what_became_of_it(
    place: Town, monkeypatch: pytest.MonkeyPatch, code: str, told: str
) -> None:
    def refuse(_: Api, method: str, **__: object) -> None:
        raise Refused(method, code)

    monkeypatch.setattr(Api, "call", refuse)
    with pytest.raises(Unavailable, match=code) as raised:
        connect(config.load(place.config).slack_settings())
    assert told in raised.value.remedy


def test_a_proxy_that_the_environment_names_is_told_without_its_password(
    changed: Callable[..., Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://me:hush@proxy.invalid:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    _, said = tried(capsys, changed(BAD["Slack not there"][:2]), "run")
    assert "the proxy that the environment names (proxy.invalid)" in said
    assert "hush" not in said


def test_the_same_is_said_once(changed: Callable[..., Path], caplog: pytest.LogCaptureFixture) -> None:
    """That its password cannot be read is also why a pool cannot be reached."""
    path = changed((r'password = "file:.*"', 'password = "file:/nowhere/password"'))
    first_look(config.load(path), path)
    said = [record.getMessage() for record in caplog.records if "/nowhere/password" in record.getMessage()]
    assert len(said) == len(set(said)), said
    assert all(each.startswith(("pools.", "hosts.")) for each in said), said


def test_a_port_in_use_is_told_by_the_trial_and_at_the_start(
    changed: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        path = changed((r"\Z", f"\n[watch]\nport = {taken.getsockname()[1]}\n"))
        status, said = tried(capsys, path)
        assert status == 1
        assert "watch.port: nothing can listen" in said
        status, said = tried(capsys, path, "run")
        assert status == 1
        assert "set watch.port" in said


@pytest.mark.parametrize("name", ["certificate not pinned", "password wrong"])
def test_a_pool_that_cannot_be_worked_with_is_logged_at_the_start(
    changed: Callable[..., Path], caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """The bot starts all the same: the other pools are there, and this one may be back soon."""
    pattern, replacement, told = BAD[name]
    path = changed((pattern, replacement))
    first_look(config.load(path), path)
    assert any(told in record.getMessage() and record.levelno == logging.ERROR for record in caplog.records)


def test_a_channel_without_the_bot_is_logged_at_the_start(
    changed: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    pattern, replacement, told = BAD["channel without the bot"]
    with compose.running(config.load(changed((pattern, replacement)))):
        assert any(told in record.getMessage() for record in caplog.records)


def test_a_secret_that_others_can_read_is_told(place: Town) -> None:
    token = place.config.with_name("bot-token")
    token.chmod(0o640)
    try:
        points = list(here(config.load(place.config)))
    finally:
        token.chmod(0o600)
    (point,) = [point for point in points if point.level is Level.WARN]
    assert "its whole group (mode 640): chmod 600" in point.text
    assert worst(here(config.load(place.config))) is Level.OK


@pytest.mark.parametrize("words", [("config", "check", "--offline"), ("doctor", "--offline")], ids=["check", "doctor"])
def test_a_configuration_that_others_can_change_is_told(
    changed: Callable[..., Path], capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """Who can change it can make themselves an approver."""
    path = changed()
    for mode, told in ((0o600, False), (0o664, False), (0o646, True)):
        path.chmod(mode)
        _, said = tried(capsys, path, *words)
        assert ("can be changed by every login of this machine (mode 646)" in said) is told, said
        assert ("chmod o-w" in said) is told


def test_an_account_that_may_not_do_everything_is_told_what_it_may_not(
    place: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PoolSession, "permissions", lambda _: frozenset({"vm.suspend"}))
    settings = config.load(place.config).pool_settings()[:1]
    points = list(of_pools(settings, ("vm list", "vm suspend", "vm migrate"), SystemClock()))
    (point,) = [point for point in points if point.level is Level.WARN]
    assert point.text.endswith("is not enough for: “vm migrate”")


def test_a_member_whose_certificate_is_not_pinned_is_told(changed: Callable[..., Path], place: Town) -> None:
    first = place.lab.fingerprints["xs1"]
    settings = config.load(changed((r"fingerprints = .*", f'fingerprints = ["{first}"]'))).pool_settings()[:1]
    points = list(of_pools(settings, (), SystemClock()))
    assert any("would not follow the coordinator" in point.remedy for point in points), points


# --- doctor -----------------------------------------------------------------------------------------------------------


def test_the_doctor_finds_that_the_bot_does_not_run(place: Town, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = tried(capsys, place.config, "doctor")
    assert status == 1
    assert "✗ the bot does not run" in said
    assert "systemctl start xenia" in said


def test_the_doctor_finds_nothing_wrong_with_a_bot_that_is_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with town(tmp_path) as place:
        assert place.bot is not None
        status, said = tried(capsys, place.config, "doctor")
        assert status == 0, said
        assert "the bot runs: process" in said
        place.lab.kill("xs1")
        place.lab.kill("xs2")
        status, said = tried(capsys, place.config, "doctor")
        assert status == 1
        assert "The pool lab cannot be reached." in said


def test_health_is_the_running_bot_s_own_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with town(tmp_path, change=lambda text: text + "\n[watch]\nport = 0\n") as place:
        assert place.bot is not None
        text = place.config.read_text(encoding="utf-8")
        place.config.write_text(text.replace("port = 0", f"port = {place.bot.watch_port}"), encoding="utf-8")
        assert tried(capsys, place.config, "health") == (0, "")
    status, said = tried(capsys, place.config, "health")
    assert status == 1
    assert "The bot does not answer" in said
