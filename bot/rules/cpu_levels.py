"""What a pool's CPU level would be with another host in it, and who would feel it.

Since 7.0 the level is what every host has (bitwise and, per kind of guest); a VM gets it when it starts and keeps it
while it runs. Before that there is no level: a VM gets the features of the host that it starts on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.inventory import VM, Host, Inventory
from bot.rules import cpu, cpu_features

KINDS = {"hvm": ("features_hvm_host", "features_hvm"), "pv": ("features_pv_host", "features_pv")}
"""Kind of guest → the keys of cpu_info that hold its level, the newer one first (8.1, 7.0)."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What would change. All features by name."""

    lost: tuple[str, ...]
    """VMs of the pool that start from then on do without these."""
    unused: tuple[str, ...]
    """The host has them, and the pool's VMs would not use them."""
    stuck: tuple[VM, ...]
    """Guests that are not halted and could not come to the host before they are started anew."""


def common(features: Iterable[str]) -> str:
    """The level of hosts with these features: what all of them have. The shorter is extended with zeros; an empty one
    says nothing (a host without that kind of guest) and does not count. "" when none says anything.
    """
    given = [found for each in features if (found := cpu.words(each))]
    if not given:
        return ""
    length = max(map(len, given))
    level = [0xFFFFFFFF] * length
    for found in given:
        level = [word & (found[index] if index < len(found) else 0) for index, word in enumerate(level)]
    return "-".join(f"{word:08x}" for word in level)


def level_of(hosts: Iterable[Host], kind: str) -> str:
    """What these hosts' guests of that kind would get; "" before 7.0."""
    infos = [host.cpu_info for host in hosts]
    key = next((key for key in KINDS[kind] if all(key in info for info in infos)), "")
    return common(info[key] for info in infos) if key and infos else ""


def forecast(pool: Inventory, joining: Host) -> Forecast:
    """Since 7.0: from the level now to that with the host. Before: from the coordinator's features to the host's."""
    lost: dict[str, None] = {}
    unused: dict[str, None] = {}
    for kind in KINDS:
        now, own = level_of(pool.hosts, kind), level_of((joining,), kind)
        if now and own:
            lost |= dict.fromkeys(cpu_features.lacking(now, own))
            unused |= dict.fromkeys(cpu_features.lacking(own, common((now, own))))
    if not level_of(pool.hosts, "hvm") and pool.pool.coordinator is not None:
        theirs, own = pool.pool.coordinator.cpu_info.get("features", ""), joining.cpu_info.get("features", "")
        if theirs and own:
            lost, unused = (
                dict.fromkeys(cpu_features.lacking(theirs, own)),
                dict.fromkeys(cpu_features.lacking(own, theirs)),
            )
    stuck = tuple(vm for vm in pool.guests if vm.power_state != "Halted" and cpu.runs_on(vm, joining))
    return Forecast(tuple(lost), tuple(unused), stuck)
