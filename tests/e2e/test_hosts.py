"""Hosts and the whole pool, from the slash command to the pretend pool: the coordinator's role handed over with the bot
following, a host that dies while it is emptied, a drill, and the pool's end.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.model import State
from tests.e2e.conftest import Town, text_of, town
from tests.e2e.people import approved_by_two, done, note
from tests.waiting import eventually

LONG = 120.0


def coordinator(place: Town, host: str) -> str:
    """Asked of that very host, which has to lead."""
    api = place.xenapi(host)
    (pool,) = api.pool.get_all_records().values()
    return str(api.host.get_name_label(pool["master"]))


def test_the_coordinator_changes_and_the_bot_follows(lab_town: Town) -> None:
    lab_town.lab.set_speed(100.0)
    done(lab_town, "pool coordinator xs2", LONG)
    assert coordinator(lab_town, "xs2") == "xs2"
    # It reads from the new one, and acts through it.
    assert "xs2 (coordinator)" in lab_town.say("pool status")
    done(lab_town, "vm start wiki-1 on xs1", LONG)
    assert lab_town.host_of("wiki-1", "xs2") == "xs1"
    assert "coordinator already" in lab_town.say("pool coordinator xs2")


def test_a_host_that_dies_while_it_is_emptied_is_stated_as_it_is(lab_town: Town) -> None:
    lab_town.lab.set_speed(200.0)
    done(lab_town, "vm eject files-1")
    done(lab_town, "vm shutdown legacy-1 force")
    # Slow enough that most of the VMs are still there when the first one is seen to have left.
    lab_town.lab.set_speed(5.0)
    request_id = lab_town.ask("host maintenance xs2 on")
    lab_town.press("Approve", request_id)

    def one_has_moved() -> bool:
        api = lab_town.xenapi()
        return any(lab_town.host_of(vm) == "xs1" for vm in ("web-2", "db-2", "dc-1", "files-1")) and bool(api)

    eventually(one_has_moved, "the first VM to leave", LONG)
    lab_town.lab.kill("xs2")
    lab_town.lab.set_speed(500.0)
    request = lab_town.ended(request_id, LONG)
    assert request.state is State.FAILED, request.result
    assert request.result
    told = "\n".join(request.result.lines)
    moved = [vm for vm in ("web-2", "db-2", "dc-1", "files-1") if lab_town.host_of(vm) == "xs1"]
    assert moved
    for vm in moved:
        assert f"stays done: Move {vm} from xs2 to xs1" in told
    # The host could not be enabled again, and that is said; the mark is gone.
    assert "could not be undone: Disable xs2" in told
    api = lab_town.xenapi()
    (host,) = api.host.get_by_name_label("xs2")
    assert "MAINTENANCE_MODE" not in api.host.get_other_config(host)
    offered = text_of(note(lab_town, request))
    assert "Go on" in offered
    assert "Bring back" in offered


def test_a_drill_is_watched_and_others_need_not_wait(tmp_path: Path) -> None:
    with town(tmp_path, "healthy", speed=100.0) as place:
        request_id = place.ask("ha test xs33")
        place.press("Approve", request_id)
        eventually(lambda: "cut its power now" in text_of(place.card(request_id) or {"blocks": [], "text": ""}), "it")
        # The same host can be asked for meanwhile: the drill holds nothing.
        other = place.ask("ha protect shop-2 restart order 7")
        place.press("Approve", other)
        assert place.ended(other, LONG).state is State.SUCCEEDED
        place.lab.kill("xs33")
        request = place.ended(request_id, LONG)
        assert request.state is State.SUCCEEDED, request.result
        assert request.result
        assert any("xs33 was declared failed" in line for line in request.result.lines)
        assert "Timeline" in text_of(note(place, request))
        assert "xs33 failed" in place.say("ha timeline")


def test_a_drill_can_be_ended(tmp_path: Path) -> None:
    with town(tmp_path, "healthy", speed=100.0) as place:
        request_id = place.ask("ha test xs33")
        place.press("Approve", request_id)
        eventually(lambda: "cut its power now" in text_of(place.card(request_id) or {"blocks": [], "text": ""}), "it")
        place.say(f"request cancel {request_id}")
        request = place.ended(request_id, LONG)
        assert request.state is State.CANCELLED
        assert request.result
        assert "nothing was changed" in request.result.lines


def test_the_whole_pool_is_shut_down_by_two_who_type_its_name(lab_town: Town) -> None:
    lab_town.lab.set_speed(200.0)
    assert "pool shutdown force" in lab_town.say("pool shutdown")
    request_id = approved_by_two(lab_town, "pool shutdown force", "lab")
    request = lab_town.ended(request_id, LONG)
    assert request.state is State.SUCCEEDED, request.result
    assert request.result
    assert request.result.lines[-1] == "no host answers as the coordinator of lab any more"
    told = text_of(note(lab_town, request))
    assert "Switch on xs1, the coordinator" in told
    assert "cannot be reached" in lab_town.say("vm list")
    alive = [host.name for host in lab_town.lab.estate.hosts.values() if host.alive]
    assert alive == ["xs3"], "which stands alone"


@pytest.mark.slow
def test_a_member_that_dies_while_its_vms_and_others_go_down_together_is_stated_as_it_is(tmp_path: Path) -> None:
    with town(tmp_path, "current", speed=200.0) as place:
        assert place.bot is not None
        store = place.bot.store
        before = {name for name, state in guests(place).items() if state == "Running"}
        lost = guests(place, "xs22").keys() & before
        assert len(lost) > 1
        place.lab.set_speed(0.02)
        request_id = approved_by_two(place, "pool shutdown force", place.bot.pools.names()[0])

        def all_begun() -> bool:
            calls = store.calls(request_id)
            return len(calls) == 8 and all(record.task_uuid for record, _ in calls)

        eventually(all_begun, "eight to be on their way", LONG)
        place.lab.kill("xs22")
        place.lab.set_speed(200.0)
        request = place.ended(request_id, LONG)
        assert request.state is State.UNKNOWN, request.result
        assert request.result
        halted = {line.removesuffix(" is halted") for line in request.result.lines if line.endswith(" is halted")}
        for name, state in guests(place).items():
            assert (state == "Halted") is (name in halted or name not in before), name
        # Of those on the dead host nobody knows, or they were not to be reached any more; each is told as that.
        told = "\n".join((request.result.summary, *request.result.lines))
        for name in lost:
            assert f"Shut down {name}: The coordinator lost" in told or f"did not happen: Shut down {name} –" in told
        assert halted == before - lost
        assert not {call for call in place.lab.calls() if call.startswith(("host.disable", "host.shutdown"))}
        assert [host.name for host in place.lab.estate.hosts.values() if not host.alive] == ["xs22"]
        assert place.lab.calls()["Async.VM.clean_shutdown"] == len(store.calls(request_id))


def guests(place: Town, host: str = "") -> dict[str, str]:
    """The power states of the pool's guests by name, as another client sees them; of one host, or of all."""
    api = place.xenapi("xs21")
    ref = api.host.get_by_name_label(host)[0] if host else ""
    return {
        vm["name_label"]: vm["power_state"]
        for vm in api.VM.get_all_records().values()
        if not (vm["is_control_domain"] or vm["is_a_template"] or vm["is_a_snapshot"])
        and (not host or vm["resident_on"] == ref)
    }


def test_a_pool_that_the_bot_runs_in_goes_down_with_it_only_when_it_is_named(tmp_path: Path) -> None:
    def lives_there(text: str) -> str:
        return text.replace("sandbox = true", 'sandbox = true\nruns_on = "mail-1"', 1)

    with town(tmp_path, speed=200.0, change=lives_there) as place:
        told = place.say("pool shutdown force")
        assert "it runs on mail-1 on xs1" in told
        assert "pool shutdown force including mail-1" in told
        request_id = approved_by_two(place, "pool shutdown force including mail-1", "lab")
        request = place.ended(request_id, LONG)
        # Its last word, before its own host goes.
        assert request.state is State.SUCCEEDED, request.result
        assert request.result
        assert request.result.lines[-1].endswith(("xs1 is going down", "as the coordinator of lab any more"))
        assert "Shut down mail-1" not in [step.title for step in request.plan.steps]
