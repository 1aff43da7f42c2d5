"""Doing what was approved: each step sent once, watched, verified, and undone if a later one fails. Also after a crash,
from what was written down.

The store knows of every call before it is sent. A call whose answer is lost is looked for, never sent again; what
cannot be found is UNKNOWN.
"""

from __future__ import annotations

from bot.execution.performer import Performer

__all__ = ["Performer"]
