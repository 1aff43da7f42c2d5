"""`pool backup`: a copy of the pool's database, read again to be sure."""

from __future__ import annotations

from dataclasses import dataclass

from bot import actions, planning
from bot.model import Expect, ObjectId, Plan, Risk
from bot.ports import Context
from bot.registry import command
from bot.text import plural


@dataclass(frozen=True)
class Arguments:
    pass


@command(
    "pool backup",
    risk=Risk.ROUTINE,
    summary="Copy the pool's database to the bot's machine.",
    details=(
        "What xe pool-restore-database file-name=FILE takes: hosts, networks, storage, VMs, but no disk's content.",
        "The copy is read again before it counts. Passwords of storage are in it, so only the bot's user may read it.",
    ),
    examples=("pool backup in lab",),
)
def plan(arguments: Arguments, context: Context) -> Plan:  # noqa: ARG001 - there are none
    inventory = context.pool.inventory()
    pool = planning.pool_id(context, inventory)
    copied = Expect(object=ObjectId("backup", pool.uuid, pool.name))
    before = next(iter(context.history.backups((pool.name,))), None)
    hosts = plural(len(inventory.hosts), "host")
    return Plan(
        command="pool backup",
        arguments=(),
        pool=pool,
        risk=Risk.ROUTINE,
        title=f"copy the database of the pool ({hosts}) to the bot's machine",
        steps=(actions.change(actions.BACKUP, "Copy the database and read the copy", copied, pool.uuid),),
        reasons=(f"The last copy is of {before.at:%Y-%m-%d %H:%M} UTC." if before else "There is no copy yet.",),
        impact=("The pool goes on working; nothing in it is changed.",),
        go_back="Nothing is to be taken back; “pool backups” lists the copies.",
    )
