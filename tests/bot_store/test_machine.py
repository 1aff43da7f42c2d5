"""Hypothesis walks requests, votes, locks and deliveries, with restarts, against a model of a few dictionaries."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from bot.approval import END_STATES, HOLDING_STATES
from bot.errors import Unavailable
from bot.model import Actor, Ballot, Progress, State
from bot.ports import Delivery, DeliveryKind
from bot.store import SqliteStore
from tests.bot_store.helpers import KEY, HandClock, entry, new, remark, vote

LEASE = 30
OWNERS = ("one", "two")
KEYS = ("lab/*", "lab/a", "lab/b", "prod/a")


@dataclass
class Ask:
    """What the model knows of a request."""

    id: str
    fingerprint: str
    state: State
    votes: dict[str, Ballot] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    owner: str = ""
    until: float = 0
    rows: int = 1


@dataclass
class Post:
    """What the model knows of a message."""

    request_id: str
    title: str
    wanted: int = 1
    shown: int = 0
    ts: str = ""
    due: float = 0
    doubt: bool = False
    claim: int = 0
    gone: bool = False


def excludes(one: str, two: str) -> bool:
    pool, _, name = one.partition("/")
    other_pool, _, other = two.partition("/")
    return pool == other_pool and (name == other or "*" in (name, other))


class StoreMachine(RuleBasedStateMachine):
    asks = Bundle("asks")
    claims = Bundle("claims")

    @initialize()
    def begin(self) -> None:
        self.directory = Path(tempfile.mkdtemp())
        self.clock = HandClock()
        self.seconds = 0.0
        self.asked: dict[str, Ask] = {}
        self.posts: list[Post] = []
        self.by_id: dict[str, Post] = {}
        self.posted = 0
        self.store = self.opened()

    def opened(self) -> SqliteStore:
        return SqliteStore(self.directory / "x.sqlite3", clock=self.clock, ledger_key=KEY)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.directory)

    # --- fate

    @rule(seconds=st.sampled_from([1, 10, LEASE, 2 * LEASE]))
    def time_passes(self, seconds: int) -> None:
        self.clock.sleep(seconds)
        self.seconds += seconds

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = self.opened()

    # --- requests

    @rule(target=asks, question=st.sampled_from("abcdef"), state=st.sampled_from([State.WAITING, State.APPROVED]))
    def ask(self, question: str, state: State) -> object:
        alike = [each for each in self.asked.values() if each.fingerprint == question and each.state not in END_STATES]
        request, fresh = self.store.open(new(state, fingerprint=question, opened_at=self.clock.now()), entry("opened"))
        if alike:
            assert (request.id, fresh) == (alike[0].id, False)
            return multiple()
        assert fresh
        assert request.id == f"X-{len(self.asked) + 1}"
        self.asked[request.id] = Ask(request.id, question, state)
        self.posts.append(Post(request.id, "", due=self.seconds))
        return request.id

    @rule(
        id=asks,
        true=st.booleans(),
        frm=st.sampled_from(State),
        to=st.sampled_from(State),
        note=st.booleans(),
    )
    def move(self, id: str, true: bool, frm: State, to: State, note: bool) -> None:
        ask = self.asked[id]
        frm = ask.state if true else frm
        if frm in END_STATES:
            return
        title = f"note {len(self.posts)}"
        moved = self.store.move(id, frm, to, entry("moved"), at=self.clock.now(), note=remark(title) if note else None)
        assert moved is (ask.state is frm)
        if moved:
            ask.state = to
            ask.rows += 1
            card = self.changed(id)
            if note:
                self.posts.append(Post(id, title, due=self.seconds, gone=card.gone and not card.ts))

    @rule(id=asks, person=st.sampled_from("pqr"), ballot=st.sampled_from(Ballot))
    def vote(self, id: str, person: str, ballot: Ballot) -> None:
        ask = self.asked[id]
        actor = Actor(kind="slack", id=person, name=person)
        taken = self.store.vote(id, vote(ballot, actor, at=self.clock.now()), entry("vote"))
        assert taken is (ask.state is State.WAITING)
        if taken:
            ask.votes.pop(person, None)
            ask.votes[person] = ballot
            ask.rows += 1
            self.changed(id)

    @rule(id=asks)
    def progress(self, id: str) -> None:
        self.store.progress(id, Progress(text=str(self.card(id).wanted)))
        if self.asked[id].state not in END_STATES:
            self.changed(id)

    def card(self, id: str) -> Post:
        return next(each for each in self.posts if each.request_id == id and not each.title)

    def changed(self, id: str) -> Post:
        card = self.card(id)
        if card.shown == card.wanted:
            card.due = self.seconds
        card.wanted += 1
        return card

    # --- locks

    @rule(id=asks, keys=st.sets(st.sampled_from(KEYS), min_size=1), owner=st.sampled_from(OWNERS))
    def lock(self, id: str, keys: set[str], owner: str) -> None:
        ask = self.asked[id]
        others = [
            each
            for each in self.asked.values()
            if each is not ask and any(excludes(held, wanted) for held in each.keys for wanted in keys)
        ]
        holding = {each.id for each in others if each.until > self.seconds or each.state in HOLDING_STATES}
        if ask.owner not in ("", owner) and ask.until > self.seconds:
            holding = {id}
        found = self.store.lock(id, keys, owner, self.clock.now(), LEASE)
        assert {each.request_id for each in found} == holding
        if not holding:
            for each in others:
                each.keys, each.owner, each.until = set(), "", 0
            ask.keys |= keys
            ask.owner, ask.until = owner, self.seconds + LEASE

    @rule(id=asks, owner=st.sampled_from(OWNERS))
    def renew(self, id: str, owner: str) -> None:
        ask = self.asked[id]
        renewed = self.store.renew(id, owner, self.clock.now(), LEASE)
        assert renewed is (ask.owner == owner)
        if renewed:
            ask.until = self.seconds + LEASE

    @rule(id=asks, owner=st.sampled_from(OWNERS))
    def adopt(self, id: str, owner: str) -> None:
        ask = self.asked[id]
        adopted = self.store.adopt(id, owner, self.clock.now(), LEASE)
        assert adopted is (ask.state not in END_STATES and (ask.owner in ("", owner) or ask.until <= self.seconds))
        if adopted:
            ask.owner, ask.until = owner, self.seconds + LEASE

    @rule(id=asks)
    def unlock(self, id: str) -> None:
        self.store.unlock(id)
        ask = self.asked[id]
        ask.keys, ask.owner, ask.until = set(), "", 0

    # --- deliveries

    def due(self) -> list[Post]:
        found = []
        for number, post in enumerate(self.posts):
            card = self.card(post.request_id)
            earlier = [
                each
                for each in self.posts[:number]
                if each.request_id == post.request_id and each.title and not each.gone and each.shown < each.wanted
            ]
            if not post.gone and post.shown < post.wanted and (post is card or (card.ts and not earlier)):
                found.append(post)
        return found

    @rule(target=claims)
    def claim(self) -> object:
        due = sorted((each for each in self.due() if each.due <= self.seconds), key=lambda each: each.due)
        delivery = self.store.claim(self.clock.now(), LEASE)
        if delivery is None:
            assert due == []
            return multiple()
        post = due[0]
        card = self.card(post.request_id)
        assert (delivery.request_id, delivery.body) == (post.request_id, remark(post.title) if post.title else None)
        assert delivery.kind is (DeliveryKind.NOTE if post.title else DeliveryKind.CARD)
        assert (delivery.revision, delivery.ts, delivery.in_doubt) == (post.wanted, post.ts, post.doubt)
        assert delivery.thread_ts == (card.ts if post.title else "")
        assert self.by_id.setdefault(delivery.id, post) is post
        post.claim = delivery.claim
        post.due = self.seconds + LEASE
        return delivery

    @rule(delivery=claims)
    def posting(self, delivery: Delivery) -> None:
        post = self.by_id[delivery.id]
        if post.claim != delivery.claim:
            try:
                self.store.posting(delivery)
            except Unavailable:
                return
            raise AssertionError("an overtaken claim may not post")
        self.store.posting(delivery)
        post.doubt = True

    @rule(delivery=consumes(claims))
    def delivered(self, delivery: Delivery) -> None:
        post = self.by_id[delivery.id]
        self.posted += 1
        ts = post.ts or f"ts {self.posted}"
        self.store.delivered(delivery, ts)
        post.ts, post.shown, post.doubt = ts, max(post.shown, delivery.revision), False
        if post.claim == delivery.claim:
            post.claim, post.due = 0, self.seconds

    @rule(delivery=consumes(claims), wait=st.sampled_from([0, 5, 50]), doubt=st.booleans())
    def postpone(self, delivery: Delivery, wait: int, doubt: bool) -> None:
        post = self.by_id[delivery.id]
        until = HandClock(self.clock.now())
        until.sleep(wait)
        self.store.postpone(delivery, until=until.now(), error="x", in_doubt=doubt)
        if post.claim == delivery.claim:
            post.claim, post.due, post.doubt = 0, self.seconds + wait, doubt
        elif doubt and not post.ts:
            post.doubt = True

    @rule(delivery=consumes(claims))
    def give_up(self, delivery: Delivery) -> None:
        post = self.by_id[delivery.id]
        self.store.give_up(delivery, error="x")
        if post.claim != delivery.claim:
            return
        post.claim, post.gone = 0, True
        if not post.title and not post.ts:
            for each in self.posts:
                if each.request_id == post.request_id and each.shown < each.wanted:
                    each.gone = True

    # --- laws

    @invariant()
    def requests_are_as_the_model_has_them(self) -> None:
        found = {request.id: request for request in self.store.in_states(State)}
        assert {id: each.state for id, each in self.asked.items()} == {id: each.state for id, each in found.items()}
        for id, ask in self.asked.items():
            assert [(vote.actor.id, vote.ballot) for vote in found[id].votes] == list(ask.votes.items())
            assert (found[id].ended_at is not None) is (ask.state in END_STATES)
        assert {request.id for request in self.store.open_requests()} == {
            id for id, each in self.asked.items() if each.state not in END_STATES
        }

    @invariant()
    def every_change_has_its_row_and_the_chain_holds(self) -> None:
        found = self.store.verify()
        assert found.flaw is None
        assert found.rows == sum(each.rows for each in self.asked.values())

    @invariant()
    def what_is_due_next(self) -> None:
        found = self.store.next_due()
        due = [each.due for each in self.due()]
        assert (found is None) is (due == [])
        if found is not None:
            assert found.timestamp() == HandClock().now().timestamp() + min(due)


TestStore = StoreMachine.TestCase
TestStore.settings = settings(
    max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
