"""The roles that accounts need: as the data model has them, and for every command there is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import commands
from bot.model import Risk
from bot.registry import Registry, Scope
from bot.rules.roles import CALLS_OF, ROLE_OF, Role, refused, role_for
from bot.xapi.readonly import is_read_only
from sandbox.xapi.model import model

ROOT = Path(__file__).parents[2]
CALL = re.compile(r"[A-Za-z]+\.[a-z_0-9]+\Z")


def strings(folder: str) -> set[str]:
    """Every text in the code below a folder."""
    return {
        node.value
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


MODEL = model("26.9.0")
MESSAGES = {message.wire_name: message for cls in MODEL.classes.values() for message in cls.messages.values()}


@pytest.mark.parametrize("call", sorted(call for call in ROLE_OF if not call.startswith("http/")))
def test_each_call_s_role_is_the_data_model_s(call: str) -> None:
    assert str(ROLE_OF[call]) == MESSAGES[call].role


def test_every_call_with_effect_that_commands_can_plan_is_here() -> None:
    """Messages of the data model that stand as texts where plans are made."""
    named = {text for folder in ("commands", "bot/planning") for text in strings(folder) if CALL.match(text)}
    with_effect = {text for text in named if text in MESSAGES and not is_read_only(text)}
    assert with_effect <= ROLE_OF.keys(), "say their role in bot/rules/roles.py"


def test_every_command_that_changes_a_pool_is_here() -> None:
    changing = {each.name for each in Registry.of_package(commands) if each.risk is not Risk.READ}
    about_the_bot = {each for each in changing if each.startswith(("request ", "audit "))}
    missing = changing - about_the_bot - CALLS_OF.keys()
    assert not missing, "say their calls in CALLS_OF of bot/rules/roles.py"
    assert {call for calls in CALLS_OF.values() for call in calls} <= ROLE_OF.keys()


def test_what_only_looks_needs_the_least_role() -> None:
    for each in Registry.of_package(commands):
        if each.risk is Risk.READ and each.scope is Scope.POOL:
            assert role_for(each.name) is Role.READ_ONLY, each.name


def test_what_looking_takes_more_than_reading_is_here() -> None:
    for folder in ("commands", "bot/audits", "bot/planning", "bot/rules"):
        for text in strings(folder):
            if text in MESSAGES and is_read_only(text):
                assert MESSAGES[text].role == "read-only" or text in ROLE_OF, f"say its role: {text}"


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ("vm start", "vm-power-admin"),
        ("vm suspend", "vm-operator"),
        ("ha enable", "pool-operator"),
        ("vm list", "read-only"),
    ],
)
def test_a_command_needs_its_highest_call_s_role(command: str, role: str) -> None:
    assert str(role_for(command)) == role


def test_what_an_account_cannot_do_is_told_by_its_permissions() -> None:
    everything = ("vm list", "vm suspend", "vm start", "ha enable")
    assert refused(everything, None) == ()
    assert refused(everything, {"VM.suspend", "vm.start", "vm.get_all"}) == ("vm start", "ha enable")
    assert refused(everything, ()) == ("vm suspend", "vm start", "ha enable")
