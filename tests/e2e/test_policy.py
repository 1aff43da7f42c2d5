"""Rules, freezes, step-up and terminal approvals against both sandboxes, over the real wire."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest

from bot import cli
from bot.model import State
from bot.policy.windows import DAYS
from tests.e2e.conftest import Town, town
from tests.waiting import eventually

SECRETS = {"ana": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "olga": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}
TAG_RULE = '\n[[policy.rules]]\nname = "customers"\ntags = ["customer"]\napprovals = 2\n'
CODES = """
[people.U0ANA]
one_time_code = "file:{folder}/code-ana"
[people.U0OLGA]
one_time_code = "file:{folder}/code-olga"
"""


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Town]:
    """A town whose configuration has what the test adds (text for [policy], text for the end)."""
    inside, after = request.param
    for name, secret in SECRETS.items():
        (tmp_path / f"code-{name}").write_text(secret, encoding="utf-8")

    def change(text: str) -> str:
        text = text.replace('readers = ["everyone"]\n', f'readers = ["everyone"]\n{inside}')
        return str(text + after.replace("{folder}", str(tmp_path)))

    with town(tmp_path, change=change) as made:
        yield made


def code(name: str) -> str:
    return str(pyotp.TOTP(SECRETS[name]).now())


def tag(place: Town) -> None:
    api = place.xenapi()
    (vm,) = api.VM.get_by_name_label("web-1")
    api.VM.add_tags(vm, "customer")


@pytest.mark.parametrize("place", [("", TAG_RULE)], indirect=True)
def test_a_tag_makes_a_rule_govern(place: Town) -> None:
    tag(place)
    request_id = place.ask("vm migrate web-1 to xs2")
    assert place.bot
    request = place.bot.store.request(request_id)
    assert request
    assert (request.requirement.rule, request.requirement.approvals) == ("customers", 2)
    assert request.plan.tags == ("customer",)
    assert "1 of 2" in place.press("Approve", request_id, who="ana")
    assert "approved" in place.press("Approve", request_id, who="ben")
    assert place.ended(request_id).state is State.SUCCEEDED
    said = place.say("policy explain vm migrate")
    assert "What is tagged customer (rule customers): 2 approvals." in said
    assert "ana (U0ANA)" in said


@pytest.mark.parametrize("place", [("", TAG_RULE)], indirect=True)
def test_a_tag_that_comes_later_makes_the_approval_stale(place: Town) -> None:
    request_id = place.ask("vm migrate web-1 to xs2")
    tag(place)
    place.press("Approve", request_id)
    assert place.ended(request_id).state is State.STALE
    assert place.lab.calls().get("Async.VM.pool_migrate", 0) == 0


ALWAYS = [f"{day} 00:00 – {DAYS[(number + 1) % 7]} 00:00 UTC" for number, day in enumerate(DAYS)]
FREEZE = f'\n[[policy.freezes]]\nname = "moving"\nwhen = {ALWAYS}\noverride = ["S0APPROVERS"]\n'


@pytest.mark.parametrize("place", [("", FREEZE)], indirect=True)
def test_in_a_freeze_only_its_override_may_ask(place: Town) -> None:
    told = place.say("vm migrate web-1 to xs2")
    assert "The freeze moving holds until" in told
    assert "the user group S0APPROVERS" in told
    assert "Frozen now: moving" in place.say("policy explain vm migrate")
    request_id = place.ask("vm migrate web-1 to xs2", who="ben")
    place.press("Approve", request_id, who="ana")
    assert place.ended(request_id).state is State.SUCCEEDED
    assert place.bot
    asked = [row for row in place.bot.store.ledger(pools=None, last=50) if row.kind == "asked"]
    assert asked[0].body["overrides"] == ["moving"]


STEP_UP = 'type_name = ["disruptive"]\none_time_code = ["disruptive"]\n'


@pytest.mark.parametrize("place", [(STEP_UP, CODES)], indirect=True)
def test_the_name_and_a_code_are_asked_for_before_an_approval_counts(place: Town) -> None:
    request_id = place.ask("vm migrate web-1 to xs2")

    def approve(name: str, given: str) -> str:
        seen = {message["ts"] for message in place.workspace.messages("#infra", "ana")}
        card = place.card(request_id)
        assert card
        place.workspace.press("ana", channel="#infra", ts=card["ts"], text="Approve")
        view = eventually(lambda: place.workspace.views("ana")["views"], "the window")[-1]
        place.workspace.submit("ana", view["id"], {"typed": {"input": name}, "code": {"input": given}})
        return place.heard(seen, "ana")

    assert "typed exactly" in approve("web-2", code("ana"))
    assert "not your one-time code" in approve("web-1", code("olga"))
    assert place.bot
    assert not place.bot.store.request(request_id).votes  # type: ignore[union-attr]
    assert "approved" in approve("web-1", code("ana"))
    assert place.ended(request_id).state is State.SUCCEEDED
    rows = place.bot.store.ledger(pools=None, last=100)
    assert [row.body["proved"] for row in rows if row.kind == "vote"] == ["name and code"]
    assert sum(row.kind == "vote refused" for row in rows) == 2
    assert code("ana") not in str([row.body for row in rows])


@pytest.mark.parametrize("place", [("", CODES)], indirect=True)
def test_an_approver_decides_at_the_terminal_with_their_own_code(
    place: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    def decide(what: str, name: str, given: str) -> str:
        capsys.readouterr()
        options = ["--person", name, "--code", given, "--config", str(place.config)]
        status = cli.main([what, request_id, *options])
        told = capsys.readouterr()
        return f"{status} {told.out} {told.err}"

    request_id = place.ask("vm migrate web-1 to xs2")
    mine = code("ana")
    assert "yourself" in decide("approve", "operator", code("olga"))
    assert "not named under [terminal]" in decide("approve", "nobody", mine)
    assert "None was given" in decide("approve", "approver", "")
    assert "not your one-time code" in decide("approve", "approver", code("olga"))
    assert "none is set up" in decide("reject", "approver2", mine)
    assert place.bot
    assert not place.bot.store.request(request_id).votes  # type: ignore[union-attr]
    told = decide("approve", "approver", mine)
    assert told.startswith("0 ")
    assert "Migrate web-1" in told, "what is decided on is shown first"
    assert place.ended(request_id).state is State.SUCCEEDED
    assert place.lab.calls()["Async.VM.pool_migrate"] == 1
    votes = [row for row in place.bot.store.ledger(pools=None, last=100) if row.kind == "vote"]
    assert [(row.actor.key, row.body["proved"]) for row in votes] == [("slack:T0EXAMPLE/U0ANA", "code")]

    because = ["done", "--because", "web-1 runs on xs2, I looked"]
    said = ["--person", "approver", "--code", mine, "--config", str(place.config)]
    assert cli.main(["settle", request_id, *because, *said]) == 1
    told = "".join(capsys.readouterr())
    assert "Migrate web-1" in told, "what is decided on is shown first"
    assert "only one whose outcome is unknown can be settled" in told

    request_id = place.ask("vm migrate web-1 to xs1")
    assert "used before" in decide("reject", "approver", mine)
    assert place.bot.store.request(request_id).state is State.WAITING  # type: ignore[union-attr]
