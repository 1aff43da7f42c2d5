"""A pool without coordinator, or with two: what its hosts say, and which of them should lead.

Source: what xapi does in emergency mode (August 2026). A survivor leads with the last copy of the database that the
coordinator sent it; a host that is in emergency mode answers hardly anything, so how old its copy is cannot be asked.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.inventory import Host, Inventory
from bot.ports import HostAnswer, KnownPool, Standpoint
from bot.rules import conditions
from bot.rules.check import Check
from bot.text import joined, plural, quoted


@dataclass(frozen=True, slots=True)
class Situation:
    """What the hosts answered, each for itself, and how the pool was seen last."""

    answers: tuple[HostAnswer, ...]
    known: KnownPool

    def of(self, *standpoints: Standpoint) -> tuple[HostAnswer, ...]:
        return tuple(each for each in self.answers if each.standpoint in standpoints)

    @property
    def former(self) -> HostAnswer | None:
        """The host that was the coordinator when the pool was seen last."""
        return next(
            (each for each in self.answers if each.host.uuid and each.host.uuid == self.known.coordinator), None
        )

    def led(self, survivor: HostAnswer) -> tuple[HostAnswer, ...]:
        """Who led the pool until now, beside the survivor: whom the members name that have lost it, else who was the
        coordinator when the pool was seen last. When neither is known, everyone who may have.
        """
        lost = self.of(Standpoint.LOST)
        named = [each for each in self.answers if any(_same(one.coordinator, each.host.address) for one in lost)]
        for known in (named, [self.former]):
            if others := tuple(each for each in known if each is not None and each.host != survivor.host):
                return others
        return tuple(each for each in self.of(Standpoint.SILENT, Standpoint.REFUSES) if each.host != survivor.host)

    def astray(self, coordinator: HostAnswer) -> tuple[HostAnswer, ...]:
        """Members that have lost their coordinator, or follow another one."""
        return (
            *self.of(Standpoint.LOST),
            *(
                each
                for each in self.of(Standpoint.MEMBER)
                if each.coordinator and not _same(each.coordinator, coordinator.host.address)
            ),
        )


def told(answers: Iterable[HostAnswer]) -> tuple[str, ...]:
    """Each host's answer as a line."""
    return tuple(f"{quoted(each.called)} ({each.host.address}) {each.words}" for each in answers)


def proposed(situation: Situation, latest: Inventory | None) -> tuple[HostAnswer | None, str]:
    """The survivor that should lead, and why: one that took VMs and had all shared storage when the pool was seen last,
    then the first by name.
    """
    candidates = sorted(situation.of(Standpoint.LOST), key=lambda each: each.called.casefold())
    if not candidates:
        return None, ""
    fit = [each for each in candidates if _was_fit(each, latest)]
    if fit and len(fit) < len(candidates):
        return fit[0], f"{quoted(fit[0].called)} was enabled and had all shared storage when the pool was read last"
    if len(candidates) == 1:
        return candidates[0], f"{quoted(candidates[0].called)} is the only one that answers"
    others = joined(each.called for each in candidates[1:])
    return candidates[0], f"nothing tells {quoted(candidates[0].called)} from {others}, so the first by name"


def checks(situation: Situation, survivor: HostAnswer) -> Iterator[Check]:
    """What speaks for or against making a host the coordinator of a pool that has none."""
    led = situation.led(survivor)
    for former in led:
        silent = former.standpoint is Standpoint.SILENT
        so_far = "the coordinator so far" if len(led) == 1 else "which may be the coordinator"
        yield Check(
            "recover.former",
            "",
            silent,
            f"{quoted(former.called)}, {so_far}, does not answer",
            former.words,
            f"It may lead again by itself. Ask again in some minutes; or switch {quoted(former.called)} off.",
        )
    yield Check(
        "recover.ha",
        "HA_IS_ENABLED",
        not situation.known.ha_enabled,
        "high availability was off when the pool was seen last",
        "" if not situation.known.ha_enabled else "it was on: the survivors choose a coordinator within some minutes",
        "Wait some minutes. If none comes up, on each surviving host: xe host-emergency-ha-disable force=true; then"
        " look at the pool before you ask again.",
    )
    yield Check(
        "recover.survivor",
        "",
        survivor.standpoint is Standpoint.LOST,
        f"{quoted(survivor.called)} knows that its coordinator is gone",
        survivor.words,
        "A host notices some seconds after its coordinator went away; ask again then, or take another host.",
    )
    yield Check(
        "recover.identity",
        "",
        bool(survivor.host.uuid),
        f"{quoted(survivor.called)} is known as a host of this pool",
        "" if survivor.host.uuid else "the bot has never seen which host answers at this address",
        f"On {quoted(survivor.called)}: xe pool-emergency-transition-to-master, then xe pool-recover-slaves",
    )


def left_behind(situation: Situation, leader: HostAnswer, gone: tuple[HostAnswer, ...] = ()) -> Iterator[Check]:
    """Hosts that cannot be told now whom to follow, without those that are `gone`; it is a warning, not a reason
    against it.
    """
    for each in situation.of(Standpoint.SILENT, Standpoint.REFUSES):
        if each.host == leader.host or each == situation.former or each in gone:
            continue
        yield Check(
            "recover.left",
            "",
            False,
            f"{quoted(each.called)} cannot be told whom to follow",
            each.words,
            "When it answers again, “pool recover” once more; if it is lost, “host forget” takes it out of the pool.",
        )


def counted(situation: Situation) -> str:
    """All answers in one line of facts: a plan that rests on them is stale when one has changed."""
    kinds = ((kind, len(situation.of(kind))) for kind in Standpoint)
    return ", ".join(f"{plural(count, 'host')} {kind}" for kind, count in kinds if count)


def _was_fit(answer: HostAnswer, latest: Inventory | None) -> bool:
    host = latest.by_uuid(Host, answer.host.uuid) if latest else None
    return host is not None and latest is not None and host.enabled and not conditions.unplugged(host, latest)


def _same(one: str, other: str) -> bool:
    """Do two texts name the same address? IPv6 has many spellings."""
    try:
        return ipaddress.ip_address(one.strip("[]")) == ipaddress.ip_address(other.strip("[]"))
    except ValueError:
        return one.casefold() == other.casefold()
