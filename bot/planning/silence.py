"""That hosts do not answer, looked at for a while right before what is done because they are dead."""

from __future__ import annotations

from collections.abc import Sequence

from bot.model import Expect, MemberTarget, Step
from bot.rules import conditions
from bot.text import duration, joined

SECONDS = 30
"""A toolstack that restarts, or a switch that does, is away for less, as a rule; one look would take it for dead."""


def silent(hosts: Sequence[MemberTarget]) -> Step:
    """Each is asked again and again, by itself. One answer, and nothing after this is sent."""
    return Step(
        title=f"See for {duration(SECONDS)} that {joined(each.host.name for each in hosts)}"
        f" {'does' if len(hosts) == 1 else 'do'} not answer",
        target=hosts[0],
        expect=tuple(Expect(object=each.host, rule=conditions.MUTE, at=each) for each in hosts),
        lasting_seconds=SECONDS,
    )
