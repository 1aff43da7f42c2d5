"""The modals that are filled in: a command's missing arguments, and why something is rejected."""

from __future__ import annotations

from typing import Any

from bot.answers import Form, FormField
from bot.errors import Choice
from bot.slack.render import ids, rich
from bot.slack.render.escape import plain
from bot.slack.render.message import VIEW_BLOCKS, Block

View = dict[str, Any]

TITLE = 24
PRIVATE_METADATA = 3000
OPTION_TEXT = 75
OPTION_VALUE = 150
OPTIONS = 100
INPUT_LENGTH = 3000
LABEL = 150
"""Slack takes 2,000; a longer label is no label."""


def view(title: str, blocks: list[Block], *, callback_id: str = "", submit: str = "", metadata: str = "") -> View:
    """A modal. :raises ValueError: the metadata is too long for Slack."""
    if len(metadata) > PRIVATE_METADATA:
        raise ValueError(f"private metadata has at most {PRIVATE_METADATA} characters, not {len(metadata)}")
    made: View = {
        "type": "modal",
        "title": plain(title, TITLE),
        "close": plain("Cancel" if submit else "Close", TITLE),
        "blocks": blocks[:VIEW_BLOCKS],
    }
    if callback_id:
        made["callback_id"] = callback_id
    if submit:
        made["submit"] = plain(submit, TITLE)
    if metadata:
        made["private_metadata"] = metadata
    return made


def saying(title: str, *paragraphs: str) -> View:
    """A modal that only says something."""
    return view(title, [rich.block(rich.section([rich.text(each)])) for each in paragraphs])


def loading(form: Form, metadata: str) -> View:
    """What is opened at once, before anything is read. Without inputs: what is typed too early would be lost."""
    words = [rich.emoji("hourglass_flowing_sand"), rich.text(" Reading what there is to choose from…")]
    top = rich.block(rich.section([rich.text(form.summary)]), rich.section(words))
    return view(form.title, [top], callback_id=ids.FORM_VIEW, metadata=metadata)


def filled(form: Form, metadata: str) -> View:
    """The form with what is known; what is missing is asked for."""
    top = rich.block(rich.section([rich.text(form.summary)]))
    blocks = [top, *(_input(field) for field in form.fields[: VIEW_BLOCKS - 1])]
    return view(form.title, blocks, callback_id=ids.FORM_VIEW, submit="Go on", metadata=metadata)


def reject(title: str, metadata: str) -> View:
    """Why not? May stay empty: nothing should keep anybody from saying no."""
    top = rich.block(rich.section([rich.text(title, bold=True)]))
    reason: Block = {
        "type": "input",
        "block_id": ids.REASON,
        "optional": True,
        "label": plain("Reason", LABEL),
        "hint": plain("Shown to the requester, and kept in the record.", LABEL),
        "element": {"type": "plain_text_input", "action_id": ids.INPUT, "multiline": True, "max_length": 500},
    }
    return view("Reject", [top, reject_note(), reason], callback_id=ids.REASON_VIEW, submit="Reject", metadata=metadata)


def step_up(title: str, name: str, metadata: str, *, code: bool, confirm: bool = False, go_back: str = "") -> View:
    """What is wanted before an approval counts: the name of what it is about, or the sentence that confirms what only
    people can know; a one-time code; or both.
    """
    about = [rich.section([rich.text(title, bold=True)])]
    if go_back:
        about.append(rich.section([rich.text("How to go back: ", bold=True), rich.text(go_back)]))
    blocks: list[Block] = [rich.block(*about)]
    if name:
        label = "Confirm, if you know that it is so" if confirm else "Type its name"
        hint = f"Type exactly: {name}" if confirm else f"Exactly as it is: {name}"
        blocks.append(_line(ids.TYPED, label, hint, 255))
    if code:
        blocks.append(_line(ids.CODE, "One-time code", "The six digits that your authenticator app shows now.", 12))
    return view("Approve", blocks, callback_id=ids.STEP_UP_VIEW, submit="Approve", metadata=metadata)


def _line(name: str, label: str, hint: str, most: int) -> Block:
    return {
        "type": "input",
        "block_id": name,
        "label": plain(label, LABEL),
        "hint": plain(hint, LABEL),
        "element": {"type": "plain_text_input", "action_id": ids.INPUT, "max_length": most},
    }


def reject_note() -> Block:
    return rich.block(rich.section([rich.text("Nothing will be done. The requester can ask again.")]))


def options(choices: tuple[Choice, ...]) -> list[dict[str, Any]]:
    """Choices for a select. A value that Slack cannot carry whole is left out: cut, it would name another object."""
    usable = [each for each in choices if 0 < len(each.command) <= OPTION_VALUE]
    return [option(each.label, each.command) for each in usable[:OPTIONS]]


def option(label: str, value: str) -> dict[str, Any]:
    return {"text": plain(label, OPTION_TEXT), "value": value}


def _input(field: FormField) -> Block:
    made: Block = {
        "type": "input",
        "block_id": field.name,
        "optional": field.flag or not field.required,
        "label": plain(field.label, LABEL),
        "element": _element(field),
    }
    return made | ({"hint": plain(field.hint, LABEL)} if field.hint else {})


def _element(field: FormField) -> dict[str, Any]:
    if field.flag:
        yes = option("Yes", field.name)
        made: dict[str, Any] = {"type": "checkboxes", "action_id": ids.INPUT, "options": [yes]}
        return made | ({"initial_options": [yes]} if field.value else {})
    if field.object_class and len(field.value) <= OPTION_VALUE:
        made = {
            "type": "external_select",
            "action_id": ids.PICK,
            "min_query_length": 0,
            "placeholder": plain("Choose, or type part of the name", 150),
        }
        return made | ({"initial_option": option(field.value, field.value)} if field.value else {})
    made = {"type": "plain_text_input", "action_id": ids.INPUT, "max_length": INPUT_LENGTH}
    return made | ({"initial_value": field.value[:INPUT_LENGTH]} if field.value else {})
