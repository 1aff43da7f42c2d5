"""api.test, auth.test and apps.connections.open."""

from typing import Any

from sandbox.slack.errors import ApiError
from sandbox.slack.limits import Tier
from sandbox.slack.methods.registry import Call, method


@method("api.test", Tier.FOUR, takes="none")
def api_test(call: Call) -> dict[str, Any]:
    """Says back what it was given; with `error`, fails with that. A token is neither needed nor looked at."""
    args = {"args": call.args} if call.args else {}
    if error := call.text("error"):
        raise ApiError(error, **args)
    return args


@method("auth.test", Tier.SPECIAL)
def auth_test(call: Call) -> dict[str, Any]:
    settings = call.workspace.settings
    return {
        "url": f"https://{settings.team_domain}.slack.com/",
        "team": settings.team_name,
        "user": settings.bot_name,
        "team_id": settings.team_id,
        "user_id": settings.bot_user_id,
        "bot_id": settings.bot_id,
        "is_enterprise_install": False,
    }


@method("apps.connections.open", Tier.THREE, "connections:write", takes="app")
def connections_open(call: Call) -> dict[str, Any]:
    """A WebSocket address with a ticket for one connection."""
    workspace = call.workspace
    address = workspace.base.replace("http://", "ws://", 1)
    ticket = workspace.socket_mode.new_ticket()
    return {"url": f"{address}/link/?ticket={ticket}&app_id={workspace.settings.app_id}"}
