"""A host emptied, as parts of a plan: what `host maintenance`, `host reboot` and `host shutdown` have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.errors import Refused
from bot.inventory import VM, Host, Inventory
from bot.lookup import spelling
from bot.model import Finding, ObjectId, PoolTarget, Step, Verdict
from bot.planning import hosts, lowering
from bot.planning.availability import enabling_line
from bot.planning.vms import movable, refusing
from bot.ports import PoolView
from bot.rules import evacuation, ha, leading, maintenance
from bot.rules.check import Check
from bot.rules.hosts import MAINTENANCE_KEY
from bot.rules.hosts import alive as answering
from bot.text import joined, plural, quoted, size


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What one concern adds to a plan."""

    steps: tuple[Step, ...] = ()
    findings: tuple[Finding, ...] = ()
    impact: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Emptying(Parts):
    """A host that is emptied. `moves` are its VMs with where they go; `lowered` is the number of host failures to
    tolerate meanwhile, None where it can stay.
    """

    moves: tuple[evacuation.Move, ...]
    lowered: int | None
    notes: dict[str, str] = field(default_factory=dict)
    """What the host's other_config holds afterwards, of the keys that were written."""

    @property
    def touches(self) -> tuple[ObjectId, ...]:
        return tuple(move.vm.id for move in self.moves)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover(Parts):
    """The coordinator's role given to another host; `to` None: it stays where it is."""

    to: Host | None = None

    @property
    def pinned(self) -> tuple[tuple[str, str], ...]:
        """The choice, as an argument of the plan."""
        return (("member", self.to.uuid),) if self.to is not None else ()


def emptying(
    host: Host, pool: PoolView, inventory: Inventory, *, ha_on: bool | None = None, lasting: bool = False
) -> Emptying:
    """Disable the host, note who lives there, move them away. `ha_on`: will high availability be on by then? `lasting`:
    it shall stay disabled also when it starts anew, if its version can.
    """
    allowed = {vm: refusing(vm, pool, inventory) for vm in movable(host.resident_vms, pool, inventory)}
    moves, target = evacuation.moves(host, inventory, allowed), PoolTarget(inventory.pool.uuid)
    going = [move.vm for move in moves]
    guarded = inventory.pool.ha_enabled if ha_on is None else ha_on
    lowered, guard = _tolerance(host, inventory) if guarded else (None, ())
    listed = maintenance.noted(host, going, inventory)
    notes = {MAINTENANCE_KEY: "true", **({maintenance.MIGRATED_KEY: listed} if listed else {})}
    for_good = lasting and maintenance.can_last(host, inventory)
    return Emptying(
        moves=moves,
        lowered=lowered,
        notes=notes,
        steps=(
            *(lowering.lower(lowered, inventory) if lowered is not None else ()),
            *((hosts.disable(host, target, for_good=for_good),) if host.enabled else ()),
            *hosts.notes(host, host.other_config, notes, target),
            *(hosts.move(move.vm, host, move.target, target) for move in moves if move.target is not None),
        ),
        findings=(*guard, *(_of_move(move, inventory) for move in moves)),
        impact=tuple(_impact(host, going, lowered, waking=lasting and not for_good)),
        reasons=tuple(
            f"{quoted(move.vm.name)} goes to {quoted(move.target.name)}" for move in moves if move.target is not None
        ),
    )


def alive(host: Host) -> Finding:
    return answering(host, "Look at the host itself; nothing can be moved away from it.").finding(host.id)


def handover(host: Host, member: Host | None, inventory: Inventory, *, ha_on: bool | None = None) -> Handover:
    """The coordinator gives its role away before it is worked on, unless high availability is on by then (`ha_on`).
    `member` is who takes it; None proposes one. Where nobody can take it, it is said, and the role stays.

    :raises Refused: somebody was named to take the role, and there is none to take.
    """
    guarded = inventory.pool.ha_enabled if ha_on is None else ha_on
    if not host.is_coordinator or guarded:
        if member is not None:
            _nothing_to_hand_over(host, inventory)
        return Handover()
    if len(inventory.hosts) == 1:
        return Handover()
    found = (member, f"{quoted(member.name)} becomes the coordinator, as asked") if member else None
    found = found or leading.proposed(inventory, but=host)
    against = [check for check in leading.checks(inventory) if not check.ok and check.id != "pool.ha-off"]
    if member is not None:
        against += [check for check in leading.suits(member, inventory) if not check.ok]
    if found is None or against:
        return Handover(findings=(_role_stays(host, against),))
    chosen, reason = found
    return Handover(
        to=chosen,
        steps=tuple(hosts.lead(chosen, inventory, PoolTarget(inventory.pool.uuid))),
        impact=(f"The pool's API is away for a minute or two while {quoted(chosen.name)} becomes the coordinator.",),
        reasons=(reason,),
    )


def _nothing_to_hand_over(host: Host, inventory: Inventory) -> None:
    """:raises Refused: always."""
    if not host.is_coordinator:
        raise Refused(f"{quoted(host.name)} is not the coordinator, so it has no role to hand over.")
    raise Refused(
        f"{quoted(host.name)} stays the coordinator: with high availability on, it alone decides who leads.",
        remedy=f"“ha disable” first; “{enabling_line(inventory)}” afterwards.",
    )


def _role_stays(host: Host, against: list[Check]) -> Finding:
    return Finding(
        id="coordinator.stays",
        verdict=Verdict.WARN,
        subject=host.id,
        title=f"{quoted(host.name)} stays the coordinator",
        evidence="; ".join(check.against for check in against) or "no other host of the pool can lead it",
        remedy=" ".join(
            dict.fromkeys(["While it is down, nothing can be asked of the pool.", *(check.remedy for check in against)])
        ).strip(),
    )


def _tolerance(host: Host, inventory: Inventory) -> tuple[int | None, tuple[Finding, ...]]:
    """With HA on: the number to tolerate meanwhile if the present one needs this host, and what is found about it."""
    change = ha.Change(disabled=frozenset({host}))
    guard = ha.guard(inventory, change) if host.enabled else None
    if guard is None:
        return None, ()
    if guard.ok:
        return None, (guard.finding(inventory.pool.id),)
    now = inventory.pool.number("ha_host_failures_to_tolerate")
    left = ha.situation(inventory, change)
    lower = next((n for n in range(now - 1, -1, -1) if not ha.why_no_plan(left, n, inventory)), None)
    if lower is None:
        return None, (guard.finding(inventory.pool.id),)
    told = Finding(
        id="ha.tolerates",
        verdict=Verdict.WARN,
        subject=inventory.pool.id,
        title=f"without it, high availability tolerates {plural(lower, 'host failure')} instead of {now}",
        evidence=guard.evidence,
        remedy="The number is lowered first, and raised again when the host is back in service.",
    )
    return lower, (told,)


def _of_move(move: evacuation.Move, inventory: Inventory) -> Finding:
    """Where a VM goes, or every reason on every host, each remedy once."""
    if move.target is not None:
        title = f"{quoted(move.vm.name)} can move to another host"
        return Finding(id="vm.leaves", verdict=Verdict.PASS, subject=move.vm.id, title=title)
    told = "; ".join(f"{quoted(where)}: {check.against}" if where else check.against for where, check in move.against)
    remedies = [each.rstrip(".") + "." for each in dict.fromkeys(check.remedy for _, check in move.against) if each]
    stop = f"vm shutdown {spelling(move.vm, inventory)}"
    if not any(stop in each for each in remedies):
        remedies.append(f"Or “{stop}”.")
    code = move.against[0][1].code if move.against else "NO_HOSTS_AVAILABLE"
    return Finding(
        id="vm.leaves",
        verdict=Verdict.BLOCK,
        subject=move.vm.id,
        title=f"{quoted(move.vm.name)} can move to another host",
        evidence=told or "the pool has no other host",
        remedy=" ".join(remedies),
        code=code,
    )


def _impact(host: Host, going: list[VM], lowered: int | None, *, waking: bool) -> Iterator[str]:
    """`waking`: it takes VMs again by itself when it has started anew."""
    if going:
        amount = sum(vm.number("memory_dynamic_max") for vm in going)
        yield f"{joined((vm.name for vm in going), limit=6)} keep running; {size(amount)} of memory are copied."
    until = (
        "it is taken back, or starts anew: then its toolstack enables it by itself" if waking else "it is taken back"
    )
    yield f"No VM starts on {quoted(host.name)} or moves to it until {until}."
    if lowered is not None:
        yield f"Meanwhile {plural(lowered, 'host failure')} can be tolerated."
