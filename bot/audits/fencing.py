"""What cuts a host off its heartbeat, and so has it fenced: what audits know of it, said before high availability is
turned on. Nothing of it keeps the toolstack from turning it on.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.audits import clock, clock_rules, network, storage
from bot.audits.rule import Declared
from bot.findings import Drift
from bot.inventory import PIF, SR, Inventory
from bot.model import Finding, Verdict
from bot.ports import Clock, PoolView
from bot.rules.check import advised
from bot.rules.limits import Known
from bot.rules.storage import is_block
from bot.text import joined

_NETWORK = (network.management_static, network.management_bonded)


def findings(sr: SR, pool: PoolView, inventory: Inventory, now: Clock) -> Iterator[Finding]:
    """`sr`: where the heartbeat would be. Every host's clock is read once: that tells seconds, not fractions.

    :raises Unavailable: the pool does not answer.
    """
    known = Known()
    for rule in _NETWORK:
        yield from _told(rule, rule.drifts(inventory, known), inventory)
    yield _kept(inventory)
    if is_block(sr):
        yield from _told(storage.multipath, storage.multipath.drifts(inventory, known), inventory)
        lost = [drift for drift in storage.paths.drifts(inventory, known) if drift.subject == sr.id]
        yield from _told(storage.paths, lost, inventory)
    else:
        yield from _told(network.storage_bonded, network.storage_bonded.drifts(inventory, known), inventory)
    found = clock.look(pool, clock.Means(clock=now, seconds=0.0)).found
    for declared in (clock_rules.SKEW, clock_rules.UNREAD):
        yield from _told(declared, [drift for drift in found if drift.rule == declared.id], inventory)


def _told(rule: Declared, drifts: tuple[Drift, ...] | list[Drift], inventory: Inventory) -> Iterator[Finding]:
    """Each as a warning; that there is none, once."""
    if not drifts:
        yield Finding(id=rule.id, verdict=Verdict.PASS, subject=inventory.pool.id, title=rule.title)
    for drift in drifts:
        yield Finding(
            id=rule.id,
            verdict=Verdict.WARN,
            subject=drift.subject,
            title=advised(rule.title),
            evidence="; ".join(filter(None, (drift.text, drift.evidence))),
            remedy=drift.remedy,
        )


def _kept(inventory: Inventory) -> Finding:
    """The toolstack turns high availability on all the same, and raises IP_CONFIGURED_PIF_CAN_UNPLUG."""
    loose = [pif for pif in inventory.all(PIF) if _is_loose(pif)]
    told = joined(f"{pif.name} of {pif.host.name}" for pif in loose if pif.host is not None)
    title = "interfaces with an address cannot be unplugged by mistake"
    return Finding(
        id="network.kept",
        verdict=Verdict.WARN if loose else Verdict.PASS,
        subject=inventory.pool.id,
        title=advised(title) if loose else title,
        evidence=f"nothing keeps {told} plugged" if loose else "",
        remedy=f"For each: xe pif-param-set uuid={loose[0].uuid} disallow-unplug=true" if loose else "",
    )


def _is_loose(pif: PIF) -> bool:
    configured = pif.text("ip_configuration_mode") not in ("", "None")
    return configured and pif.bond is None and not pif.is_management and not pif.flag("disallow_unplug")
