"""An audit that runs by itself: asked for in Slack, told once in its channel when its time comes, and muted."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import compose, config
from tests.e2e.conftest import Town, text_of, town
from tests.e2e.people import done
from tests.e2e.scheduled import Ahead, time_comes, told
from tests.waiting import eventually


@pytest.mark.timeout(180)
def test_a_schedule_fires_and_its_message_appears_once(tmp_path: Path) -> None:
    clock = Ahead()
    with town(tmp_path, clock=clock) as place:
        assert place.bot is not None
        done(place, "audit schedule compatibility every 15 minutes on lab in #infra")
        assert "S-1: compatibility of lab, every 15 minutes (UTC)" in place.say("audit schedules")
        assert told(place, "lab: 10 findings") == []
        time_comes(place, clock)
        (message,) = eventually(lambda: told(place, "lab: 10 findings (first audit)"), "the first message")
        assert "S-1: “every 15 minutes”, next" in text_of(message)
        thread = eventually(lambda: place.workspace.messages("#infra", "olga", message["ts"])[1:], "the full report")
        assert "The pool has only two hosts" in text_of(thread[0])

        answer = place.say("audit findings in lab")
        assert "10 findings open" in answer
        finding = re.findall(r"F-\d+(?= lab: The pool has only two hosts)", answer)[0]
        done(place, f"audit mute {finding} until 2 weeks because a third one is ordered")
        assert "9 findings open, 1 muted" in place.say("audit findings in lab")

        place.xenapi("xs1").host.disable(place.xenapi("xs1").host.get_by_name_label("xs2")[0])
        time_comes(place, clock)
        (message,) = eventually(lambda: told(place, "lab: 11 findings, 2 new, 1 muted"), "the second message")
        assert "xs2 is disabled" in text_of(message)
        rounds = place.bot.store.ledger(pools=["lab"], last=100)
        assert [row.actor.key for row in rounds if row.kind == "scheduled audit"] == ["schedule:S-1"] * 2

        time_comes(place, clock)
        store = place.bot.store
        eventually(
            lambda: len([row for row in store.ledger(pools=None, last=100) if row.kind == "scheduled audit"]) == 3,
            "the third audit",
        )
        done(place, "audit pause S-1")
        assert "paused" in place.say("audit schedules")
        eventually(lambda: store.next_due() is None, "everything to be delivered")
        titles = [text_of(each).splitlines()[0] for each in told(place, "lab: ")]
        assert [title for title in titles if " findings" in title] == [
            "lab: 10 findings (first audit)",
            "lab: 11 findings, 2 new, 1 muted",
        ]


@pytest.mark.timeout(180)
def test_a_run_missed_while_the_bot_was_down_is_made_up_for_once(tmp_path: Path) -> None:
    clock = Ahead()
    with town(tmp_path, clock=clock, run=False) as place:
        with compose.running(config.load(place.config), clock) as place.bot:
            done(place, "audit schedule compatibility hourly on lab")
        clock.by = timedelta(hours=5)
        with compose.running(config.load(place.config), clock) as place.bot:
            (message,) = eventually(lambda: told(place, "lab: 10 findings"), "the message")
            assert "Down " in text_of(message)
            assert "5 audits missed, made up for by this one" in text_of(message)
            store = place.bot.store
            eventually(lambda: store.next_due() is None, "everything to be delivered")
            assert len(told(place, "lab: 10 findings")) == 1


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("asked", "channel", "why"),
    [
        ("audit schedule compatibility daily 07:00 on lab in #random", "#infra", "not a member"),
        ("audit schedule compatibility daily 07:00 on lab in #partners", "#infra", "another organisation"),
        ("audit schedule compatibility daily 07:00 on lab in #secret", "#infra", "no channel"),
        ("audit schedule compatibility daily 07:00 on lab in #lab", "#infra", "no pool at all may be named there"),
        ("audit schedule compatibility daily 07:00 on lab in #infra", "#lab", "no pool called lab here"),
        ('audit schedule compatibility cron "0 0 31 2 *" on lab', "#infra", "never comes"),
        ("audit schedule compatibility every 7 minutes on lab", "#infra", "does not go evenly"),
        ("audit schedule compatibility daily 07:00 Europe/Atlantis on lab", "#infra", "no time zone"),
        ("audit schedule compatibility daily 07:00 on lab quietly always", "#infra", "always and quietly"),
        ("audit remove S-9", "#infra", "no schedule S-9"),
        ("audit mute F-1 until 2020-01-01 because why not", "#infra", "no finding"),
    ],
)
def test_what_cannot_be_scheduled_is_refused_at_once(refusing: Town, asked: str, channel: str, why: str) -> None:
    assert why in refusing.say(asked, channel=channel)


def test_a_mute_without_reason_or_with_an_end_in_the_past_is_refused(refusing: Town) -> None:
    refusing.say("audit run in lab")
    answer = refusing.say("audit findings in lab")
    finding = re.findall(r"F-\d+", answer)[0]
    assert "needs a reason" in refusing.say(f'audit mute {finding} until 3 days because ""')
    assert "is past" in refusing.say(f"audit mute {finding} until 2020-01-01 because of it")
    assert "more than a year" in refusing.say(f"audit mute {finding} until 2120-01-01 because of it")
    assert "is not muted" in refusing.say(f"audit unmute {finding}")


def test_what_was_mistyped_is_offered_as_the_whole_command(refusing: Town) -> None:
    """The button types what was typed, with the slip mended."""
    seen = {message["ts"] for message in refusing.workspace.messages("#infra", "olga")}
    refusing.say("audit schedule clock hourly on lab in #infro always")
    heard = [each for each in refusing.workspace.messages("#infra", "olga") if each["ts"] not in seen]
    (answer,) = (each for each in heard if each["user"] == "U0XENIA")
    (button,) = (element for block in answer["blocks"] for element in block.get("elements", []) if "value" in element)
    assert button["value"] == "audit schedule clock hourly on lab in #infra always"


def test_a_schedule_of_all_pools_waits_among_the_others_until_it_is_decided(refusing: Town) -> None:
    request_id = refusing.ask("audit schedule clock weekdays 07:00 on all")
    assert request_id in refusing.say("pending")
    assert "all pools" in refusing.say(f"request show {request_id}")
    assert "is withdrawn" in refusing.say(f"request withdraw {request_id}")


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A town in which nothing is to happen, and in whose channel #lab nothing may be named."""

    def without_pools(configuration: str) -> str:
        return re.sub(r"(?<=\[channels\.C0LAB\]\n)pools = .*\ndefault = .*", "pools = []", configuration)

    with town(tmp_path_factory.mktemp("refusing"), change=without_pools) as place:
        yield place
