"""A VM goes to another pool, by Slack commands: the rules and the channels of both, another client that looks at both;
and what breaks on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot import cli, compose, config
from bot.clock import SystemClock
from bot.model import State
from tests.e2e.conftest import Town, text_of, town
from tests.e2e.south import MOVE, RECEIVE, SEND, where
from tests.waiting import eventually

FAST = 300.0
"""Some hundred seconds of copying are over within one."""
RULE = '\n[[policy.rules]]\nname = "the south"\npools = ["south"]\napprovers = ["U0BEN"]\n'


def with_rule(text: str) -> str:
    return text + RULE


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path, "two-pools", speed=FAST) as made:
        yield made


def sent(place: Town) -> int:
    return int(place.lab.calls().get(SEND, 0))


def on_its_way(place: Town) -> None:
    eventually(lambda: sent(place), "the call")
    api = place.xenapi("n1")
    (vm,) = api.VM.get_by_name_label("web-7")
    eventually(lambda: "migrate_send" in api.VM.get_current_operations(vm).values(), "the VM on its way")


# --- as it should be --------------------------------------------------------------------------------------------------


def test_people_entitled_in_both_pools_move_it_there_and_back(tmp_path: Path) -> None:
    with town(tmp_path, "two-pools", speed=FAST, change=with_rule) as place:
        request_id = place.ask(MOVE)
        card = text_of(place.card(request_id) or {"blocks": [], "text": ""})
        assert "move web-7 from pool north to pool south" in card
        assert "for both north and south" in card
        assert "Its uuid, MAC addresses, tags, alerts and snapshots come along" in card
        assert "OpaqueRef" not in card
        assert "whoever is among both" in place.press("Approve", request_id, who="ana")
        assert where(place) == {"n1": "n1"}
        assert "approved" in place.press("Approve", request_id, who="ben")
        request = place.ended(request_id)
        assert request.state is State.SUCCEEDED, request.result
        assert where(place) == {"s1": "s1"}
        assert (sent(place), place.lab.calls()[RECEIVE]) == (1, 1)
        assert request.result is not None
        assert {"web-7 is on s1", "web-7 is not in north"} <= set(request.result.lines)
        assert request.result.summary == "It was read back to be sure."
        for pool in ("north", "south"):
            assert request_id in place.say(f"log in {pool}")
        back = place.ask(request.plan.go_back)
        place.press("Approve", back, who="ben")
        assert place.ended(back).state is State.SUCCEEDED
        assert where(place) == {"n1": "n1"}


def test_a_schedule_of_all_pools_takes_who_may_approve_in_each(tmp_path: Path) -> None:
    with town(tmp_path, "two-pools", change=with_rule) as place:
        request_id = place.ask("audit schedule compatibility hourly on all in #infra")
        assert "whoever is among both" in place.press("Approve", request_id, who="ana")
        place.press("Approve", request_id, who="ben")
        assert place.ended(request_id).state is State.SUCCEEDED
        assert request_id in place.say("log in south")
        refused = place.say("audit schedule clock hourly on all in #random")
        assert "I am not a member of this channel" in refused


def test_nothing_that_lets_a_sender_in_is_kept_or_logged(place: Town, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    request_id = place.ask(MOVE)
    place.press("Approve", request_id)
    assert place.ended(request_id).state is State.SUCCEEDED
    assert place.bot is not None
    rows = place.bot.store.ledger(pools=None, last=200)
    kept = " ".join([*(str(row.body) for row in rows), caplog.text, str(place.bot.store.calls(request_id))])
    assert "session_id" not in kept
    assert "OpaqueRef" not in kept


def test_the_other_pool_s_approvers_are_told_in_their_channel_and_see_it_there(tmp_path: Path) -> None:
    def other_channel(text: str) -> str:
        infra, lab = (f'approvals_channel = "{each}"' for each in channels(text))
        at = text.index('[pools."south"]')
        moved = text[:at] + text[at:].replace(infra, lab, 1)
        return moved.replace('pools = ["north"]\ndefault = "north"', 'pools = ["south"]\ndefault = "south"')

    with town(tmp_path, "two-pools", speed=FAST, change=other_channel) as place:
        request_id = place.ask(MOVE)

        def pointed() -> list[str]:
            return [
                text
                for message in place.workspace.messages("#lab", "olga")
                if request_id in (text := text_of(message)) and "its own message" in text
            ]

        eventually(pointed, "the word in the other channel")
        assert len(place.cards(request_id)) == 1
        assert not place.cards(request_id, "#lab")
        for command in ("pending", f"request show {request_id}", "log"):
            told = place.say(command, channel="#lab")
            assert request_id in told
            assert "web-7" in told
        assert "limited to south" in place.say("vm list in north", channel="#lab")
        assert "limited to south" in place.say("vm migrate mail-8 to pool north", channel="#lab")


def channels(text: str) -> tuple[str, str]:
    """The ids of #infra and #lab, as the configuration has them."""
    found = [line.split("[channels.")[1].rstrip("]") for line in text.splitlines() if line.startswith("[channels.")]
    return found[0], found[1]


def test_what_the_policy_wants_in_the_other_pool_by_now_makes_it_stale(place: Town) -> None:
    request_id = place.ask(MOVE)
    api = place.xenapi("s1")
    api.host.disable(api.host.get_by_name_label("s1")[0])
    place.press("Approve", request_id)
    request = place.ended(request_id)
    assert request.state is State.STALE
    assert sent(place) == 0
    assert where(place) == {"n1": "n1"}


class Shifted(SystemClock):
    """The machine's clock, set ahead."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


def test_what_goes_on_in_the_other_pool_holds_it_and_so_does_a_freeze_that_begins_there(tmp_path: Path) -> None:
    clock = Shifted()
    begins, ends = (clock.now() + timedelta(minutes=after) for after in (10, 20))
    freeze = f'[[policy.freezes]]\nname = "audit"\npools = ["south"]\nwhen = ["{begins:%F %R} – {ends:%F %R} UTC"]\n'
    with town(tmp_path, "two-pools", change=lambda text: f"{text}\n{freeze}", clock=clock, speed=FAST) as place:
        assert place.bot is not None
        store = place.bot.store

        def waits(id: str, words: str) -> Callable[[], bool]:
            def found() -> bool:
                request = store.request(id)
                assert request is not None
                assert request.state in (State.APPROVED, State.QUEUED), request.result
                return request.progress is not None and words in request.progress.text

            return found

        place.lab.set_speed(0.01)
        whole = place.ask("pool coordinator s2 in south")
        place.press("Approve", whole)
        eventually(lambda: store.calls(whole), "the handover's first call")
        request_id = place.ask(MOVE)
        place.press("Approve", request_id)
        eventually(waits(request_id, f"It waits for {whole}"), "the move to wait")
        clock.ahead = timedelta(minutes=12)
        place.lab.set_speed(FAST)
        assert place.ended(whole).state is State.SUCCEEDED
        eventually(waits(request_id, "the freeze audit holds until"), "the freeze to hold it")
        assert (sent(place), place.lab.calls().get(RECEIVE, 0)) == (0, 0)
        clock.ahead = timedelta(minutes=25)
        request = place.ended(request_id)
        assert request.state is State.SUCCEEDED, request.result
        assert (sent(place), where(place, coordinators=("n1", "s2"))) == (1, {"s2": "s1"})


def test_it_can_be_asked_at_the_terminal(place: Town, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["cmd", "--config", str(place.config), "--as", "operator", "vm migrate proxy-7 to pool south in north"]
    cli.main(arguments)
    said = capsys.readouterr().out
    assert "DMZ has no single namesake" in said
    assert "network NETWORK" in said


# --- what breaks on the way -------------------------------------------------------------------------------------------


def test_an_answer_that_is_lost_is_found_by_looking(place: Town) -> None:
    request_id = place.ask(MOVE)
    place.lab.drop("n1", "after", 1, SEND)
    place.press("Approve", request_id)
    request = place.ended(request_id)
    assert request.state is State.SUCCEEDED, request.result
    assert sent(place) == 1
    assert where(place) == {"s1": "s1"}


def test_a_call_that_never_arrived_is_safe_to_ask_again(place: Town) -> None:
    request_id = place.ask(MOVE)
    place.lab.drop("n1", "before", 1, SEND)
    place.press("Approve", request_id)
    request = place.ended(request_id)
    assert request.state is State.FAILED, request.result
    assert request.result is not None
    assert "never reached the pool" in request.result.summary
    assert where(place) == {"n1": "n1"}


def test_a_lost_word_of_the_other_pool_moves_nothing_and_holds_nothing(place: Town) -> None:
    request_id = place.ask(MOVE)
    place.lab.drop("s1", "after", 1, RECEIVE)
    place.press("Approve", request_id)
    request = place.ended(request_id)
    assert request.state is State.FAILED, request.result
    assert request.result is not None
    assert "nothing was changed" in request.result.lines
    assert request.result.remedy == "It is safe to ask again."
    assert (sent(place), where(place)) == (0, {"n1": "n1"})
    again = place.ask(MOVE)
    place.press("Approve", again)
    assert place.ended(again).state is State.SUCCEEDED
    assert where(place) == {"s1": "s1"}


def test_cancelled_on_the_way_it_stays_and_nothing_is_left_there(place: Town) -> None:
    place.lab.set_speed(4)
    request_id = place.ask(MOVE)
    place.press("Approve", request_id)
    on_its_way(place)
    place.say(f"request cancel {request_id}")
    request = place.ended(request_id)
    assert request.state is State.CANCELLED, request.result
    assert request.result is not None
    assert "web-7 is still in north" in request.result.lines
    assert where(place) == {"n1": "n1"}
    south = place.xenapi("s1")
    assert not [vdi for vdi in south.VDI.get_all_records().values() if vdi["name_label"].startswith("web-7")]


def test_a_host_that_dies_there_fails_it_and_the_vm_goes_on_here(place: Town) -> None:
    place.lab.set_speed(4)
    request_id = place.ask(f"{MOVE.replace(' in north', '')} host s2 in north")
    place.press("Approve", request_id)
    on_its_way(place)
    place.lab.kill("s2")
    place.lab.set_speed(FAST)
    request = place.ended(request_id)
    assert request.state is State.FAILED, request.result
    assert request.result is not None
    assert "OpaqueRef" not in f"{request.result}"
    told = {"web-7 is still in north", "web-7 is not in south", "nothing was changed"}
    assert told <= set(request.result.lines), request.result
    assert where(place) == {"n1": "n1"}


@contextmanager
def another_bot(place: Town) -> Iterator[None]:
    with compose.running(config.load(place.config)) as bot:
        place.bot = bot
        yield


def test_a_bot_that_ends_on_the_way_leaves_it_to_the_next_one(tmp_path: Path) -> None:
    with town(tmp_path, "two-pools", run=False, speed=4) as place:
        with another_bot(place):
            request_id = place.ask(MOVE)
            place.press("Approve", request_id)
            on_its_way(place)
        with another_bot(place):
            place.lab.set_speed(FAST)
            request = place.ended(request_id)
        assert request.state is State.SUCCEEDED, request.result
        assert sent(place) == 1
        assert where(place) == {"s1": "s1"}
