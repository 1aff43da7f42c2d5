"""What breaks between the bot, the pool and Slack: a clear answer each time, and no call with effect sent twice."""

from __future__ import annotations

from pathlib import Path

from bot.model import State
from tests.e2e.conftest import Town, text_of, town
from tests.waiting import eventually

MIGRATE = "Async.VM.pool_migrate"


def test_a_cut_before_the_call_was_taken_changes_nothing(lab_town: Town) -> None:
    request_id = lab_town.ask("vm migrate web-1 to xs2")
    lab_town.lab.drop("xs1", "before", 1, MIGRATE)
    lab_town.press("Approve", request_id)
    request = lab_town.ended(request_id, 60)
    assert request.state is State.FAILED
    assert request.result is not None
    assert "never reached the pool" in request.result.summary
    assert lab_town.lab.calls().get(MIGRATE, 0) == 0
    assert lab_town.host_of("web-1") == "xs1"


def test_a_cut_after_the_call_was_taken_is_found_by_looking(lab_town: Town) -> None:
    request_id = lab_town.ask("vm migrate web-1 to xs2")
    lab_town.lab.drop("xs1", "after", 1, MIGRATE)
    lab_town.press("Approve", request_id)
    request = lab_town.ended(request_id, 60)
    assert request.state is State.SUCCEEDED, request.result
    assert lab_town.lab.calls()[MIGRATE] == 1
    assert lab_town.host_of("web-1") == "xs2"


def test_the_session_is_gone_while_the_task_is_watched(lab_town: Town) -> None:
    lab_town.lab.set_speed(3)
    request_id = lab_town.ask("vm migrate web-1 to xs2")
    lab_town.press("Approve", request_id)
    eventually(lambda: lab_town.lab.calls().get(MIGRATE), "the call")
    logins = lab_town.lab.calls()["session.login_with_password"]
    assert lab_town.bot is not None
    login = lab_town.bot.pools._pools["lab"].session.login()
    _logout(lab_town, login.handle)
    assert lab_town.ended(request_id).state is State.SUCCEEDED
    assert lab_town.lab.calls()[MIGRATE] == 1
    assert lab_town.lab.calls()["session.login_with_password"] == logins + 1


def _logout(place: Town, handle: str) -> None:
    """End somebody else's session, as the toolstack does with the least active of too many."""
    coordinator = next(host for host in place.lab.estate.hosts.values() if host.name == "xs1")
    place.lab.estate.call(coordinator.uuid, "session.logout", [handle])


def test_a_dead_coordinator_is_told_with_what_each_host_answered(lab_town: Town) -> None:
    assert "lab" in lab_town.say("pool status")
    lab_town.lab.kill("xs1")
    answer = lab_town.say("pool status")
    assert "10.0.0.101" in answer
    assert "10.0.0.102" in answer
    assert "OpaqueRef" not in answer


def test_the_coordinator_dies_while_the_task_is_watched(lab_town: Town) -> None:
    lab_town.lab.set_speed(0.5)
    request_id = lab_town.ask("vm migrate web-2 to xs1")
    lab_town.press("Approve", request_id)
    eventually(lambda: lab_town.lab.calls().get(MIGRATE), "the call")
    lab_town.lab.kill("xs1")
    eventually(
        lambda: "does not answer" in text_of(lab_town.card(request_id) or {"blocks": [], "text": ""}),
        "the card saying so",
    )
    assert lab_town.bot is not None
    request = lab_town.bot.store.request(request_id)
    assert request is not None
    assert request.state is State.RUNNING


def test_a_host_that_accepts_and_never_answers_is_given_up(tmp_path: Path) -> None:
    with town(tmp_path) as place:
        place.lab.pause("xs1")
        place.lab.pause("xs2")
        answer = place.say("pool status in lab")
        assert "10.0.0.101" in answer


def test_a_host_of_tls_1_0_is_refused_with_the_setting_that_allows_it(tmp_path: Path) -> None:
    with town(tmp_path, tls10=True) as place:
        answer = place.say("pool status in lab")
        assert "TLS 1.0" in answer
        assert "allow_tls1" in answer
        assert place.lab.calls() == {}


def test_a_host_of_tls_1_0_is_used_when_allowed_and_shown_as_weak(tmp_path: Path) -> None:
    def allow(text: str) -> str:
        return text.replace("approvals_channel", "allow_tls1 = true\napprovals_channel")

    with town(tmp_path, tls10=True, change=allow) as place:
        answer = place.say("pool status in lab")
        assert "xs1 (coordinator)" in answer
        assert "TLSv1" in answer


def test_an_unknown_certificate_is_refused_with_its_fingerprint(tmp_path: Path) -> None:
    def forget(text: str) -> str:
        return "\n".join(
            'fingerprints = ["' + "ab" * 32 + '"]' if line.startswith("fingerprints") else line
            for line in text.splitlines()
        )

    with town(tmp_path, change=forget) as place:
        answer = place.say("pool status in lab")
        assert place.lab.fingerprints["xs1"] in answer
        assert place.lab.calls().get("session.login_with_password", 0) == 0


def test_a_wrong_password_is_told_and_not_hammered(tmp_path: Path) -> None:
    with town(tmp_path) as place:
        (tmp_path / "pool-password").write_text("not the password")
        for _ in range(3):
            answer = place.say("pool status in lab")
            assert "password" in answer
        assert place.lab.calls().get("session.login_with_password", 0) <= 2


def test_slack_takes_a_card_and_cuts_the_answer(lab_town: Town) -> None:
    lab_town.workspace.fault("drop_after", method="chat.postMessage", count=1)
    request_id = lab_town.ask("vm migrate web-1 to xs2")
    lab_town.press("Approve", request_id)
    lab_town.ended(request_id)
    eventually(lambda: "Done in" in text_of(lab_town.card(request_id) or {"blocks": [], "text": ""}), "the result", 40)
    assert len(lab_town.cards(request_id)) == 1


def test_slack_is_rate_limited_for_a_while(lab_town: Town) -> None:
    lab_town.workspace.fault("rate_limit", method="chat.postMessage", count=2, seconds=1)
    request_id = lab_town.ask("vm migrate web-1 to xs2")
    assert len(lab_town.cards(request_id)) == 1


def test_the_websocket_drops(lab_town: Town) -> None:
    lab_town.workspace.fault("disconnect")
    assert "lab" in eventually(lambda: lab_town.say("pool status"))


def test_the_same_envelope_comes_twice(lab_town: Town) -> None:
    lab_town.workspace.fault("duplicate_envelope", count=1)
    lab_town.ask("vm migrate web-1 to xs2")
    assert lab_town.bot is not None
    rows = [row for row in lab_town.bot.store.ledger(pools=None, last=50) if row.kind == "asked"]
    assert len(rows) == 1
