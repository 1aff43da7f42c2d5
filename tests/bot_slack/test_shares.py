"""Nobody has all the threads: who asks much waits for their own answers, and keeps nobody else waiting."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from bot.slack.shares import Shares
from tests.bot_slack.conftest import BringUp
from tests.bot_slack.shown import words

FEW = 2
LIMIT_SECONDS = 60


class Jobs:
    """Work that is held, and what of it has begun, in its order."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares
        self._gate = threading.Semaphore(0)
        self._changed = threading.Condition()
        self.begun: list[str] = []
        self.ended = 0

    def give(self, person: str, name: str) -> None:
        def work() -> None:
            with self._changed:
                self.begun.append(name)
                self._changed.notify_all()
            assert self._gate.acquire(timeout=LIMIT_SECONDS)
            with self._changed:
                self.ended += 1
                self._changed.notify_all()

        self._shares.of(person).submit(work)

    def let_go(self, count: int) -> None:
        self._gate.release(count)

    def wait(self, begun: int, ended: int = 0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: (len(self.begun), self.ended) == (begun, ended), LIMIT_SECONDS), (
                self.begun,
                self.ended,
            )


def test_a_person_has_a_share_and_the_others_have_theirs() -> None:
    with ThreadPoolExecutor(8) as threads:
        shares = Shares(threads, FEW)
        jobs = Jobs(shares)
        for number in range(20):
            jobs.give("olga", f"olga-{number}")
        jobs.wait(FEW)
        jobs.give("ana", "ana-0")
        jobs.wait(FEW + 1)
        assert set(jobs.begun) == {"olga-0", "olga-1", "ana-0"}
        jobs.let_go(21)
        jobs.wait(21, 21)
        assert len(set(jobs.begun)) == 21
        assert not shares._running
        assert not shares._waiting


def test_what_waits_is_done_in_its_order_also_after_a_defect() -> None:
    done: list[int] = []

    def defect() -> None:
        raise RuntimeError("a defect of the work")

    with ThreadPoolExecutor(4) as threads:
        shares = Shares(threads, 1)
        hold = threading.Event()

        def first() -> None:
            hold.wait(LIMIT_SECONDS)

        shares.take("olga", first)
        shares.take("olga", defect)
        for number in range(10):
            shares.take("olga", lambda number=number: done.append(number))  # type: ignore[misc]
        hold.set()
        last = threading.Event()
        shares.take("olga", last.set)
        assert last.wait(LIMIT_SECONDS)
    assert done == list(range(10))


def test_nothing_is_lost_when_it_closes() -> None:
    done: list[int] = []
    hold, began = threading.Event(), threading.Event()
    threads = ThreadPoolExecutor(1)
    shares = Shares(threads, 1)

    def first() -> None:
        began.set()
        hold.wait(LIMIT_SECONDS)

    shares.take("olga", first)
    for number in range(10):
        shares.take("olga", lambda number=number: done.append(number))  # type: ignore[misc]
    assert began.wait(LIMIT_SECONDS)
    shares.close()
    shares.take("olga", lambda: done.append(10))
    hold.set()
    threads.shutdown(wait=True)
    assert done == list(range(11))


def test_a_flood_of_one_person_s_commands_keeps_nobody_else_waiting(bring_up: BringUp) -> None:
    team = bring_up(bot={"workers": 8})
    team.desk.hold()
    for number in range(20):
        team.slack.say("olga", "#infra", f"/xen vm show {number}")
    team.slack.wait_until(lambda: len(team.desk.started) == FEW)
    team.slack.say("ana", "#infra", "/xen pool list")
    team.slack.wait_until(lambda: len(team.desk.started) == FEW + 1)
    team.desk.release()
    assert words(team.answer("#infra", "ana")["blocks"]) == "you said pool list"
    team.slack.wait_until(lambda: len(team.desk.asks) == 21)
    assert {ask.text for ask in team.desk.asks if ask.actor.name == "olga"} == {f"vm show {n}" for n in range(20)}
