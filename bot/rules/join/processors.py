"""Joining: processors. Up to 6.x they must show the same; since 7.0 the pool takes what all have."""

from __future__ import annotations

from collections.abc import Iterator

from bot.lookup import spelling
from bot.rules import cpu_features, cpu_levels, cpu_mask
from bot.rules.join.side import Row, Sides
from bot.text import joined, plural, quoted

_MOST = 12


def processors(sides: Sides) -> Iterator[Row]:
    """What pool.join compares."""
    vendors = sides.own.host.cpu_info.get("vendor", ""), _vendor(sides)
    yield Row(
        id="cpu.vendor",
        code="HOSTS_NOT_HOMOGENEOUS",
        title="the CPUs are of one vendor",
        subject=sides.own.host.id,
        against=f"{quoted(vendors[0] or 'none')} on the host, {quoted(vendors[1] or 'none')} in the pool"
        if vendors[0] != vendors[1]
        else "",
        remedy="No mask helps, and force would leave VMs that can never move: put it into a pool of its own kind.",
        forced=True,
        insist=True,
    )
    if not sides.own.since(7, 0):
        yield _same_features(sides)


def _vendor(sides: Sides) -> str:
    """pool.cpu_info since 7.0, the coordinator's before."""
    return sides.pool.inventory.pool.mapping("cpu_info").get("vendor") or sides.pool.host.cpu_info.get("vendor", "")


def _same_features(sides: Sides) -> Row:
    wanted, shown = cpu_mask.target(sides.pool.inventory), sides.own.host.cpu_info.get("features", "")
    same = cpu_mask.counted(wanted, sides.pool.inventory) == cpu_mask.counted(shown, sides.pool.inventory)
    return Row(
        id="cpu.features",
        code="HOSTS_NOT_HOMOGENEOUS",
        title="the CPUs show the same features",
        subject=sides.own.host.id,
        against="" if same else _difference(sides, wanted, shown),
        remedy="" if same else _way_out(sides, wanted),
        forced=True,
    )


def _difference(sides: Sides, wanted: str, shown: str) -> str:
    more, less = cpu_features.lacking(shown, wanted), cpu_features.lacking(wanted, shown)
    here, there = (side.host.cpu_info.get("modelname", "an unknown CPU") for side in (sides.own, sides.pool))
    told = [f"{here}, the pool's {there}"]
    if more:
        told.append(f"it shows {joined(more, limit=_MOST)} beyond the pool's")
    if less:
        told.append(f"it lacks {joined(less, limit=_MOST)}")
    if not more and not less:
        told.append(f"{shown or 'no features'}, the pool's {wanted or 'none'}: bits that mean nothing, but they count")
    return "; ".join(told)


def _way_out(sides: Sides, wanted: str) -> str:
    if sides.own.host.cpu_info.get("vendor", "") != _vendor(sides):
        return "No mask makes one vendor's CPU look like another's."
    if cpu_mask.waits_for_boot(sides.own.host, wanted):
        return f"It is masked already, and only has to be rebooted: “{mask_command(sides)}” does that."
    reasons = [check for check in cpu_mask.checks(sides.own.host, wanted, sides.pool.inventory) if not check.ok]
    if reasons:
        return f"It cannot be masked: {reasons[0].against}."
    return f"“{mask_command(sides)}” hides the difference; then add it again."


def mask_command(sides: Sides) -> str:
    return f"host mask-cpu {quoted(sides.own.name)} like {quoted(sides.pool.name)}"


def can_be_masked(sides: Sides) -> bool:
    """Before 7.0, of the same vendor, and with a mask that would make the host's CPU look like the pool's."""
    host, pool = sides.own.host, sides.pool.inventory
    if not cpu_mask.exists(host) or host.cpu_info.get("vendor", "") != _vendor(sides):
        return False
    return all(check.ok for check in cpu_mask.checks(host, cpu_mask.target(pool), pool))


def forecast(sides: Sides) -> Iterator[Row]:
    """What no call asks: the pool's level afterwards, and the VMs that cannot follow it while they run."""
    if sides.own.host.cpu_info.get("vendor", "") != _vendor(sides):
        return
    found, subject = cpu_levels.forecast(sides.pool.inventory, sides.own.host), sides.own.host.id
    if sides.own.since(7, 0):
        if not cpu_levels.level_of((*sides.pool.inventory.hosts, sides.own.host), "hvm"):
            told = "not every host shows its features under one key"
            title = "the pool keeps its CPU level"
            yield Row(id="cpu.level", code="", title=title, subject=subject, unknown=told, advice=True)
            return
        yield Row(
            id="cpu.level",
            code="",
            title="the pool keeps its CPU level",
            subject=subject,
            against=f"VMs that start from then on do without {joined(found.lost, limit=_MOST)}" if found.lost else "",
            remedy="Nothing breaks; what needs these features should not start again before the host is out.",
            advice=True,
        )
        yield Row(
            id="cpu.unused",
            code="",
            title="the pool's VMs use every feature of the host",
            subject=subject,
            against=f"not {joined(found.unused, limit=_MOST)}: other hosts lack it" if found.unused else "",
            remedy="",
            advice=True,
        )
    names = joined((vm.name for vm in found.stuck), limit=8)
    example = f"“vm reboot {spelling(found.stuck[0], sides.pool.inventory)}”" if found.stuck else ""
    yield Row(
        id="cpu.stuck",
        code="",
        title="every VM of the pool could move to the host",
        subject=subject,
        against=f"{plural(len(found.stuck), 'VM')} could not before being started anew: {names}" if found.stuck else "",
        remedy=f"Start them anew when the host has joined: {example}"
        if sides.own.since(7, 0)
        else "They started with features that this host does not show.",
        advice=True,
    )
