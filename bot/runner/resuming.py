"""Taking up what was running when its process died: attach to what it began, and go on."""

from __future__ import annotations

import logging

from bot import approval, outcome
from bot.errors import Unavailable
from bot.model import CallState, Request, Result, State
from bot.ports import Clock, People, Store
from bot.resolve import Resolver
from bot.run import Failed, Run
from bot.runner import again, entitled
from bot.runner.carrying import Carrier
from bot.runner.leases import Leases
from bot.runner.moves import Moves
from bot.text import plural

log = logging.getLogger(__name__)


class Resuming:
    """Takes requests up."""

    def __init__(
        self,
        store: Store,
        resolver: Resolver,
        people: People,
        clock: Clock,
        leases: Leases,
        moves: Moves,
        carrier: Carrier,
    ) -> None:
        self._store = store
        self._resolver = resolver
        self._people = people
        self._clock = clock
        self._leases = leases
        self._moves = moves
        self._carrier = carrier

    def take_up(self, run: Run, *, once_more: bool) -> None:
        """Nothing, while another process has it. `once_more`: this process has begun or taken it up before, and met a
        defect of its own.

        :raises LeaseLost: another process has it after all.
        """
        request = run.request
        if not self._leases.adopt(request.id):
            return
        run.owner = self._leases.owner
        run.request = self._store.request(request.id) or request
        if run.request.state not in approval.ACTIVE_STATES:
            return
        begun = [record for record, _ in self._store.calls(request.id)]
        if flaw := self._store.lacking(run.request, begun=True):
            self._moves.unknown(run, flaw)
            return
        if once_more:
            run.interrupted = "a defect of the bot kept it from the answer of a call"
        else:
            log.warning("taken up from another process, %s begun", plural(len(begun), "call"))
            self._moves.record(run, "taken up", {"calls": len(begun)})
            run.evidence.append("another run of the bot began it; this one took it up")
        if run.request.state is State.UNDOING:
            forward = [each for each in begun if not each.undo]
            run.results |= {each.step: each.result for each in forward if each.result is not None}
            run.done |= {each.step for each in forward if each.state is CallState.DONE}
            why = run.request.result or Result(summary="A step failed.")
            state = State.CANCELLED if why.cancelled else State.FAILED
            self._carrier.go_back(run, Failed(why.summary, why.remedy), state)
            return
        if run.request.state is State.CANCELLING:
            run.cancel.set()
        elif not begun and (against := self._too_late(run.request)):
            lines = (*against, *outcome.standing(run.request.plan.steps, ()))
            self._moves.fail(run, Result(summary="Nothing was sent: the bot stopped before it began.", lines=lines))
            return
        self._carrier.carry_out(run)

    def _too_late(self, request: Request) -> tuple[str, ...]:
        """Why what was about to begin in another life of the bot is not begun now: that may be long ago."""
        now = self._clock.now()
        if request.expires_at <= now:
            return ("its approval has expired meanwhile",)
        if held := self._resolver.policy.held(request, now):
            return (held,)
        try:
            if gone := entitled.lapsed(request, self._people, self._resolver.policy, now).reasons:
                return gone
            return again.against(request, self._resolver)
        except Unavailable as error:
            return (error.message, *error.evidence)
