"""The app's manifest, made from what the bot uses (Slack docs: reference/manifests)."""

from __future__ import annotations

from typing import Any

from bot.slack.api import METHODS

EVENTS = {"app_mention": "app_mentions:read", "message.im": "im:history"}
"""The events that the bot listens to, each with the scope it takes."""

_CONSEQUENCES = {
    "app_mentions:read": "mentions are not heard",
    "im:history": "direct messages are not heard",
    "chat:write": "nothing can be posted",
    "commands": "the slash command does not exist",
    "users:read": "nobody can be recognised, so everybody is refused",
    "usergroups:read": "members of user groups cannot be recognised",
    "im:write": "nobody is reminded in private of what waits for them",
    "files:write": "reports come without their files and charts",
}
_HISTORY = "a post whose answer was lost there cannot be looked for, and is not sent again"
_READ = "such conversations count as places where the bot cannot post"


def scopes() -> tuple[str, ...]:
    """The bot scopes of every method and event in use, in order of name."""
    return tuple(sorted({"commands", *EVENTS.values(), *(scope for needed in METHODS.values() for scope in needed)}))


def consequence(scope: str) -> str:
    """What does not work without a scope."""
    return _CONSEQUENCES.get(scope) or (_HISTORY if scope.endswith(":history") else _READ)


def manifest(
    *, name: str = "Xenia", command: str = "/xen", usage_hint: str = "help", request_url: str = ""
) -> dict[str, Any]:
    """The manifest to create the app from; paste it as JSON.

    :param request_url: for HTTP mode, the public address that ends in `/slack/events`; "" is Socket Mode.
    """
    url = {"request_url": request_url} if request_url else {}
    slash = {
        "command": command,
        "description": "Look at XenServer and XCP-ng pools, and change them with a second person's approval",
        "usage_hint": usage_hint,
        "should_escape": False,
        **({"url": request_url} if request_url else {}),
    }
    interactivity: dict[str, Any] = {"is_enabled": True, **url}
    if request_url:
        interactivity["message_menu_options_url"] = request_url
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": name,
            "description": "Runs XenServer and XCP-ng pools, with approval and a record",
            "background_color": "#2f4f6f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name.lower(), "always_online": True},
            "slash_commands": [slash],
        },
        "oauth_config": {"scopes": {"bot": list(scopes())}},
        "settings": {
            "event_subscriptions": {"bot_events": sorted(EVENTS), **url},
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": not request_url,
            "token_rotation_enabled": False,
        },
    }
