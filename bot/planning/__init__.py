"""What the plans of many commands are made of: findings about VMs and hosts, the toolstack's own opinion, and steps."""

from bot.planning.availability import (
    PAUSED,
    enabling_line,
    most_failures,
    on_again,
    paused,
    possible,
    tolerate,
    turn_off,
    turn_on,
    unprotected,
    wants_pause,
)
from bot.planning.common import copied_first, findings, line, pool_id, second_opinion
from bot.planning.disks import COPY_SECONDS, able, lies_on
from bot.planning.motion import with_disks
from bot.planning.vms import (
    about,
    arrival,
    ha_lets_go,
    home_answers,
    in_power_state,
    in_state,
    movable,
    operate,
    put,
    runs_on,
)

__all__ = [
    "COPY_SECONDS",
    "PAUSED",
    "able",
    "about",
    "arrival",
    "copied_first",
    "enabling_line",
    "findings",
    "ha_lets_go",
    "home_answers",
    "in_power_state",
    "in_state",
    "lies_on",
    "line",
    "most_failures",
    "movable",
    "on_again",
    "operate",
    "paused",
    "pool_id",
    "possible",
    "put",
    "runs_on",
    "second_opinion",
    "tolerate",
    "turn_off",
    "turn_on",
    "unprotected",
    "wants_pause",
    "with_disks",
]
