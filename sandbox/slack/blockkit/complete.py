"""What Slack fills in: block ids, action ids, `emoji`, `verbatim`, and what it links in mrkdwn."""

import copy
import secrets
from collections.abc import Callable

from sandbox.slack.blockkit.elements import WITHOUT_ACTION
from sandbox.slack.blockkit.schema import JSON, walk
from sandbox.slack.blockkit.validate import elements_of

Linker = Callable[[str], str]


def complete_blocks(blocks: list[JSON], linker: Linker | None = None) -> list[JSON]:
    """A copy as Slack stores it. `linker` turns what mrkdwn with verbatim:false mentions into links.

    A markdown block does not keep its block_id (Slack docs: markdown block).
    """
    done = copy.deepcopy(blocks)
    for block in done:
        if block["type"] == "markdown" or not block.get("block_id"):
            block["block_id"] = _short()
        if block["type"] == "input":
            block.setdefault("optional", False)
            block.setdefault("dispatch_action", False)
        for _, element in elements_of(block):
            if element["type"] not in WITHOUT_ACTION and not element.get("action_id"):
                element["action_id"] = _short()
        for _, one in walk(block):
            _complete_text(one, linker)
    return done


def complete_view(view: JSON) -> JSON:
    done = copy.deepcopy(view)
    done["blocks"] = complete_blocks(done["blocks"])
    for key in ("title", "submit", "close"):
        if done.get(key):
            _complete_text(done[key], None)
    return done


def _complete_text(one: JSON, linker: Linker | None) -> None:
    if one.get("type") == "plain_text":
        one.setdefault("emoji", True)
    elif one.get("type") == "mrkdwn":
        one.setdefault("verbatim", False)
        if linker and not one["verbatim"]:
            one["text"] = linker(one["text"])


def _short() -> str:
    return secrets.token_urlsafe(4)[:5]
