"""A pretend host: where calls arrive. It has an address, a clock and a life of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.xapi.timing import HostClock

if TYPE_CHECKING:
    from sandbox.xapi.pool import Pool

# Simulated seconds (xapi's defaults).
NOTICE_COORDINATOR_LOST = 10.0
"""A member finds out after its database connection has failed for so long, and goes into emergency mode."""
EMERGENCY_RETRY = 60.0
"""A member in emergency mode looks for its coordinator this often."""
DECLARED_DEAD = 600.0
"""Without HA, a host that is silent so long is shown as not live."""
BOOT = 180.0
"""From power-on, or a reboot, to a toolstack that answers."""


class Host:
    """One host of the estate. Its record is `pool.db`'s; what is here is what the host itself knows."""

    def __init__(self, pool: Pool, ref: str) -> None:
        self.pool, self.ref = pool, ref
        record = pool.db.get("host", ref)
        self.uuid: str = record["uuid"]
        self.clock = HostClock()
        self.powered = True
        self.alive = True
        """Powered on, with a toolstack that answers."""
        self.runs = 0
        """How often its toolstack has stopped: work of an earlier run is over."""
        self.local_sessions: set[str] = set()
        self.lost_coordinator_at: float | None = None
        """Lab time at which this member's coordinator went away; None while it is there."""
        self.found_coordinator_at: float | None = None
        self.emergency_reason: list[str] = ["HOST_STILL_BOOTING"]
        self.booting = False
        """Its toolstack answers but has not finished starting."""
        self.lost_power_at = 0.0
        self.auto_enable = True
        """Becomes enabled by itself after a reboot."""
        self.went_down_cleanly = False
        """Told to go down since its toolstack started last: its next boot follows no fence and no power failure."""
        self.successor: Host | None = None
        """What this machine is from its toolstack's next start on: a member of another pool, or a pool of its own."""
        self._called = (str(record["name_label"]), str(record["address"]))

    def take_over(self, machine: Host) -> None:
        """This is what the machine that `machine` has been becomes when its toolstack starts again."""
        self.alive, self.clock = False, machine.clock
        machine.successor = self

    @property
    def answers(self) -> bool:
        """Does the machine answer at its address, as whatever it is now?"""
        return self.pool.estate.hosts[self.uuid].alive

    @property
    def is_known(self) -> bool:
        """Has its pool's database a record of it? Not after host.destroy."""
        return self.pool.db.find("host", self.ref) is not None

    @property
    def name(self) -> str:
        return self._now_called()[0]

    @property
    def address(self) -> str:
        return self._now_called()[1]

    def _now_called(self) -> tuple[str, str]:
        """Name and address as its record has them, or had them last."""
        record = self.pool.db.find("host", self.ref)
        if record is not None:
            self._called = (str(record["name_label"]), str(record["address"]))
        return self._called

    @property
    def is_coordinator(self) -> bool:
        return self.pool.coordinator_ref == self.ref

    def in_emergency(self, now: float) -> bool:
        """Has this member given up on its coordinator? `now` is the lab's time in seconds."""
        if not self.is_known:
            self.emergency_reason = ["HOST_UNKNOWN_TO_MASTER", self.uuid]
            return True
        if self.is_coordinator or self.lost_coordinator_at is None:
            return False
        if now < self.lost_coordinator_at + NOTICE_COORDINATOR_LOST:
            return False
        if self.found_coordinator_at is None:
            return True
        if now < self.found_coordinator_at + EMERGENCY_RETRY:
            return True
        self.lost_coordinator_at = self.found_coordinator_at = None
        return False

    def coordinator_gone(self, now: float) -> None:
        if not self.is_coordinator and self.lost_coordinator_at is None:
            self.lost_coordinator_at = now
        self.found_coordinator_at = None

    def coordinator_back(self, now: float) -> None:
        if self.lost_coordinator_at is None:
            return
        if now < self.lost_coordinator_at + NOTICE_COORDINATOR_LOST:
            self.lost_coordinator_at = None
        else:
            self.found_coordinator_at = now
