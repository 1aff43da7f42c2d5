"""The pretend Slack workspace: slack_bolt and slack_sdk talk to it unchanged, with its own address as base_url.

`start()` runs it in a thread of its own; `python -m sandbox.slack` runs it until interrupted. What is not here is
refused with Slack's own error (`unknown_method`, `unsupported type`).

Known differences from Slack: emoji characters are kept as they are (Slack stores `:codes:`); links are never unfurled;
one app and one workspace, so no OAuth, user tokens or Enterprise Grid; no group DMs; rate limits are exactly the
tier's figure, where Slack promises at least that; views.open while a modal is open replaces the stack; a refused post
to a response URL counts as a use. Names of errors that no source gives are marked `inferred` where they are raised.
"""

from sandbox.slack.running import RunningWorkspace, start
from sandbox.slack.settings import Settings, SlashCommand, Switches

__all__ = ["RunningWorkspace", "Settings", "SlashCommand", "Switches", "start"]
