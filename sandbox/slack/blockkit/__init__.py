"""Block Kit as Slack checks and completes it. The figures are in `limits`, the shapes in the modules beside it."""

from sandbox.slack.blockkit.complete import complete_blocks, complete_view
from sandbox.slack.blockkit.limits import LIMITS, switches
from sandbox.slack.blockkit.validate import check_blocks, check_view, elements_of

__all__ = ["LIMITS", "check_blocks", "check_view", "complete_blocks", "complete_view", "elements_of", "switches"]
