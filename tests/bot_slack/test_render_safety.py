"""No word of anybody else's can ping, link, be formatted, or look like another line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.answers import Bug, Form, FormField, NeedsForm, Opened, Problem, Shown, Voted
from bot.errors import Choice
from bot.model import State
from bot.slack.render import answer, card, details, forms, report, rich
from bot.slack.render.escape import fallback
from tests.bot_slack import samples
from tests.bot_slack.attacks import ATTACKS, INTERPRETED, shape
from tests.bot_slack.shown import preformatted, walk

SOMEBODYS = st.one_of(
    st.sampled_from(ATTACKS),
    st.text(max_size=60),
    st.lists(st.sampled_from([*ATTACKS, "<", ">", "&", "\n", "`", "*", "@"]), max_size=4).map("".join),
)
OUR_PEOPLE = {"U0OLGA", "U0ANA"}
_LINE_BREAKS = re.compile(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_BIDI = re.compile(r"[\u202a-\u202e\u2066-\u2069\u200b-\u200f\x00-\x09\x1b]")


def everything(word: str) -> list[Any]:
    """Every kind of message and view, with `word` wherever somebody else's word can stand."""
    problem = Problem(
        error="parse",
        message=word,
        remedy=word,
        evidence=(word, word),
        choices=(Choice(word, word or "x"),),
        text=f"vm {word} to",
        start=3,
        end=3 + len(word),
    )
    fields = tuple(
        FormField(name=f"f{number}", label=word, object_class=cls, required=True, flag=number == 2, value=word)
        for number, cls in enumerate(("VM", "", ""))
    )
    form = Form(command=word, title=word, summary=word, fields=fields)
    answers: list[Any] = [
        Shown(samples.report(word, 2)),
        Opened(word, samples.INFRA, word, elsewhere=word),
        Voted(word),
        NeedsForm(form),
        problem,
        Bug(word),
    ]
    messages = [answer.message(each, "vm show") for each in answers]
    messages += [card.message(samples.request(word, 2, state)) for state in State]
    messages += [card.smallest(samples.request(word)), report.message(samples.report(word))]
    views = [
        details.modal(samples.request(word, 2)),
        forms.filled(form, ""),
        forms.loading(form, ""),
        forms.reject(word, ""),
        forms.saying(word, word),
    ]
    return [*messages, *views]


@settings(max_examples=60, deadline=None)
@given(SOMEBODYS)
@example("<!channel>")
@example("x\ny")
def test_a_word_changes_nothing_but_itself(word: str) -> None:
    for made in everything(word):
        blocks = made["blocks"] if isinstance(made, dict) else list(made.blocks)
        for item in walk(made if isinstance(made, dict) else blocks):
            assert item.get("type") not in INTERPRETED
            if item.get("type") == "user":
                assert item["user_id"] in OUR_PEOPLE
            if item.get("type") == "plain_text":
                assert item["emoji"] is False
            if isinstance(item.get("text"), str) and item.get("type") in ("text", "plain_text"):
                assert not _BIDI.search(item["text"])
        for lines in preformatted(blocks):
            assert not any(_LINE_BREAKS.search(line) for line in lines)
        assert not any(_LINE_BREAKS.search(text) for text in one_liners(made if isinstance(made, dict) else blocks))


def one_liners(value: Any) -> Iterator[str]:
    """Every text that must be one line: all but the preformatted parts, whose lines are looked at one by one, and the
    breaks that the bot itself puts between a check and what to do.
    """
    if isinstance(value, dict):
        if value.get("type") == "rich_text_preformatted" or value == {"type": "text", "text": "\n"}:
            return
        yield from (item for key, item in value.items() if isinstance(item, str) and key == "text")
        for item in value.values():
            yield from one_liners(item)
    elif isinstance(value, list):
        for item in value:
            yield from one_liners(item)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(ATTACKS), st.integers(0, 3))
def test_a_hostile_name_gives_the_same_lines_as_a_harmless_one(attack: str, number: int) -> None:
    """The shape of a card (blocks, list items, lines) does not depend on what a VM is called."""
    request = samples.request(attack, 2, list(State)[number])
    harmless = samples.request("a" * len(attack), 2, list(State)[number])
    assert shape(list(card.message(request).blocks)) == shape(list(card.message(harmless).blocks))


@settings(max_examples=300, deadline=None)
@given(SOMEBODYS)
def test_the_fallback_text_is_one_inert_line(word: str) -> None:
    text = fallback(word, word)
    assert "<" not in text
    assert ">" not in text
    assert re.fullmatch(r"(&(amp|lt|gt);|[^&])*", text)
    assert not _LINE_BREAKS.search(text)
    assert not re.search(r"@\w|https?://|(^|\s)#\w|:\w+:|\w\.\w|[*_~`](?!\u2060)", text)


def test_the_fallback_keeps_the_words() -> None:
    assert fallback("web-1 moved", "42 s").replace("\u2060", "") == "web-1 moved – 42 s"
    assert fallback("a & b") == "a &amp; b"
    assert fallback("") == "–"


def test_preformatted_lines_stay_lines_whoever_made_them() -> None:
    made = rich.preformatted(["one\ntwo", "three\u2028four"])
    assert made["elements"][0]["text"].splitlines() == ["one⏎two", "three⏎four"]


def test_our_own_marks_are_the_only_emoji() -> None:
    blocks = list(card.message(samples.request(":tada: :skull:", 2)).blocks)
    names = {item["name"] for item in walk(blocks) if item.get("type") == "emoji"}
    assert names <= {"hourglass_flowing_sand", "white_check_mark", "warning"}


def test_the_metadata_of_a_view_is_json_of_ours_only() -> None:
    view = forms.filled(Form(command="c", title="t", summary="s", fields=()), json.dumps({"a": 1}))
    assert json.loads(view["private_metadata"]) == {"a": 1}
