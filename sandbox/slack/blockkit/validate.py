"""Whole payloads: a message's blocks, a view; and the rules that look across blocks."""

from collections.abc import Iterator
from typing import Any

from sandbox.slack.blockkit.blocks import BLOCK_LISTS
from sandbox.slack.blockkit.limits import LIMITS
from sandbox.slack.blockkit.objects import plain
from sandbox.slack.blockkit.schema import JSON, Check, Rule, Surface, choice, flag, shape, string, walk
from sandbox.slack.errors import ApiError, invalid_arguments

_COMMON: dict[str, Rule] = {
    "private_metadata": string("view.private_metadata"),
    "callback_id": string("view.callback_id"),
    "external_id": string("view.external_id"),
}
_VIEWS: dict[str, Rule] = {
    "modal": shape(
        {"type": choice("modal"), "title": plain("view.title"), "blocks": BLOCK_LISTS["modal"]},
        {
            **_COMMON,
            "submit": plain("view.submit"),
            "close": plain("view.close"),
            "clear_on_close": flag(),
            "notify_on_close": flag(),
        },
    ),
    "home": shape({"type": choice("home"), "blocks": BLOCK_LISTS["home"]}, _COMMON),
}


def check_blocks(
    blocks: list[Any],
    surface: Surface,
    *,
    off: frozenset[str] = frozenset(),
    total_rule: bool = True,
    pointer: str = "/blocks",
) -> None:
    """Raises invalid_blocks with every reason, only_one_table_allowed, or msg_blocks_too_long.

    `total_rule`: bound the sum of characters, as chat.* do and response URLs do not.
    """
    check = Check(surface, off)
    BLOCK_LISTS[surface](blocks, pointer, check)
    if not check.problems:
        _across(blocks, pointer, check)
    if check.problems:
        raise ApiError(
            "invalid_blocks",
            errors=check.problems,
            response_metadata={"messages": [f"[ERROR] {one}" for one in check.problems]},
        )
    tables = sum(block["type"] == "table" for block in blocks)
    if (most := check.limit("table.per_message")) is not None and tables > most:
        raise ApiError("only_one_table_allowed")  # the error's name is inferred
    if total_rule:
        _check_total(blocks, check)


def check_view(view: Any, kind: str, *, off: frozenset[str] = frozenset()) -> None:
    """Raises invalid_arguments with every reason, pointers from /view. `kind`: modal or home."""
    surface: Surface = "home" if kind == "home" else "modal"
    check = Check(surface, off)
    _VIEWS[surface](view, "/view", check)
    if check.problems:
        # Slack tries the schemas of modal and home, and says so first.
        raise invalid_arguments("failed to match all allowed schemas [json-pointer:/view]", *check.problems)
    _across(view["blocks"], "/view/blocks", check)
    _needs_submit(view, check)
    if check.problems:
        raise invalid_arguments(*check.problems)


def _across(blocks: list[JSON], pointer: str, check: Check) -> None:
    """block_id within the payload, action_id within its block, one focus_on_load."""
    blocks_seen: set[str] = set()
    focused = 0
    for number, block in enumerate(blocks):
        here = f"{pointer}/{number}"
        name = block.get("block_id")
        if name in blocks_seen:
            check.note(f'`block_id` "{name}" already exists', f"{here}/block_id")
        if name:
            blocks_seen.add(name)
        actions_seen: set[str] = set()
        for where, element in elements_of(block, here):
            action = element.get("action_id")
            if action in actions_seen:
                check.note(f'`action_id` "{action}" already exists for block_id "{name or ""}"', f"{where}/action_id")
            if action:
                actions_seen.add(action)
            focused += bool(element.get("focus_on_load"))
    if focused > 1:
        check.note("only one element may have `focus_on_load`", pointer)


def elements_of(block: JSON, pointer: str = "") -> Iterator[tuple[str, JSON]]:
    """The block elements of a block, with their pointers."""
    for key in ("elements", "actions"):
        if block["type"] in ("actions", "card"):
            for number, one in enumerate(block.get(key) or []):
                yield f"{pointer}/{key}/{number}", one
    for key in ("accessory", "element"):
        if isinstance(block.get(key), dict):
            yield f"{pointer}/{key}", block[key]


def _needs_submit(view: JSON, check: Check) -> None:
    if view["type"] == "modal" and not view.get("submit"):
        for number, block in enumerate(view["blocks"]):
            if block["type"] == "input":
                check.note("must define `submit` to use `input` block", f"/view/blocks/{number}/input")


def _check_total(blocks: list[JSON], check: Check) -> None:
    """chat.* bound the characters of a message's blocks (undocumented; see LIMITS). Raises msg_blocks_too_long."""
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    rest = sum(
        len(one["text"])
        for block in blocks
        if block["type"] != "markdown"
        for _, one in walk(block)
        if isinstance(one.get("text"), str)
    )
    most = check.limit("message.characters")
    if markdown > LIMITS["message.markdown"].most or (most is not None and rest > most):
        raise ApiError("msg_blocks_too_long")
