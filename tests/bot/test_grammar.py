"""Text → arguments, and the place of every mistake."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import commands
from bot import grammar, typed
from bot.errors import ParseError
from bot.registry import Registry
from bot.usage import COMMON_SLOTS, usage_of

REGISTRY = Registry.of_package(commands)


def parsed(text: str) -> dict[str, str]:
    command, result = REGISTRY.parse(text)
    return {"": command.name, **{field: word.text for field, word in result.values.items()}}


def mistake(text: str) -> ParseError:
    with pytest.raises(ParseError) as caught:
        REGISTRY.parse(text)
    return caught.value


def marked(error: ParseError) -> str:
    """The line with its mistake in brackets."""
    return f"{error.text[: error.start]}[{error.text[error.start : error.end]}]{error.text[error.end :]}"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("vm migrate web-1 to xs2", {"": "vm migrate", "vm": "web-1", "host": "xs2"}),
        ("migrate vm web-1 to xs2", {"": "vm migrate", "vm": "web-1", "host": "xs2"}),
        ("VM Migrate web-1 TO xs2 IN lab", {"": "vm migrate", "vm": "web-1", "host": "xs2", "pool": "lab"}),
        ("vm migrate web-1 in lab to xs2", {"": "vm migrate", "vm": "web-1", "host": "xs2", "pool": "lab"}),
        (
            "vm migrate Windows 10 (64-bit) (1) to xs2",
            {"": "vm migrate", "vm": "Windows 10 (64-bit) (1)", "host": "xs2"},
        ),
        ('vm migrate "to" to "in"', {"": "vm migrate", "vm": "to", "host": "in"}),
        ("vm migrate “web 1” to ‘xs2’", {"": "vm migrate", "vm": "web 1", "host": "xs2"}),
        (r'vm migrate "a \"b\" \\ c"', {"": "vm migrate", "vm": r'a "b" \ c'}),
        ("vm migrate bob's box to xs2", {"": "vm migrate", "vm": "bob's box", "host": "xs2"}),
        ("vm list matching R&amp;D &lt;x&gt;", {"": "vm list", "text": "R&D <x>"}),
        ("vm show <https://web-1.example.com|web-1.example.com>", {"": "vm show", "vm": "web-1.example.com"}),
        ("vm show <#C123ABC|general>", {"": "vm show", "vm": "general"}),
        ("  pool   status\tall\n", {"": "pool status", "all": "all"}),
        ("vm migrate web-1 to pool prod", {"": "vm migrate", "vm": "web-1", "destination": "prod"}),
        ("vm migrate web-1 to pool", {"": "vm migrate", "vm": "web-1", "host": "pool"}),
        ("vm migrate web-1 to pool in lab", {"": "vm migrate", "vm": "web-1", "host": "pool", "pool": "lab"}),
        ('vm migrate web-1 to "pool prod"', {"": "vm migrate", "vm": "web-1", "host": "pool prod"}),
        ('vm migrate web-1 to pool "in" in lab', {"": "vm migrate", "vm": "web-1", "destination": "in", "pool": "lab"}),
        (
            "vm migrate mail host 1 TO POOL prod host xs 9 network Pool-wide network associated with eth0"
            " storage NFS storage in lab",
            {
                "": "vm migrate",
                "vm": "mail host 1",
                "destination": "prod",
                "member": "xs 9",
                "network": "Pool-wide network associated with eth0",
                "sr": "NFS storage",
                "pool": "lab",
            },
        ),
        ("vm migrate web-1 to to", {"": "vm migrate", "vm": "web-1", "host": "to"}),
        ("help vm migrate", {"": "help", "command": "vm migrate"}),
        ("log last 50", {"": "log", "number": "50"}),
        ("vm list on xs1 matching web", {"": "vm list", "host": "xs1", "text": "web"}),
    ],
)
def test_what_was_typed_is_sorted_into_arguments(text: str, want: dict[str, str]) -> None:
    assert parsed(text) == want


def test_a_missing_argument_is_named_and_is_no_mistake() -> None:
    _, result = REGISTRY.parse("vm migrate to xs2")
    assert [slot.field for slot in result.missing] == ["vm"]
    assert result.values["host"].text == "xs2"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("vm migrat web-1 to xs2", "vm [migrat] web-1 to xs2", "no command"),
        ("frobnicate", "[frobnicate]", "no command"),
        ('vm show "web-1', 'vm show ["]web-1', "never closed"),
        ("vm migrate web-1 to", "vm migrate web-1 [to]", "after “to”"),
        ("vm migrate web-1 to xs2 to xs3", "vm migrate web-1 to xs2 [to] xs3", "twice"),
        ("vm migrate a to pool b to pool c", "vm migrate a to pool b [to pool] c", "twice"),
        ("pending everything", "pending [everything]", "not expected"),
        ("pool status lab", "pool status [lab]", "not expected"),
        ("vm show we\x07b", "vm show we[\x07]b", "invisible"),
        ("vm show we\u202eb", "vm show we[\u202e]b", "U+202E"),
        ("vm", "vm[]", "another word"),
    ],
)
def test_a_mistake_is_shown_in_its_place(text: str, place: str, words: str) -> None:
    error = mistake(text)
    assert marked(error) == place
    assert words in error.message


def test_near_commands_are_offered_with_the_rest_of_the_line() -> None:
    assert mistake("vm migrat web-1 to xs2").choices[0].command == "vm migrate web-1 to xs2"
    assert mistake("migrat vm web-1").choices[0].command == "vm migrate web-1"
    assert {choice.command for choice in mistake("vm").choices} >= {"vm list", "vm migrate", "vm show"}


def test_very_long_input_is_refused_with_its_length() -> None:
    assert "4008 characters" in mistake("vm show " + "x" * 4000).message


@given(st.text(max_size=300))
def test_any_text_is_a_command_or_a_placed_mistake(text: str) -> None:
    try:
        REGISTRY.parse(text)
    except ParseError as error:
        assert 0 <= error.start <= error.end <= len(error.text)
        assert error.message


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), min_size=1, max_size=40))
def test_a_quoted_name_comes_through_as_it_is(name: str) -> None:
    # What a form spells for a picked value; entities and Slack's links are undone before the quotes are looked at.
    straight = name.translate(typed._SMART)
    escaped = straight.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;").replace("<", "&lt;")
    assert parsed(f'vm show "{escaped}"')["vm"] == straight


@pytest.mark.parametrize(
    "text",
    [
        "x VM HOST",
        "x [to pool]",
        "x [to a b HOST]",
        "x [to HOST [VM]]",
        "x [to HOST] [to VM]",
        "VM x",
        "x [in POOL]",
        "x HOST [to HOST]",
    ],
)
def test_a_usage_that_cannot_be_read_is_refused_when_declared(text: str) -> None:
    with pytest.raises(ValueError, match=r"x"):
        usage_of(text)


def test_one_of_the_words_must_be_said_wherever_it_is() -> None:
    usage = usage_of("host maintenance HOST on|off")

    def read(text: str) -> dict[str, str]:
        result = grammar.parse(text, [usage], {usage.name: COMMON_SLOTS})
        return {field: word.text for field, word in result.values.items()} | {
            "missing": " ".join(slot.field for slot in result.missing)
        }

    want = {"host": "xs 1", "choice": "on", "missing": ""}
    assert read("host maintenance xs 1 ON") == read("host maintenance on xs 1") == want
    assert read('host maintenance "on" off in lab') == {"host": "on", "choice": "off", "pool": "lab", "missing": ""}
    assert read("host maintenance xs1") == {"host": "xs1", "missing": "choice"}
    with pytest.raises(ParseError, match="twice"):
        read("host maintenance xs1 on off")
    for unclear in ("x HOST on|off [on SR]", "x HOST a|b c|d"):
        with pytest.raises(ValueError, match="x"):
            usage_of(unclear)


def test_a_name_may_end_in_the_word_that_opens_it() -> None:
    usage = usage_of("vm migrate VM [to HOST] [storage SR]")

    def read(text: str) -> dict[str, str]:
        result = grammar.parse(text, [usage], {usage.name: COMMON_SLOTS})
        return {field: word.text for field, word in result.values.items()}

    assert read("vm migrate web-1 storage NFS storage") == {"vm": "web-1", "sr": "NFS storage"}
    assert read("vm migrate web-1 storage NFS storage to xs2 in lab") == {
        "vm": "web-1", "sr": "NFS storage", "host": "xs2", "pool": "lab",
    }  # fmt: skip
    with pytest.raises(ParseError, match="twice"):
        read("vm migrate web-1 storage NFS storage storage iSCSI")
    with pytest.raises(ParseError, match="after"):
        read("vm migrate web-1 storage")
