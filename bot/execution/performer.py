"""Doing a step to its end."""

from __future__ import annotations

from bot.execution.calls import Calls
from bot.execution.steps import Steps
from bot.execution.telling import Teller
from bot.ports import Clock, Store
from bot.run import Cancelled, Doing, Failed, LeaseLost


class Performer:
    """Performs steps against a pool, and waits for them on the thread that calls it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._clock = clock
        self._steps = Steps(Calls(store, clock), clock, Teller(store))

    def perform(self, doing: Doing) -> None:
        """What was done goes into the run's `done`; what only mends and failed, into its `missed`.

        :raises Failed: it did not happen. :raises Unsure: it may have. :raises LeaseLost: another process has it.
        """
        try:
            for seconds in self._steps.do(doing):
                if doing.run.lost.is_set():
                    raise LeaseLost
                self._clock.sleep(seconds)
        except Failed as failure:
            if not doing.step.mends or isinstance(failure, Cancelled):
                raise
            doing.run.miss(doing.number, failure)
        else:
            if not doing.undo:
                doing.run.done.add(doing.number)
