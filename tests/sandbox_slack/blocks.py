"""Block Kit's blocks, elements and objects, as small as they may be; what a test is about is given."""

from typing import Any

from tests.sandbox_slack.conftest import actions, button, text_input

JSON = dict[str, Any]

PNG = "https://images.example/a.png"


def plain(text: str) -> JSON:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> JSON:
    return {"type": "mrkdwn", "text": text}


def x(count: int) -> str:
    return "x" * count


def option(text: str = "one", value: str = "1", **more: Any) -> JSON:
    return {"text": plain(text), "value": value, **more}


def options(count: int) -> list[JSON]:
    return [option(f"option {number}", str(number)) for number in range(count)]


def groups(count: int) -> list[JSON]:
    return [{"label": plain(f"group {number}"), "options": options(1)} for number in range(count)]


def select(**more: Any) -> JSON:
    return {"type": "static_select", "action_id": "pick", **more}


def confirm(**more: Any) -> JSON:
    words = {"title": plain("Sure?"), "text": mrkdwn("It is gone then"), "confirm": plain("Yes"), "deny": plain("No")}
    return button(confirm=words | more)


def in_actions(element: JSON) -> list[JSON]:
    return [actions(element)]


def in_input(element: JSON) -> list[JSON]:
    return [text_input(element=element)]


def image(**more: Any) -> JSON:
    return {"type": "image", "image_url": PNG, "alt_text": "a graph", **more}


def table(rows: list[list[JSON]], **more: Any) -> list[JSON]:
    return [{"type": "table", "rows": rows, **more}]


def cell(text: str = "a") -> JSON:
    return {"type": "raw_text", "text": text}


def rich(*parts: JSON) -> list[JSON]:
    return [{"type": "rich_text", "elements": list(parts)}]


def rich_list(**more: Any) -> JSON:
    inside = {"type": "rich_text_section", "elements": [{"type": "text", "text": "a"}]}
    return {"type": "rich_text_list", "style": "bullet", "elements": [inside], **more}


def task(number: int = 0) -> JSON:
    return {"type": "task_card", "task_id": str(number), "title": "do it", "status": "pending"}


def card(**more: Any) -> list[JSON]:
    return [{"type": "card", **more}]


def divider(count: int) -> list[JSON]:
    return [{"type": "divider"} for _ in range(count)]
