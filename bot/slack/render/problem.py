"""An error for people as a message: what is wrong, where in the text, why, and what to do."""

from __future__ import annotations

from bot.answers import Bug, Problem
from bot.slack.render import rich
from bot.slack.render.escape import fallback
from bot.slack.render.ids import run_button
from bot.slack.render.message import BUTTON_VALUE, Block, Message, actions, cut, fits
from bot.slack.render.table import display_width
from bot.text import one_line

_SIGNS = {"denied": "no_entry", "unknown": "large_orange_circle"}
_EVIDENCE = (20, 10, 5)
_CHOICES = 20
_AROUND = 44
"""Characters of the text shown on each side of a mistake."""


def message(problem: Problem) -> Message:
    return Message(fallback(problem.message, problem.remedy), tuple(blocks(problem)))


def blocks(problem: Problem) -> list[Block]:
    for most in _EVIDENCE:
        made = _blocks(problem, most, 400)
        if fits(made):
            return made
    return _blocks(problem, _EVIDENCE[-1], 150)


def bug(defect: Bug) -> Message:
    """A defect of the bot: a reference for whoever reads the log."""
    return Message(
        fallback(f"That went wrong inside the bot. Reference: {defect.reference}"),
        (
            rich.block(
                rich.section(
                    [
                        rich.emoji("red_circle"),
                        rich.text(" "),
                        rich.text("That went wrong inside the bot.", bold=True),
                        rich.text(" The log tells more under the reference "),
                        rich.text(defect.reference, code=True, limit=80),
                        rich.text("."),
                    ]
                )
            ),
        ),
    )


def place_of_mistake(text: str, start: int, end: int) -> tuple[str, str]:
    """The text around `start`–`end` as one line, and a line that underlines that part in a monospaced font."""
    start, end = max(0, min(start, len(text))), max(0, min(end, len(text)))
    first, last = max(0, start - _AROUND), min(len(text), max(end, start + 1) + _AROUND)
    if last - first > 3 * _AROUND:  # the mistake itself is long: its beginning says enough
        last = first + 3 * _AROUND
    before = ("…" if first else "") + one_line(text[first:start])
    wrong = one_line(text[start : min(end, last)])
    after = one_line(text[min(end, last) : last]) + ("…" if last < len(text) else "")
    return before + wrong + after, " " * display_width(before) + "^" * max(display_width(wrong), 1)


def _blocks(problem: Problem, most: int, characters: int) -> list[Block]:
    head = [rich.emoji(_SIGNS.get(problem.error, "warning")), rich.text(" "), rich.text(problem.message, bold=True)]
    parts = [rich.section(head)]
    if problem.text and problem.error == "parse":
        parts.append(rich.preformatted(place_of_mistake(problem.text, problem.start, problem.end)))
    if problem.evidence:
        parts.append(rich.listing(cut(problem.evidence, most, lambda each: [rich.text(each, limit=characters)])))
    if problem.remedy:
        parts.append(rich.section([rich.text(problem.remedy, limit=2 * characters)]))
    usable = [each for each in problem.choices if len(each.command) <= BUTTON_VALUE]
    made = [
        rich.block(*parts),
        *actions([run_button(i, each.label, each.command) for i, each in enumerate(usable[:_CHOICES])]),
    ]
    if len(problem.choices) > len(usable[:_CHOICES]):
        rest = len(problem.choices) - len(usable[:_CHOICES])
        made.append(rich.block(rich.section([rich.text(f"… and {rest} more: say it more exactly.", italic=True)])))
    return made
