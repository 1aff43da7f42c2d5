"""What a person does in Slack's client: typing, pressing, filling in forms. Each is refused as Slack refuses it."""

from sandbox.slack.acts.forms import close, submit
from sandbox.slack.acts.people import change_person
from sandbox.slack.acts.pressing import options, press
from sandbox.slack.acts.typing import open_home, say

__all__ = ["change_person", "close", "open_home", "options", "press", "say", "submit"]
