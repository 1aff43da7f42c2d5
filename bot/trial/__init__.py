"""Trying a configuration for real, point by point: what `xenia setup`, `xenia config check --live`, `xenia doctor` and
the start of the bot have in common. Nothing is changed by it.
"""

from bot.trial.here import here, of_file
from bot.trial.point import Point, once, worst
from bot.trial.pools import of_pools
from bot.trial.workspace import of_channels, of_people, of_slack

__all__ = ["Point", "here", "of_channels", "of_file", "of_people", "of_pools", "of_slack", "once", "worst"]
