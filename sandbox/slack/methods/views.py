"""views.*: modals and App Homes."""

import json
from typing import Any

from sandbox.slack.blockkit import check_view, complete_view
from sandbox.slack.errors import ApiError, invalid_arguments
from sandbox.slack.limits import Tier
from sandbox.slack.methods.registry import Call, method
from sandbox.slack.views import View
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]
VIEW_BYTES = 250_000  # Slack docs: views.open, view_too_large


@method("views.open", Tier.FOUR)
def open_(call: Call) -> JSON:
    body = read_view(call.workspace, call.structure("view"), "modal")
    trigger = call.workspace.grants.trigger(call.need("trigger_id"))
    view = call.workspace.views.open(trigger.person, body)
    call.workspace.grants.spend(trigger)
    return _done(call, view)


@method("views.push", Tier.FOUR)
def push(call: Call) -> JSON:
    """On top of the modal that the trigger came from."""
    body = read_view(call.workspace, call.structure("view"), "modal")
    trigger = call.workspace.grants.trigger(call.need("trigger_id"))
    view = call.workspace.views.push(trigger.person, body)
    call.workspace.grants.spend(trigger)
    return _done(call, view)


@method("views.update", Tier.FOUR)
def update(call: Call) -> JSON:
    view_id, external_id = call.text("view_id"), call.text("external_id")
    if not view_id and not external_id:
        raise invalid_arguments("missing required field: view_id")
    given = call.structure("view")
    view = call.workspace.views.find(view_id, external_id)
    if view is None:
        raise ApiError("not_found")
    body = read_view(call.workspace, given, view.type)
    call.workspace.views.update(view, body, call.text("hash"))
    return _done(call, view)


@method("views.publish", Tier.FOUR)
def publish(call: Call) -> JSON:
    """One person's Home tab. Raises: not_enabled, hash_conflict, user_not_found (name inferred)."""
    workspace = call.workspace
    body = read_view(workspace, call.structure("view"), "home")
    if not workspace.settings.switches.home_tab:
        raise ApiError("not_enabled")
    person = workspace.directory.people.get(call.need("user_id"))
    if person is None or person.deleted or person.is_bot:
        raise ApiError("user_not_found")
    return _done(call, workspace.views.publish(person.id, body, call.text("hash")))


def read_view(workspace: Workspace, view: Any, kind: str) -> JSON:
    """A view checked and completed. Raises: view_too_large, invalid_arguments with pointers from /view."""
    if len(json.dumps(view).encode()) > VIEW_BYTES:
        raise ApiError("view_too_large")
    check_view(view, kind, off=workspace.settings.switches.block_rules_off)
    return complete_view(view)


def _done(call: Call, view: View) -> JSON:
    call.workspace.view_changed(view)
    return {"view": view.api(call.workspace.settings)}
