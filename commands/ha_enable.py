"""`ha enable [on SR] [tolerate FAILURES]`: turn high availability on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot import planning
from bot.audits import fencing
from bot.errors import Refused
from bot.inventory import SR, Inventory
from bot.lookup import spelling
from bot.model import Finding, Object, Plan, Risk, Verdict
from bot.ports import Context, PoolView
from bot.registry import command
from bot.rules import agility, ha, heartbeat
from bot.rules.check import advised
from bot.text import joined, plural, quoted


@dataclass(frozen=True)
class Arguments:
    sr: SR | None = None
    failures: int | None = None


@command(
    "ha enable [on SR] [tolerate FAILURES]",
    risk=Risk.DISRUPTIVE,
    summary="Turn high availability on: failed hosts are fenced, and their protected VMs restarted elsewhere.",
    details=(
        "Without a storage the best of those that qualify is proposed: iSCSI or Fibre Channel is advised, NFS works.",
        "Without a number as many failures are tolerated as are possible, at most one less than there are hosts.",
        "Whom to restart is said before, with “ha protect”.",
    ),
    examples=("ha enable", "ha enable on iSCSI storage tolerate 1"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    inventory = context.pool.inventory()
    if inventory.pool.ha_enabled:
        raise Refused(
            f"High availability of {quoted(context.pool.name)} is on already. Nothing was changed.",
            remedy="“ha status” shows how it stands; “ha tolerate N” changes the failures to tolerate.",
        )
    sr, reasons = (arguments.sr, ()) if arguments.sr else _best(inventory)
    if seconds := heartbeat.configuration(inventory).get("timeout"):
        reasons += (f"a host that is silent for {seconds} s has failed, as the last time",)
    pool, most = planning.pool_id(context, inventory), planning.most_failures(context.pool, inventory)
    chosen = arguments.failures
    wanted = min(most, max(len(inventory.hosts) - 1, 0)) if chosen is None else chosen
    now = inventory.pool.number("ha_host_failures_to_tolerate")
    return Plan(
        command="ha enable",
        arguments=(("sr", sr.uuid), ("failures", str(wanted))),
        pool=pool,
        risk=Risk.DISRUPTIVE,
        title=f"turn high availability on, on {quoted(sr.name)}, tolerating {plural(wanted, 'host failure')}",
        findings=(
            *planning.findings(heartbeat.pool_checks(inventory, "ha_enable"), inventory.pool.id),
            *_storage(sr, context.pool, inventory),
            planning.possible(wanted, most, inventory).finding(inventory.pool.id),
            *_advice(sr, wanted, inventory),
            *fencing.findings(sr, context.pool, inventory, context.clock),
        ),
        steps=(
            *((planning.tolerate(wanted, inventory),) if wanted != now else ()),
            planning.turn_on((sr,), inventory),
        ),
        whole_pool=True,
        facts=(("high availability is", "off"),),
        impact=(
            "It takes one to three minutes; VMs go on running.",
            "From then on a host that loses both its storage and its network heartbeat resets itself and its VMs.",
        ),
        reasons=reasons,
        go_back=planning.line("ha disable", context),
    )


def _best(inventory: Inventory) -> tuple[SR, tuple[str, ...]]:
    """:raises Refused: no storage qualifies; the evidence says why for each shared one."""
    against = {
        sr: [check for check in heartbeat.sr_checks(sr, inventory) if not check.ok]
        for sr in inventory.shared_srs
        if sr.content_type != "iso"
    }
    able = sorted((sr for sr, why in against.items() if not why), key=lambda sr: (*heartbeat.fitness(sr), sr.uuid))
    unable = tuple(
        f"{quoted(sr.name)} does not qualify: {'; '.join(check.against for check in why)}"
        for sr, why in against.items()
        if why
    )
    if not able:
        raise Refused(
            "No shared storage of the pool can hold the heartbeat.",
            evidence=unable or ("the pool has no shared storage",),
            remedy="Attach iSCSI, Fibre Channel or NFS storage to every host, with about 4 GiB free.",
        )
    kind = "the advised kind" if able[0].type in heartbeat.ADVISED else f"{able[0].type}; it works with one path only"
    return able[0], (f"{quoted(able[0].name)} qualifies ({kind})", *unable)


def _storage(sr: SR, pool: PoolView, inventory: Inventory) -> tuple[Finding, ...]:
    found = planning.findings(heartbeat.sr_checks(sr, inventory), sr.id)
    title = "the toolstack would take it"
    return found + planning.second_opinion(found, pool, sr.id, title, "SR.assert_can_host_ha_statefile", Object(sr.id))


def _advice(sr: SR, wanted: int, inventory: Inventory) -> Iterator[Finding]:
    """What the toolstack does not object to, but a careful administrator would."""
    rigid = [vm.name for vm in ha.reckoned(inventory) if not agility.is_agile(vm, inventory)]
    running = [vm for vm in inventory.guests if vm.power_state == "Running"]
    bare = [vm.name for vm in running if not vm.text("ha_restart_priority")]
    first = next((vm for vm in running if not vm.text("ha_restart_priority")), None)
    example = f"“ha protect {spelling(first, inventory)} restart”" if first else ""
    for finding_id, ok, title, evidence, remedy in (
        ("ha.three-hosts", len(inventory.hosts) > 2, "the pool has at least three hosts",
         f"it has {len(inventory.hosts)}: if they lose sight of each other, only the storage heartbeat decides", ""),
        ("ha.storage", sr.type in heartbeat.ADVISED, "the heartbeat storage can have several paths",
         f"{quoted(sr.name)} is {sr.type}: one path that breaks fences every host", "Take iSCSI or Fibre Channel."),
        ("ha.agile", not rigid, "every protected VM can run on every host",
         f"not {joined(rigid, limit=5)}: no number of failures can be guaranteed",
         "“ha status” says why, and what to do."),
        ("ha.unprotected", not bare, "every running VM is protected",
         f"not {joined(bare, limit=6)}: they stay down when their host fails", example),
        ("ha.tolerates", wanted > 0, "at least one host failure is tolerated",
         "with 0 no restart is guaranteed", "Protect VMs that are agile, and free memory; then “ha tolerate 1”."),
    ):  # fmt: skip
        yield Finding(
            id=finding_id,
            verdict=Verdict.PASS if ok else Verdict.WARN,
            subject=inventory.pool.id,
            title=title if ok else advised(title),
            evidence="" if ok else evidence,
            remedy="" if ok else remedy,
        )
