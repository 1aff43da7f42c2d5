"""Composition objects: texts, options, confirmations (Slack docs: reference/block-kit/composition-objects)."""

from typing import Any

from sandbox.slack.blockkit.schema import Check, Rule, choice, flag, items, length, one_of, shape, string

TEXT_KINDS = ("plain_text", "mrkdwn")


def text(limit: str, *kinds: str, least: int = 1) -> Rule:
    """A text object of one of the kinds (both, when none is named)."""
    allowed = kinds or TEXT_KINDS

    def rule(value: Any, pointer: str, check: Check) -> None:
        before = len(check.problems)
        _text(value, pointer, check, limit, allowed, least)
        if len(allowed) > 1 and len(check.problems) > before:
            check.problems.insert(before, f"failed to match all allowed schemas [json-pointer:{pointer}]")

    return rule


def _text(value: Any, pointer: str, check: Check, limit: str, allowed: tuple[str, ...], least: int) -> None:
    if not isinstance(value, dict):
        check.note("must provide an object", pointer)
        return
    for key in ("type", "text"):
        if value.get(key) is None:
            check.note(f"missing required field: {key}", pointer)
            return
    kind = value["type"]
    if kind not in allowed:
        check.note(f"unsupported type: {kind}", f"{pointer}/type")
        return
    extra = "emoji" if kind == "plain_text" else "verbatim"
    for key, one in value.items():
        if key not in ("type", "text", extra):
            check.note(f"invalid additional property: {key}", pointer)
        elif key == extra and not isinstance(one, bool):
            check.note("must provide a boolean", f"{pointer}/{key}")
    if not isinstance(value["text"], str):
        check.note("must provide a string", f"{pointer}/text")
        return
    length(value["text"], f"{pointer}/text", check, limit, least)


def plain(limit: str, *, least: int = 1) -> Rule:
    return text(limit, "plain_text", least=least)


def option(*kinds: str, url: bool = False) -> Rule:
    """`url` is for overflow menus only; mrkdwn texts are for radio buttons and checkboxes only."""
    extra = {"url": string("option.url")} if url else {}
    return shape(
        {"text": text("option.text", *kinds), "value": string("option.value", least=1)},
        {"description": text("option.description", *kinds), **extra},
    )


PLAIN_OPTION = option("plain_text")
RICH_OPTION = option("plain_text", "mrkdwn")

OPTION_GROUP = shape(
    {"label": plain("option_group.label"), "options": items(PLAIN_OPTION, "option_group.options", least=1)}, {}
)

CONFIRM = shape(
    {
        "title": plain("confirm.title"),
        "text": text("confirm.text"),
        "confirm": plain("confirm.confirm"),
        "deny": plain("confirm.deny"),
    },
    {"style": choice("primary", "danger")},
)

FILTER = shape(
    {},
    {
        "include": items(choice("im", "mpim", "private", "public"), least=1),
        "exclude_external_shared_channels": flag(),
        "exclude_bot_users": flag(),
    },
)

DISPATCH = shape({}, {"trigger_actions_on": items(choice("on_enter_pressed", "on_character_entered"), least=1)})

SLACK_FILE = shape({}, {"id": string(), "url": string()}, one_of("id", "url"))


def initial_is_an_option(value: Any, pointer: str, check: Check) -> None:
    """initial_option(s) must equal an option exactly, text and value."""
    options = list(value.get("options") or [])
    for group in value.get("option_groups") or []:
        options += group["options"]
    wanted = value.get("initial_options") or ([value["initial_option"]] if value.get("initial_option") else [])
    key = "initial_options" if value.get("initial_options") else "initial_option"
    known = [_bare(one) for one in options]
    if any(_bare(one) not in known for one in wanted):
        check.note("must be one of the provided options", f"{pointer}/{key}")


def _bare(one: Any) -> Any:
    """An option without what Slack fills in by itself."""
    return {
        key: {k: v for k, v in part.items() if k not in ("emoji", "verbatim")} if isinstance(part, dict) else part
        for key, part in one.items()
    }
