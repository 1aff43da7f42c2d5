"""A VM on its way to another pool: what is to be known about it, and stands in no way."""

from __future__ import annotations

from collections.abc import Iterator

from bot.inventory import NULL_REF, SR, VIF, VM, Inventory
from bot.lookup import spelling
from bot.rules import drivers
from bot.rules.crossing import Crossing, all_vifs
from bot.text import joined, plural, quoted, size


def notices(crossing: Crossing) -> Iterator[tuple[str, str, str, str]]:
    """(id, what, evidence, what to do) of what changes for it, or cannot be told from here."""
    vm, there, host = crossing.vm, crossing.there, crossing.host
    source = vm.resident_on or crossing.journey.inventory.pool.coordinator
    yield (
        "pools.reach",
        "whether the pools' hosts reach each other cannot be told from here",
        f"{quoted(source.name) if source else 'its host'} sends to {host.address}, ports 443 and 80",
        f"Try it there: curl -k https://{host.address}/",
    )
    if vm.text("ha_restart_priority") and not there.pool.ha_enabled:
        yield (
            "ha.lost",
            "nothing restarts it there when a host fails",
            f"it has a restart priority, and high availability is off in {quoted(crossing.to)}",
            f"“ha enable in {quoted(crossing.to)}”",
        )
    for field, what in (("appliance", "vApp"), ("snapshot_schedule", "snapshot schedule"), ("groups", "VM group")):
        if _has(vm, field):
            yield (f"vm.{field}", f"it leaves its {what}", "that belongs to this pool and stays in it", "")
    namesakes = [each for each in there.guests if each.name == vm.name and each.uuid != vm.uuid]
    if namesakes:
        told = f"{quoted(crossing.to)} has {plural(len(namesakes), 'VM')} called {quoted(vm.name)}"
        yield ("vm.namesake", "it will not be the only one of its name", told, "Name it by its uuid from then on.")
    own = {vif.text("MAC").lower() for vif in all_vifs(vm)}
    taken = [vif for vif in there.all(VIF) if vif.text("MAC").lower() in own]
    if taken:
        macs = joined(sorted({vif.text("MAC") for vif in taken}))
        yield ("vm.mac", "a MAC address of it is in use there", macs, "On one network only one of them can have it.")


def _has(vm: VM, field: str) -> bool:
    return vm.record.get(field) not in (None, "", NULL_REF, [], ())


def storages(there: Inventory) -> Iterator[str]:
    """The storage in a pool that disks can go to, with what is free, for a choice."""
    for sr in sorted(there.all(SR), key=lambda sr: (not sr.shared, sr.name, sr.uuid)):
        left = drivers.room(sr)
        if sr.content_type != "iso" and not sr.is_tools and sr.type != "udev" and any(pbd.attached for pbd in sr.pbds):
            homes = joined(pbd.host.name for pbd in sr.pbds if pbd.host)
            whose = "shared" if sr.shared else f"of {homes} alone"
            yield f"{spelling(sr, there)}: {whose}, {size(left) if left is not None else 'an unknown amount'} free"
