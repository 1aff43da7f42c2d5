"""What is asked of hosts and pools, of real databases: a plan that can be made again, or a refusal; never a defect."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import UserError
from bot.inventory import Host
from bot.model import Plan
from sandbox.xapi.worlds import dump
from tests.commands.world import World, world
from tests.sandbox_xapi.worlds.shared import DUMPS, needs_pools

OF_A_HOST = (
    "pool coordinator {}",
    "host maintenance {} on",
    "host maintenance {} off",
    "host reboot {}",
    "host reboot {} handover",
    "host shutdown {}",
    "host start {}",
    "ha test {}",
    "ha timeline of {}",
)
OF_THE_POOL = ("pool shutdown", "pool shutdown force", "ha timeline")


def tried(found: World, text: str) -> str:
    try:
        answer = found.answer(text)
    except UserError as error:
        return error.message
    if isinstance(answer, Plan):
        assert found.replanned(answer).digest() == answer.digest(), text
        words = [answer.title, answer.go_back, *answer.impact, *answer.reasons, *(step.title for step in answer.steps)]
        words += [part for each in answer.findings for part in (each.title, each.evidence, each.remedy)]
        return "\n".join(words)
    return answer.title


@needs_pools
@pytest.mark.parametrize("upgraded", [False, True], ids=["as dumped", "upgraded"])
@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.stem)
def test_every_question_has_an_answer_without_a_reference_in_it(path: Path, upgraded: bool) -> None:
    with world(dump.lab(path, upgraded=upgraded)) as found:
        try:
            hosts = [host.uuid for host in found.view.inventory().hosts]
        except UserError:
            pytest.skip("no coordinator can serve this database")
        # Before 6.0 there are no events: each question reads every class anew.
        asked = hosts if upgraded else hosts[:1]
        told = [tried(found, text.format(uuid)) for uuid in asked for text in OF_A_HOST]
        told += [tried(found, text) for text in OF_THE_POOL]
        assert hosts
        assert "OpaqueRef" not in "\n".join(told)
        assert found.view.inventory().by_uuid(Host, hosts[0]) is not None
