"""How grave an alert is: by its priority, on the scale of the pool's version."""

from __future__ import annotations

from bot.inventory import Inventory, Message
from bot.model import Level
from bot.rules import versions

_LOUD_BY_NAME = frozenset({"FAILED_LOGIN_ATTEMPTS"})
"""Matter whatever their priority."""

_INFORMATION = 5


def level(message: Message, inventory: Inventory) -> Level:
    """BAD for critical and major (1, 2), WARN for warnings (3), INFO for the rest.

    Since 6.1 a priority of 1 is critical and 5 is information; up to 6.0 the scale ran the other way round (XenAPI
    messages, by release).
    """
    priority = message.priority
    coordinator = inventory.pool.coordinator
    if coordinator is not None and versions.before(coordinator, 6, 1):
        priority = _INFORMATION + 1 - priority
    if priority <= 2:
        return Level.BAD
    if priority == 3 or message.name in _LOUD_BY_NAME:
        return Level.WARN
    return Level.INFO


def open_alerts(inventory: Inventory) -> tuple[tuple[Level, Message], ...]:
    """The alerts that want attention (BAD before WARN, newest first); acknowledging one deletes it, so all that exist
    are open.
    """
    graded = [(level(message, inventory), message) for message in inventory.all(Message)]
    wanted = [each for each in graded if each[0] in (Level.BAD, Level.WARN)]
    wanted.sort(key=lambda each: each[1].text("timestamp"), reverse=True)
    return tuple(sorted(wanted, key=lambda each: each[0] is not Level.BAD))
