"""An answer that takes long says how far it is, and the same message becomes the answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from bot import progress
from bot.answers import Answer, Ask, Shown
from bot.model import Report
from bot.slack.listeners import long
from tests.bot_slack.conftest import Team

JSON = dict[str, Any]
REPORT = Report(title="50 audits: 12 found nothing")


class Work:
    """A desk's long answer, which goes on when the test says so."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.steps = 5

    def __call__(self, ask: Ask) -> Answer:
        for done in range(1, self.steps + 1):
            progress.tell(done, self.steps, "pools audited")
            assert self.go.acquire(timeout=60)
        return Shown(REPORT)


@pytest.fixture
def work(team: Team, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    for wait in ("PATIENCE", "PRIVATE_PATIENCE", "GAP"):
        monkeypatch.setattr(long, wait, 0.0)
    made = Work()
    monkeypatch.setattr(team.desk, "answer", made)
    yield made
    for _ in range(made.steps):
        made.go.release()


def said(team: Team, text: str, thread: str) -> list[JSON]:
    return [one for one in team.answers("#infra", "olga", thread) if text in one["text"]]


def test_a_mention_s_answer_is_one_message_edited_in_place(team: Team, work: Work) -> None:
    asked = team.slack.say("olga", "#infra", "@xenia audit run all")
    thread = asked["ts"]
    (first,) = team.slack.wait_until(lambda: said(team, "1 of 5 pools audited", thread))
    work.go.release()
    (second,) = team.slack.wait_until(lambda: said(team, "2 of 5 pools audited", thread))
    assert second["ts"] == first["ts"]
    for _ in range(4):
        work.go.release()
    (answer,) = team.slack.wait_until(lambda: said(team, "50 audits", thread))
    assert answer["ts"] == first["ts"]
    assert len(team.answers("#infra", "olga", thread)) == 1


def test_an_edit_that_fails_does_not_lose_the_answer(team: Team, work: Work) -> None:
    thread = team.slack.say("olga", "#infra", "@xenia audit run all")["ts"]
    team.slack.wait_until(lambda: said(team, "1 of 5", thread))
    team.slack.fault("error_500", method="chat.update", count=9)
    for _ in range(5):
        work.go.release()
    (answer,) = team.slack.wait_until(lambda: said(team, "50 audits", thread))
    assert said(team, "1 of 5", thread)[0]["ts"] != answer["ts"]


def test_who_asked_for_their_own_eyes_is_told_once(team: Team, work: Work) -> None:
    team.slack.say("olga", "#infra", "/xen audit run all")
    team.slack.wait_until(lambda: [one for one in team.answers("#infra", "olga") if "1 of 5" in one["text"]])
    for _ in range(5):
        work.go.release()
    team.slack.wait_until(lambda: [one for one in team.answers("#infra", "olga") if "50 audits" in one["text"]])
    assert len(team.answers("#infra", "olga")) == 2
    assert team.answers("#infra", "ana") == []


def test_what_cannot_be_edited_is_said_later(team: Team, work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    """To one person alone: it stays there beside the answer."""
    monkeypatch.setattr(long, "PRIVATE_PATIENCE", 3600.0)
    for _ in range(5):
        work.go.release()
    team.slack.say("olga", "#infra", "/xen audit run all")
    team.slack.wait_until(lambda: [one for one in team.answers("#infra", "olga") if "50 audits" in one["text"]])
    assert len(team.answers("#infra", "olga")) == 1


def test_a_quick_answer_says_nothing_before(team: Team, work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long, "PATIENCE", 3600.0)
    for _ in range(5):
        work.go.release()
    thread = team.slack.say("olga", "#infra", "@xenia audit run all")["ts"]
    team.slack.wait_until(lambda: said(team, "50 audits", thread))
    assert len(team.answers("#infra", "olga", thread)) == 1
    assert "chat.update" not in team.slack.calls()
