"""Views of the records that belong to another, or stand for themselves: figures, updates, tasks, alerts."""

from __future__ import annotations

from bot.inventory.entity import Entity, fraction


class HostMetrics(Entity):
    cls = "host_metrics"


class GuestMetrics(Entity):
    cls = "VM_guest_metrics"


class PIFMetrics(Entity):
    cls = "PIF_metrics"

    @property
    def speed(self) -> int:
        """Mbit/s; 0 without a link."""
        return self.number("speed")


class PoolPatch(Entity):
    """An update up to 7.0."""

    cls = "pool_patch"


class HostPatch(Entity):
    """An update up to 7.0 as one host has it."""

    cls = "host_patch"

    @property
    def patch(self) -> PoolPatch | None:
        return self._inventory.get(PoolPatch, self.text("pool_patch"))


class PoolUpdate(Entity):
    """An update from 7.1 to 8.2; hosts name theirs in host.updates."""

    cls = "pool_update"


class Task(Entity):
    cls = "task"

    @property
    def status(self) -> str:
        return self.text("status")

    @property
    def progress(self) -> float:
        """From 0 to 1."""
        return fraction(self.record.get("progress"))


class Message(Entity):
    cls = "message"

    @property
    def name(self) -> str:
        """An alert's own name, e.g. `HA_HOST_FAILED`."""
        return self.text("name")

    @property
    def priority(self) -> int:
        return self.number("priority", 5)

    @property
    def about_uuid(self) -> str:
        return self.text("obj_uuid")
