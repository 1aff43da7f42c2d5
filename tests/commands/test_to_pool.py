"""VMs that go to another pool: done and seen in both by another client; what is approved, and what spoils it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.errors import Refused
from bot.execution import verifying
from bot.execution.calls import is_needed
from bot.model import MapOf, ObjectMap, Plan, PoolTarget, Step, Verdict
from bot.policy import subjects
from bot.ports import Taken, TaskStatus
from bot.rules import arrivals
from bot.run import Failed, Unsure
from bot.text import quoted
from bot.xapi.hands import XapiHands
from tests.commands.two_pools import HERE_TO, LAN, asked, disabled, row_of, seen, two_pools
from tests.commands.world import Made, World, codes, world


@pytest.fixture(scope="module")
def pools() -> Any:
    with world(two_pools(), all_pools=True) as found:
        yield found


def done(found: World, plan: Plan) -> list[str]:
    assert codes(plan) == []
    assert found.replanned(plan).digest() == plan.digest()
    return found.perform(plan)


@pytest.mark.parametrize(
    ("text", "host", "sr", "network"),
    [
        ("web-7 to pool south", "s1", "NFS south", LAN),
        ("build-7 to pool south host s2", "s2", "NFS south", LAN),
        ("sql-7 to pool south host s1 storage NFS south", "s1", "NFS south", LAN),
        ("proxy-7 to pool south network Backup", "s1", "NFS south", "Backup"),
        ("wiki-7 to pool south", "", "NFS south", LAN),
    ],
)
def test_it_is_there_as_it_was_and_here_no_more_and_comes_back(text: str, host: str, sr: str, network: str) -> None:
    with world(two_pools(), all_pools=True, speed=3000) as found:
        plan = asked(found, text)
        uuid = plan.touches[0].uuid
        before = seen(found, "n1", uuid)
        assert before is not None
        done(found, plan)
        there = seen(found, "s1", uuid)
        assert there == replace(before, host=host, disks=(sr,) * len(before.disks), networks=(network,))
        assert seen(found, "n1", uuid) is None
        back = found.plan(plan.go_back)
        done(found, back)
        home = seen(found, "n1", uuid)
        assert home is not None
        assert replace(home, host="") == replace(before, host="")
        assert seen(found, "s1", uuid) is None


def test_a_vm_without_disks_or_networks_goes_too() -> None:
    def bare(north: Made, _: Made) -> None:
        vm = north.ref("VM", "wiki-7")
        for cls in ("VBD", "VIF"):
            north.objects[cls] = {ref: row for ref, row in north.objects[cls].items() if row["VM"] != vm}

    with world(two_pools(bare), all_pools=True) as found:
        plan = asked(found, "wiki-7 to pool south")
        done(found, plan)
        there = seen(found, "s1", plan.touches[0].uuid)
        assert there is not None
        assert (there.state, there.disks, there.networks) == ("Halted", (), ())


def test_a_suspended_vm_goes_with_its_memory_and_goes_on_there() -> None:
    with world(two_pools(), all_pools=True) as found:
        api = found.host_api("n1")
        api.VM.suspend(found.ref("VM", "web-7"))
        plan = asked(found, "web-7 to pool south")
        done(found, plan)
        uuid = plan.touches[0].uuid
        there = seen(found, "s1", uuid)
        assert there is not None
        assert (there.state, seen(found, "n1", uuid)) == ("Suspended", None)
        south = found.host_api("s1")
        south.VM.resume(south.VM.get_by_uuid(uuid), False, False)
        assert south.VM.get_power_state(south.VM.get_by_uuid(uuid)) == "Running"


def test_a_halted_vm_that_is_too_big_for_its_own_pool_goes_to_another() -> None:
    with world(two_pools(lambda north, _: north.memory("wiki-7", 180)), all_pools=True) as found:
        plan = asked(found, "wiki-7 to pool south host s1")
        done(found, plan)
        assert seen(found, "s1", plan.touches[0].uuid) is not None
        assert seen(found, "n1", plan.touches[0].uuid) is None


def test_the_verification_looks_at_both_pools() -> None:
    """What was expected before the move is not so: neither there nor here."""
    with world(two_pools(), all_pools=True) as found:
        plan = asked(found, "web-7 to pool south")
        step = plan.steps[1]
        hands = found.resolver.hands(found.request(plan), step.target)
        told = [hands.holds(expect, {}) for expect in step.expect]
        assert not any(holds for holds, _ in told)
        assert {"web-7 is not in south", "web-7 is still in north"} <= {words for _, words in told}
        found.perform(plan)
        assert all(hands.holds(expect, {})[0] for expect in step.expect)
        wrong = replace(step.expect[0], at=PoolTarget("11111111-2222-3333-4444-555555555555"))
        with pytest.raises(Refused, match="another pool"):
            hands.holds(wrong, {})


def test_each_snapshot_is_looked_for_there_by_itself() -> None:
    """A move that lost one on the way, or a disk of it, was none."""
    with world(two_pools(), all_pools=True, speed=3000) as found:
        vm = found.ref("VM", "web-7")
        found.api.VM.snapshot(vm, "by hand")
        snapshots = {row["name_label"] for row in map(found.api.VM.get_record, found.api.VM.get_snapshots(vm))}
        assert len(snapshots) > 1
        plan = asked(found, "web-7 to pool south")
        step = plan.steps[1]
        lines = found.perform(plan)
        for name in snapshots:
            assert [line for line in lines if line.startswith(f"the snapshot {quoted(name)} is there, with 1 disk")]
            assert f"{quoted(name)} is not in north" in lines
        hands = found.resolver.hands(found.request(plan), step.target)
        (gone,) = [each for each in step.expect if each.rule == arrivals.SNAPSHOT and each.object.name == "by hand"]
        south = found.host_api("s1")
        (there,) = south.VM.get_by_name_label("by hand")
        (vbd,) = [each for each in south.VM.get_VBDs(there) if south.VBD.get_type(each) == "Disk"]
        south.VBD.destroy(vbd)
        assert hands.holds(gone, {}) == (False, "the snapshot “by hand” has no disks there, not 1")
        south.VM.destroy(there)
        assert hands.holds(gone, {}) == (False, "the snapshot “by hand” is not in south")


def begun(found: World, text: str) -> tuple[Plan, Any, str, str]:
    """The plan, the hands of its last step, that step's mark and its task, just begun."""
    plan = asked(found, text)
    request = found.request(plan)
    receive, send = plan.steps
    token = found.resolver.hands(request, receive.target).send(receive, {})
    hands = found.resolver.hands(request, send.target)
    mark = hands.mark(send)
    return plan, hands, mark, hands.send(send, {0: token})


def test_a_lost_answer_is_found_also_while_the_other_pool_is_away() -> None:
    with world(two_pools(), all_pools=True, speed=2) as found:
        plan, hands, mark, task = begun(found, "web-7 to pool south host s2")
        found.lab.kill("s1")
        sighting = hands.look(plan.steps[1], mark)
        assert (sighting.taken, sighting.task_uuid) == (Taken.RUNNING, task)


def test_a_success_that_the_other_pool_does_not_show_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its coordinator dies while the disks are on their way: nobody there says what arrived."""
    look = XapiHands.task
    with world(two_pools(), all_pools=True, speed=50) as found:

        def fatal(hands: XapiHands, task_uuid: str) -> Any:
            found.lab.kill("s1")
            return look(hands, task_uuid)

        plan = asked(found, "web-7 to pool south host s2")
        impatient = replace(plan, steps=(plan.steps[0], replace(plan.steps[1], away_seconds=0)))
        monkeypatch.setattr(XapiHands, "task", fatal)
        monkeypatch.setattr(verifying, "VERIFY_SECONDS", 1.0)
        with pytest.raises(Unsure, match="reported success, but"):
            found.perform(impatient)


def another_answers(found: World) -> None:
    """From now on it is another pool that answers in the south."""
    (south,) = (pool for pool in found.lab.estate.pools if pool.record["name_label"] == "south")
    with south.db.lock:
        south.db.write("pool", south.ref, uuid="99999999-0000-4000-8000-000000000000")


def test_what_was_approved_for_one_pool_is_not_done_to_another_in_its_place() -> None:
    with world(two_pools(), all_pools=True) as found:
        plan = asked(found, "web-7 to pool south")
        another_answers(found)
        with pytest.raises(Refused, match="Another pool answers under the name south"):
            found.replanned(plan)
        with pytest.raises(Failed, match="nothing was sent: Another pool answers"):
            found.perform(plan)
        calls = found.lab.calls()
        assert not {"host.migrate_receive", "Async.VM.migrate_send"} & set(calls)
        assert seen(found, "n1", plan.touches[0].uuid) is not None


def test_between_the_two_calls_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a sender was let in is not where it would be sent to any more."""
    send = XapiHands.send
    with world(two_pools(), all_pools=True) as found:
        plan = asked(found, "web-7 to pool south")

        def replaced(hands: XapiHands, step: Step, results: Mapping[int, str]) -> str:
            answer = send(hands, step, results)
            if step.call == "host.migrate_receive":
                another_answers(found)
            return answer

        monkeypatch.setattr(XapiHands, "send", replaced)
        with pytest.raises(Failed, match="nothing was sent: Another pool answers"):
            found.perform(plan)
        assert "Async.VM.migrate_send" not in found.lab.calls()
        assert seen(found, "n1", plan.touches[0].uuid) is not None


def test_what_another_pool_in_its_place_shows_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    look = XapiHands.task
    with world(two_pools(), all_pools=True, speed=50) as found:
        plan = asked(found, "web-7 to pool south host s2")
        impatient = replace(plan, steps=(plan.steps[0], replace(plan.steps[1], away_seconds=0)))

        def replaced(hands: XapiHands, task_uuid: str) -> Any:
            another_answers(found)
            return look(hands, task_uuid)

        monkeypatch.setattr(XapiHands, "task", replaced)
        monkeypatch.setattr(verifying, "VERIFY_SECONDS", 1.0)
        with pytest.raises(Unsure, match="reported success, but Another pool answers under the name south"):
            found.perform(impatient)


def test_what_the_other_pool_has_is_called_by_its_name_in_errors() -> None:
    with world(two_pools(disabled), all_pools=True) as found:
        _, hands, _, task = begun(found, HERE_TO)
        limit = time.monotonic() + 60
        while (view := hands.task(task)).status is TaskStatus.PENDING:
            assert time.monotonic() < limit
            time.sleep(0.02)
        text, remedy = hands.explain(view.error)
        assert "s1" in text
        assert "OpaqueRef" not in f"{text} {remedy}"


# --- what is approved, and what spoils it -----------------------------------------------------------------------------


def test_the_plan_is_about_both_pools(pools: World) -> None:
    plan = asked(pools, "web-7 to pool south")
    assert [pool.name for pool in plan.pools] == ["north", "south"]
    receive, send = plan.steps
    assert (receive.target, send.target) == (PoolTarget(plan.pools[1].uuid), PoolTarget(plan.pool.uuid))
    assert MapOf(0) in send.arguments
    assert not is_needed(plan, 0), "what lets the sender in is kept by nobody"
    assert {each.at for each in send.arguments if isinstance(each, ObjectMap)} == {receive.target}


def differs(change: Callable[[World], None], text: str = "web-7 to pool south") -> bool:
    """Does the same plan, made again after a change, differ from what was approved (or is it blocked by now)?"""
    with world(two_pools(), all_pools=True) as found:
        plan = asked(found, text)
        change(found)
        again = found.replanned(plan)
        return again.digest() != plan.digest()


def test_what_changes_there_makes_the_approval_stale_and_what_does_not_matter_does_not() -> None:
    def host_disabled(found: World) -> None:
        api = found.host_api("s1")
        api.host.disable(api.host.get_by_name_label("s1")[0])

    def network_gone(found: World) -> None:
        api = found.host_api("s1")
        api.network.set_name_label(api.network.get_by_name_label(LAN)[0], "another")

    def moved_here(found: World) -> None:
        api = found.host_api("n1")
        (vm,), (host,) = api.VM.get_by_name_label("web-7"), api.host.get_by_name_label("n2")
        api.VM.pool_migrate(vm, host, {})

    def another_starts(found: World) -> None:
        api = found.host_api("n1")
        api.VM.start(api.VM.get_by_name_label("wiki-7")[0], False, False)

    assert differs(host_disabled)
    assert differs(network_gone)
    assert differs(moved_here)
    assert not differs(another_starts)


def test_storage_that_is_gone_there_is_said() -> None:
    with world(two_pools(), all_pools=True) as found:
        plan = asked(found, "web-7 to pool south")
        other = replace(plan, arguments=tuple((k, "gone" if k == "sr" else v) for k, v in plan.arguments))
        with pytest.raises(Refused, match="not in the pool any more"):
            found.replanned(other)


def test_the_tags_of_both_pools_are_read_for_the_policy() -> None:
    with world(two_pools(), all_pools=True) as found:
        watching = replace(found.resolver, watched_tags=frozenset({"pci", "production", "gold"}))
        plan = watching.completed(asked(found, "web-7 to pool south"))
        assert (plan.tags, plan.elsewhere[0].tags) == (("production",), ())
        south = found.host_api("s1")
        south.pool.add_tags(south.pool.get_all()[0], "pci")
        found.api.VM.add_tags(found.ref("VM", "web-7"), "gold")
        again = watching.completed(asked(found, "web-7 to pool south"))
        assert (again.tags, again.elsewhere[0].tags) == (("gold", "production"), ("pci",))
        assert again.digest() != plan.digest()
        assert {(each.pool, tuple(sorted(each.tags))) for each in subjects(again)} == {
            ("north", ("gold", "production")),
            ("south", ("pci",)),
            ("south", ("gold", "pci", "production")),
        }


def test_warnings_are_told(pools: World) -> None:
    plan = asked(pools, "web-7 to pool south")
    assert [finding.id for finding in plan.findings if finding.verdict is Verdict.WARN] == ["pools.reach"]
    assert "10.0.0.151" in plan.warnings[0].evidence


def test_what_stays_behind_and_what_is_there_twice_is_warned_of() -> None:
    def ties(north: Made, south: Made) -> None:
        row_of(north)["appliance"] = "OpaqueRef:vapp"
        south.row("VM", "mail-8")["name_label"] = "web-7"
        south.vifs("web-7")[0]["MAC"] = north.vifs("web-7")[0]["MAC"]

    with world(two_pools(ties), all_pools=True) as found:
        warned = [finding.id for finding in asked(found, HERE_TO).warnings]
        assert {"vm.appliance", "vm.namesake", "vm.mac"} <= set(warned)
        assert found.plan(f"vm migrate {HERE_TO} in north").go_back.split()[2].count("-") == 4, (
            "named by its uuid there"
        )
