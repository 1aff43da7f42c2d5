"""An answer is given once, by the best way there is."""

from __future__ import annotations

import logging
import threading

import pytest

from bot.answers import Shown
from bot.model import Report
from bot.slack.origin import Origin
from bot.slack.render.answer import sentence
from bot.slack.render.message import Message
from bot.slack.replies import Replies
from tests.bot_slack.conftest import BringUp, Team
from tests.bot_slack.samples import INFRA, OLGA
from tests.bot_slack.shown import words


def said(team: Team, channel: str = "#infra") -> list[str]:
    return [words(one["blocks"]) or one["text"] for one in team.answers(channel, "olga")]


def test_a_rate_limited_answer_is_given_later(team: Team) -> None:
    team.slack.fault("rate_limit", method="response_url", count=1, seconds=1)
    team.slack.say("olga", "#infra", "/xen pool status")
    team.answer("#infra", "olga")
    assert said(team) == ["you said pool status"]


@pytest.mark.parametrize("fault", ["drop_after", "error_500"])
def test_an_answer_that_may_have_been_given_is_not_given_again(
    team: Team, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    team.slack.fault(fault, method="response_url", count=1)
    team.slack.say("olga", "#infra", "/xen pool status")
    team.slack.wait_until(lambda: [one for one in caplog.records if "may be lost" in one.getMessage()])
    assert team.slack.calls()["response_url"] == 1


def test_a_mention_whose_answer_is_lost_is_answered_once(team: Team, caplog: pytest.LogCaptureFixture) -> None:
    team.slack.fault("drop_after", method="chat.postMessage", count=1)
    ts = team.slack.say("olga", "#infra", "@xenia pool status")["ts"]
    team.slack.wait_until(lambda: [one for one in caplog.records if "may be lost" in one.getMessage()])
    assert team.slack.calls()["chat.postMessage"] == 1
    assert len(team.answers("#infra", "olga", ts)) == 1


def test_a_bot_that_was_thrown_out_meanwhile_loses_only_the_answer(
    team: Team, caplog: pytest.LogCaptureFixture
) -> None:
    team.desk.hold()
    team.slack.say("olga", "#infra", "@xenia pool status")
    team.slack.wait_until(lambda: team.desk.started)
    team.slack.person("xenia", "leave", "#infra")
    team.desk.release()
    team.slack.wait_until(lambda: [one for one in caplog.records if "was refused" in one.getMessage()])
    team.slack.say("olga", "#infra", "/xen pool list")
    team.answer("#infra", "olga")
    assert "not a member" in team.desk.asks[-1].cannot_post


@pytest.mark.parametrize("fault", ["rate_limit", "drop_before"])
def test_where_it_is_not_known_who_listens_only_the_asker_is_answered(team: Team, fault: str) -> None:
    more = {"seconds": 1} if fault == "rate_limit" else {}
    team.slack.fault(fault, method="conversations.info", count=2, **more)
    ts = team.slack.say("olga", "#partners", "@xenia pool status")["ts"]
    assert team.answer("#partners", "olga", ts)["ephemeral"]
    assert team.answers("#partners", "otto", ts) == []


def test_blocks_that_slack_will_not_take_become_words(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Message("only words", ({"type": "header", "text": {"type": "plain_text", "text": "x" * 151}},))
    monkeypatch.setattr("bot.slack.render.report.message", lambda report: bad)
    team.slack.say("olga", "#infra", "/xen pool status")
    team.answer("#infra", "olga")
    assert said(team) == ["only words"]


def test_no_response_url_is_ever_logged(team: Team, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        team.slack.fault("drop_before", method="response_url", count=1)
        team.slack.say("olga", "#infra", "/xen pool status")
        team.slack.wait_until(lambda: [one for one in caplog.records if "may be lost" in one.getMessage()])
        team.slack.say("olga", "#infra", "/xen vm migrate")
        team.slack.say("olga", "#infra", "/xen pool list")
        team.answer("#infra", "olga")
    text = "\n".join(f"{one.getMessage()} {one.exc_info}" for one in caplog.records)
    assert f"{team.slack.base}/commands/" not in text
    assert team.slack.bot_token not in text
    assert team.slack.app_token not in text


def test_what_waits_when_the_bot_is_stopped_is_turned_away_aloud(bring_up: BringUp) -> None:
    """It was acknowledged, so Slack will not send it again: silence would lose a command, or an approval."""
    team = bring_up(bot={"workers": 1})
    team.desk.hold()
    team.slack.say("olga", "#infra", "/xen pool status")
    team.slack.wait_until(lambda: team.desk.started)
    team.slack.say("ana", "#infra", "/xen vm list")
    workers = team.bot._workers
    team.slack.wait_until(lambda: workers.slow._work_queue.qsize())
    stopping = threading.Thread(target=workers.close)
    stopping.start()
    team.slack.wait_until(lambda: workers.closing)
    team.desk.release()
    stopping.join(20)
    assert words(team.answer("#infra", "olga")["blocks"]) == "you said pool status"
    assert "nothing was done" in words(team.answer("#infra", "ana")["blocks"])
    assert [ask.text for ask in team.desk.asks] == ["pool status"]


def test_closing_waits_for_no_rate_limit(team: Team) -> None:
    replies = Replies(team.workspace.api, team.workspace.places)
    replies.close()
    team.slack.fault("rate_limit", method="chat.postMessage", count=1, seconds=50)
    replies.send(Origin(actor=OLGA, place=INFRA, key="", public=True), sentence("hello"))
    assert said(team) == []


def test_a_decision_does_not_wait_behind_commands_that_wait_for_pools(bring_up: BringUp) -> None:
    """The one thread for commands is held by a pool that does not answer; the command about a request goes on."""
    team = bring_up(bot={"workers": 1})
    team.desk.hold()
    team.slack.say("olga", "#infra", "/xen pool status")
    team.slack.wait_until(lambda: team.desk.started)
    try:
        team.desk.reply = lambda ask: Shown(Report(title=f"at once: {ask.text}"))
        team.slack.say("ana", "#infra", "/xen request cancel X-1")
        assert words(team.answer("#infra", "ana")["blocks"]) == "at once: request cancel X-1"
    finally:
        team.desk.release()
