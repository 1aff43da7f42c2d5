"""Objects of a real pool with hostile names, the whole way: from a second XenAPI client, through the bot, to what Slack
holds and what a terminal is sent. Nothing pings, links, colours, turns round or adds a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from bot import cli
from bot.model import Cell, Report, Table
from bot.terminal import Terminal
from sandbox.slack import mrkdwn
from tests.bot_slack.attacks import ATTACKS, INTERPRETED, shape
from tests.bot_slack.shown import walk
from tests.e2e.conftest import Town, text_of, town
from tests.waiting import eventually

HOSTILE = (
    # XML, and with it XenAPI's wire, knows of the control characters only these and U+0080 to U+009F.
    *("".join(each for each in attack if each in "\t\n\r" or each >= " ") for attack in ATTACKS),
    "\x9b31mAPPROVED\x9b0m",
)
HARMLESS = tuple(f"harmless-{number}" for number in range(len(HOSTILE)))
MULTILINE = HOSTILE.index("line\nAPPROVED by ana")
_UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
READING = ("pool status", "vm list", "host list", "vm show {vm}", "host show {host}", "pending", "log", "help")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("injection")) as running:
        yield running


@pytest.fixture(scope="module")
def ids(place: Town) -> dict[str, str]:
    """The uuids of what is asked about: a VM that can move, and the host it is on."""
    api = place.xenapi()
    (vm,), (host,) = api.VM.get_by_name_label("web-1"), api.host.get_by_name_label("xs1")
    return {"vm": api.VM.get_uuid(vm), "host": api.host.get_uuid(host)}


def rename(place: Town, ids: dict[str, str], names: tuple[str, ...]) -> None:
    """Give these names, in turn, to the pool's VMs, hosts, SRs and networks, as descriptions and tags too; to what is
    asked about the one of two lines, and all of them as its description.
    """
    api = place.xenapi()
    count = 0
    for cls in (api.VM, api.host, api.SR, api.network):
        for ref, record in sorted(cls.get_all_records().items(), key=lambda pair: pair[1]["uuid"]):
            if record.get("is_a_template") or record.get("is_control_domain") or record.get("is_a_snapshot"):
                continue
            word = names[count % len(names)]
            cls.set_name_label(ref, word)
            cls.set_name_description(ref, word)
            cls.set_tags(ref, [word])
            count += 1
    assert count > len(names)
    for cls, asked in ((api.VM, "vm"), (api.host, "host")):
        ref = cls.get_by_uuid(ids[asked])
        cls.set_name_label(ref, names[MULTILINE])
        cls.set_name_description(ref, " ".join(names))


def told(place: Town, text: str) -> dict[str, Any]:
    """The message that answers a command."""
    seen = {message["ts"] for message in place.workspace.messages("#infra", "olga")}
    place.workspace.say("olga", "#infra", f"/xen {text}")
    return new_message(place, seen)


def new_message(place: Town, seen: set[str]) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        for message in place.workspace.messages("#infra", "olga"):
            if message["ts"] not in seen and message["user"] == "U0XENIA":
                return message
        return None

    message = eventually(found, "an answer")
    assert message is not None
    return message


def check(message: dict[str, Any]) -> None:
    """What Slack holds is literal: no element that it interprets, no mark that cannot be seen, no text that its own
    reading of mrkdwn finds a mention or a link in.
    """
    for item in walk(message["blocks"]):
        assert item.get("type") not in INTERPRETED
        assert item.get("type") != "user" or item["user_id"].startswith("U0")
        if isinstance(item.get("text"), str):
            assert not _UNSEEN.search(item["text"]), item
    assert not re.search(r"[<>](?!$)", message["text"]), message["text"]
    for element in walk(mrkdwn.rich_text(message["text"])):
        assert element.get("type") not in {*INTERPRETED, "user", "channel", "emoji"}, message["text"]
        assert not element.get("style"), message["text"]


def card_of(place: Town, ids: dict[str, str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A migration's card and its Details; the request is withdrawn from the way of the next one by its rejection."""
    answer = told(place, f"vm migrate {ids['vm']}")
    request_id = text_of(answer).split()[0]
    card = eventually(lambda: place.card(request_id), "the card")
    assert card is not None
    place.workspace.press("olga", channel="#infra", ts=card["ts"], text="Details")
    view = eventually(lambda: place.workspace.views("olga")["views"], "the details")[-1]
    eventually(lambda: "Calls" in str(place.workspace.views("olga")["views"]), "what the details say")
    blocks = place.workspace.views("olga")["views"][-1]["view"]["blocks"]
    place.workspace.close_view("olga", view["id"])
    reject(place, card)
    check(answer)
    return card, blocks


def reject(place: Town, card: dict[str, Any]) -> None:
    place.workspace.press("ben", channel="#infra", ts=card["ts"], text="Reject")
    view = eventually(lambda: place.workspace.views("ben")["views"], "the question for the reason")[-1]
    assert place.workspace.submit("ben", view["id"], {})["ok"]
    assert place.bot is not None
    store = place.bot.store
    eventually(lambda: not store.open_requests(), "the rejection")


def test_slack_shows_hostile_names_as_it_shows_harmless_ones(place: Town, ids: dict[str, str]) -> None:
    rename(place, ids, HARMLESS)
    expected = {text: shape(told(place, text.format(**ids))["blocks"]) for text in READING if text != "log"}
    card, details = card_of(place, ids)
    rename(place, ids, HOSTILE)
    for text, wanted in expected.items():
        message = told(place, text.format(**ids))
        check(message)
        assert shape(message["blocks"]) == wanted, text
    hostile_card, hostile_details = card_of(place, ids)
    check(hostile_card)
    check({"blocks": hostile_details, "text": ""})
    assert shape(hostile_card["blocks"]) == shape(card["blocks"])
    assert shape(hostile_details) == shape(details)
    check(told(place, "log last 50"))


def test_a_hostile_name_can_be_asked_for_as_it_is_typed(place: Town) -> None:
    api = place.xenapi()
    (vm,) = api.VM.get_by_name_label("<!channel>")[:1] or api.VM.get_by_name_label("harmless-0")[:1]
    api.VM.set_name_label(vm, "<!channel>")
    message = told(place, "vm show <!channel>")
    check(message)
    assert api.VM.get_uuid(vm) in text_of(message)


def test_a_mistake_with_a_hostile_word_is_shown_literally(place: Town) -> None:
    for attack in ("<!channel>", "<https://evil.example|Approve>", "@here", "*bold*"):
        check(told(place, f"vm show no-{attack}"))
        check(told(place, f"{attack} vm"))


def at_terminal(config: Path, text: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    cli.main(["cmd", "--config", str(config), "--as", "operator", text])
    return capsys.readouterr().out.splitlines()


def test_a_terminal_shows_hostile_names_as_it_shows_harmless_ones(
    place: Town, ids: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [text.format(**ids) for text in READING if text not in ("log", "help")]
    rename(place, ids, HARMLESS)
    expected = [at_terminal(place.config, text, capsys) for text in asked]
    rename(place, ids, HOSTILE)
    for text, wanted in zip(asked, expected, strict=True):
        lines = at_terminal(place.config, text, capsys)
        assert not _UNSEEN.search("".join(lines))
        assert len(lines) == len(wanted), "\n".join(lines)
    assert not _UNSEEN.search("".join(at_terminal(place.config, "log last 50", capsys)))


def test_a_long_name_never_goes_on_where_a_row_begins() -> None:
    cells = Cell("web-9 " + "APPROVED by ana " * 20), Cell("running " * 20)
    stream = StringIO()
    Terminal(stream, width=60).report(Report(title="t", parts=(Table(columns=("VM", "State"), rows=(cells,)),)))
    _, _, _, row, *folded = stream.getvalue().splitlines()
    assert row.startswith("web-9 ")
    assert folded
    assert all(line.startswith("   ") for line in folded)


def test_the_exported_ledger_has_a_line_per_row_and_nothing_unseen(
    place: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["ledger", "export", "--config", str(place.config)]) == 0
    exported = capsys.readouterr().out
    assert place.bot is not None
    assert len(exported.splitlines()) == len(exported.split("\n")) - 1
    assert all(line.startswith("{") for line in exported.splitlines())
    assert not _UNSEEN.search(exported.replace("\n", ""))
