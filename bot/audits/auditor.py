"""Carries audits out: reads the pools, asks the rules, remembers what was found. Nothing in a pool is changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from bot import progress
from bot.audits import compatibility
from bot.errors import UserError
from bot.findings import AuditBook, Audited, Drift, Kind, NewRun, Offset, TimeAnswer
from bot.model import Actor, Level, ObjectId
from bot.ports import Clock, Pools, PoolView
from bot.rules.limits import Known
from bot.text import quoted

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Pools that are audited at the same time."""

SILENT = "pool.answers"
"""The finding about a pool that could not be audited."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look at a pool gave."""

    found: tuple[Drift, ...]
    offsets: tuple[Offset, ...] = ()
    time_answers: tuple[TimeAnswer, ...] = ()


Look = Callable[[PoolView], Looked]


def compatible(pool: PoolView, known: Callable[[str], Known] = lambda _: Known()) -> Looked:
    """Ask the rules. `known` is what else they may know about a pool, by its name."""
    return Looked(compatibility.audit(pool.inventory(), known(pool.name)))


class Auditor:
    """:class:`bot.findings.Audits`. `looks` says how each kind of audit looks at a pool."""

    def __init__(self, pools: Pools, book: AuditBook, clock: Clock, looks: Mapping[Kind, Look] | None = None) -> None:
        self._pools = pools
        self._book = book
        self._clock = clock
        self._looks: Mapping[Kind, Look] = {Kind.COMPATIBILITY: compatible, **(looks or {})}

    @property
    def book(self) -> AuditBook:
        return self._book

    def run(self, kinds: Sequence[Kind], pools: Sequence[str], actor: Actor) -> tuple[Audited, ...]:
        """In the order given: all kinds of the first pool, then of the second."""
        if len(pools) < 2:  # in this thread: what looks at the one pool can tell how far it is
            return tuple(audited for name in pools for audited in self._all(kinds, name, actor))
        with ThreadPoolExecutor(min(AT_ONCE, len(pools)), thread_name_prefix="audit") as threads:
            per_pool = [threads.submit(self._all, kinds, name, actor) for name in pools]
            for done, _ in enumerate(as_completed(per_pool), start=1):
                progress.tell(done, len(pools), "pools audited")
            return tuple(audited for runs in per_pool for audited in runs.result())

    def _all(self, kinds: Sequence[Kind], pool: str, actor: Actor) -> list[Audited]:
        return [self._one(kind, pool, actor) for kind in kinds]

    def _one(self, kind: Kind, pool: str, actor: Actor) -> Audited:
        started, failure = self._clock.now(), ""
        try:
            looked = self._looks[kind](self._pools.view(pool))
        except UserError as error:
            log.warning("pool %s could not be audited: %s", pool, error.message)
            looked, failure = Looked(found=(_silent(pool, error),)), error.message
        return self._book.record_audit(
            NewRun(
                kind=kind,
                pool=pool,
                actor=actor,
                started_at=started,
                ended_at=self._clock.now(),
                found=looked.found,
                offsets=looked.offsets,
                time_answers=looked.time_answers,
                failure=failure,
            )
        )


def _silent(pool: str, error: UserError) -> Drift:
    """A pool that does not answer is a finding like any other; what was open stays open, for nobody looked."""
    return Drift(
        rule=SILENT,
        level=Level.BAD,
        subject=ObjectId("pool", pool, pool),
        text=f"The pool {quoted(pool)} could not be audited",
        evidence="; ".join((error.message, *error.evidence)),
        remedy=error.remedy,
    )
