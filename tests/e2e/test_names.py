"""Names that could be meant twice, and input that is wrong: never another VM than the one that was meant, a clear
answer each time, and nothing executed, nothing lost, no traceback.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from bot import compose, config
from bot.demo.lab import write_config
from bot.model import Request
from sandbox.slack.running import start as start_workspace
from sandbox.xapi import lab as labs
from sandbox.xapi.running import start as start_lab
from sandbox.xapi.world import Lab
from tests.e2e.conftest import Town, text_of
from tests.waiting import eventually

ANYWHERE, LAB_ONLY, LAB_MEANT = "#infra", "#lab", "#ops-private"
"""A channel in which no pool is meant when none is named; one that is limited to `lab`; one in which `lab` is meant."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The pools `lab` and `current`. Both have a VM web-1; mail-1 is only in `lab`, desktop-1 only in `current`."""
    both = Lab("two pools", tuple(labs.load(name).pools[0] for name in ("tutorial", "current")))
    folder = tmp_path_factory.mktemp("two-pools")
    with ExitStack() as stack:
        pools = stack.enter_context(start_lab(both, tls=True, speed=20))
        workspace = stack.enter_context(start_workspace())
        path = write_config(folder, pools, workspace)
        path.write_text(channels_of(path.read_text(encoding="utf-8"), workspace.channels), encoding="utf-8")
        town = Town(pools, workspace, path, stack.enter_context(compose.running(config.load(path))))
        api = town.xenapi("xs21")
        (vm,) = api.VM.get_by_name_label("shop-1")
        api.VM.set_name_label(vm, "web-1")
        yield town


def channels_of(text: str, channels: dict[str, str]) -> str:
    """The configuration with other sections for the channels, and cards where the question was."""
    kept = text[: text.index("[channels.")].replace(f'approvals_channel = "{channels["infra"]}"', "")
    limited = f'[channels.{channels["lab"]}]\npools = ["lab"]\n'
    return f'{kept}{limited}[channels.{channels["ops-private"]}]\ndefault = "lab"\n'


@pytest.fixture(autouse=True)
def nothing_goes_wrong_inside(place: Town, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No traceback, and nothing is sent to a pool: no test here approves anything."""
    with caplog.at_level(logging.ERROR):
        yield
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert [method for method in place.lab.calls() if method.startswith("Async.")] == []


# --- asking and pressing ----------------------------------------------------------------------------------------------


def answer(place: Town, text: str, channel: str, who: str = "olga") -> dict[str, Any]:
    """The bot's private answer to a command."""
    seen = {message["ts"] for message in place.workspace.messages(channel, who)}
    place.workspace.say(who, channel, f"/xen {text}")
    return news(place, seen, channel, who)


def news(place: Town, seen: set[str], channel: str, who: str = "olga") -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        for message in place.workspace.messages(channel, who):
            if message["ts"] not in seen and message["user"] == "U0XENIA" and message.get("ephemeral"):
                return message
        return None

    message = eventually(found, "an answer")
    assert message is not None
    return message


def buttons(message: dict[str, Any]) -> list[str]:
    return [
        element["text"]["text"]
        for block in message["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
    ]


def press(place: Town, message: dict[str, Any], label: str, channel: str, who: str = "olga") -> dict[str, Any]:
    seen = {each["ts"] for each in place.workspace.messages(channel, who)}
    place.workspace.press(who, channel=channel, ts=message["ts"], text=label)
    return news(place, seen, channel, who)


def uuid_of(place: Town, vm: str, host: str) -> str:
    """The VM's uuid in the pool of that host, by the second client."""
    api = place.xenapi(host)
    (ref,) = api.VM.get_by_name_label(vm)
    return str(api.VM.get_uuid(ref))


def opened(place: Town, message: dict[str, Any]) -> Request:
    """The request that an answer says was opened."""
    assert place.bot is not None
    request = place.bot.store.request(text_of(message).split()[0])
    assert request is not None, text_of(message)
    return request


def asked_vm(request: Request) -> tuple[str, str]:
    return request.plan.pool.name, dict(request.plan.arguments)["vm"]


# --- which pool -------------------------------------------------------------------------------------------------------


def test_a_name_that_two_pools_have_is_asked_about(place: Town) -> None:
    question = answer(place, "vm show web-1", ANYWHERE)
    assert "Which pool is meant?" in text_of(question)
    assert buttons(question) == ["lab", "current"]
    for pool, host in (("current", "xs21"), ("lab", "xs1")):
        shown = text_of(press(place, question, pool, ANYWHERE))
        assert shown.startswith(f"{pool}: VM web-1")
        assert uuid_of(place, "web-1", host) in shown


def test_a_name_of_one_pool_is_shown_but_never_changed_unasked(place: Town) -> None:
    assert text_of(answer(place, "vm show desktop-1", ANYWHERE)).startswith("current: VM desktop-1")
    question = answer(place, "vm migrate desktop-1 to xs22", ANYWHERE)
    assert "Which pool is meant?" in text_of(question)
    assert buttons(question) == ["current"]
    request = opened(place, press(place, question, "current", ANYWHERE))
    assert asked_vm(request) == ("current", uuid_of(place, "desktop-1", "xs21"))


def test_a_change_of_a_name_that_two_pools_have_is_of_the_chosen_one(place: Town) -> None:
    question = answer(place, "vm migrate web-1", ANYWHERE)
    assert buttons(question) == ["lab", "current"]
    request = opened(place, press(place, question, "current", ANYWHERE))
    assert asked_vm(request) == ("current", uuid_of(place, "web-1", "xs21"))
    assert request.plan.title.startswith("move web-1 from xs21")


def test_the_pool_that_is_meant_in_a_channel_comes_first(place: Town) -> None:
    shown = text_of(answer(place, "vm show web-1", LAB_MEANT))
    assert uuid_of(place, "web-1", "xs1") in shown
    request = opened(place, answer(place, "vm migrate web-1 to xs2", LAB_MEANT))
    assert asked_vm(request) == ("lab", uuid_of(place, "web-1", "xs1"))


def test_a_name_that_the_meant_pool_lacks_is_offered_and_not_taken(place: Town) -> None:
    offer = answer(place, "vm show desktop-1", LAB_MEANT)
    assert "lab has no VM called desktop-1, but another pool has" in text_of(offer)
    assert buttons(offer) == ["in current"]
    assert text_of(press(place, offer, "in current", LAB_MEANT)).startswith("current: VM desktop-1")


def test_a_host_of_another_pool_is_no_target(place: Town) -> None:
    said = text_of(answer(place, "vm migrate mail-1 to xs22", LAB_MEANT))
    assert "no host called xs22" in said


def test_a_name_of_the_pool_that_is_named_is_meant(place: Town) -> None:
    request = opened(place, answer(place, "vm migrate web-1 to xs23 in current", LAB_MEANT, who="ana"))
    assert asked_vm(request) == ("current", uuid_of(place, "web-1", "xs21"))


def test_a_limited_channel_knows_nothing_of_other_pools(place: Town) -> None:
    assert text_of(answer(place, "vm show web-1", LAB_ONLY)).startswith("lab: VM web-1")
    lacking = answer(place, "vm show desktop-1", LAB_ONLY)
    assert "no VM called desktop-1" in text_of(lacking)
    assert "current" not in text_of(lacking)
    refused = text_of(answer(place, "vm show web-1 in current", LAB_ONLY))
    assert "limited to lab" in refused
    refused = text_of(answer(place, "vm migrate web-1 to xs22 in current", LAB_ONLY))
    assert "limited to lab" in refused
    listed = text_of(answer(place, "pool list", LAB_ONLY))
    assert "lab" in listed
    assert "xs21" not in listed


def test_a_limited_channel_does_not_show_what_waits_for_other_pools(place: Town) -> None:
    request = opened(place, answer(place, "vm migrate archive-1 to xs22 in current", ANYWHERE))
    assert request.id in text_of(answer(place, "pending", ANYWHERE))
    assert request.id not in text_of(answer(place, "pending", LAB_ONLY))
    assert "archive-1" not in text_of(answer(place, "log last 50", LAB_ONLY))


# --- input that is wrong ----------------------------------------------------------------------------------------------


def test_a_misspelt_command_is_offered_as_it_was_meant(place: Town) -> None:
    offer = answer(place, "vm migrat db-2", LAB_ONLY)
    assert "There is no command" in text_of(offer)
    assert "^^^^^^" in text_of(offer)
    request = opened(place, press(place, offer, "vm migrate", LAB_ONLY))
    assert asked_vm(request) == ("lab", uuid_of(place, "db-2", "xs1"))


def test_an_unknown_command_says_so(place: Town) -> None:
    said = text_of(answer(place, "frobnicate everything", LAB_ONLY))
    assert "There is no command" in said
    assert "help" in said


def test_a_misspelt_name_is_offered_and_not_taken(place: Town) -> None:
    offer = answer(place, "vm migrate web-11 to xs2", LAB_ONLY)
    assert "no VM called web-11" in text_of(offer)
    assert "^^^^^^" in text_of(offer)
    assert "web-1" in buttons(offer)


def test_a_missing_argument_opens_a_form_and_says_nothing_else(place: Town) -> None:
    place.workspace.say("ana", LAB_ONLY, "/xen vm show in lab")
    view = eventually(lambda: place.workspace.views("ana")["views"], "the form")[-1]
    assert view["view"]["title"]["text"] == "vm show"
    place.workspace.close_view("ana", view["id"])


def test_a_quote_that_is_never_closed_is_shown_in_its_place(place: Town) -> None:
    said = text_of(answer(place, 'vm show "web-1', LAB_ONLY))
    assert "never closed" in said
    line, marks = next(pair for pair in zip(said.split("\n"), said.split("\n")[1:], strict=False) if "^" in pair[1])
    assert line[marks.index("^")] == '"'


@pytest.mark.parametrize("typed", ["vm show “web-1”", "vm show ‘web-1’", "vm show <http://web-1|web-1>"])
def test_what_a_client_makes_of_plain_typing_is_undone(place: Town, typed: str) -> None:
    assert text_of(answer(place, typed, LAB_ONLY)).startswith("lab: VM web-1")


def test_what_was_perhaps_to_be_a_time_is_told_beside_the_name_that_is_not_there(place: Town) -> None:
    said = text_of(answer(place, "vm migrate web-1 at yesterday", LAB_ONLY))
    assert "no VM called “web-1 at yesterday”" in said
    assert "If yesterday was to be a time, it is none that can be kept. For example: at 22:00" in said


def test_a_name_that_two_vms_share_is_a_choice(place: Town) -> None:
    question = answer(place, "vm migrate jenkins to xs1", LAB_ONLY)
    assert "2 VMs in lab are called jenkins" in text_of(question)
    running, halted = sorted(buttons(question), key=lambda label: "halted" in label)
    assert running.startswith("jenkins on xs2")
    request = opened(place, press(place, question, running, LAB_ONLY))
    assert asked_vm(request)[1].startswith(running[-9:-1])
    warned = "\n".join(f"{each.title} – {each.evidence}" for each in request.plan.warnings)
    assert f"called jenkins too – meant is {running}; not {halted}" in warned
    assert "jenkins is halted" in text_of(press(place, question, halted, LAB_ONLY))


def test_a_pool_that_does_not_exist_is_told_with_those_that_do(place: Town) -> None:
    offer = answer(place, "vm show web-1 in labb", ANYWHERE)
    assert "no pool called labb" in text_of(offer)
    assert "lab" in buttons(offer)
    assert text_of(press(place, offer, "lab", ANYWHERE)).startswith("lab: VM web-1")


@pytest.mark.parametrize("character", ["\x1b", "\x07", "\u202e", "\u200b"])
def test_an_invisible_character_is_refused_in_its_place(place: Town, character: str) -> None:
    said = text_of(answer(place, f"vm show web{character}-1", LAB_ONLY))
    assert f"invisible character (U+{ord(character):04X})" in said
    assert character not in said


def test_four_thousand_characters_are_refused(place: Town) -> None:
    said = text_of(answer(place, "vm show " + "x" * 3980, LAB_ONLY))
    assert "3988 characters" in said
    assert len(said) < 1000


def test_a_long_name_that_is_not_there_is_cut_short(place: Town) -> None:
    said = text_of(answer(place, "vm show " + "x" * 1900, LAB_ONLY))
    assert "no VM called" in said
    assert len(said) < 1000
