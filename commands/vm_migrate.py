"""`vm migrate VM …`: move a running VM to another host of its pool, without stopping it; with its disks, if asked; or a
VM to another pool.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot import planning
from bot.errors import Refused
from bot.inventory import SR, VM, Host, Network
from bot.lookup import spelling
from bot.model import Plan, PoolTarget, Risk
from bot.planning import crossing
from bot.ports import Context, PoolView
from bot.registry import command
from bot.rules import placement
from bot.text import quoted, size

LIMIT_SECONDS = 2 * 3600
"""Very much memory over a slow network takes long; after this nobody should wait any more."""


@dataclass(frozen=True)
class Arguments:
    vm: VM
    host: Host | None = None
    destination: PoolView | None = None
    member: Host | None = None
    network: Network | None = None
    sr: SR | None = None


@command(
    "vm migrate VM [to HOST] [to pool DESTINATION [host MEMBER] [network NETWORK]] [storage SR]",
    risk=Risk.DISRUPTIVE,
    summary="Move a running VM to another host, without stopping it; or a VM to another pool.",
    details=(
        "Without a host, the one with the most free memory among those that can take it is proposed, and why.",
        "Its disks stay where they are: both hosts must see them.",
        "With “storage SR” they all go there, also a halted VM's; without a host it stays on its own if that has the"
        " storage.",
        "To another pool it goes with its disks and snapshots, also a halted VM; host, network and storage are those of"
        " that pool.",
        "Without them: the roomiest host, the default storage if that is shared, and the networks of the same names;"
        " “network …” stands in for those that have no namesake.",
        "What the policy says of either pool holds: whoever asks, or approves, may do so in both.",
    ),
    examples=(
        "vm migrate web-1 to xs2",
        "vm migrate web-1",
        "migrate vm web-1 to xs2 in lab",
        "vm migrate build-1 to xs2 storage NFS storage",
        "vm migrate web-1 to pool prod",
        "vm migrate web-1 to pool prod host xs21 network DMZ storage iSCSI main in lab",
    ),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    vm, inventory = arguments.vm, context.pool.inventory()
    if arguments.destination is not None:
        return _to_pool(arguments, arguments.destination, context)
    if arguments.sr is not None:
        return planning.with_disks(vm, arguments.host, arguments.sr, context)
    source = vm.resident_on
    planning.in_state(vm, "pool_migrate", "to be moved to another host it has to be", inventory)
    if source is None:
        raise Refused(
            f"The pool's database does not say where {quoted(vm.name)} runs.", remedy="Ask again in a moment."
        )
    others = (host for host in inventory.hosts if host != source)
    host, reasons = (arguments.host, ()) if arguments.host else placement.best(vm, others, inventory)
    if host == source:
        raise Refused(f"{quoted(vm.name)} runs on {quoted(host.name)} already. Nothing was changed.")
    pool = planning.pool_id(context, inventory)
    return Plan(
        command="vm migrate",
        arguments=(("vm", vm.uuid), ("host", host.uuid)),
        pool=pool,
        risk=Risk.DISRUPTIVE,
        title=f"move {quoted(vm.name)} from {quoted(source.name)} to {quoted(host.name)}",
        findings=planning.arrival(vm, host, "pool_migrate", context.pool, inventory),
        steps=(
            planning.put(
                f"Migrate {quoted(vm.name)} live from {quoted(source.name)} to {quoted(host.name)}",
                vm,
                host,
                "pool_migrate",
                PoolTarget(pool.uuid),
                limit_seconds=LIMIT_SECONDS,
            ),
        ),
        touches=(vm.id,),
        facts=((f"{quoted(vm.name)} runs on", source.name),),
        impact=(
            f"{quoted(vm.name)} keeps running; at the end it stands still for about a second.",
            f"{size(vm.number('memory_dynamic_max'))} of memory are copied over the network.",
        ),
        reasons=reasons,
        go_back=planning.line(f"vm migrate {spelling(vm, inventory)} to {spelling(source, inventory)}", context),
    )


def _to_pool(arguments: Arguments, there: PoolView, context: Context) -> Plan:
    """:raises Refused: a host of the VM's own pool was named besides."""
    if arguments.host is not None:
        raise Refused(
            f"{quoted(arguments.host.name)} is in {quoted(context.pool.name)}, and the VM should go to another pool.",
            remedy=f"Name a host of that one: “vm migrate … to pool {quoted(there.name)} host HOST”",
        )
    wanted = crossing.Wanted(host=arguments.member, sr=arguments.sr, network=arguments.network)
    return crossing.to_pool(arguments.vm, there, wanted, context)
