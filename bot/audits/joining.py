"""Reading both sides of a joining, the pool and a host that stands alone, and holding them against the checks: for
`host add`, and for audits of hosts that have not joined yet.
"""

from __future__ import annotations

from bot.audits.apart import apart
from bot.errors import ToolstackRefusal, UserError
from bot.ports import Clock, PoolView
from bot.rules import join
from bot.rules.join import Row, Side, Sides


def side(view: PoolView) -> Side:
    """:raises Unavailable: it does not answer."""
    more = {}
    for cls in join.MORE:
        try:
            more[cls] = view.ask(f"{cls}.get_all_records")
        except ToolstackRefusal as refusal:
            if refusal.code == "MESSAGE_METHOD_UNKNOWN":  # its version has no such class
                more[cls] = {}
    return Side(view.inventory(), view.name, more)


def rows(sides: Sides, pool: PoolView, candidate: PoolView, clock: Clock) -> tuple[Row, ...]:
    """Every check, with both clocks measured."""
    ahead = apart((candidate, sides.own.host), (pool, sides.pool.host), clock)
    if isinstance(ahead, UserError):
        return join.rows(sides, None, ahead.message)
    return join.rows(sides, ahead)
