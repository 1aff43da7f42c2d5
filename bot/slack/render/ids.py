"""Names of buttons, fields and views, and what they carry: written by the renderer, read by the listeners.

What comes back in them is never trusted beyond naming something: who presses, and whether it still holds, is checked by
the engine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bot.slack.render.message import button

RUN = re.compile(r"run:\d+")
FORM = re.compile(r"form:\d+")
APPROVE = "vote:approve"
REJECT = "vote:reject"
DETAILS = "details"
REASON_VIEW = "reject"
STEP_UP_VIEW = "step-up"
FORM_VIEW = "form"
REASON = "reason"
TYPED = "typed"
CODE = "code"
INPUT = "input"
"""The action id of every field; which field it is, is the block's id."""
PICK = "pick"
"""The action id of a field whose options are asked for while typing."""

_BALLOT_PAPER = re.compile(r"([A-Za-z0-9-]{1,40}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class BallotPaper:
    """What a vote button stands for: the request, and the digest of the plan that the message shows."""

    request_id: str
    digest: str

    def __str__(self) -> str:
        return f"{self.request_id}:{self.digest}"

    @classmethod
    def read(cls, value: str) -> BallotPaper | None:
        """None: it is not one of ours."""
        found = _BALLOT_PAPER.fullmatch(value)
        return cls(found[1], found[2]) if found else None


def run_button(
    number: int, label: str, command: str, *, style: str = "", confirm: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A button that types `command` for whoever presses it."""
    return button(label, f"run:{number}", command, style=style, confirm=confirm)


def form_button(number: int, label: str, command: str) -> dict[str, Any]:
    """A button that opens the form of an incomplete `command`."""
    return button(label, f"form:{number}", command, style="primary")
