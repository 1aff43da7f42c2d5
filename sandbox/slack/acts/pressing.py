"""Using a control: buttons, menus and pickers in messages, modals and Homes; options of external selects."""

import time
from dataclasses import dataclass
from typing import Any

from sandbox.slack import payloads
from sandbox.slack.acts.values import STATELESS, Control, controls, current_state, filled_in, find_control, state_value
from sandbox.slack.acts.who import acting, where
from sandbox.slack.blockkit.objects import OPTION_GROUP, PLAIN_OPTION
from sandbox.slack.blockkit.schema import Check, items
from sandbox.slack.delivery import Parcel
from sandbox.slack.directory import Channel, Person
from sandbox.slack.errors import Refused
from sandbox.slack.messages import Message
from sandbox.slack.shown import message_api
from sandbox.slack.views import View
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]
TROUBLE = "Sorry, an error occurred. Please try again."
NO_OPTIONS = "No items found."


@dataclass(frozen=True)
class Place:
    """Where a control stands: in a message of a channel, or in a view."""

    person: Person
    blocks: list[JSON]
    message: Message | None = None
    channel: Channel | None = None
    view: View | None = None

    def touched(self) -> dict[str, dict[str, JSON]]:
        """What this person has entered here so far; to be changed in place."""
        if self.view:
            return self.view.state
        assert self.message is not None
        return self.message.state.setdefault(self.person.id, {})


async def press(workspace: Workspace, body: JSON) -> JSON:
    """Use one control and wait for the app's acknowledgement, at most 3 s.

    body: `as`; `channel` and `ts`, or `view_id`; `action_id` or `text`, `block_id` where those are not enough; the
    choice as `value`, `selected_option` or whatever key the control has; `values`: what else is filled in (a view).
    """
    place = _place(workspace, body)
    for other in controls(place.blocks):  # what is filled in elsewhere; controls that are gone do not count
        given = filled_in(body).get(other.block_id, {}).get(other.action_id)
        if given is not None and other.type not in STATELESS:
            place.touched().setdefault(other.block_id, {})[other.action_id] = state_value(other, given)
    control = find_control(place.blocks, body.get("action_id"), body.get("text"), body.get("block_id"))
    action = _action(workspace, place, control, body)
    if control.block["type"] == "input" and not control.block.get("dispatch_action"):
        return {"ok": True, "acknowledged": True, "sent": False}
    payload = payloads.interaction(workspace.settings, "block_actions", place.person)
    payload |= _origin(workspace, place)
    payload["state"] = {"values": current_state(place.blocks, place.touched())}
    view_id = place.view.id if place.view else None
    payload["trigger_id"] = workspace.grants.new_trigger(place.person.id, view_id)
    if place.message:
        path = workspace.grants.new_response_url("actions", place.person.id, place.message.channel, place.message.ts)
        payload["response_url"] = workspace.response_url(path)
    payload["actions"] = [action]
    answerable = workspace.settings.switches.interactive_accepts_payload
    started = time.monotonic()
    answer = await workspace.delivery.deliver(Parcel("interactive", payload, answerable=answerable))
    error = None if answer.ok else TROUBLE
    _show_trouble(workspace, place, error)
    result = {"ok": True, "acknowledged": answer.ok, "sent": True, "seconds": round(time.monotonic() - started, 4)}
    return result | ({"error": error} if error else {})


async def options(workspace: Workspace, body: JSON) -> JSON:
    """Type into an external select: what the app offers for `value` (block_suggestion). None when it fails or errs."""
    place = _place(workspace, body)
    control = find_control(place.blocks, body.get("action_id"), None, body.get("block_id"))
    if not control.type.endswith("external_select"):
        raise Refused("only external selects ask the app for their options")
    typed = str(body.get("value") or "")
    if len(typed) < int(control.element.get("min_query_length", 3)):
        return {"options": []}
    payload = payloads.interaction(workspace.settings, "block_suggestion", place.person)
    payload |= _origin(workspace, place)
    payload |= {"action_id": control.action_id, "block_id": control.block_id, "value": typed}
    answer = await workspace.delivery.deliver(Parcel("interactive", payload, answerable=True))
    offered = answer.payload if answer.ok and isinstance(answer.payload, dict) else None
    if offered is None:
        return {"options": [], "error": NO_OPTIONS}
    check = Check("modal")
    key = "option_groups" if "option_groups" in offered else "options"
    rule = items(OPTION_GROUP if key == "option_groups" else PLAIN_OPTION, f"select.{key}")
    rule(offered.get(key), f"/{key}", check)
    if check.problems:
        return {"options": [], "error": NO_OPTIONS, "problems": check.problems}
    flat = [one for group in offered["option_groups"] for one in group["options"]] if key == "option_groups" else None
    return {"options": flat, "option_groups": offered[key]} if flat is not None else {"options": offered["options"]}


def _place(workspace: Workspace, body: JSON) -> Place:
    person = acting(workspace, str(body.get("as") or ""))
    if view_id := body.get("view_id"):
        view = workspace.views.find(str(view_id))
        if view is None or view.person != person.id:
            raise Refused("that view is not open", 404)
        if view.type == "modal" and workspace.views.stack(person.id)[-1] is not view:
            raise Refused("another view lies on top of that one")
        return Place(person, view.body["blocks"], view=view)
    channel = where(workspace, str(body.get("channel") or ""), person)
    message = workspace.messages.find(channel.id, str(body.get("ts") or ""))
    if message is None or not message.visible_to(person.id):
        raise Refused("there is no such message", 404)
    blocks = message.blocks + [one for each in message.attachments for one in each.get("blocks") or []]
    return Place(person, blocks, message=message, channel=channel)


def _action(workspace: Workspace, place: Place, control: Control, body: JSON) -> JSON:
    """The action, after the person's own view of the control has changed."""
    action: JSON = {
        "action_id": control.action_id,
        "block_id": control.block_id,
        "type": control.type,
        "action_ts": workspace.messages.new_ts(workspace.clock.now()),
    }
    if control.type == "button":
        action["text"] = control.element["text"]
        action |= {"value": control.element["value"]} if "value" in control.element else {}
        return action | ({"style": control.element["style"]} if "style" in control.element else {})
    given = body[control.key] if control.key in body else body.get("value")
    value = state_value(control, given)
    if control.type == "overflow":
        if value["selected_option"] is None:
            raise Refused("say which entry: selected_option")
        return action | value
    place.touched().setdefault(control.block_id, {})[control.action_id] = value
    extra = {"placeholder": control.element["placeholder"]} if "placeholder" in control.element else {}
    return action | value | extra


def _origin(workspace: Workspace, place: Place) -> JSON:
    if place.view:
        place.view.state = current_state(place.blocks, place.view.state)
        return payloads.on_view(workspace.settings, place.view)
    assert place.message is not None
    assert place.channel is not None
    shown = message_api(workspace.settings, workspace.messages, place.message)
    return payloads.on_message(place.channel, place.message, shown)


def _show_trouble(workspace: Workspace, place: Place, error: str | None) -> None:
    if place.view:
        place.view.trouble = error
        workspace.view_changed(place.view)
    elif place.message:
        if error:
            place.message.troubles[place.person.id] = error
        else:
            place.message.troubles.pop(place.person.id, None)
        workspace.touched(place.message, place.person.id)
