"""Whatever a call of the bot can be refused with has words and a remedy."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import bot
import commands
from bot.xapi.meanings import MEANINGS, drivers, family_of, hosts, vms
from bot.xapi.meanings.meaning import BUG
from tests.bot_xapi.codes import ALWAYS, CALLS

ROOT = Path(bot.__file__).parents[1]
MODEL = json.loads((ROOT / "sandbox" / "xapi" / "data" / "model.json").read_text(encoding="utf-8"))
SHARED = ROOT.parent / "shared" / "xenapi"
SOURCES = sorted(
    path
    for root in (Path(bot.__file__).parent, Path(commands.__file__).parent)
    for path in root.rglob("*.py")
    if "demo" not in path.parts
)
#: Where a plan's call is put together, and the operations on VMs that it can be.
PUT_TOGETHER = "bot/planning/vms.py"
OPERATIONS = {
    *("clean_reboot", "clean_shutdown", "hard_reboot", "hard_shutdown", "pool_migrate", "resume_on", "start_on"),
    *("snapshot", "snapshot_with_quiesce", "suspend"),
}
EVERY = sorted(ALWAYS.union(*CALLS.values()))


def texts(path: Path) -> Iterator[str]:
    """The string constants of a module, in f-strings with an ellipsis for what is filled in."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(
                part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "…"
                for part in node.values
            )


def is_call(text: str) -> bool:
    """Getters and setters of fields are not in question: they refuse nothing that not every call refuses."""
    cls, _, name = text.removeprefix("Async.").partition(".")
    return name in MODEL["classes"].get(cls, {}).get("messages", {}) and name != "get_all_records"


def test_every_call_of_the_bot_is_in_the_table() -> None:
    made = {text.removeprefix("Async.") for path in SOURCES for text in texts(path) if is_call(text)}
    assert {"VM.pool_migrate", "pool.join_force", "host.power_on", "PBD.plug", "task.cancel"} <= made
    assert made - set(CALLS) == set()


def test_calls_that_are_put_together_are_known() -> None:
    found = {str(path.relative_to(ROOT)) for path in SOURCES if "VM.…" in set(texts(path))}
    assert found == {PUT_TOGETHER}
    assert {f"VM.{operation}" for operation in OPERATIONS} <= set(CALLS)


@pytest.mark.parametrize("code", EVERY)
def test_every_code_has_words_and_a_remedy(code: str) -> None:
    meanings = MEANINGS.get(code) or (family_of(code),)
    for meaning in meanings:
        assert meaning is not None
        assert meaning.text
        assert meaning.remedy or meaning.do or meaning.see or meaning.xe


def test_every_meaning_has_a_remedy() -> None:
    families = {**vms.PREFIXES, **hosts.PREFIXES, **drivers.PREFIXES, **hosts.SUFFIXES}
    every = [*((code, each) for code, all_ in MEANINGS.items() for each in all_), *families.items()]
    without = [code for code, m in every if not (m.remedy or m.do or m.see or m.xe)]
    assert without == []


def test_what_only_the_bot_can_get_wrong_is_called_its_mistake() -> None:
    for code in ("FIELD_TYPE_ERROR", "XMLRPC_UNMARSHAL_FAILURE", "VDI_NOT_IN_MAP", "Fault"):
        assert [meaning.remedy for meaning in MEANINGS[code]] == [BUG], code


@pytest.fixture(scope="module")
def shared_errors() -> dict[str, Any]:
    if not SHARED.exists():
        pytest.skip("the list of XenAPI's error codes is not beside this checkout")
    errors: dict[str, Any] = json.loads((SHARED / "errors.json").read_text(encoding="utf-8"))
    return errors


def test_the_table_has_only_codes_that_exist(shared_errors: dict[str, Any]) -> None:
    unknown = {code for code in EVERY if code not in shared_errors and not code.startswith("SR_BACKEND_FAILURE_")}
    assert unknown == {"Fault"}


def test_the_table_has_what_the_data_model_declares(shared_errors: dict[str, Any]) -> None:
    classes = json.loads((SHARED / "datamodel.json").read_text(encoding="utf-8"))["classes"]
    for call, codes in CALLS.items():
        cls, name = call.split(".")
        declared = set(classes[cls]["messages"][name].get("errors") or ())
        assert declared <= codes | ALWAYS, call
