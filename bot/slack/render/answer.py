"""Any answer of the engine as a message for the person who asked."""

from __future__ import annotations

from typing import assert_never

from bot.answers import Answer, Bug, Form, NeedsForm, Opened, Problem, Repeated, Shown, Voted
from bot.slack.render import problem, report, rich
from bot.slack.render.escape import fallback
from bot.slack.render.ids import form_button
from bot.slack.render.message import BUTTON_VALUE, Message, actions


def message(answer: Answer, asked: str = "") -> Message | None:
    """None: nothing is to be shown. `asked` is the command's text, for the button that opens its form."""
    match answer:
        case Shown():
            return report.message(answer.report)
        case Opened():
            return opened(answer)
        case Voted():
            return sentence(answer.text)
        case NeedsForm():
            return incomplete(answer.form, asked or answer.form.command)
        case Problem():
            return problem.message(answer)
        case Bug():
            return problem.bug(answer)
        case Repeated():
            return None
    assert_never(answer)


def sentence(words: str) -> Message:
    return Message(fallback(words), (rich.block(rich.section([rich.text(words, limit=2000)])),))


def opened(answer: Opened) -> Message:
    """Where the request is to be found; in words why not here."""
    what = "is already open" if answer.existing else "was opened"
    elements = [rich.text(answer.request_id, bold=True), rich.text(f" {what}: {answer.title}. ")]
    if answer.place.channel:
        where = answer.elsewhere or "Its card is in"
        elements += [rich.text(f"{where} "), rich.channel(answer.place.channel), rich.text(".")]
    if answer.then:
        elements.append(rich.text(f" {answer.then}", bold=True))
    text = fallback(f"{answer.request_id} {what}: {answer.title}", answer.elsewhere, answer.then)
    return Message(text, (rich.block(rich.section(elements)),))


def incomplete(form: Form, command: str) -> Message:
    """A command that lacks arguments, said where no modal can be opened: the button opens it."""
    words = [rich.text(f"“{form.command}”", bold=True), rich.text(f" needs more: {form.summary}")]
    blocks = [rich.block(rich.section(words))]
    if len(command) <= BUTTON_VALUE:
        blocks += actions([form_button(0, "Fill in…", command)])
    return Message(fallback(f"{form.command} needs more: {form.summary}"), tuple(blocks))
