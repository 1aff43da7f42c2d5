"""Hosts that come, go and lead: who can leave one, who lives there, and what it answers."""

from __future__ import annotations

import time

import XenAPI

from tests.commands.world import Made, World


def free_to_leave(made: Made) -> None:
    """Nothing ties a VM of xs2: no ISO of its own, no guest without tools."""
    for vbd in made.vbds("files-1"):
        if vbd["type"] == "CD":
            vbd.update(empty=True, VDI="OpaqueRef:NULL")
    metrics = made.row("VM", "legacy-1")["guest_metrics"]
    if metrics in made.objects["VM_guest_metrics"]:
        made.objects["VM_guest_metrics"][metrics]["other"] = {"feature-suspend": "1"}
    made.row("VM", "legacy-1")["HVM_boot_policy"] = ""


def living_on(found: World, host: str) -> set[str]:
    return {vm.name for each in found.view.inventory().hosts if each.name == host for vm in each.resident_vms}


def coordinator(found: World) -> str:
    """Asked of the host that says that it leads; the others say so too."""
    told = found.view.inventory().pool.coordinator
    assert told is not None
    (pool,) = found.host_api(told.name).pool.get_all_records().values()
    assert found.host_api(told.name).host.get_name_label(pool["master"]) == told.name
    return told.name


def free_xs1(made: Made) -> None:
    """Nothing ties a VM of xs1: what cannot leave is halted."""
    free_to_leave(made)
    for row in made.objects["VM"].values():
        if row["resident_on"] == made.ref("host", "xs1") and not row["is_control_domain"] and _tied(made, row):
            made.halt(row["name_label"])


def _tied(made: Made, row: dict[str, object]) -> bool:
    local = {ref for ref, sr in made.objects["SR"].items() if not sr["shared"]}
    disks = [made.objects["VDI"].get(vbd["VDI"], {}) for vbd in made.vbds(str(row["name_label"]))]
    return any(disk.get("SR") in local for disk in disks)


def role(found: World, host: str, seconds: float = 60.0) -> str:
    """What the host answers to a login: "" as a coordinator. One that is just starting is waited for."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found.host_api(host)
        except XenAPI.Failure as failure:
            return str(failure.details[0])
        except OSError:
            assert time.monotonic() < deadline, f"{host} does not answer"
            time.sleep(0.05)
        else:
            return ""
