"""What the plans of many commands are made of: findings about VMs and hosts, the toolstack's own opinion, and steps."""

from bot.planning.availability import most_failures, possible, tolerate
from bot.planning.common import findings, line, pool_id, second_opinion
from bot.planning.vms import about, arrival, ha_lets_go, home_answers, in_state, runs_on

__all__ = [
    "about",
    "arrival",
    "findings",
    "ha_lets_go",
    "home_answers",
    "in_state",
    "line",
    "most_failures",
    "pool_id",
    "possible",
    "runs_on",
    "second_opinion",
    "tolerate",
]
