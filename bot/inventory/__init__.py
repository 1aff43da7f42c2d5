"""What was read of a pool at one moment: records by class, with typed, read-only views for the rules and the commands.

An :class:`Inventory` is immutable and consistent: it shows the pool's database at one instant. Records are XenAPI's own
(ints as decimal strings on XML-RPC, times as ISO text); a view's property converts what it reads and copes with fields
that an older version does not have. Objects that are missing (dangling references exist in real databases) are None or
left out, never an exception.
"""

from bot.inventory.database import Inventory, _Groups
from bot.inventory.details import (
    GuestMetrics,
    HostMetrics,
    HostPatch,
    Message,
    PIFMetrics,
    PoolPatch,
    PoolUpdate,
    Task,
)
from bot.inventory.entity import NULL_REF, Entity, Record, fraction
from bot.inventory.views import (
    CLASSES,
    PBD,
    PIF,
    SR,
    VBD,
    VDI,
    VIF,
    VM,
    Bond,
    Certificate,
    Host,
    Network,
    Pool,
)

__all__ = [
    "CLASSES",
    "NULL_REF",
    "PBD",
    "PIF",
    "SR",
    "VBD",
    "VDI",
    "VIF",
    "VM",
    "Bond",
    "Certificate",
    "Entity",
    "GuestMetrics",
    "Host",
    "HostMetrics",
    "HostPatch",
    "Inventory",
    "Message",
    "Network",
    "PIFMetrics",
    "Pool",
    "PoolPatch",
    "PoolUpdate",
    "Record",
    "Task",
    "_Groups",
    "fraction",
]
