"""Hosts that are in no pool, and members that are called themselves: against the sandbox, over the wire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from bot.clock import SystemClock
from bot.errors import NotFound, OutcomeUnknown, ToolstackRefusal, Unavailable
from bot.inventory import Host
from bot.model import Expect, HostTarget, MemberTarget, Object, ObjectId, PoolTarget, Secret, Step, Value
from bot.ports import Account, Taken
from bot.rules import conditions
from bot.xapi import PoolSettings, XapiPools
from sandbox.xapi.lab import load
from sandbox.xapi.running import RunningLab, start
from tests.waiting import eventually

NOBODY = ObjectId("host", "no-such-uuid", "xs9")


@dataclass
class Town:
    lab: RunningLab
    pools: XapiPools


@contextmanager
def town(lab: str, *alone: str, password: str = "") -> Iterator[Town]:
    """A lab's first pool, and some of its hosts configured beside it."""
    with start(load(lab), speed=300.0) as running:
        addresses = {host.name: host.address for host in running.estate.hosts.values()}
        name = next(iter(running.pools))
        common = PoolSettings(
            name=name,
            addresses=tuple(addresses[host] for host in running.pools[name]["hosts"]),
            username=running.username,
            password=lambda: password or running.password,
            plain_http=True,
            address_map=running.addresses,
            connect_seconds=2.0,
            answer_seconds=20.0,
            probe_seconds=5.0,
        )
        hosts = [replace(common, name=host, addresses=(addresses[host],), alone=True) for host in alone]
        pools = XapiPools([common, *hosts], SystemClock(), secret=lambda name: f"the value of {name}")
        try:
            yield Town(running, pools)
        finally:
            pools.close()


def test_a_stand_alone_host_is_a_pool_of_its_own() -> None:
    with town("tutorial", "xs3") as found:
        assert found.pools.candidates() == ("xs3",)
        assert "xs3" not in found.pools.names()
        view = found.pools.candidate("xs3")
        inventory = view.inventory()
        assert [host.name for host in inventory.hosts] == ["xs3"]
        assert inventory.pool.uuid != found.pools.view("lab").inventory().pool.uuid
        assert view.account == Account(username="root", password=Secret("hosts.xs3.password"))
        assert found.pools.view("lab").account.password == Secret("pools.lab.password")
        with pytest.raises(NotFound, match="no host xs4"):
            found.pools.candidate("xs4")


def test_a_host_that_is_a_member_is_not_followed_to_its_coordinator() -> None:
    with town("tutorial", "xs2") as found:
        with pytest.raises(Unavailable) as refused:
            found.pools.candidate("xs2").inventory()
        assert "host xs2" in refused.value.message
        assert "10.0.0.101" in " ".join(refused.value.evidence)
        assert "member of a pool" in refused.value.remedy


def test_a_step_for_a_stand_alone_host_is_done_there_and_looked_at_there() -> None:
    with town("tutorial", "xs3") as found:
        inventory = found.pools.candidate("xs3").inventory()
        host = inventory.hosts[0]
        target = HostTarget("xs3", inventory.pool.uuid)
        expect = Expect(object=host.id, field="name_description", equals=Value("new"))
        step = Step(
            title="Describe it",
            target=target,
            call="host.set_name_description",
            arguments=(Object(host.id), Value("new")),
            asynchronous=False,
            expect=(expect,),
        )
        hands = found.pools.hands("lab", target)
        hands.mark(step)
        hands.send(step, {})
        assert hands.holds(expect, {})[0]
        lab = found.pools.hands("lab")
        assert lab.holds(replace(expect, at=target), {})[0], "looked at from the pool's step, there"
        assert not lab.holds(expect, {})[0], "the pool itself does not know the host"
        with pytest.raises(Exception, match="another pool now"):
            hands.send(replace(step, target=HostTarget("xs3", "another-uuid")), {})


def test_a_call_to_a_host_that_has_joined_meanwhile_is_found_by_its_effect_in_the_pool() -> None:
    """The answer of a join is lost: where it went, nobody answers as a pool of its own any more."""
    with town("tutorial", "xs2") as found:
        member = next(h for h in found.pools.view("lab").inventory().hosts if h.name == "xs2")
        pool = PoolTarget(found.pools.view("lab").inventory().pool.uuid)
        known = Expect(object=member.id, rule=conditions.KNOWN, at=pool)
        step = Step(title="Join", target=HostTarget("xs2", "its-own"), call="pool.join", arguments=(), expect=(known,))
        hands = found.pools.hands("lab", step.target)
        mark = '{"at":0,"coordinator":"","tasks":[],"operations":[],"held":false}'
        sighting = hands.look(step, mark)
        assert sighting.taken is Taken.DONE
        assert "xs2 is among the pool's hosts" in sighting.evidence
        with pytest.raises(Unavailable):
            hands.look(replace(step, expect=(replace(known, object=NOBODY),)), mark)
        with pytest.raises(Unavailable):
            hands.look(step, mark.replace("false", "true"))


def test_conditions_of_hosts_are_read_from_the_pool() -> None:
    with town("tutorial") as found:
        hands, inventory = found.pools.hands("lab"), found.pools.view("lab").inventory()
        first, second = inventory.hosts
        for rule, about, wanted in (
            (conditions.READY, second, True),
            (conditions.COORDINATES, first, True),
            (conditions.COORDINATES, second, False),
            (conditions.AWAY, second, False),
            (conditions.GONE, second, False),
        ):
            assert hands.holds(Expect(object=about.id, rule=rule), {})[0] is wanted, rule
        assert hands.holds(Expect(object=NOBODY, rule=conditions.GONE), {})[0]


def test_storage_that_is_not_plugged_makes_a_host_not_ready() -> None:
    lab = load("tutorial")
    objects = lab.pools[0].objects
    host = next(ref for ref, row in objects["host"].items() if row["name_label"] == "xs2")
    sr = next(ref for ref, row in objects["SR"].items() if row["name_label"] == "iSCSI storage")
    for row in objects["PBD"].values():
        if (row["host"], row["SR"]) == (host, sr):
            row["currently_attached"] = False
    with start(lab) as running:
        settings = PoolSettings(
            name="lab", addresses=("10.0.0.101",), username=running.username, password=lambda: running.password,
            plain_http=True, address_map=running.addresses,
        )  # fmt: skip
        pools = XapiPools([settings], SystemClock())
        about = next(h for h in pools.view("lab").inventory().hosts if h.name == "xs2")
        holds, told = pools.hands("lab").holds(Expect(object=about.id, rule=conditions.READY), {})
        assert (holds, told) == (False, "“iSCSI storage” not plugged on xs2")
        assert pools.hands("lab").holds(Expect(object=about.id, rule=conditions.SERVES), {})[0]
        pools.close()


# --- a member itself --------------------------------------------------------------------------------------------------


def takeover(found: Town, host: Host, pool_uuid: str) -> Step:
    return Step(
        title="Take over",
        target=MemberTarget(host.id, host.address),
        call="pool.emergency_transition_to_master",
        asynchronous=False,
        expect=(Expect(object=host.id, rule=conditions.COORDINATES, at=PoolTarget(pool_uuid)),),
        away_seconds=600,
    )


def test_a_member_whose_coordinator_is_dead_can_be_called_itself() -> None:
    with town("tutorial") as found:
        inventory = found.pools.view("lab").inventory()
        member = next(h for h in inventory.hosts if not h.is_coordinator)
        step = takeover(found, member, inventory.pool.uuid)
        hands = found.pools.hands("lab", step.target)
        found.lab.kill("xs1")
        mark = hands.mark(step)
        hands.send(step, {})
        eventually(lambda: hands.look(step, mark).taken is Taken.DONE, "its new role", passing=(Unavailable,))
        coordinator = found.pools.view("lab").inventory().pool.coordinator
        assert coordinator is not None
        assert coordinator.name == "xs2"


def test_a_member_s_answer_that_is_lost_is_unknown_and_not_sent_again() -> None:
    with town("tutorial") as found:
        inventory = found.pools.view("lab").inventory()
        member = next(h for h in inventory.hosts if not h.is_coordinator)
        step = takeover(found, member, inventory.pool.uuid)
        hands = found.pools.hands("lab", step.target)
        found.lab.drop("xs2", "after", 1, "pool.emergency_transition_to_master")
        with pytest.raises(OutcomeUnknown, match="xs2"):
            hands.send(step, {})
        assert found.lab.calls()["pool.emergency_transition_to_master"] == 1


def test_a_dead_or_unwilling_member_takes_nothing() -> None:
    with town("tutorial", password="wrong") as found:
        target = MemberTarget(ObjectId("host", "u", "xs2"), "10.0.0.102")
        step = Step(title="x", target=target, call="pool.emergency_transition_to_master", asynchronous=False)
        with pytest.raises(Unavailable, match="gives out no session"):
            found.pools.hands("lab", target).send(step, {})
        found.lab.kill("xs2")
        with pytest.raises(Unavailable, match="xs2"):
            found.pools.hands("lab", target).mark(step)


def test_a_member_takes_no_objects_and_no_tasks() -> None:
    with town("tutorial") as found:
        target = MemberTarget(ObjectId("host", "u", "xs2"), "10.0.0.102")
        hands = found.pools.hands("lab", target)
        step = Step(title="x", target=target, call="pool.is_slave", arguments=(Object(NOBODY),), asynchronous=False)
        with pytest.raises(ValueError, match="literals"):
            hands.send(step, {})
        with pytest.raises(ValueError, match="to a member itself"):
            hands.send(replace(step, asynchronous=True), {})
        with pytest.raises(ToolstackRefusal):
            hands.cancel("t")
        assert hands.task("t") is None
