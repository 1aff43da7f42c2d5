"""The manifest: what Slack's schema wants, and exactly what the bot uses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.slack.manifest import EVENTS, consequence, manifest, scopes
from sandbox.slack import SlashCommand
from tests.bot_slack.conftest import BringUp
from tests.bot_slack.shown import words

SCHEMA = Path(__file__).parents[3] / "shared" / "slack" / "manifest.schema.1.0.0.json"
GROUPS: dict[str, set[str]] = {
    "": {"_metadata", "display_information", "features", "oauth_config", "settings"},
    "features": {"app_home", "bot_user", "slash_commands", "shortcuts", "unfurl_domains"},
    "oauth_config": {"scopes", "redirect_urls"},
    "settings": {
        "event_subscriptions",
        "interactivity",
        "socket_mode_enabled",
        "org_deploy_enabled",
        "token_rotation_enabled",
        "allowed_ip_address_ranges",
    },
}
"""Which keys Slack knows (manifest-schema 0.5): groups refuse others."""


@pytest.mark.parametrize("url", ["", "https://xenia.example/slack/events"])
def test_lengths_and_keys_are_what_slack_takes(url: str) -> None:
    made = manifest(request_url=url)
    for group, keys in GROUPS.items():
        assert set(made[group] if group else made) <= keys
    information = made["display_information"]
    assert len(information["name"]) <= 35
    assert len(information["description"]) <= 140
    assert "long_description" not in information  # it would have to be 175 characters or more
    (slash,) = made["features"]["slash_commands"]
    assert slash["command"].startswith("/")
    assert len(slash["command"]) <= 32
    assert 1 <= len(slash["description"]) <= 2000
    assert len(made["features"]["bot_user"]["display_name"]) <= 80
    assert made["settings"]["interactivity"]["is_enabled"] is True
    assert json.loads(json.dumps(made)) == made


def test_socket_mode_names_no_address_and_http_names_it_everywhere() -> None:
    socket_mode, http = manifest(), manifest(request_url="https://xenia.example/slack/events")
    assert "request_url" not in json.dumps(socket_mode)
    assert '"url"' not in json.dumps(socket_mode)
    assert socket_mode["settings"]["socket_mode_enabled"] is True
    assert http["settings"]["socket_mode_enabled"] is False
    assert json.dumps(http).count("https://xenia.example/slack/events") == 4


def test_every_scope_is_needed_and_has_a_consequence() -> None:
    assert len(set(scopes())) == len(scopes())
    assert all(consequence(scope) for scope in scopes())
    assert set(EVENTS.values()) | {"commands", "chat:write", "users:read", "usergroups:read"} <= set(scopes())


def test_with_exactly_these_scopes_and_events_the_bot_works(
    bring_up: BringUp, caplog: pytest.LogCaptureFixture
) -> None:
    made = manifest(command="/pools", usage_hint="help")
    (slash,) = made["features"]["slash_commands"]
    team = bring_up(
        bot={"command": "/pools"},
        scopes=tuple(made["oauth_config"]["scopes"]["bot"]),
        events=tuple(made["settings"]["event_subscriptions"]["bot_events"]),
        commands=(SlashCommand(slash["command"], slash["description"], slash["usage_hint"]),),
    )
    team.slack.say("olga", "#infra", "/pools pool status")
    assert words(team.answer("#infra", "olga")["blocks"]) == "you said pool status"
    team.slack.say("olga", "@olga", "pool list")
    team.answer("@olga", "olga")
    ts = team.slack.say("olga", "#ops-private", "@xenia pool list")["ts"]
    team.answer("#ops-private", "olga", ts)
    assert [ask.cannot_post for ask in team.desk.asks] == ["", "", ""]
    assert "scope" not in caplog.text


def test_it_satisfies_slacks_own_schema() -> None:
    if not SCHEMA.exists():
        pytest.skip("Slack's manifest schema is not at hand")
    schema: dict[str, Any] = json.loads(SCHEMA.read_text())
    for url in ("", "https://xenia.example/slack/events"):
        assert problems(manifest(request_url=url), schema, schema, "$") == []
    wrong = manifest(name="x" * 36)
    wrong["settings"]["surprise"] = True
    assert len(problems(wrong, schema, schema, "$")) == 2


def problems(value: Any, rule: dict[str, Any], root: dict[str, Any], where: str) -> list[str]:
    """The parts of JSON schema (draft 4) that the manifest's schema uses for our keys."""
    if "$ref" in rule:
        target: Any = root
        for part in rule["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return problems(value, target, root, where)
    found: list[str] = []
    for each in rule.get("allOf", ()):
        found += problems(value, each, root, where)
    for several in ("anyOf", "oneOf"):
        if several in rule and not any(not problems(value, each, root, where) for each in rule[several]):
            found.append(f"{where}: none of {several}")
    kinds: dict[str, Any] = {
        "object": dict,
        "array": list,
        "string": str,
        "boolean": bool,
        "integer": int,
        "number": (int, float),
    }
    wanted = rule.get("type")
    names = wanted if isinstance(wanted, list) else [wanted] if wanted else []
    if names and not any(name == "null" or isinstance(value, kinds[name]) for name in names):
        return [*found, f"{where}: not {wanted}"]
    if "enum" in rule and value not in rule["enum"]:
        found.append(f"{where}: {value!r} is not one of {rule['enum']}")
    if isinstance(value, str) and not rule.get("minLength", 0) <= len(value) <= rule.get("maxLength", len(value)):
        found.append(f"{where}: length {len(value)}")
    if isinstance(value, list):
        if len(value) > rule.get("maxItems", len(value)):
            found.append(f"{where}: too many")
        for number, each in enumerate(value):
            found += problems(each, rule.get("items", {}), root, f"{where}[{number}]")
    if isinstance(value, dict):
        known = rule.get("properties", {})
        found += [f"{where}.{key}: missing" for key in rule.get("required", ()) if key not in value]
        for key, each in value.items():
            if key in known:
                found += problems(each, known[key], root, f"{where}.{key}")
            elif rule.get("additionalProperties") is False:
                found.append(f"{where}.{key}: unknown")
    return found
