"""Modals: sending one in, and closing it."""

import re
from typing import Any

from sandbox.slack import payloads
from sandbox.slack.acts.values import Control, controls, current_state, filled_in, find_control, state_value
from sandbox.slack.acts.who import acting
from sandbox.slack.delivery import Parcel
from sandbox.slack.directory import Person
from sandbox.slack.errors import ApiError, Refused
from sandbox.slack.methods.views import read_view
from sandbox.slack.views import View
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]
TROUBLE = "We had some trouble connecting. Try again?"  # bolt-python issue 1318
REQUIRED = "Please complete this required field."
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
URL = re.compile(r"https?://\S+")


async def submit(workspace: Workspace, body: JSON) -> JSON:
    """Fill in and send the modal on top.

    body: `as`, `view_id`, `values`: block_id → action_id → state value (or the plain value).
    `{"ok": true}`, or `{"ok": false, "errors": {block_id: text}}` from the client's own checks or from the app, with
    `error` when the app failed.
    """
    person, view = _top(workspace, body)
    if not view.body.get("submit"):
        raise Refused("this view has nothing to submit")
    blocks = view.body["blocks"]
    for block_id, actions in filled_in(body).items():
        for action_id, given in actions.items():
            control = find_control(blocks, action_id, None, block_id)
            view.state.setdefault(block_id, {})[action_id] = state_value(control, given)
    view.state = current_state(blocks, view.state)
    view.errors, view.trouble = _own_checks(view), None
    if not view.errors:
        await _send(workspace, person, view)
    workspace.view_changed(view)
    if view.errors or view.trouble:
        return {"ok": False, "errors": view.errors, **({"error": view.trouble} if view.trouble else {})}
    return {"ok": True}


async def close(workspace: Workspace, body: JSON) -> JSON:
    """Cancel the modal on top, or with `all` the × of the whole stack; the app hears of it if it asked to.

    Slack docs: view_closed comes without a trigger_id, and only for a view with notify_on_close.
    """
    person, view = _top(workspace, body)
    everything = bool(body.get("all") or view.body.get("clear_on_close"))
    closed = workspace.views.close(view, everything=everything)
    workspace.view_changed(view)
    for one in closed:
        if one.body.get("notify_on_close"):
            payload = payloads.interaction(workspace.settings, "view_closed", person)
            payload |= {"view": one.api(workspace.settings), "is_cleared": everything}
            await workspace.delivery.deliver(Parcel("interactive", payload))
    return {"ok": True}


def _top(workspace: Workspace, body: JSON) -> tuple[Person, View]:
    person = acting(workspace, str(body.get("as") or ""))
    stack = workspace.views.stack(person.id)
    view = workspace.views.find(str(body.get("view_id") or ""))
    if view is None or view not in stack:
        raise Refused("that view is not open", 404)
    if stack[-1] is not view:
        raise Refused("another view lies on top of that one")
    return person, view


async def _send(workspace: Workspace, person: Person, view: View) -> None:
    payload = payloads.interaction(workspace.settings, "view_submission", person)
    payload |= {
        "trigger_id": workspace.grants.new_trigger(person.id, view.id),
        "view": view.api(workspace.settings),
        "response_urls": _response_urls(workspace, person, view),
    }
    answer = await workspace.delivery.deliver(Parcel("interactive", payload, answerable=True))
    if not answer.ok:
        view.trouble = TROUBLE
        return
    try:
        _respond(workspace, view, answer.payload)
    except ApiError:
        view.trouble = TROUBLE


def _respond(workspace: Workspace, view: View, answer: Any) -> None:
    """What the app answered with. Raises ApiError for an answer that Slack would not take.

    An empty one closes this view, and only this one.
    """
    stack = workspace.views.stack(view.person)
    if view not in stack:
        return
    if answer in (None, {}):
        workspace.views.close(view)
        return
    if not isinstance(answer, dict):
        raise ApiError("invalid_response")
    action = answer.get("response_action")
    if action == "clear":
        workspace.views.close(view, everything=True)
    elif action == "errors":
        inputs = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
        errors = answer.get("errors")
        if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
            raise ApiError("invalid_response")
        view.errors = {key: str(text) for key, text in errors.items()}
    elif action == "update":
        workspace.views.update(view, read_view(workspace, answer.get("view"), "modal"))
    elif action == "push":
        workspace.views.push(view.person, read_view(workspace, answer.get("view"), "modal"))
    else:
        raise ApiError("invalid_response")


def _response_urls(workspace: Workspace, person: Person, view: View) -> list[JSON]:
    """For selects of conversations with response_url_enabled in input blocks."""
    urls = []
    for control in controls(view.body["blocks"]):
        if control.block["type"] == "input" and control.element.get("response_url_enabled"):
            chosen = view.state[control.block_id][control.action_id].get(control.key)
            if chosen:
                path = workspace.grants.new_response_url("app", person.id, chosen)
                urls.append(
                    {
                        "block_id": control.block_id,
                        "action_id": control.action_id,
                        "channel_id": chosen,
                        "response_url": workspace.response_url(path),
                    }
                )
    return urls


def _own_checks(view: View) -> dict[str, str]:
    """What Slack's client checks before it sends anything."""
    errors = {}
    for control in controls(view.body["blocks"]):
        if control.block["type"] != "input":
            continue
        value = view.state[control.block_id][control.action_id].get(control.key)
        words = _fault(control, value)
        if words:
            errors[control.block_id] = words
    return errors


def _fault(control: Control, value: Any) -> str | None:
    element, kind = control.element, control.type
    if value in (None, "", []):
        return None if control.block.get("optional") else REQUIRED
    if kind == "plain_text_input":
        least, most = element.get("min_length", 0), element.get("max_length", 3000)
        if len(value) < least:
            return f"This field must be at least {least} characters."
        if len(value) > most:
            return f"This field must be less than {most + 1} characters."
    if kind == "number_input":
        return _number_fault(element, value)
    if kind == "email_text_input" and not EMAIL.fullmatch(value):
        return "Please enter a valid email address."
    if kind == "url_text_input" and not URL.fullmatch(value):
        return "Please enter a valid URL."
    if isinstance(value, list) and len(value) > element.get("max_selected_items", len(value)):
        return f"Choose at most {element['max_selected_items']}."
    return None


def _number_fault(element: JSON, value: str) -> str | None:
    try:
        number = float(value)
    except ValueError:
        return "Please enter a number."
    if not element["is_decimal_allowed"] and not re.fullmatch(r"-?\d+", value):
        return "Please enter a whole number."
    if "min_value" in element and number < float(element["min_value"]):
        return f"Please enter a number that is at least {element['min_value']}."
    if "max_value" in element and number > float(element["max_value"]):
        return f"Please enter a number that is at most {element['max_value']}."
    return None
