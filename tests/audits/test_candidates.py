"""Could a host that stands alone join the pool today? Asked over the wire, both sides only read."""

from __future__ import annotations

from bot.audits import candidates
from bot.clock import SystemClock
from bot.findings import Drift
from bot.model import Level
from tests.commands.world import Made, World, world


def audited(found: World) -> dict[tuple[str, str], Drift]:
    looked = candidates.look(found.view, found.pools, SystemClock())
    assert len({drift.key for drift in looked.found}) == len(looked.found)
    # How far two clocks are proved to be apart depends on the machine's pace.
    return {(drift.subject.name, drift.rule): drift for drift in looked.found if drift.rule != "join.clock"}


def test_each_host_is_held_against_the_pool() -> None:
    """xs2 is of the pool's kind; xs3 has another CPU."""
    with world("tutorial-start") as found:
        drifts = audited(found)
        assert {key for key, drift in drifts.items() if drift.level is Level.WARN} == {("xs3", "cpu.features")}
        drift = drifts["xs3", "cpu.features"]
        assert drift.text.startswith("xs3 could not join xs1 today")
        assert "movbe" in drift.evidence
        assert "host mask-cpu xs3 like xs1" in drift.remedy
        assert {name for (name, _), drift in drifts.items() if drift.level is Level.INFO} == {"xs2", "xs3"}


def test_nothing_is_changed_on_either_side() -> None:
    with world("tutorial-start") as found:
        audited(found)
        assert all(call.split(".")[1].startswith(("get_", "login", "from")) for call in found.lab.calls()), (
            found.lab.calls()
        )


def test_what_is_found_is_what_host_add_says() -> None:
    with world("tutorial-start") as found:
        drifts = audited(found)
        plan = found.plan("host add xs3 to xs1")
        assert {finding.id for finding in plan.blockers} == {
            rule for (name, rule), drift in drifts.items() if name == "xs3" and drift.level is Level.WARN
        }


def test_a_host_that_is_away_is_a_finding_and_the_others_are_looked_at() -> None:
    with world("tutorial-start") as found:
        found.lab.kill("xs2")
        drifts = audited(found)
        assert drifts["xs2", "candidate.answers"].level is Level.WARN
        assert drifts["xs2", "candidate.answers"].evidence
        assert ("xs3", "cpu.features") in drifts


def test_a_host_that_has_joined_is_no_candidate_any_more() -> None:
    with world("tutorial-start") as found:
        plan = found.plan("host add xs2 to xs1")
        found.perform(plan)
        assert {name for name, _ in audited(found)} == {"xs3"}


def test_without_candidates_nothing_is_found() -> None:
    def unchanged(_: Made) -> None: ...

    with world("current", unchanged) as found:
        assert audited(found) == {}
