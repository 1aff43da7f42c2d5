"""What is typed, said and pressed in Slack, and where the answer goes."""

from __future__ import annotations

import pytest

from bot.answers import Ask, Bug, NeedsForm, Opened, Problem, Shown
from bot.errors import Choice
from bot.model import Place, Report, Suggestion
from tests.bot_slack.conftest import Team
from tests.bot_slack.fake_desk import MIGRATE
from tests.bot_slack.shown import buttons, preformatted, words


def test_a_command_is_answered_to_whoever_typed_it_alone(team: Team) -> None:
    assert "error" not in team.slack.say("olga", "#infra", "/xen pool status in lab")
    answer = team.answer("#infra", "olga")
    assert words(answer["blocks"]) == "you said pool status in lab"
    assert answer["ephemeral"]
    assert team.answers("#infra", "ana") == []
    (ask,) = team.desk.asks
    assert (ask.text, ask.actor.id, ask.actor.name) == ("pool status in lab", "T0EXAMPLE/U0OLGA", "olga")
    assert ask.place == Place(kind="slack", team="T0EXAMPLE", channel="C0INFRA")
    assert ask.delivery_key.startswith("slack:")
    assert ask.cannot_post == ""


@pytest.mark.parametrize("typed", ["/xen", "/xen   ", "/xen help"])
def test_nothing_typed_asks_for_help(team: Team, typed: str) -> None:
    team.slack.say("olga", "#infra", typed)
    team.answer("#infra", "olga")
    assert [ask.text for ask in team.desk.asks] == ["help"]


def test_a_mention_is_answered_in_its_thread_for_all(team: Team) -> None:
    ts = team.slack.say("olga", "#infra", "@xenia pool status")["ts"]
    answer = team.answer("#infra", "ana", ts)
    assert words(answer["blocks"]) == "you said pool status"
    (ask,) = team.desk.asks
    assert ask.actor.name == "olga"  # events name nobody: Slack was asked
    assert (ask.place.channel, ask.place.thread_ts, ask.place.private) == ("C0INFRA", ts, False)


def test_a_mention_within_a_thread_stays_there(team: Team) -> None:
    parent = team.slack.say("ana", "#infra", "what about web-1?")["ts"]
    team.slack.say("olga", "#infra", "@xenia vm show web-1", parent)
    team.answer("#infra", "ana", parent)
    assert team.desk.asks[0].place.thread_ts == parent


def test_a_direct_message_is_answered_there(team: Team) -> None:
    team.slack.say("olga", "@olga", "pool list")
    assert words(team.answer("@olga", "olga")["blocks"]) == "you said pool list"
    (ask,) = team.desk.asks
    assert ask.place.private
    assert ask.place.thread_ts == ""


def test_the_bot_does_not_hear_itself_or_joiners(team: Team) -> None:
    team.slack.say("olga", "@olga", "pool list")
    team.answer("@olga", "olga")
    team.slack.person("sam", "leave", "#infra")
    team.slack.person("sam", "join", "#infra")
    team.slack.say("olga", "@olga", "vm list")
    team.answer("@olga", "olga", count=2)
    assert [ask.text for ask in team.desk.asks] == ["pool list", "vm list"]


@pytest.mark.parametrize(
    ("channel", "why"),
    [
        ("#random", "not a member"),
        ("#secret", "not in this conversation"),
        ("#partners", "shared with another organisation"),
        ("#infra", ""),
        ("#ops-private", ""),
        ("@olga", ""),
    ],
)
def test_where_the_bot_cannot_post_is_said_and_the_answer_comes_all_the_same(
    team: Team, channel: str, why: str
) -> None:
    team.slack.say("olga", channel, "/xen pool status")
    seen = team.slack.wait_until(lambda: [one for one in team.slack.messages(channel, "olga") if one.get("blocks")])
    assert "you said pool status" in words(seen[-1]["blocks"])
    assert why in team.desk.asks[0].cannot_post
    assert bool(why) == bool(team.desk.asks[0].cannot_post)


def test_a_mention_in_a_shared_channel_is_answered_to_the_asker_alone(team: Team) -> None:
    ts = team.slack.say("olga", "#partners", "@xenia pool status")["ts"]
    answer = team.answer("#partners", "olga", ts)
    assert answer["ephemeral"]
    assert team.answers("#partners", "otto", ts) == []


def test_an_outsider_is_asked_for_with_their_own_workspace(team: Team) -> None:
    team.slack.say("otto", "#partners", "@xenia pool status")
    team.slack.wait_until(lambda: team.desk.asks)
    assert team.desk.asks[0].actor.id == "T0PARTNER/U0OTTO"


def test_a_suggestion_runs_its_command_for_whoever_presses_it(team: Team) -> None:
    team.desk.reply = lambda ask: Shown(Report(title=ask.text, suggestions=(Suggestion("Hosts", "host list in lab"),)))
    team.slack.say("olga", "#infra", "/xen pool status")
    shown = team.answer("#infra", "olga")
    team.slack.press("olga", channel="#infra", ts=shown["ts"], text="Hosts")
    assert words(team.answer("#infra", "olga", count=2)["blocks"][:1]) == "host list in lab"
    assert team.desk.asks[1].actor.id == "T0EXAMPLE/U0OLGA"


def test_a_button_in_a_thread_is_answered_in_the_thread_to_whoever_pressed(team: Team) -> None:
    team.desk.reply = lambda ask: Shown(Report(title=ask.text, suggestions=(Suggestion("Hosts", "host list"),)))
    ts = team.slack.say("olga", "#infra", "@xenia pool status")["ts"]
    shown = team.answer("#infra", "ana", ts)
    team.slack.press("ana", channel="#infra", ts=shown["ts"], text="Hosts")
    assert words(team.answer("#infra", "ana", ts, count=2)["blocks"][:1]) == "host list"
    assert len(team.answers("#infra", "olga", ts)) == 1
    assert team.desk.asks[1].place.thread_ts == ts


def test_a_mistake_is_shown_in_its_place_with_what_may_have_been_meant(team: Team) -> None:
    team.desk.reply = lambda ask: Problem(
        error="parse",
        message="There is no command “migrat”.",
        text="vm migrat web-1",
        start=3,
        end=9,
        choices=(Choice("vm migrate web-1", "vm migrate web-1"),),
    )
    team.slack.say("olga", "#infra", "/xen vm migrat web-1")
    answer = team.answer("#infra", "olga")
    assert preformatted(answer["blocks"]) == [["vm migrat web-1", "   ^^^^^^"]]
    assert buttons(answer["blocks"])["vm migrate web-1"]["value"] == "vm migrate web-1"


def test_a_command_that_is_none_is_answered_not_opened(team: Team) -> None:
    team.slack.say("olga", "#infra", "/xen nonsense")
    assert preformatted(team.answer("#infra", "olga")["blocks"]) == [["nonsense", "^^^^^^^^"]]


def test_an_opened_request_is_told_with_its_place(team: Team) -> None:
    elsewhere = Place(kind="slack", team="T0EXAMPLE", channel="C0LAB")
    team.desk.reply = lambda ask: Opened("X-7", elsewhere, "lab: Move web-1", elsewhere="Requests are decided in")
    team.slack.say("olga", "#infra", "/xen vm migrate web-1 to xs2")
    told = words(team.answer("#infra", "olga")["blocks"])
    assert told == "X-7 was opened: lab: Move web-1. Requests are decided in #C0LAB."


def test_an_opened_request_whose_card_comes_here_is_not_told_twice(team: Team) -> None:
    def reply(ask: Ask) -> Opened | Shown:
        return Opened("X-7", ask.place, "t") if "migrate" in ask.text else Shown(Report(title="later"))

    team.desk.reply = reply
    ts = team.slack.say("olga", "#infra", "@xenia vm migrate web-1")["ts"]
    team.slack.wait_until(lambda: team.desk.asks)
    team.slack.say("olga", "#infra", "@xenia vm list", ts)
    assert words(team.answer("#infra", "olga", ts)["blocks"]) == "later"


def test_a_defect_gives_a_reference(team: Team) -> None:
    team.desk.reply = lambda ask: Bug("cafe0123")
    team.slack.say("olga", "#infra", "/xen pool status")
    assert "cafe0123" in words(team.answer("#infra", "olga")["blocks"])


def test_a_defect_in_a_listener_is_logged_under_the_reference_that_is_told(
    team: Team, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(ask: Ask) -> Shown:
        raise ZeroDivisionError("the desk never raises, and did")

    team.desk.reply = broken
    team.slack.say("olga", "#infra", "/xen pool status")
    told = words(team.answer("#infra", "olga")["blocks"])
    (record,) = [one for one in caplog.records if one.message.startswith("defect ")]
    assert record.exc_info
    assert record.message.split()[1] in told
    assert "ZeroDivisionError" not in told


def test_an_incomplete_command_said_aloud_offers_a_button_that_opens_the_form(team: Team) -> None:
    team.desk.reply = lambda ask: NeedsForm(MIGRATE)
    ts = team.slack.say("olga", "#infra", "@xenia vm migrate")["ts"]
    answer = team.answer("#infra", "ana", ts)
    team.slack.press("ana", channel="#infra", ts=answer["ts"], text="Fill in…")
    assert team.view("ana")["view"]["title"]["text"] == "vm migrate"
    assert len(team.desk.asks) == 1


def test_the_same_envelope_twice_is_answered_once(team: Team) -> None:
    team.slack.fault("duplicate_envelope", count=1)
    team.slack.say("olga", "#infra", "/xen pool status")
    team.answer("#infra", "olga")
    team.slack.wait_until(lambda: len(team.desk.started) == 2)
    team.slack.say("olga", "#infra", "/xen pool list")
    team.answer("#infra", "olga", count=2)
    assert [ask.text for ask in team.desk.asks] == ["pool status", "pool list"]
    assert len(team.answers("#infra", "olga")) == 2


def test_a_dropped_websocket_is_connected_again(team: Team) -> None:
    opened = team.slack.workspace.socket_mode.opened
    team.slack.fault("disconnect", reason="refresh_requested")
    team.slack.wait_until(lambda: team.slack.workspace.socket_mode.opened > opened, timeout=60)
    team.slack.say("olga", "#infra", "/xen pool status")
    assert words(team.answer("#infra", "olga")["blocks"]) == "you said pool status"


def test_four_thousand_hostile_characters_are_answered(team: Team) -> None:
    text = ("<!channel> `*_~ “smart” \u202e" * 200)[:3990]
    team.slack.say("olga", "#infra", f"/xen {text}")
    team.answer("#infra", "olga")
    assert len(team.desk.asks) == 1
