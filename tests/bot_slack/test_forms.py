"""Forms: opened while the trigger lives, filled when the pools answer, carried out when sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.answers import Answer, Ask, FormField, NeedsForm, Opened, Problem
from bot.errors import Choice
from bot.model import Place
from tests.bot_slack.conftest import BringUp, Team
from tests.bot_slack.fake_desk import MIGRATE
from tests.bot_slack.shown import buttons, words

JSON = dict[str, Any]


def inputs(view: JSON) -> dict[str, JSON]:
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


def filled(team: Team, who: str = "olga") -> JSON:
    """The form once it can be filled in."""
    found: list[JSON] = team.slack.wait_until(
        lambda: [one for one in team.slack.views(who)["views"] if inputs(one["view"])]
    )
    return found[0]


def test_a_form_is_opened_at_once_and_filled_when_the_pools_have_answered(team: Team) -> None:
    team.desk.hold()
    team.slack.say("olga", "#infra", "/xen vm migrate")
    opened = team.view("olga")
    assert "Reading what there is" in words(opened["view"]["blocks"])
    assert "submit" not in opened["view"] or opened["view"]["submit"] is None
    team.desk.release()
    form = filled(team)
    assert form["id"] == opened["id"]
    assert list(inputs(form["view"])) == ["vm", "host", "note", "force"]
    assert [block["optional"] for block in inputs(form["view"]).values()] == [False, True, True, True]
    assert team.slack.calls()["views.open"] == team.slack.calls()["views.update"] == 1


def test_what_is_sent_is_carried_out_and_answered_where_it_was_asked(team: Team) -> None:
    team.slack.say("olga", "#infra", "/xen vm migrate")
    form = filled(team)
    found = team.slack.options("olga", view_id=form["id"], block_id="vm", action_id="pick", value="web-1")
    assert found["options"] == [
        {"text": {"type": "plain_text", "text": "web-1 – on xs1", "emoji": False}, "value": "uuid-1"}
    ]
    picked = {"text": {"type": "plain_text", "text": "web-1 – on xs1"}, "value": "uuid-1"}
    values = {"vm": {"pick": picked}, "note": {"input": "now"}, "force": {"input": ["force"]}}
    assert team.slack.submit("olga", form["id"], values) == {"ok": True}
    answer = team.answer("#infra", "olga")
    assert team.desk.submitted == [("vm migrate", {"vm": "uuid-1", "note": "now", "force": "yes"})]
    assert team.desk.asks[0].place == Place(kind="slack", team="T0EXAMPLE", channel="C0INFRA")
    assert team.desk.asks[0].actor.id == "T0EXAMPLE/U0OLGA"
    assert answer["ephemeral"]
    assert team.slack.views("olga")["views"] == []


def test_what_can_be_picked_depends_on_what_is_picked_already(team: Team) -> None:
    team.slack.say("olga", "#infra", "/xen vm migrate")
    form = filled(team)
    team.slack.options("olga", view_id=form["id"], block_id="host", action_id="pick", value="xs")
    field, typed, _ = team.desk.offered[-1]
    assert (field, typed) == ("host", "xs")


def test_options_that_take_too_long_are_not_offered_and_keep_nobody_waiting(team: Team) -> None:
    team.slack.say("olga", "#infra", "/xen vm migrate")
    form = filled(team)
    team.desk.hold()
    answer = team.slack.options("olga", view_id=form["id"], block_id="vm", action_id="pick", value="")
    assert answer["options"] == []
    assert "error" not in answer


def test_a_hundred_options_at_most(team: Team) -> None:
    team.desk.choices = tuple(Choice(f"vm-{number}", f"uuid-{number}") for number in range(150))
    team.slack.say("olga", "#infra", "/xen vm migrate")
    form = filled(team)
    found = team.slack.options("olga", view_id=form["id"], block_id="vm", action_id="pick", value="vm")
    assert len(found["options"]) == 100


def test_a_form_that_cannot_be_filled_says_why(team: Team) -> None:
    team.desk.fillable = False
    team.slack.say("olga", "#infra", "/xen vm migrate")
    said = team.slack.wait_until(
        lambda: [one for one in team.slack.views("olga")["views"] if "does not answer" in words(one["view"]["blocks"])]
    )
    assert "Try later." in words(said[0]["view"]["blocks"])


def test_a_form_closed_before_it_was_filled_is_no_failure(team: Team, caplog: pytest.LogCaptureFixture) -> None:
    team.desk.hold()
    team.slack.say("olga", "#infra", "/xen vm migrate")
    team.slack.close_view("olga", team.view("olga")["id"])
    team.desk.release()
    team.slack.wait_until(lambda: team.slack.calls().get("views.update"))
    team.slack.say("olga", "#infra", "/xen pool status")
    assert words(team.answer("#infra", "olga")["blocks"]) == "you said pool status"
    assert not [one for one in caplog.records if one.levelname in ("ERROR", "WARNING") and "form" in one.message]


def test_the_same_command_delivered_twice_opens_one_form(team: Team) -> None:
    team.slack.fault("duplicate_envelope", count=1)
    team.slack.say("olga", "#infra", "/xen vm migrate")
    filled(team)
    team.slack.wait_until(lambda: team.slack.calls()["views.open"] == 2)
    team.slack.say("olga", "#infra", "/xen pool status")
    assert words(team.answer("#infra", "olga")["blocks"]) == "you said pool status"
    assert len(team.answers("#infra", "olga")) == 1
    assert len(team.slack.views("olga")["views"]) == 1


def test_the_same_form_sent_twice_is_carried_out_once(team: Team) -> None:
    team.slack.say("olga", "#infra", "/xen vm migrate")
    form = filled(team)
    picked = {"text": {"type": "plain_text", "text": "web-2"}, "value": "uuid-2"}
    team.slack.fault("duplicate_envelope", count=1)
    team.slack.submit("olga", form["id"], {"vm": {"pick": picked}})
    team.answer("#infra", "olga")
    team.slack.wait_until(lambda: len(team.desk.started) == 3)  # fill, and twice the form
    assert len(team.desk.submitted) == 1


def test_a_trigger_that_has_expired_leaves_a_button_with_a_new_one(team: Team) -> None:
    team.slack.fault("delay", count=1, seconds=3.1)  # Slack delivers late, so that the trigger comes dead
    team.slack.say("olga", "#infra", "/xen vm migrate")
    answer = team.answer("#infra", "olga")
    assert buttons(answer["blocks"])["Fill in…"]["value"] == "vm migrate"
    team.slack.press("olga", channel="#infra", ts=answer["ts"], text="Fill in…")
    filled(team)


def test_a_known_value_is_in_the_form(bring_up: BringUp) -> None:
    team = bring_up()
    known = FormField(name="pool", label="Pool", object_class="pool", required=True, value="lab")

    def fill(form: Any, ask: Ask) -> Any:
        return replace(form, fields=(known, *form.fields))

    team.desk.fill = fill  # type: ignore[method-assign]
    team.slack.say("olga", "#infra", "/xen vm migrate")
    form = filled(team)
    chosen = inputs(form["view"])["pool"]["element"]["initial_option"]
    assert (chosen["text"]["text"], chosen["value"]) == ("lab", "lab")
    team.slack.options("olga", view_id=form["id"], block_id="vm", action_id="pick", value="")
    assert team.desk.offered[-1][2] == {"pool": "lab"}


def test_a_problem_after_the_form_is_told(team: Team) -> None:
    def reply(ask: Ask) -> Answer:
        return Problem(error="refused", message="web-2 is not running.", remedy="Start it.")

    team.desk.reply = reply
    team.slack.say("olga", "#infra", "/xen vm migrate")
    picked = {"text": {"type": "plain_text", "text": "web-2"}, "value": "uuid-2"}
    team.slack.submit("olga", filled(team)["id"], {"vm": {"pick": picked}})
    assert "web-2 is not running.Start it." in words(team.answer("#infra", "olga")["blocks"])


def test_a_form_from_a_button_in_a_thread_belongs_to_the_thread(team: Team) -> None:
    team.desk.reply = lambda ask: NeedsForm(MIGRATE)
    ts = team.slack.say("olga", "#infra", "@xenia vm migrate")["ts"]
    answer = team.answer("#infra", "olga", ts)
    team.slack.press("ana", channel="#infra", ts=answer["ts"], text="Fill in…")
    form = filled(team, "ana")
    team.desk.reply = lambda ask: Opened("X-7", ask.place, "lab: Move web-2")
    picked = {"text": {"type": "plain_text", "text": "web-2"}, "value": "uuid-2"}
    team.slack.submit("ana", form["id"], {"vm": {"pick": picked}})
    assert "X-7 was opened" in words(team.answer("#infra", "ana", ts, count=2)["blocks"])
    assert team.desk.asks[-1].place.thread_ts == ts
    assert team.desk.asks[-1].actor.id == "T0EXAMPLE/U0ANA"


def test_no_secret_word_of_the_workspace_is_in_the_form(team: Team) -> None:
    team.slack.say("olga", "#infra", "/xen vm migrate")
    form = filled(team)
    shown = str(form["view"]["blocks"])
    assert team.slack.base not in shown
    assert team.slack.bot_token not in str(form)
