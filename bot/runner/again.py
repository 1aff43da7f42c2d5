"""Planning again just before anything is sent: is it still what was approved?"""

from __future__ import annotations

from bot import refusal
from bot.errors import Unavailable, UserError
from bot.model import Request
from bot.resolve import Resolver
from bot.text import joined


def against(request: Request, resolver: Resolver) -> tuple[str, ...]:
    """What is different by now from what was approved, in words; empty when nothing is.

    :raises Unavailable: the pool is away, so it cannot be told.
    """
    try:
        plan = resolver.replan(request)
    except Unavailable:
        raise
    except UserError as error:
        return (error.message, *error.evidence)
    if not request.digest or request.plan.digest() != request.digest:
        return ("the stored plan is not the one that was approved",)
    if more := resolver.policy.stricter(request):
        return (f"the policy has become stricter since it was asked: {joined(more)}",)
    if plan.digest() != request.digest or plan.blockers:
        return refusal.difference(request.plan, plan)
    return ()
