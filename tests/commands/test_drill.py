"""A host's power is cut while the bot watches: what it says beforehand, what it sees, and what is told afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model import Table, Verdict
from bot.rules import aftermath
from bot.run import Failed
from bot.text import duration
from tests.commands.world import Made, World, refused, world


def protected_on(found: World, host: str) -> list[str]:
    return [
        vm["name_label"]
        for vm in found.api.VM.get_all_records().values()
        if vm["ha_restart_priority"] == "restart" and vm["resident_on"] == found.ref("host", host)
    ]


def test_a_member_fails_and_every_protected_vm_is_seen_to_run_again() -> None:
    with world("healthy") as found:
        mine = protected_on(found, "xs33")
        assert mine
        plan = found.plan("ha test xs33")
        assert not plan.blockers
        assert found.replanned(plan).digest() == plan.digest()
        assert all(step.waits for step in plan.steps)
        assert not plan.touches
        assert not plan.whole_pool
        promised = {}
        for name in mine:
            (line,) = [line for line in plan.impact if line.startswith(f"{name} should run again on ")]
            promised[name] = line.rpartition(" ")[2].rstrip(".")
        found.lab.kill("xs33")
        seen = found.perform(plan)
        assert "xs33 was declared failed" in seen[0]
        for name in mine:
            assert any(line.endswith(f" later: {name} runs on {promised[name]}") for line in seen), seen
            assert found.host_of(name) == promised[name]
        assert sum(line.endswith(" is running") for line in seen) == len(mine)
        report = found.report("ha timeline of xs33")
        back = dict(aftermath.restarted(aftermath.failures(found.view.inventory())[0], found.view.inventory()))
        longest = duration(max(back.values()) + 1)  # times of whole seconds: it may have been almost one more
        assert report.title.endswith(f"{len(mine)} VMs started again within {longest}")
        timeline, away = report.parts
        assert isinstance(timeline, Table)
        assert isinstance(away, Table)
        assert timeline.rows[0][2].text == "xs33 was declared failed"
        assert {row[0].text for row in away.rows} == set(mine)
        assert report.suggestions[0].command == "ha timeline of xs33 chart in healthy"
        (picture,) = found.report(report.suggestions[0].command).attachments
        assert picture.data.startswith(b"\x89PNG")
        assert all(name in picture.alt for name in mine)
        # The failure of then is not taken for one of a drill to come.
        found.lab.start("xs33")
        _back(found, "xs33")
        again = found.plan("ha test xs33")
        assert again.steps[0].expect != plan.steps[0].expect


def _back(found: World, host: str) -> None:
    view = found.view
    for _ in range(600):
        inventory = view.inventory()
        if next(each for each in inventory.hosts if each.name == host).live:
            return
    raise AssertionError(f"{host} did not come back")


def test_the_coordinator_fails_and_another_is_seen_to_lead() -> None:
    with world("healthy") as found:
        plan = found.plan("ha test xs31")
        assert plan.steps[1].title == "Wait until another host leads"
        found.lab.kill("xs31")
        seen = found.perform(plan)
        assert any("became the coordinator" in line for line in seen)
        leads = found.view.inventory().pool.coordinator
        assert leads is not None
        assert leads.name != "xs31"
        report = found.report("ha timeline")
        timeline = report.parts[0]
        assert isinstance(timeline, Table)
        assert any("is the coordinator from now on" in row[2].text for row in timeline.rows)


def test_nothing_that_happens_is_said_so_and_changes_nothing() -> None:
    with world("healthy") as found:
        plan = found.plan("ha test xs33")
        hurried = replace(plan.steps[0], limit_seconds=0)
        before = dict(found.lab.calls())
        with pytest.raises(Failed, match="xs33 is alive: cut its power now"):
            found.perform(replace(plan, steps=(hurried,)))
        sent = {call for call, count in found.lab.calls().items() if count > before.get(call, 0)}
        assert not {call for call in sent if call.startswith("Async.") or ".set_" in call}


def test_without_ha_there_is_no_drill(tutorial: World) -> None:
    refusal = refused(tutorial, "ha test xs2")
    assert "is off" in refusal.message
    assert "“ha plan”" in refusal.remedy
    assert "No alert of lab" in refused(tutorial, "ha timeline").message


def test_what_would_be_worse_than_a_drill_is_told() -> None:
    def change(made: Made) -> None:
        made.protect("sql-3", "cache-3", "shop-3", priority="")
        made.host_metrics("xs33")["live"] = True

    with world("healthy", change) as found:
        plan = found.plan("ha test xs33")
        told = {finding.id: finding for finding in plan.warnings}
        assert "drill.protected" in told
        assert "sql-3" in told["drill.protected"].evidence
        assert not plan.blockers


def test_a_dead_host_cannot_be_cut_off_again() -> None:
    with world("healthy", lambda made: made.host_metrics("xs33").update(live=False)) as found:
        (blocker,) = found.plan("ha test xs33").blockers
        assert blocker.id == "host.live"


def test_the_bot_does_not_watch_its_own_end() -> None:
    with world("healthy") as found:
        vm = protected_on(found, "xs33")[0]
        found.resolver = replace(found.resolver, runs_on=vm)
        (blocker,) = found.plan("ha test xs33").blockers
        assert (blocker.id, blocker.verdict) == ("drill.bot-elsewhere", Verdict.BLOCK)
        assert not found.plan("ha test xs32").blockers
