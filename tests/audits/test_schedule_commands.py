"""The commands that change schedules, as plans: whose rules count, and whether their channel can be told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.errors import Unavailable
from bot.model import ObjectId, Plan, Verdict
from bot.policy import Match, Rule, Rules
from bot.policy.joint import terms_of
from bot.ports import Channels, Context
from bot.schedules import EVERY_POOL, Schedule
from commands import audit_pause, audit_remove, audit_resume
from tests.audits.household import CHANNEL, Channel, House, Process
from tests.bot_store.helpers import HandClock

PROD = Rules(
    operators=frozenset({"U0OLGA"}),
    approvers=frozenset({"U0ANA"}),
    rules=(Rule(name="prod", match=Match(pools=("prod",)), approvers=frozenset({"U0BEN"}), approvals=2),),
)


class Here:
    """:class:`bot.ports.Context`, as far as these commands look."""

    def __init__(self, process: Process, allowed: tuple[str, ...], channel: Channel | None) -> None:
        self.schedules = process.store.schedules
        self.pools = tuple(SimpleNamespace(name=name) for name in process.house.names)
        self._allowed = allowed
        self._channel = channel

    @property
    def channels(self) -> Channels:
        if self._channel is None:
            raise Unavailable("Slack is not asked from here.")
        return self._channel

    def pools_in(self, channel: str) -> tuple[str, ...]:
        assert channel == CHANNEL
        return self._allowed


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    with House(tmp_path / "xenia.sqlite3", HandClock(datetime(2026, 11, 23, 6, 50, tzinfo=UTC))).process() as process:
        yield process


def planned_by(command: Any, schedule: Schedule, here: Here) -> Plan:
    plan = command.plan(command.Arguments(schedule.id), cast(Context, here))
    assert isinstance(plan, Plan)
    return plan


def resume(process: Process, schedule: Schedule, allowed: tuple[str, ...], channel: Channel | None) -> Plan:
    process.store.schedules.pause(schedule.number)
    return planned_by(audit_resume, schedule, Here(process, allowed, channel))


@pytest.mark.parametrize("change", ["pause", "remove", "resume"])
def test_a_schedule_of_all_pools_is_subject_to_the_rules_of_each(process: Process, change: str) -> None:
    schedule = process.schedule(pool=EVERY_POOL)

    def planned(*allowed: str) -> Plan:
        if change == "resume":
            return resume(process, schedule, allowed, Channel())
        command = {"pause": audit_pause, "remove": audit_remove}[change]
        return planned_by(command, schedule, Here(process, allowed, Channel()))

    both, one = planned("lab", "prod"), planned("lab")
    assert [each.pool for each in both.elsewhere] == [ObjectId("pool", "", "lab"), ObjectId("pool", "", "prod")]
    assert (terms_of(PROD, both).approvals, terms_of(PROD, both).rule) == (2, "prod")
    assert frozenset({"U0BEN"}) in terms_of(PROD, both).approvers
    assert (terms_of(PROD, one).approvals, terms_of(PROD, one).rule) == (1, "")
    assert both.digest() != one.digest()


def test_one_of_a_single_pool_is_subject_to_its_rules_alone(process: Process) -> None:
    schedule = process.schedule(pool="lab")
    plan = planned_by(audit_pause, schedule, Here(process, ("lab", "prod"), Channel()))
    assert terms_of(PROD, plan).rule == ""


def test_what_cannot_be_told_is_not_resumed(process: Process) -> None:
    schedule = process.schedule(pool="lab")
    out = Channel(why_not="I am not a member of this channel.")
    (blocker,) = resume(process, schedule, ("lab",), out).blockers
    assert (blocker.id, blocker.evidence) == ("schedule.channel", "I am not a member of this channel.")
    (blocker,) = resume(process, schedule, ("prod",), Channel()).blockers
    assert blocker.id == "schedule.pool"
    well = resume(process, schedule, ("lab",), Channel())
    assert {each.verdict for each in well.findings} == {Verdict.PASS}


def test_where_slack_cannot_be_asked_it_can_be_resumed_all_the_same(process: Process) -> None:
    assert resume(process, process.schedule(pool="lab"), ("lab",), None).findings == ()
