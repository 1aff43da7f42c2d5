"""Block Kit used by the page's tests: every block and element that the page shows."""

from typing import Any

JSON = dict[str, Any]


def plain(text: str) -> JSON:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> JSON:
    return {"type": "mrkdwn", "text": text}


def option(text: str, description: str | None = None) -> JSON:
    return {"text": plain(text), "value": text} | ({"description": plain(description)} if description else {})


def section(block_id: str, text: str, **more: Any) -> JSON:
    return {"type": "section", "block_id": block_id, "text": mrkdwn(text), **more}


def button(action_id: str, text: str, **more: Any) -> JSON:
    return {"type": "button", "action_id": action_id, "text": plain(text), **more}


def actions(block_id: str, *elements: JSON) -> JSON:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def input_block(block_id: str, label: str, element: JSON, **more: Any) -> JSON:
    """An input whose element is called as its block is."""
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "element": {"action_id": block_id, **element},
        **more,
    }


def rich_section(*leaves: JSON) -> JSON:
    return {"type": "rich_text_section", "elements": list(leaves)}


def words(text: str, **style: bool) -> JSON:
    return {"type": "text", "text": text} | ({"style": style} if style else {})


CONFIRM: JSON = {
    "title": plain("Sure?"),
    "text": mrkdwn("It is *final*."),
    "confirm": plain("Yes, reject"),
    "deny": plain("No"),
    "style": "danger",
}
MOST_BLOCKS: list[JSON] = [
    {"type": "header", "block_id": "header", "text": plain("lab :large_green_circle: healthy")},
    section("section", "*Hosts* _two_ ~three~ `code`"),
    {"type": "section", "block_id": "fields", "fields": [mrkdwn("*Coordinator*\nxs1"), plain("*literal*")]},
    {"type": "divider", "block_id": "divider"},
    {"type": "context", "block_id": "context", "elements": [mrkdwn("read in *0.4 s*"), plain("twice")]},
    {"type": "image", "block_id": "image", "image_url": "https://example.com/a.png", "alt_text": "a far image"},
    {
        "type": "rich_text",
        "block_id": "rich",
        "elements": [
            rich_section(words("Rich "), words("bold", bold=True), {"type": "user", "user_id": "U0ANA"}),
            {"type": "rich_text_list", "style": "bullet", "elements": [rich_section(words("one"))]},
            {"type": "rich_text_quote", "elements": [words("quoted")]},
            {"type": "rich_text_preformatted", "elements": [words("<b>pre</b>")]},
        ],
    },
    {"type": "markdown", "text": "# Title\n\nSome **bold** and `code`\n\n- one\n  - deeper\n\n1. first"},
    {
        "type": "table",
        "block_id": "table",
        "column_settings": [{}, {"align": "right"}],
        "rows": [
            [{"type": "raw_text", "text": "Host"}, {"type": "raw_text", "text": "VMs"}],
            [{"type": "raw_text", "text": "<xs1>"}, {"type": "raw_text", "text": "7"}],
        ],
    },
    actions(
        "actions",
        button("approve", "Approve", style="primary", value="r1"),
        button("reject", "Reject", style="danger", confirm=CONFIRM),
        {"type": "overflow", "action_id": "more", "options": [option("Show"), option("Hide")]},
        {"type": "datepicker", "action_id": "date", "initial_date": "2026-02-03"},
        {"type": "timepicker", "action_id": "time", "initial_time": "09:30"},
        {"type": "checkboxes", "action_id": "boxes", "options": [option("alpha"), option("beta")]},
        {"type": "radio_buttons", "action_id": "radios", "options": [option("left"), option("right")]},
    ),
    section(
        "select",
        "Host",
        accessory={"type": "static_select", "action_id": "host", "options": [option("xs1", "busy"), option("xs2")]},
    ),
    section("external", "VM", accessory={"type": "external_select", "action_id": "vm", "min_query_length": 2}),
    section("person", "Who", accessory={"type": "users_select", "action_id": "who", "placeholder": plain("Anyone")}),
]


def form(title: str, label: str = "VM") -> JSON:
    return {
        "type": "modal",
        "callback_id": "form",
        "title": plain(title),
        "submit": plain("Plan it"),
        "close": plain("Leave"),
        "blocks": [
            section("intro", "`vm migrate` needs a VM.", accessory=button("push", "Help")),
            input_block("vm_name", label, {"type": "plain_text_input", "placeholder": plain("web-1")}),
            input_block(
                "host",
                "To host",
                {"type": "static_select", "options": [option("xs1", "busy"), option("xs2")]},
                optional=True,
                hint=plain("Empty: the best one."),
            ),
            input_block(
                "tags",
                "Tags",
                {"type": "multi_static_select", "options": [option("prod"), option("test"), option("db")]},
                optional=True,
            ),
            input_block("count", "Count", {"type": "number_input", "is_decimal_allowed": False}, optional=True),
            input_block(
                "how", "How", {"type": "checkboxes", "options": [option("Live"), option("Force")]}, optional=True
            ),
            input_block("why", "Why", {"type": "plain_text_input", "multiline": True}, optional=True),
            {"type": "alert", "block_id": "alert", "level": "warning", "text": plain("HA is off in this pool.")},
        ],
    }


FORM = form("Move a VM")
SECOND_VIEW: JSON = {
    "type": "modal",
    "callback_id": "second",
    "title": plain("Help"),
    "blocks": [section("text", "A VM is a virtual machine.")],
}
HOME: JSON = {
    "type": "home",
    "blocks": [section("pools", "*lab* is well", accessory=button("status", "Status"))],
}
