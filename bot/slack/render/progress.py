"""How far a request is, as a line that is edited in place."""

from __future__ import annotations

from bot.model import Progress
from bot.slack.render.table import bar

_WIDTH = 12


def progress_line(progress: Progress) -> str:
    """`▰▰▰▰▰▰▱▱▱▱▱▱ 52 % · step 2 of 3 · moving web-1`. 100 % is shown only when all of it is done."""
    steps = max(progress.steps, 1)
    fraction = min(max((progress.step + min(max(progress.fraction, 0.0), 1.0)) / steps, 0.0), 1.0)
    made = [f"{bar(fraction, _WIDTH, '▰', '▱')} {int(fraction * 100)} %"]
    if steps > 1:
        made.append(f"step {min(progress.step + 1, steps)} of {steps}")
    if progress.text:
        made.append(progress.text)
    return " · ".join(made)
