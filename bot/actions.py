"""Changes of the bot itself, as data: how a command plans one.

No command does anything. What changes a request that is there already is a plan too: one step whose target is the bot
(:class:`bot.model.BotTarget`) and whose call is one of the names below. The engine hands it to :mod:`bot.decisions`,
which asks that action's own rule who may, and does it in one compare-and-set with its ledger row. It is whole or not
at all and needs no request of its own: a request that takes back a request would have no end.

A change of the bot that takes somebody else's approval (a policy, a schedule) is not among them; a plan that holds one
is refused until there is an action and a rule for it.
"""

from __future__ import annotations

from bot.errors import NotFound
from bot.model import BotTarget, Plan, Request, Risk, Step, Value
from bot.ports import Context
from bot.text import quoted

WITHDRAW = "request.withdraw"
CANCEL = "request.cancel"
SETTLE = "request.settle"


def request_of(context: Context, typed: str) -> Request:
    """The request called so, if it is about a pool that can be seen from here.

    :raises NotFound: there is none.
    """
    request = context.history.request(typed)
    if request is None or request.plan.pool.name not in {pool.name for pool in context.pools}:
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
    return any(isinstance(step.target, BotTarget) for step in planned.steps)
