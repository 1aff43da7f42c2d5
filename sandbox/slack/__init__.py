"""The pretend Slack workspace: slack_bolt and slack_sdk talk to it unchanged, with its own address as base_url.

`start()` runs it in a thread of its own; `python -m sandbox.slack` runs it until interrupted.
"""

from sandbox.slack.running import RunningWorkspace, start
from sandbox.slack.settings import Settings, SlashCommand, Switches

__all__ = ["RunningWorkspace", "Settings", "SlashCommand", "Switches", "start"]
