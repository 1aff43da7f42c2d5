"""How far the clocks of two hosts are apart that no pool joins (yet), each read over its own connection."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from bot.audits.clock import measure
from bot.errors import UserError
from bot.inventory import Host
from bot.model import Object
from bot.ports import Clock, PoolView
from bot.rules.clocks import Interval, difference, offset

SECONDS = 2.0
"""How long each is read: a person waits for the answer."""


def apart(
    one: tuple[PoolView, Host], other: tuple[PoolView, Host], clock: Clock, seconds: float = SECONDS
) -> Interval | UserError:
    """How far the first host's clock is ahead of the other's, as far as that is proved; or why it could not be read."""
    base = clock.now().timestamp() - clock.monotonic()

    def read(where: tuple[PoolView, Host]) -> tuple[Interval, float] | UserError:
        view, host = where
        try:
            readings, at = measure(lambda: str(view.ask("host.get_servertime", Object(host.id))), clock, base, seconds)
        except UserError as error:
            return error
        return offset(readings, at), at

    with ThreadPoolExecutor(2, thread_name_prefix="clock") as threads:
        first, second = threads.map(read, (one, other))
    if isinstance(first, UserError):
        return first
    if isinstance(second, UserError):
        return second
    return difference(first[0], second[0], abs(first[1] - second[1]))
