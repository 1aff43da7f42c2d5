"""True time from what several NTP servers say: an interval with proof, and who contradicts it.

A server's receive and transmit times lie between our sending and receiving; so its clock is ahead of ours by at least
(its transmit time - our receive time) and at most (its receive time - our send time). Its own distance from true time
is at most its root distance: half the root delay, and the root dispersion (RFC 5905, sections 7.3 and 11.2).

Of several servers those are believed that agree, if they are more than half: the intersection that most intervals
share (RFC 5905, section 11.2.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.findings import TimeAnswer
from bot.rules.clocks import MAX_DRIFT, Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """`interval` is true time less ours, in seconds, at a certain moment; None when it is not known."""

    interval: Interval | None
    believed: tuple[TimeAnswer, ...] = ()
    contradicted: tuple[TimeAnswer, ...] = ()
    """They answered, and do not fit what the others say; all of them when there is no majority."""
    silent: tuple[TimeAnswer, ...] = ()


def exchanged(sent: float, taken: float, answered: float, received: float, distance: float) -> Interval:
    """What one exchange proves: `sent` and `received` by our clock, `taken` and `answered` by the server's."""
    return Interval(answered - received, taken - sent).widened(distance)


def agreed(answers: Sequence[TimeAnswer], at: float) -> Agreement:
    """What the servers together prove at the moment `at` (seconds since the epoch, by our clock)."""
    silent = tuple(each for each in answers if each.failure)
    spoke = tuple(each for each in answers if not each.failure)
    if not spoke:
        return Agreement(interval=None, silent=silent)
    proofs = [_at(each, at) for each in spoke]
    best, most = Interval(0.0, -1.0), 0
    for proof in proofs:
        # A region that the most share begins where one of them begins.
        sharing = [other for other in proofs if other.low <= proof.low <= other.high]
        if len(sharing) > most:
            best, most = Interval(proof.low, min(other.high for other in sharing)), len(sharing)
    if most * 2 <= len(spoke):
        return Agreement(interval=None, contradicted=spoke, silent=silent)
    fits = [proof.low <= best.high and best.low <= proof.high for proof in proofs]
    return Agreement(
        interval=best,
        believed=tuple(each for each, ok in zip(spoke, fits, strict=True) if ok),
        contradicted=tuple(each for each, ok in zip(spoke, fits, strict=True) if not ok),
        silent=silent,
    )


def _at(answer: TimeAnswer, at: float) -> Interval:
    return Interval(answer.low, answer.high).widened(MAX_DRIFT * abs(at - answer.at.timestamp()))
