"""The codes that plans forecast are codes that the toolstack of that version can answer with to the plan's calls."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.errors import UserError
from bot.model import Plan, Verdict
from bot.xapi.meanings import MEANINGS
from tests.bot_xapi.codes import ALWAYS, CALLS
from tests.commands.world import Made, World, world

OF_A_VM = (
    *("vm start {}", "vm shutdown {}", "vm shutdown {} force", "vm reboot {}", "vm reboot {} force", "vm suspend {}"),
    *("vm resume {}", "vm eject {}", "vm migrate {}", "ha protect {} restart", "ha protect {} off"),
)
OF_A_VM_AND_A_HOST = ("vm start {} on {}", "vm resume {} on {}", "vm migrate {} to {}")
OF_A_HOST = (
    *("host maintenance {} on", "host maintenance {} off", "host reboot {}", "host reboot {} handover"),
    *("host shutdown {}", "host start {}", "host remove {}", "host forget {}", "host dead {}", "pool coordinator {}"),
)
OF_THE_POOL = ("ha enable", "ha disable", "ha tolerate 1", "ha tolerate 9", "pool shutdown", "pool shutdown force")
OF_AN_SR = ("sr repair {}", "ha enable on {}")
#: Findings about calls that cannot even be planned: a VM that has nowhere to go.
INSTEAD_OF = {"vm.leaves": "host.evacuate"}
#: Codes that 6.5 does not know.
AFTER_6_5 = {
    *("VM_LACKS_FEATURE", "HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY", "HOST_EVACUATE_VM_NOT_HA_PROTECTED"),
    *("HOST_DISABLED_INDEFINITELY", "HOST_DISABLED_UNTIL_REBOOT", "POOL_SECRET_ROTATION_PENDING", "CLUSTERING_ENABLED"),
    *("CLUSTERED_SR_DEGRADED", "VM_HAS_SRIOV_VIF", "NETWORK_SRIOV_INSUFFICIENT_CAPACITY", "VM_IS_IMMOBILE"),
}
#: Codes that only versions up to 6.5 answer with.
UP_TO_6_5 = {"VM_MISSING_PV_DRIVERS"}


def troubled(made: Made) -> None:
    """Something of everything: no tools, no room, a block, a dead host, storage that is not plugged."""
    vms = [
        row for row in made.objects["VM"].values() if row["power_state"] == "Running" and not row["is_control_domain"]
    ]
    vms[0]["guest_metrics"] = "OpaqueRef:NULL"
    vms[-1]["blocked_operations"] = dict.fromkeys(("clean_shutdown", "pool_migrate", "suspend"), "do not touch")
    for row in made.objects["VM"].values():
        if row["power_state"] == "Halted" and not row["is_a_template"]:
            for limit in ("static_min", "dynamic_min", "dynamic_max", "static_max"):
                row[f"memory_{limit}"] = 1 << 42
    member = next(ref for ref in made.objects["host"] if ref != made.pool["master"])
    made.objects["host"][member]["enabled"] = False
    for row in made.objects["PBD"].values():
        if row["host"] == member:
            row["currently_attached"] = False


def plans(found: World) -> Iterator[tuple[str, Plan]]:
    inventory = found.view.inventory()
    vms, hosts = [vm.uuid for vm in inventory.guests], [host.uuid for host in inventory.hosts]
    asked = [text.format(vm) for vm in vms for text in OF_A_VM]
    asked += [text.format(vm, host) for vm in vms for host in hosts for text in OF_A_VM_AND_A_HOST]
    asked += [text.format(host) for host in hosts for text in OF_A_HOST]
    asked += [text.format(sr.uuid) for sr in inventory.shared_srs for text in OF_AN_SR]
    for text in [*asked, *OF_THE_POOL]:
        try:
            answer = found.answer(text)
        except UserError:
            continue
        if isinstance(answer, Plan):
            yield text, answer


@pytest.mark.parametrize("lab", ["tutorial", "current"])
def test_every_forecast_is_an_answer_to_one_of_the_calls(lab: str) -> None:
    seen: set[str] = set()
    with world(lab, troubled) as found:
        for text, plan in plans(found):
            calls = {step.call for step in plan.steps if step.call}
            possible = ALWAYS.union(*(CALLS[call] for call in calls)) if calls else ALWAYS.union(*CALLS.values())
            for finding in plan.findings:
                assert not finding.code or finding.verdict is Verdict.BLOCK, (text, finding)
                if finding.code:
                    seen.add(finding.code)
                    assert finding.code in MEANINGS, (text, finding)
                    more = CALLS.get(INSTEAD_OF.get(finding.id, ""), frozenset())
                    assert finding.code in possible | more, (text, finding)
    assert len(seen) > 5, seen
    assert not seen & (AFTER_6_5 if lab == "tutorial" else UP_TO_6_5), seen
