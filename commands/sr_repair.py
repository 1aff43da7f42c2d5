"""`sr repair SR`: plug a storage on the hosts where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot import planning
from bot.errors import Refused
from bot.inventory import SR, Inventory
from bot.model import Expect, Finding, Object, Plan, PoolTarget, Risk, Step, Value, Verdict
from bot.ports import Context
from bot.registry import command
from bot.rules import storage
from bot.rules.hosts import alive
from bot.text import joined, quoted

LIMIT_SECONDS = 1200
"""A storage server that does not answer is waited for by the driver, minutes per path."""


@dataclass(frozen=True)
class Arguments:
    sr: SR


@command(
    "sr repair SR",
    risk=Risk.ROUTINE,
    summary="Plug a storage on the hosts where it is not, each with its reason if it fails.",
    examples=("sr repair NFS storage",),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    sr, inventory = arguments.sr, context.pool.inventory()
    broken = sorted((pbd for pbd in sr.pbds if not pbd.attached and pbd.host), key=lambda pbd: pbd.uuid)
    if not broken:
        raise Refused(
            f"{quoted(sr.name)} is plugged on every host that has a connection to it. Nothing was changed.",
            evidence=tuple(f"no connection from {joined(h.name for h in hosts)}" for s, hosts in
                           storage.without_path(inventory) if s == sr),
        )  # fmt: skip
    pool, where = planning.pool_id(context, inventory), joined(pbd.host.name for pbd in broken if pbd.host)
    return Plan(
        command="sr repair",
        arguments=(("sr", sr.uuid),),
        pool=pool,
        risk=Risk.ROUTINE,
        title=f"plug {quoted(sr.name)} on {where}",
        findings=tuple(_findings(sr, inventory)),
        steps=tuple(
            Step(
                title=f"Plug {quoted(sr.name)} on {quoted(pbd.host.name)}",
                target=PoolTarget(pool.uuid),
                call="PBD.plug",
                arguments=(Object(pbd.id),),
                expect=(Expect(object=pbd.id, field="currently_attached", equals=Value(True)),),
                limit_seconds=LIMIT_SECONDS,
            )
            for pbd in broken
            if pbd.host
        ),
        touches=(sr.id,),
        facts=(("not plugged on", where),),
        go_back="; ".join(f"xe pbd-unplug uuid={pbd.uuid}" for pbd in broken),
    )


def _findings(sr: SR, inventory: Inventory) -> Iterator[Finding]:
    for pbd in sr.pbds:
        host = pbd.host
        if host is not None and not pbd.attached:
            yield alive(host, "Look at the host itself first.").finding(host.id)
    lacking = next((hosts for each, hosts in storage.without_path(inventory) if each == sr), ())
    if lacking:
        yield Finding(
            id="sr.paths",
            verdict=Verdict.WARN,
            subject=sr.id,
            title="some hosts have no connection to it at all",
            evidence=joined(host.name for host in lacking),
            remedy=f"Connect it with the settings of another host's: xe pbd-create sr-uuid={sr.uuid}"
            f" host-uuid={lacking[0].uuid} device-config:KEY=VALUE; then ask for this again.",
        )
