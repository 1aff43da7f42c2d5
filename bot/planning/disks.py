"""What the plans of disks and snapshots have in common: what drivers can do, and when a disk is where it should be."""

from __future__ import annotations

from bot.inventory import SR, VBD
from bot.model import Expect, Value
from bot.ports import PoolView
from bot.rules import disks, drivers
from bot.rules.drivers import Drivers

COPY_SECONDS = 24 * 3600
"""Terabytes over a slow network take most of a day."""


def able(pool: PoolView) -> Drivers:
    """What the pool's storage drivers can do."""
    return drivers.read(pool.ask("SM.get_all_records").values())


def lies_on(vbd: VBD, sr: SR) -> Expect:
    """What is in this drive lies on that storage. A disk that moves gets another uuid; its place in the VM stays."""
    return Expect(object=vbd.id, rule=disks.STORED, equals=Value(sr.uuid))
