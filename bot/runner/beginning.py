"""From approved to running: its time, its locks, and the plan made again. Else it waits, or ends."""

from __future__ import annotations

from collections.abc import Iterable

from bot import locks
from bot.errors import Unavailable
from bot.model import Request, State
from bot.ports import Clock, Conflict, People, Store
from bot.resolve import Resolver
from bot.run import Run
from bot.runner import again, entitled
from bot.runner.leases import Leases
from bot.runner.moves import Moves
from bot.text import joined

_MAY_BEGIN = (State.APPROVED, State.QUEUED)


class Beginning:
    """Begins requests."""

    def __init__(
        self, store: Store, resolver: Resolver, people: People, clock: Clock, leases: Leases, moves: Moves
    ) -> None:
        self._store = store
        self._resolver = resolver
        self._people = people
        self._clock = clock
        self._leases = leases
        self._moves = moves

    def begin(self, run: Run) -> bool:
        """True when it is RUNNING now, in this process. Else it waits for something, which its card says, or it has
        ended, or is another's.
        """
        request = run.request
        if request.state not in _MAY_BEGIN or not self._its_time(run):
            return False
        keys = locks.keys(request.plan)
        conflicts = self._leases.lock(request.id, keys)
        if any(conflict.request_id == request.id for conflict in conflicts):
            return False  # another process is about to run it
        passed = self._stuck(request, conflicts)
        if passed:
            conflicts = self._leases.lock(request.id, keys, passing=passed)
        run.owner = None if conflicts else self._leases.owner
        if conflicts:
            self._moves.queue(run, self._waits_for(dict.fromkeys(conflict.request_id for conflict in conflicts)))
            return False
        run.request = self._store.request(request.id) or request  # nobody else begins it now; it may have ended before
        if run.request.state not in _MAY_BEGIN or not self._still_counts(run) or not self._is_as_approved(run):
            return False
        body = {"digest": request.digest} | ({"passes": list(passed)} if passed else {})
        if not self._moves.move(run, State.RUNNING, "running", body):
            return False
        if passed:
            run.evidence.append(f"it passed {joined(passed)}, of which nobody knows whether the pool is still at it")
        return True

    def _its_time(self, run: Run) -> bool:
        """Whether it may run now: an approval holds for a while only, and a plan may have a window."""
        now, window = self._clock.now(), run.request.plan.window
        if run.request.expires_at <= now or (window.not_after is not None and window.not_after <= now):
            self._moves.expire(run)
            return False
        if window.not_before is not None and now < window.not_before:
            self._moves.queue(run, f"It waits until {window.not_before:%Y-%m-%d %H:%M} UTC.")
            return False
        if held := self._resolver.policy.held(run.request, now):
            self._moves.queue(run, f"It waits: {held}.")
            return False
        return True

    def _stuck(self, request: Request, conflicts: Iterable[Conflict]) -> tuple[str, ...]:
        """In an emergency: the requests whose outcome nobody knows, if nothing else stands in the way. What runs is
        never passed: it ends, or its limit makes its outcome unknown.
        """
        if not request.requirement.emergency:
            return ()
        others = tuple(dict.fromkeys(conflict.request_id for conflict in conflicts))
        found = [self._store.request(other) for other in others]
        return others if all(each is not None and each.state is State.UNKNOWN for each in found) else ()

    def _waits_for(self, others: Iterable[str]) -> str:
        """Which requests hold what this one touches, and what would have to happen."""
        busy: list[str] = []
        unsettled: list[str] = []
        for other in others:
            request = self._store.request(other)
            (unsettled if request is not None and request.state is State.UNKNOWN else busy).append(other)
        words = [f"It waits for {joined(busy)}, which touches the same."] if busy else []
        if unsettled:
            words.append(
                f"It waits until somebody settles {joined(unsettled)}, which touches the same and of which nobody"
                " knows whether the pool is still at it."
            )
        return " ".join(words)

    def _still_counts(self, run: Run) -> bool:
        """Do who asked and who approved still count? Else it waits for other approvals, has expired, or waits until it
        can be told.
        """
        try:
            lapsed = entitled.lapsed(run.request, self._people, self._resolver.policy, self._clock.now())
        except Unavailable as error:
            self._moves.queue(run, f"It waits. {error.message}")
            return False
        if lapsed.asked:
            self._moves.unasked(run, lapsed.asked)
        elif lapsed.votes:
            self._moves.decide_again(run, lapsed)
        return not lapsed.reasons

    def _is_as_approved(self, run: Run) -> bool:
        """Is the plan from fresh state what was approved? Else the request is STALE, or waits for its pool."""
        try:
            against = again.against(run.request, self._resolver)
        except Unavailable as error:
            self._moves.queue(run, f"It waits for its pool: {error.message}")
            return False
        if not against and (why := self._store.lacking(run.request, begun=False)):
            against = (why,)
        if against:
            self._moves.stale(run, against)
        return not against
