"""Whatever is rendered, Slack takes it: checked against the sandbox's Block Kit rules, at sizes up to absurd."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.answers import Bug, Form, FormField, NeedsForm, Opened, Problem, Shown, Voted
from bot.errors import Choice
from bot.model import Cell, Report, Risk, State, Table
from bot.slack.render import answer, card, details, forms, report
from bot.slack.render.message import Message
from sandbox.slack.blockkit import check_blocks, check_view
from tests.bot_slack import samples
from tests.bot_slack.shown import buttons, words

LONG = "prod-database " * 300
SIZES = [(word, many) for word in ("web-1", " ", LONG, "漢字" * 200) for many in (0, 1, 7, 120)]


def accepted(message: Message) -> None:
    check_blocks(list(message.blocks), "message")
    assert 0 < len(message.text) <= 4000
    assert "\n" not in message.text


@pytest.mark.parametrize(("word", "many"), SIZES)
def test_a_card_of_any_size_is_accepted_in_every_state(word: str, many: int) -> None:
    for state in (State.WAITING, State.RUNNING, State.UNKNOWN, State.FAILED):
        accepted(card.message(samples.request(word, many, state)))
        accepted(card.smallest(samples.request(word, many, state)))


@pytest.mark.parametrize(("word", "many"), SIZES)
def test_a_report_of_any_size_is_accepted(word: str, many: int) -> None:
    accepted(report.message(samples.report(word, many)))


@pytest.mark.parametrize(("word", "many"), SIZES)
def test_details_of_any_size_are_accepted(word: str, many: int) -> None:
    check_view(details.modal(samples.request(word, many)), "modal")


@pytest.mark.parametrize(("word", "many"), SIZES)
def test_an_answer_of_any_size_is_accepted(word: str, many: int) -> None:
    choices = tuple(Choice(word, f"vm show {number} {word}") for number in range(many))
    form = Form(command="vm migrate", title=word, summary=word, fields=())
    problem = Problem(
        error="parse",
        message=word,
        remedy=word,
        evidence=(word,) * many,
        choices=choices,
        text=f"vm {word} x",
        start=3,
        end=3 + len(word),
    )
    given: list[Any] = [
        Shown(samples.report(word, many)),
        Opened("X-7", samples.INFRA, word, elsewhere=word),
        Voted(word),
        NeedsForm(form),
        problem,
        Bug("cafe0123"),
    ]
    for each in given:
        message = answer.message(each, word)
        assert message
        accepted(message)


@pytest.mark.parametrize("word", ["web-1", "", LONG, "x" * 150, "x" * 151])
def test_a_form_with_any_value_is_accepted(word: str) -> None:
    fields = tuple(
        FormField(name=f"f{number}", label=word, object_class=cls, required=True, flag=flag, value=word)
        for number, (cls, flag) in enumerate([("VM", False), ("", False), ("", True)] * 50)
    )
    form = Form(command="vm migrate", title=word, summary=word, fields=fields)
    check_view(forms.filled(form, "{}"), "modal")
    check_view(forms.loading(form, "{}"), "modal")
    check_view(forms.reject(word, "{}"), "modal")
    check_view(forms.saying(word, word, word), "modal")
    options = forms.options(tuple(Choice(word, f"{number:03}{word}") for number in range(150)))
    assert len(options) <= 100
    assert all(len(option["value"]) <= 150 for option in options)


def test_a_card_is_accepted_in_every_state() -> None:
    for state in State:
        accepted(card.message(samples.request(state=state)))


@pytest.mark.parametrize("rows", [64, 400])
def test_a_table_that_is_mostly_text_is_cut_to_what_slack_counts(rows: int) -> None:
    wide = Table(columns=("a", "b"), rows=((Cell("x" * 50), Cell("y" * 50)),) * rows)
    message = report.message(Report(title="lab", parts=(wide, wide)))
    accepted(message)
    assert message.blocks[1]["type"] == "rich_text"
    assert words(message.blocks).count("xxx…") >= 2 * 40


def test_what_does_not_fit_is_counted() -> None:
    shown = words(report.message(samples.report("a-rather-long-name-of-a-virtual-machine", 500)).blocks)
    assert "… and 4" in shown
    many = samples.plan(many=40)
    shown = words(card.message(samples.request(plan=many)).blocks)
    assert "… and 26 more" in shown
    assert "40 checks passed" in shown


def test_a_choice_that_slack_cannot_carry_whole_is_left_out_rather_than_cut() -> None:
    choices = (Choice("short", "a"), Choice("long", "b" * 151), Choice("longest", "c" * 150))
    assert [option["value"] for option in forms.options(choices)] == ["a", "c" * 150]
    problem = Problem(error="ambiguous", message="Which?", choices=(Choice("a", "x" * 2001), Choice("b", "vm show b")))
    message = answer.message(problem)
    assert message
    accepted(message)
    assert "and 1 more" in words(message.blocks)


def test_a_destructive_approval_asks_twice() -> None:
    destructive = samples.plan(LONG, risk=Risk.DESTRUCTIVE)
    message = card.message(samples.request(plan=destructive))
    accepted(message)
    assert "confirm" in buttons(message.blocks)["Approve"]
    milder = card.message(samples.request(plan=replace(destructive, risk=Risk.DISRUPTIVE)))
    assert "confirm" not in buttons(milder.blocks)["Approve"]
