"""Changes of the bot itself, as data: how a command plans one.

No command does anything. What changes a request that is there already is a plan too: one step whose target is the bot
(:class:`bot.model.BotTarget`) and whose call is one of the names below. The engine hands it to :mod:`bot.decisions`,
which asks that action's own rule who may, and does it in one compare-and-set with its ledger row. It is whole or not
at all and needs no request of its own: a request that takes back a request would have no end.

A change of the bot that may take somebody else's approval (:data:`CHANGES`: schedules, mutes, backups) is a request
like any other, whose steps :mod:`bot.changes` carries out. What is neither is refused.
"""

from __future__ import annotations

from bot.errors import NotFound
from bot.findings import Followed
from bot.model import BotTarget, Elsewhere, Expect, ObjectId, Plan, Request, Risk, Step, Value
from bot.ports import Context
from bot.schedules import EVERY_POOL, NewSchedule, Schedule
from bot.text import quoted

WITHDRAW = "request.withdraw"
CANCEL = "request.cancel"
SETTLE = "request.settle"

ADD_SCHEDULE = "schedule.add"
PAUSE_SCHEDULE = "schedule.pause"
RESUME_SCHEDULE = "schedule.resume"
REMOVE_SCHEDULE = "schedule.remove"
MUTE = "finding.mute"
UNMUTE = "finding.unmute"
BACKUP = "pool.backup"
CHANGES = frozenset({ADD_SCHEDULE, PAUSE_SCHEDULE, RESUME_SCHEDULE, REMOVE_SCHEDULE, MUTE, UNMUTE, BACKUP})


def request_of(context: Context, typed: str) -> Request:
    """The request called so, if one of the pools that it is about can be seen from here.

    :raises NotFound: there is none.
    """
    request = context.history.request(typed)
    seen = {EVERY_POOL, *(pool.name for pool in context.pools)}
    if request is None or not seen & {pool.name for pool in request.plan.pools}:
        raise NotFound(f"There is no request {quoted(typed)}.", remedy="“pending” lists the open ones.")
    return request


def plan(command: str, call: str, request: Request, title: str, *arguments: str) -> Plan:
    """The plan of one action on a request."""
    return Plan(
        command=command,
        arguments=(("request", request.id),),
        pool=request.plan.pool,
        risk=Risk.ROUTINE,
        title=title,
        steps=(
            Step(
                title=title,
                target=BotTarget(),
                call=call,
                arguments=(Value(request.id), *map(Value, arguments)),
                asynchronous=False,
            ),
        ),
        facts=(("it is", str(request.state)),),
    )


def is_action(planned: Plan) -> bool:
    """Whether it is decided about at once, and not a request of its own."""
    return any(isinstance(step.target, BotTarget) and step.call not in CHANGES for step in planned.steps)


def change(call: str, title: str, expect: Expect, *arguments: str) -> Step:
    """A step that changes the bot itself."""
    return Step(
        title=title,
        target=BotTarget(),
        call=call,
        arguments=tuple(map(Value, arguments)),
        asynchronous=False,
        expect=(expect,),
        limit_seconds=60,
    )


def pools_of(asked: NewSchedule, context: Context) -> tuple[Elsewhere, ...]:
    """The pools of a schedule of all pools, as a plan names them: what the policy says of any of these counts."""
    names = context.pools_in(asked.channel) if asked.pool == EVERY_POOL else ()
    return tuple(Elsewhere(pool=ObjectId("pool", "", name)) for name in names)


def of_schedule(command: str, call: str, schedule: Schedule, state: str, context: Context, *, go_back: str) -> Plan:
    """The plan of a change of one schedule, after which it is in `state`."""
    title = f"{command} {schedule.id}"
    asked = schedule.asked
    about = ObjectId("schedule", asked.key, schedule.id)
    return Plan(
        command=command,
        arguments=(("schedule", schedule.id),),
        pool=ObjectId("pool", "", asked.pool),
        risk=Risk.ROUTINE,
        title=title,
        steps=(change(call, title, schedule_is(about, state), str(schedule.number)),),
        facts=(("it is", "paused" if schedule.paused else "on"),),
        elsewhere=pools_of(asked, context),
        reasons=(f"It is the {asked.kind} audit of {asked.pool}, {asked.recurrence}.",),
        go_back=go_back,
    )


def schedule_is(object_id: ObjectId, state: str) -> Expect:
    """That a schedule is `on`, `paused` or `gone`. The object's uuid is the schedule's :attr:`NewSchedule.key`."""
    return Expect(object=object_id, field="state", equals=Value(state))


def muted_until(pool: str, finding: Followed, until: str) -> Expect:
    """That a finding is muted until then (ISO 8601, UTC), "" for not at all. The object's uuid is `POOL/KEY`."""
    about = ObjectId("finding", f"{pool}/{finding.drift.key}", finding.id)
    return Expect(object=about, field="until", equals=Value(until))
