"""Hypothesis walks requests through the real engine, runner and database, with a pool, people and a clock in memory,
and kills the bot at any call to its store or its pool. The pool goes on without it. What must hold is in
:mod:`tests.bot.laws`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from bot.answers import Ask, Opened, Shown, VoteAsk, Voted
from bot.approval import END_STATES
from bot.model import Actor, Ballot, State
from tests.bot.fake_bot import FakeBot, bot
from tests.bot.fakes import ANA, BEN, CHANNEL, HOSTS, OLGA, SAM, VMS, FakePool, Fate, HandClock, Killed
from tests.bot.laws import Asked, Laws
from tests.bot.test_entitled import Staff

EXAMPLES, STEPS = 45, 50
"""Hypothesis walks up to EXAMPLES × STEPS = 2,250 steps."""
NEEDED = {"vm move": 1, "vm tour": 2, "vm spread": 1}
NAMES = st.sampled_from(list(NEEDED))
SEEN: Counter[str] = Counter()
"""What the walks came through: rules that were run, kills, calls that reached the pool, states at the end."""
SHM = Path("/dev/shm")  # the walks commit thousands of times; what a disk would add is time


@dataclass(frozen=True)
class Weather:
    """What goes wrong at the pool; with `spare`, not before so many calls were taken."""

    away: bool = False
    refuse: bool = False
    fail: bool = False
    lose: str = ""
    stubborn: bool = False
    polls: int = 2
    spare: int = 0


_SELDOM = st.sampled_from([False, False, False, False, True])
WEATHER = st.builds(
    Weather,
    away=_SELDOM,
    refuse=_SELDOM,
    fail=_SELDOM,
    lose=st.sampled_from(["", "", "", "", "before", "after"]),
    stubborn=_SELDOM,
    polls=st.sampled_from([1, 2, 3, 4, 1000]),
    spare=st.sampled_from([0, 0, 1]),
)


class EngineMachine(Laws, RuleBasedStateMachine):
    asked = Bundle("asked")

    @initialize()
    def begin(self) -> None:
        self.directory = Path(tempfile.mkdtemp(dir=SHM if SHM.is_dir() else None))
        self.clock = HandClock()
        self.pool = FakePool(on_send=self.judge)
        self.clock.meanwhile = self.meanwhile
        self.fate = Fate()
        self.staff = Staff()
        self.known: dict[str, Asked] = {}
        self.wrong: list[str] = []
        self.interruption: tuple[str, Actor] | None = None
        self.doubtful: set[str] = set()
        self.bot = self.opened()

    def opened(self) -> FakeBot:
        return bot(self.directory / "x.sqlite3", self.pool, self.clock, self.fate, people=self.staff)

    def teardown(self) -> None:
        if not hasattr(self, "bot"):
            return
        try:
            self.heal()
            self.nothing_reached_the_pool_that_must_not()
            self.the_ledger_has_each_call_and_each_end_once()
        finally:
            self.bot.crash()
            shutil.rmtree(self.directory)

    def meanwhile(self) -> None:
        """While the bot waits for a task, the pool works and people do things."""
        self.pool.work()
        if self.interruption is not None:
            (request_id, who), self.interruption = self.interruption, None
            self.bot.engine.answer(Ask(text=f"request cancel {request_id}", actor=who, place=CHANNEL))

    # --- people -------------------------------------------------------------------------------------------------------

    @rule(
        target=asked,
        name=NAMES,
        vm=st.integers(1, 3),
        host=st.integers(1, 2),
    )
    def ask(self, name: str, vm: int, host: int) -> object:
        found = []

        def work() -> None:
            answer = self.bot.engine.answer(Ask(text=f"{name} web-{vm} to xs{host}", actor=OLGA, place=CHANNEL))
            if self.pool.away or OLGA in self.staff.gone:
                return
            assert isinstance(answer, Opened), answer
            found.append(answer.request_id)

        self.alive(work)
        self.learn()
        return found[0] if found and found[0] in self.known else multiple()

    def learn(self) -> None:
        """Requests that were opened before the bot died under the answer are there all the same."""
        for request in self.bot.store.in_states(State):
            if request.id not in self.known:
                self.known[request.id] = Asked(NEEDED[request.plan.command], request.digest)

    @rule(id=asked, who=st.sampled_from([OLGA, ANA, BEN, SAM]), ballot=st.sampled_from(Ballot), true=st.booleans())
    def vote(self, id: str, who: Actor, ballot: Ballot, true: bool) -> None:
        self.cast(id, who, ballot, self.known[id].digest if true else "0" * 64)

    @rule(id=asked)
    def approve_by_all(self, id: str) -> None:
        for who in (ANA, BEN):
            self.cast(id, who, Ballot.APPROVE, self.known[id].digest)

    @rule(
        name=NAMES,
        vm=st.integers(1, 3),
        dies=st.one_of(st.none(), st.integers(0, 70)),
        after=st.booleans(),
        cancelled=st.booleans(),
        weather=WEATHER,
        leaves=st.sampled_from([None, None, None, OLGA, ANA, BEN]),
    )
    def ask_approve_and_run(
        self, name: str, vm: int, dies: int | None, after: bool, cancelled: bool, weather: Weather, leaves: Actor | None
    ) -> None:
        """The whole life at once, with something in the middle of it."""
        self.fine_weather()
        self.people_come_and_go(None)
        self.fate.left = None
        host = HOSTS.index(self.pool.where[VMS[vm - 1]]) ^ 1
        id = self.ask(name, vm, host + 1)
        assert isinstance(id, str)
        self.approve_by_all(id)
        self.people_come_and_go(leaves)
        self.weather(weather)
        self.interruption = (id, OLGA) if cancelled else None
        self.fate.left, self.fate.after = dies, after
        self.alive(self.turn)
        self.fate.left = None

    def cast(self, id: str, who: Actor, ballot: Ballot, digest: str) -> None:
        asked = self.known[id]
        before = self.bot.store.request(id)
        assert before is not None
        entitled = who in (ANA, BEN) and who not in self.staff.gone
        allowed = entitled and digest == asked.digest and before.state is State.WAITING
        late = before.expires_at <= self.clock.now()

        def work() -> None:
            vote = VoteAsk(request_id=id, ballot=ballot, digest=digest, actor=who, place=CHANNEL)
            # From the press on it may count, whether or not the bot lives to say so.
            if allowed and not late:
                asked.approved[who.key] = ballot is Ballot.APPROVE
            answer = self.bot.engine.vote(vote)
            wanted = allowed and not late
            assert isinstance(answer, Voted) is wanted, answer

        lived = self.alive(work)
        now = self.bot.store.request(id)
        assert now is not None
        if not lived and allowed and not any(each.actor == who and each.ballot is ballot for each in now.votes):
            asked.approved.pop(who.key, None)
            asked.approved |= {each.actor.key: each.ballot is Ballot.APPROVE for each in now.votes}
        if any(each.ballot is Ballot.REJECT for each in now.votes):
            asked.over = "rejected"
        assert now.expires_at <= self.clock.now() + timedelta(seconds=600), "an approval that holds for ever"

    @rule(id=asked, who=st.sampled_from([OLGA, ANA, SAM]))
    def withdraw(self, id: str, who: Actor) -> None:
        def work() -> None:
            answer = self.bot.engine.answer(Ask(text=f"request withdraw {id}", actor=who, place=CHANNEL))
            if isinstance(answer, Voted):
                assert who is not SAM
                self.known[id].over = "withdrawn"

        self.alive(work)

    @rule(who=st.sampled_from([None, None, None, OLGA, ANA, BEN]))
    def people_come_and_go(self, who: Actor | None) -> None:
        """Somebody leaves, whatever they have asked for or approved; None: everybody comes back."""
        if who is None:
            self.staff.gone.clear()
        else:
            self.staff.gone.add(who)

    @rule(id=asked, who=st.sampled_from([OLGA, ANA, BEN, SAM]), outcome=st.sampled_from(["done", "failed"]))
    def settle(self, id: str, who: Actor, outcome: str) -> None:
        before, entitled = self.state(id), who in (ANA, BEN) and who not in self.staff.gone

        def work() -> None:
            text = f"request settle {id} {outcome} because we looked and done is done"
            answer = self.bot.engine.answer(Ask(text=text, actor=who, place=CHANNEL))
            assert isinstance(answer, Voted) is (before is State.UNKNOWN and entitled), answer

        self.alive(work)

    @rule(id=asked, who=st.sampled_from([OLGA, ANA, SAM]))
    def cancel_while_it_runs(self, id: str, who: Actor) -> None:
        """At the next moment that the bot waits for a task."""
        self.interruption = (id, who)

    @rule()
    def look(self) -> None:
        shown = (f"request show {id}" for id in list(self.known)[-3:])
        for text in ("pending", "log by ana", "log about web-1 since 2 h", *shown):
            self.alive(partial(self.see, text))

    def see(self, text: str) -> None:
        assert isinstance(self.bot.engine.answer(Ask(text=text, actor=SAM, place=CHANNEL)), Shown)

    # --- fate ---------------------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 5, 30, 30, 30, 400]))
    def time_passes(self, seconds: int) -> None:
        self.clock.at += timedelta(seconds=seconds)
        self.clock.elapsed += seconds
        self.pool.work()

    @rule()
    def work(self) -> None:
        """The timer ticks, and what was to be run, runs."""
        self.alive(self.turn)

    @rule(left=st.integers(0, 25), after=st.booleans())
    def work_and_die(self, left: int, after: bool) -> None:
        self.fate.left, self.fate.after = left, after
        self.alive(self.turn)
        self.fate.left = None

    @rule(left=st.integers(0, 6), after=st.booleans())
    def die_soon(self, left: int, after: bool) -> None:
        """At one of the next calls, whatever they are for."""
        self.fate.left, self.fate.after = left, after

    @rule()
    def restart(self) -> None:
        self.the_ledger_has_each_call_and_each_end_once()
        self.bot.crash()
        self.bot = self.opened()

    @rule(vm=st.integers(0, 2), host=st.integers(0, 1))
    def somebody_else_moves_a_vm(self, vm: int, host: int) -> None:
        uuid = list(self.pool.where)[vm]
        if all(task.key in self.pool.done or task.status != "pending" for task in self.pool.tasks):
            self.pool.where[uuid] = HOSTS[host]

    @rule(weather=WEATHER)
    def weather(self, weather: Weather) -> None:
        pool = self.pool
        pool.away, pool.stubborn, pool.polls = weather.away, weather.stubborn, weather.polls
        pool.refuse, pool.fail, pool.lose = weather.refuse, weather.fail, weather.lose
        pool.spare = weather.spare

    @rule()
    def fine_weather(self) -> None:
        self.weather(Weather())

    def turn(self) -> None:
        self.bot.engine.tick()
        for _ in range(20):
            if not self.bot.threads.run_one():
                return

    def alive(self, work: Callable[[], None]) -> bool:
        """Do it; when the bot dies under it, start it again. False: it died."""
        try:
            work()
        except Killed:
            SEEN["kills"] += 1
            self.bot.crash()
            self.bot = self.opened()
            self.learn()
            return False
        return True

    def heal(self) -> None:
        """Everything works and time passes: each request comes to an end, and what it says is so."""
        self.fate.left = None
        self.interruption = None
        self.fine_weather()
        self.people_come_and_go(None)
        for _ in range(12):
            self.turn()
            self.time_passes(200)
            for id in self.known:
                if self.state(id) is State.UNKNOWN:
                    self.settle(id, BEN, "done" if (id, 0, False) in self.pool.done else "failed")
        SEEN["calls"] += len(self.pool.sent)
        SEEN["undone"] += sum(undo for _, _, undo in self.pool.sent)
        for id in self.known:
            state = self.state(id)
            SEEN[f"ended {state}"] += 1
            assert state in END_STATES, f"{id} is {state} for ever"
            self.told_truly(id, state)

    # --- laws ---------------------------------------------------------------------------------------------------------

    @invariant()
    def count_the_step(self) -> None:
        SEEN["steps"] += 1

    @invariant()
    def nothing_reached_the_pool_that_must_not(self) -> None:
        assert not getattr(self, "wrong", []), self.wrong

    @invariant()
    def nothing_is_lost(self) -> None:
        if not hasattr(self, "bot"):
            return
        found = {request.id for request in self.bot.store.in_states(State)}
        assert found >= self.known.keys()


EngineMachine.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


class TestEngine(EngineMachine.TestCase):  # type: ignore[misc,valid-type,unused-ignore]
    @classmethod
    def tearDownClass(cls) -> None:
        sys.stdout.write(f"the walks came through: {dict(sorted(SEEN.items()))}\n")
