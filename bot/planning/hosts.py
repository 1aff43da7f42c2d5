"""Steps that take a host out of service and back: disable, note, move, hand the coordinator's role over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from bot.inventory import VM, Host, Inventory
from bot.model import Expect, Object, PoolTarget, Step, Target, Trace, Value
from bot.planning.vms import put
from bot.rules import conditions
from bot.rules.hosts import MAINTENANCE_KEY
from bot.rules.maintenance import Return
from bot.text import quoted

LIMIT_SECONDS = 600
MOVE_LIMIT_SECONDS = 2 * 3600
HANDOVER_SECONDS = 900
"""A minute or two without API, as a rule."""
_BACK_TITLES = {"pool_migrate": "Move {vm} back from {home} to {host}", "resume_on": "Resume {vm} on {host}",
                "start_on": "Start {vm} on {host}"}  # fmt: skip


def disable(host: Host, target: Target, *, undone: bool = True, for_good: bool = False) -> Step:
    """`for_good`: also when it starts anew; only where that is known (:func:`bot.rules.maintenance.can_last`)."""
    undo = (enable(host, target),) if undone else ()
    step = _switch(
        f"Disable {quoted(host.name)}: no VM comes to it any more", "host.disable", host, target, False, undo
    )
    return replace(step, arguments=(*step.arguments, Value(False))) if for_good else step


def enable(host: Host, target: Target) -> Step:
    return _switch(f"Enable {quoted(host.name)}", "host.enable", host, target, True)


def _switch(title: str, call: str, host: Host, target: Target, enabled: bool, undo: tuple[Step, ...] = ()) -> Step:
    return Step(
        title=title,
        target=target,
        call=call,
        arguments=(Object(host.id),),
        expect=(Expect(object=host.id, field="enabled", equals=Value(enabled)),),
        limit_seconds=LIMIT_SECONDS,
        undo=undo,
    )


def notes(host: Host, present: Mapping[str, str], wanted: Mapping[str, str], target: PoolTarget) -> Iterator[Step]:
    """Set keys of the host's other_config from what they are to what is wanted ("" takes one away). A key is taken away
    before it is added: adding twice is refused.

    The mark of maintenance is undone when a later step fails; a list of who left is not, so that they can be brought
    back.
    """
    for key, value in wanted.items():
        before = present.get(key, "")
        if before == value:
            continue
        if before:
            yield _without(host, key, target)
        if value:
            yield Step(
                title="Note that it is in maintenance" if key == MAINTENANCE_KEY else "Note who lived there",
                target=target,
                call="host.add_to_other_config",
                arguments=(Object(host.id), Value(key), Value(value)),
                asynchronous=False,
                expect=(Expect(object=host.id, field="other_config", key=key, equals=Value(value)),),
                limit_seconds=LIMIT_SECONDS,
                undo=(_without(host, key, target),) if key == MAINTENANCE_KEY else (),
            )


def _without(host: Host, key: str, target: PoolTarget) -> Step:
    return Step(
        title=f"Take the note {key} away",
        target=target,
        call="host.remove_from_other_config",
        arguments=(Object(host.id), Value(key)),
        asynchronous=False,
        expect=(Expect(object=host.id, field="other_config", key=key, equals=Value("")),),
        limit_seconds=LIMIT_SECONDS,
    )


def move(vm: VM, source: Host, to: Host, target: PoolTarget) -> Step:
    title = f"Move {quoted(vm.name)} from {quoted(source.name)} to {quoted(to.name)}"
    return _put(title, vm, to, "pool_migrate", target)


def bring(back: Return, host: Host, target: PoolTarget) -> Step:
    """A VM comes back to the host."""
    home = quoted(back.home.name) if back.home else ""
    title = _BACK_TITLES[back.operation].format(vm=quoted(back.vm.name), home=home, host=quoted(host.name))
    return _put(title, back.vm, host, back.operation, target)


def _put(title: str, vm: VM, host: Host, operation: str, target: PoolTarget) -> Step:
    return put(title, vm, host, operation, target, limit_seconds=MOVE_LIMIT_SECONDS + vm.number("start_delay"))


def lead(host: Host, inventory: Inventory, target: PoolTarget) -> Iterator[Step]:
    """Make a member the coordinator, and wait until all who answered before answer to it."""
    yield Step(
        title=f"Make {quoted(host.name)} the coordinator",
        target=target,
        call="pool.designate_new_master",
        arguments=(Object(host.id),),
        trace=Trace(object=inventory.pool.id, operation="designate_new_master"),
        expect=(Expect(object=host.id, rule=conditions.COORDINATES),),
        limit_seconds=HANDOVER_SECONDS,
        away_seconds=HANDOVER_SECONDS,
    )
    following = [each for each in inventory.hosts if each.live]
    yield Step(
        title=f"Wait until {quoted(host.name)} leads and every other host follows it",
        target=target,
        expect=tuple(
            Expect(object=each.id, rule=conditions.SERVES if each.enabled else conditions.LIVE) for each in following
        ),
        limit_seconds=HANDOVER_SECONDS,
        away_seconds=HANDOVER_SECONDS,
    )
