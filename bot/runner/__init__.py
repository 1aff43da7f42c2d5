"""From approved to ended: lock, plan again, compare, perform, and say what came of it. Also the taking up of what a
dead process left.
"""

from __future__ import annotations

from bot.runner.runner import Runner

__all__ = ["Runner"]
