"""What must hold of requests, whatever people, pools and crashes do: judged when a call reaches the pool, and at the
end, from what people did. Their own account tells who approved, rejected and withdrew; the bot is not asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.approval import END_STATES
from bot.model import State
from bot.ports import TaskStatus
from tests.bot.fake_bot import FakeBot
from tests.bot.fakes import FakePool, HandClock
from tests.bot.test_entitled import Staff


@dataclass
class Asked:
    """What people have done about a request, as they know it themselves."""

    needed: int
    digest: str
    approved: dict[str, bool] = field(default_factory=dict)
    over: str = ""
    """Why it must not begin (any more): rejected or withdrawn, and the person was told so."""


class Laws:
    """Of the requests in `known`, of one bot and its pool. What was broken is in `wrong`."""

    clock: HandClock
    pool: FakePool
    bot: FakeBot
    staff: Staff
    known: dict[str, Asked]
    wrong: list[str]

    def judge(self, key: tuple[str, int, bool]) -> None:
        """Kept and raised later: what is raised here, the runner would take for a defect of its own, and live on."""
        self.wrong += self.objections(key)

    def objections(self, key: tuple[str, int, bool]) -> Iterator[str]:
        request_id, step, undo = key
        asked, now = self.known[request_id], self.clock.now()
        if key in self.pool.sent:
            yield f"{key} was sent twice"
        if sum(asked.approved.values()) < asked.needed:
            yield f"{request_id} runs without the votes"
        if asked.over:
            yield f"{request_id} runs although it was {asked.over}"
        if not undo:
            yield from self.out_of_turn(request_id, step)
        if step == 0 and not undo:
            request = self.bot.store.request(request_id)
            assert request is not None
            if now >= request.expires_at:
                yield f"{request_id} runs after it expired"
            gone = {each.key for each in self.staff.gone}
            if request.actor.key in gone:
                yield f"{request_id} runs for somebody who has left"
            if sum(ok for who, ok in asked.approved.items() if who not in gone) < asked.needed:
                yield f"{request_id} runs with the votes of people who have left"
            if request.plan.facts != self.bot.engine.resolver.replan(request).facts:
                yield f"{request_id} is not what was approved any more"

    def out_of_turn(self, request_id: str, step: int) -> Iterator[str]:
        """What of an earlier stage has not ended well, and how many of the same are on their way."""
        request = self.bot.store.request(request_id)
        assert request is not None
        stages, done = request.plan.stages, {n for id, n, undo in self.pool.done if id == request_id and not undo}
        at = next(number for number, stage in enumerate(stages) if step in stage)
        if early := {each for stage in stages[:at] for each in stage} - done:
            yield f"step {step} of {request_id} before {sorted(early)}"
        mine = [t for t in self.pool.tasks if t.key[0] == request_id and not t.key[2] and t.key[1] in stages[at]]
        if any(task.status in (TaskStatus.FAILURE, TaskStatus.CANCELLED) and task.seen for task in mine):
            yield f"step {step} of {request_id} after another of its stage had failed"
        if sum(task.status is TaskStatus.PENDING for task in mine) >= request.plan.at_once:
            yield f"step {step} of {request_id} is one too many at a time"

    def told_truly(self, id: str, state: State) -> None:
        request = self.bot.store.request(id)
        assert request is not None
        settled = request.result is not None and "settled" in request.result.summary
        forward = {step for who, step, undo in self.pool.done if who == id and not undo}
        if state is State.SUCCEEDED and not settled:
            assert forward == set(range(len(request.plan.steps)))
        if state in (State.FAILED, State.CANCELLED) and not settled:
            assert len(forward) < len(request.plan.steps)
            assert request.result is not None
            undone = any(line.startswith("undone: ") for line in request.result.lines)
            assert any(who == id and undo for who, _, undo in self.pool.done) is undone
            assert bool(forward) is ("nothing was changed" not in request.result.lines)
        if state in (State.REJECTED, State.EXPIRED, State.WITHDRAWN, State.STALE):
            assert not any(who == id for who, _, _ in self.pool.sent)

    def the_ledger_has_each_call_and_each_end_once(self) -> None:
        assert self.bot.store.verify().ok
        rows = self.bot.store.ledger(pools=None, last=10_000)
        intended = Counter(
            (row.request_id, row.body["step"], row.body["undo"])
            for row in rows
            if row.kind == "call intended" and row.body["call"] != "task.cancel"
        )
        assert not intended or max(intended.values()) == 1
        assert set(self.pool.sent) <= intended.keys()
        ends = Counter(row.request_id for row in rows if row.kind in {str(state) for state in END_STATES})
        assert not ends or max(ends.values()) == 1

    def state(self, id: str) -> State:
        request = self.bot.store.request(id)
        assert request is not None, f"{id} is lost"
        return request.state
