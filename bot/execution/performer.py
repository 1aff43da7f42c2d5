"""Doing steps to their end: one, or several at once on the one thread, each in pieces."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from bot.execution.calls import Calls
from bot.execution.steps import Steps
from bot.execution.telling import Teller
from bot.ports import Clock, Store
from bot.run import Cancelled, Doing, Failed, LeaseLost, Pieces, Run, Unsure

_MOST_TOLD = 5
"""Steps that are told of one kind; of more, how many there are."""


@dataclass
class _Working:
    """A step that was begun, and when it goes on (the clock's monotonic seconds)."""

    doing: Doing
    pieces: Pieces[None]
    due: float


class Performer:
    """Performs steps against a pool, and waits for them on the thread that calls it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._clock = clock
        self._calls = Calls(store, clock)
        self._teller = Teller(store)
        self._steps = Steps(self._calls, clock, self._teller)

    def perform(self, stage: Sequence[Doing], *, at_once: int = 1) -> None:
        """Do steps of one run that have no order among them, at most so many at a time. Those that a dead process began
        come first, all of them. When one fails no other is begun; those that were begun are followed to their end.

        What was done goes into the run's `done`; what only mends and failed, into its `missed`.

        :raises Failed: one did not happen. :raises Unsure: one may have, whatever became of the others.
        :raises LeaseLost: another process has the request.
        """
        run = stage[0].run
        begun = self._calls.all_begun(run) if len(stage) > 1 else set()
        run.stage = () if stage[0].undo else tuple(doing.number for doing in stage)
        waiting = deque(sorted(stage, key=lambda doing: doing.number not in begun))
        working: list[_Working] = []
        ended: list[tuple[Doing, Failed | Unsure]] = []
        while True:
            while waiting and (waiting[0].number in begun or self._may_begin(run, working, ended, at_once)):
                doing = waiting.popleft()
                self._go_on(_Working(doing, self._steps.do(doing), 0.0), working, ended)
            if not working:
                break
            first = min(working, key=lambda each: each.due)
            self._sleep_until(run, first.due)
            working.remove(first)
            self._go_on(first, working, ended)
        if not ended:
            return
        if waiting:
            run.evidence.append(f"not begun: {_some([doing.step.title for doing in waiting])}")
        if len(stage) == 1:
            raise ended[0][1]
        worst, others = _of_several(ended)
        run.evidence += others
        raise worst

    def _may_begin(
        self, run: Run, working: list[_Working], ended: list[tuple[Doing, Failed | Unsure]], at_once: int
    ) -> bool:
        return not ended and not run.looking and len(working) < at_once

    def _go_on(self, each: _Working, working: list[_Working], ended: list[tuple[Doing, Failed | Unsure]]) -> None:
        """Do the next piece of it; it goes back among those at work, or among those that ended badly."""
        doing = each.doing
        try:
            seconds = next(each.pieces)
        except StopIteration:
            if not doing.undo:
                doing.run.done.add(doing.number)
            self._teller.tell_done(doing)
        except Failed as failure:
            if doing.step.mends and not isinstance(failure, Cancelled):
                doing.run.miss(doing.number, failure)
            else:
                ended.append((doing, failure))
        except Unsure as doubt:
            ended.append((doing, doubt))
        else:
            each.due = self._clock.monotonic() + seconds
            working.append(each)

    def _sleep_until(self, run: Run, due: float) -> None:
        """:raises LeaseLost: the request is not this process's any more."""
        if run.lost.is_set():
            raise LeaseLost
        seconds = due - self._clock.monotonic()
        if seconds > 0:
            self._clock.sleep(seconds)


_Ended = Sequence[tuple[Doing, Failed | Unsure]]


def _of_several(ended: _Ended) -> tuple[Failed | Unsure, tuple[str, ...]]:
    """What became of steps that were done together, when not all ended well: what nobody knows is graver than what
    failed, and that than what was cancelled. Besides in lines those that it does not tell of.
    """
    for kind in (Unsure, Failed):
        graver = [(doing, end) for doing, end in ended if isinstance(end, kind) and not isinstance(end, Cancelled)]
        if graver:
            remedies = dict.fromkeys(end.remedy for _, end in graver if isinstance(end, Failed) and end.remedy)
            text = _some([f"{doing.step.title}: {end.reason}" for doing, end in graver])
            told = {end for _, end in graver[:_MOST_TOLD]}
            lines = tuple(_line(doing, end) for doing, end in ended if end not in told)
            return (Unsure(text) if kind is Unsure else Failed(text, " ".join(remedies))), lines
    return ended[0][1], ()


def _line(doing: Doing, end: Failed | Unsure) -> str:
    return f"{'nobody knows' if isinstance(end, Unsure) else 'did not happen'}: {doing.step.title} – {end.reason}"


def _some(texts: Sequence[str]) -> str:
    more = [f"and {len(texts) - _MOST_TOLD} more"] if len(texts) > _MOST_TOLD else []
    return "; ".join((*texts[:_MOST_TOLD], *more))
