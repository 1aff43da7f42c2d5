"""What the parts of the bot may ask of each other: protocols only.

A command's plan gets a :class:`Context` and reads through it. The engine acts through :class:`PoolHands`, remembers
through :class:`Store` and knows people through :class:`People`. Implementations: :mod:`bot.xapi` (pools),
:mod:`bot.store` (SQLite), :mod:`bot.slack` and :mod:`bot.terminal` (people).
"""

from bot.ports.channels import Channels
from bot.ports.clock import Clock
from bot.ports.context import CommandHelp, Context, PolicyBook
from bot.ports.history import History, LedgerRow, PoolBackup
from bot.ports.outbox import Delivery, DeliveryKind, Outbox
from bot.ports.people import People, Standing
from bot.ports.pools import (
    Account,
    ConnectionFacts,
    HostAnswer,
    KnownHost,
    KnownPool,
    PoolHands,
    PoolMemory,
    Pools,
    PoolView,
    Sighting,
    Standpoint,
    Taken,
    TaskStatus,
    TaskView,
)
from bot.ports.store import Conflict, NewRequest, Store, Told

__all__ = [
    "Account",
    "Channels",
    "Clock",
    "CommandHelp",
    "Conflict",
    "ConnectionFacts",
    "Context",
    "Delivery",
    "DeliveryKind",
    "History",
    "HostAnswer",
    "KnownHost",
    "KnownPool",
    "LedgerRow",
    "NewRequest",
    "Outbox",
    "People",
    "PolicyBook",
    "PoolBackup",
    "PoolHands",
    "PoolMemory",
    "PoolView",
    "Pools",
    "Sighting",
    "Standing",
    "Standpoint",
    "Store",
    "Taken",
    "TaskStatus",
    "TaskView",
    "Told",
]
