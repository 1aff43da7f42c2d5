"""The tutorial's way to a pool, by Slack commands only: one joins, one is masked and joins, one goes again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.model import Risk, State
from tests.e2e.conftest import Town, text_of, town
from tests.e2e.people import approved_by_two, done
from tests.waiting import eventually


@pytest.fixture
def beginning(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path, "tutorial-start", speed=200.0) as place:
        yield place


def hosts(place: Town) -> set[str]:
    return {row["name_label"] for row in place.xenapi("xs1").host.get_all_records().values() if row["enabled"]}


def test_hosts_become_a_pool_and_one_leaves_again(beginning: Town) -> None:
    request_id = beginning.ask("host add xs2")
    assert "asked for this yourself" in beginning.press("Approve", request_id, who="olga")
    beginning.press("Approve", request_id)
    assert beginning.ended(request_id, 180.0).state is State.SUCCEEDED

    def told() -> bool:
        card = beginning.card(request_id)
        return card is not None and "What to do: [pools.xs1] of the configuration" in text_of(card)

    eventually(told, "what people have to do then")
    assert hosts(beginning) == {"xs1", "xs2"}
    answer = beginning.say("host add xs3 to xs1")
    assert "not possible" in answer
    assert "movbe" in answer
    assert "host mask-cpu xs3 like xs1" in answer
    done(beginning, "host mask-cpu xs3 like xs1")
    done(beginning, "host add xs3 to xs1")
    assert hosts(beginning) == {"xs1", "xs2", "xs3"}
    assert "xs2" in beginning.say("host list")
    assert "is in xs1 already" in beginning.say("host add xs2")
    request_id = approved_by_two(beginning, "host remove xs2", "xs2")
    assert beginning.ended(request_id, 180.0).state is State.SUCCEEDED
    assert hosts(beginning) == {"xs1", "xs3"}
    assert beginning.xenapi("xs2").pool.get_all()


def test_force_is_destructive_and_takes_two_people(beginning: Town) -> None:
    request_id = approved_by_two(beginning, "host add xs3 force", "xs1")
    request = beginning.ended(request_id, 180.0)
    assert request.state is State.SUCCEEDED, request.result
    assert request.plan.risk is Risk.DESTRUCTIVE
    assert hosts(beginning) == {"xs1", "xs3"}


def test_a_lost_answer_is_found_in_the_pool_and_nothing_is_sent_twice(beginning: Town) -> None:
    beginning.lab.drop("xs2", "after", 1, "Async.pool.join")
    done(beginning, "host add xs2")
    assert hosts(beginning) == {"xs1", "xs2"}
    assert beginning.lab.calls()["Async.pool.join"] == 1


def test_a_call_that_never_arrived_is_told_as_such_and_can_be_asked_again(beginning: Town) -> None:
    beginning.lab.drop("xs2", "before", 1, "Async.pool.join")
    request_id = beginning.ask("host add xs2")
    beginning.press("Approve", request_id)
    request = beginning.ended(request_id, 180.0)
    assert request.state is State.FAILED
    assert request.result is not None
    assert "never reached" in request.result.summary + " ".join(request.result.lines)
    assert hosts(beginning) == {"xs1"}
    done(beginning, "host add xs2")
    assert hosts(beginning) == {"xs1", "xs2"}


def test_the_password_of_the_pool_is_told_nowhere(beginning: Town) -> None:
    done(beginning, "host add xs2")
    assert beginning.bot is not None
    secret = beginning.lab.password
    assert len(secret) > 3
    everything = [str(row.body) for row in beginning.bot.store.ledger(pools=None, last=200)]
    everything += [str(message) for message in beginning.workspace.messages("#infra", "olga")]
    assert any("pool.join" in each for each in everything)
    assert not any(f"'{secret}'" in each or f'"{secret}"' in each for each in everything)
