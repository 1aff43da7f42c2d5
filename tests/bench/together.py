"""Steps that are done together against the same one after another: the VMs of a pool shut down, as `pool shutdown` does
it, by the bot's own performer over the wire.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.model import Plan
from sandbox.xapi.lab import load
from tests.bench.figure import Figure, seconds, timed
from tests.commands.world import world

FLEET = "4x26"
"""Of its VMs 20 run."""
SPEED = 2.0
"""Of the lab. Not more: the bot looks at its tasks by the machine's clock."""


@dataclass(frozen=True)
class Stopped:
    """How long it took until all were down and that was read back, and how many calls the pool took for it."""

    vms: int
    seconds: float
    calls: int


def stop(*, together: bool) -> Stopped:
    """Shut the VMs of a pool down, at once or one after another; every one is halted then."""
    with world(load(fleet=FLEET), speed=SPEED) as found:
        plan = found.plan("pool shutdown force")
        stops = tuple(step for step in plan.steps if step.call.startswith("VM."))
        alone = plan if together else _in_order(plan, len(stops))
        before = sum(found.lab.calls().values())
        took, _ = timed(lambda: found.perform(replace(alone, steps=alone.steps[: len(stops)])))
        after = sum(found.lab.calls().values())
        records = [vm for vm in found.api.VM.get_all_records().values() if not vm["is_control_domain"]]
        assert not [vm["name_label"] for vm in records if vm["power_state"] == "Running"]
        return Stopped(len(stops), took, after - before)


def _in_order(plan: Plan, count: int) -> Plan:
    return replace(plan, steps=tuple(replace(step, together=False) for step in plan.steps[:count]))


def figures() -> Iterator[Figure]:
    abreast, in_order = stop(together=True), stop(together=False)
    group = f"{abreast.vms} VMs shut down, the lab at {SPEED:g} times its speed"
    yield Figure(group, "one after another", seconds(in_order.seconds), f"{in_order.calls} XenAPI calls")
    yield Figure(group, "together, 8 at a time", seconds(abreast.seconds), f"{abreast.calls} XenAPI calls")
    yield Figure(
        group, "ratio", f"{in_order.seconds / abreast.seconds:.1f}", "20 in three rounds: 6.7 would be perfect"
    )
