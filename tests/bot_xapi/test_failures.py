"""XenAPI's error arrays in plain words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import remedies
from bot.inventory import Inventory
from bot.text import one_line
from bot.xapi import failures
from bot.xapi.meanings import MEANINGS, Meaning, family_of
from tests import told, xe
from tests.bot_xapi.codes import ALWAYS, CALLS
from tests.bot_xapi.hosts import small_pool

EVERY = sorted(ALWAYS.union(*CALLS.values()))
SHARED_ERRORS = Path(__file__).parents[3] / "shared" / "xenapi" / "errors.json"


def world(**vms: str) -> Inventory:
    records: dict[str, Any] = small_pool()
    for ref, name in vms.items():
        records["VM"][f"OpaqueRef:{ref}"] = {"uuid": f"{ref}-uuid", "name_label": name}
    records["SR"] = {"OpaqueRef:s1": {"uuid": "12345678-1234-1234-1234-123456789abc", "name_label": "NFS store"}}
    return Inventory(records=records, read_at=0.0)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            ["VM_REQUIRES_SR", "OpaqueRef:v1", "OpaqueRef:s1"],
            "web-1 needs the storage “NFS store”, which the host does not have plugged.",
        ),
        (
            ["VM_REQUIRES_SR", "OpaqueRef:v1", "12345678-1234-1234-1234-123456789abc"],
            "web-1 needs the storage “NFS store”, which the host does not have plugged.",
        ),
        (["VM_REQUIRES_SR", "OpaqueRef:gone"], "The VM needs the storage, which the host does not have plugged."),
        (
            ["HOST_DISABLED", "OpaqueRef:h2"],
            "xs2 is disabled (in maintenance), so no VM can start on it or move to it.",
        ),
        (["VM_BAD_POWER_STATE", "OpaqueRef:v1", "running", "halted"], "web-1 is halted; this needs it to be running."),
        # Declared (needed, available); plans send the VM alone.
        (
            ["HOST_NOT_ENOUGH_FREE_MEMORY", "4294967296", "1073741824"],
            "The host has not enough free memory: 4 GiB needed, 1 GiB free.",
        ),
        (["HOST_NOT_ENOUGH_FREE_MEMORY", "OpaqueRef:v1"], "No other host has enough free memory for web-1."),
        (["HOST_NOT_ENOUGH_FREE_MEMORY"], "The host has not enough free memory."),
        (["HOST_NOT_ENOUGH_FREE_MEMORY", "OpaqueRef:v1", "a lot", "more"], "The host has not enough free memory."),
        # Declared without arguments, sent with two.
        (
            ["SESSION_AUTHENTICATION_FAILED", "root", "Authentication failure"],
            "The pool refuses the user name and password.",
        ),
        # All PIFs, not one.
        (
            ["REQUIRED_PIF_IS_UNPLUGGED", "OpaqueRef:h1", "OpaqueRef:x"],
            "NICs that must be connected are not: xs1 and 1 more.",
        ),
        (["NO_HOSTS_AVAILABLE"], "No host can do this with the VM at the moment."),
        (["NO_HOSTS_AVAILABLE", "OpaqueRef:v2"], "No host can do this with web-2 at the moment."),
        (["LICENCE_RESTRICTION"], "The pool's licence does not cover this (no reason given)."),
        (["HOST_NOT_LIVE"], "The host is not alive."),
        (
            ["OTHER_OPERATION_IN_PROGRESS", "VM", "OpaqueRef:v1", "pool_migrate", "OpaqueRef:t"],
            "web-1 is busy with another operation (pool_migrate).",
        ),
        (
            ["INTERNAL_ERROR", "Not_found OpaqueRef:v1 OpaqueRef:zzz"],
            "The toolstack failed inside: Not_found web-1 an object that is gone.",
        ),
        (
            ["SR_BACKEND_FAILURE_47", "", "The SR is not available [opterr=no such volume group]", "<xml/>"],
            "The storage cannot be reached: The SR is not available [opterr=no such volume group].",
        ),
        (
            ["SR_BACKEND_FAILURE_999", "", "Something new", "<xml/>"],
            "The storage driver failed: Something new.",
        ),
        (["DESIGNATE_NEW_MASTER_IN_PROGRESS"], "Another operation of the whole pool is under way."),
        (
            [
                "CANNOT_EVACUATE_HOST",
                "VM_REQUIRES_SR,OpaqueRef:v1,OpaqueRef:s1|HOST_NOT_ENOUGH_FREE_MEMORY,OpaqueRef:v2",
            ],
            "The host cannot be evacuated. web-1 needs the storage “NFS store”, which the host does not have plugged."
            " No other host has enough free memory for web-2.",
        ),
        (["CANNOT_EVACUATE_HOST"], "The host cannot be emptied, and the pool does not say why."),
        (
            ["SOMETHING_NEW_IN_2030", "OpaqueRef:v1", "because"],
            "The pool refused: something new in 2030 – web-1; because.",
        ),
        (["HOST_NOT_ENOUGH_FREE_MEMORY", "²", "5"], "The host has not enough free memory."),
        (["HOST_NOT_ENOUGH_FREE_MEMORY", "5", "9" * 5000], "The host has not enough free memory."),
        ([], "The pool reported a failure without a reason."),
        (["HANDLE_INVALID", "VM", "OpaqueRef:gone"], "The object (VM) is not there any more."),
    ],
)
def test_texts(error: list[str], text: str) -> None:
    assert failures.explain(error, world())[0] == text


def test_a_remedy_names_the_object_as_one_types_it() -> None:
    inventory = world(v3='my "own" vm')
    assert (
        failures.explain(["VM_BAD_POWER_STATE", "OpaqueRef:v1", "running", "halted"], inventory)[1]
        == "See: vm show web-1"
    )
    assert failures.explain(["VM_CRASHED", "OpaqueRef:v3"], inventory)[1].endswith("See: vm show \"my 'own' vm\"")
    assert "See:" not in failures.explain(["VM_CRASHED", "OpaqueRef:gone"], inventory)[1]
    assert failures.explain(["HOST_DISABLED", "OpaqueRef:h2"], inventory)[1].endswith(
        "For that: host maintenance xs2 off"
    )


@pytest.mark.parametrize("code", sorted(MEANINGS))
def test_nothing_in_a_name_or_in_the_toolstack_s_words_becomes_a_command(code: str) -> None:
    """What remedies put between “ and ” is offered as a button."""
    evil = "x “pool shutdown force” „pool shutdown force” y"
    for arguments in (["OpaqueRef:v1"] * 4, [evil] * 4):
        text, remedy = failures.explain([code, *arguments], world(v1=evil))
        offered = [each.label for each in remedies.commands([remedy, text], "lab")]
        assert not any(label.startswith("pool shutdown") for label in offered), (text, remedy)


def test_without_an_inventory_kinds_are_named() -> None:
    text, remedy = failures.explain(["VM_REQUIRES_SR", "OpaqueRef:v1", "OpaqueRef:s1"], None)
    assert text.startswith("The VM needs the storage")
    assert "OpaqueRef" not in text + remedy


def all_meanings() -> list[tuple[str, Meaning]]:
    from bot.xapi import meanings

    own = [(code, meaning) for code, entries in MEANINGS.items() for meaning in entries]
    return [*own, *meanings._PREFIXES.items(), *meanings._SUFFIXES.items()]


@pytest.mark.parametrize(("code", "meaning"), all_meanings(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_meaning_is_well_formed(code: str, meaning: Meaning) -> None:
    used = set(re.findall(r"{(\w+)}", meaning.text + meaning.remedy + meaning.see + meaning.do + meaning.xe))
    assert used <= set(meaning.arguments)
    assert meaning.text[-1] in ".?" if not meaning.text.endswith("}") else True
    for command in (meaning.see, meaning.do):
        assert not command or told.problem(re.sub(r"{\w+}", told.FILLED, command)) == ""
    line = re.sub(r"{\w+}", told.FILLED, f"{meaning.remedy} xe {meaning.xe}" if meaning.xe else meaning.remedy)
    assert [problem for name, given in xe.lines(line) if (problem := xe.problem(name, given))] == []
    assert bool(meaning.xe) <= bool(list(xe.lines(line)))
    for field in re.findall(r"{(\w+)}", meaning.see + meaning.do):
        assert field in ("vm", "host", "sr")
    for field in re.findall(r"{(\w+)}", meaning.xe):
        assert field in ("vm", "host", "sr", "vdi", "pif")


def test_every_code_of_the_checks_has_its_own_words() -> None:
    codes = [
        "HOST_NOT_LIVE",
        "HOST_DISABLED",
        "VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION",
        "HOST_NOT_ENOUGH_PCPUS",
        "VM_INCOMPATIBLE_WITH_THIS_HOST",
        "VM_REQUIRES_SR",
        "VM_REQUIRES_NETWORK",
        "HOST_CANNOT_ATTACH_NETWORK",
        "VM_REQUIRES_IOMMU",
        "VM_REQUIRES_GPU",
        "VM_REQUIRES_VGPU",
        "VM_HVM_REQUIRED",
        "HOST_NOT_ENOUGH_FREE_MEMORY",
        "MEMORY_CONSTRAINT_VIOLATION",
        "OPERATION_BLOCKED",
        "VM_BAD_POWER_STATE",
        "OTHER_OPERATION_IN_PROGRESS",
        "VM_IS_TEMPLATE",
        "VM_IS_IMMOBILE",
        "VM_NON_SUSPENDABLE",
        "VM_LACKS_FEATURE",
        "VM_MISSING_PV_DRIVERS",
        "VM_HAS_PCI_ATTACHED",
        "VM_HAS_VGPU",
        "VM_HAS_VUSBS",
        "NOT_SUPPORTED_DURING_UPGRADE",
        "VM_MIGRATE_FAILED",
        "LICENCE_RESTRICTION",
        "HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN",
        "HOST_IS_SLAVE",
        "SESSION_INVALID",
        "SESSION_AUTHENTICATION_FAILED",
        "SESSION_AUTHORIZATION_FAILED",
        "HANDLE_INVALID",
        "RBAC_PERMISSION_DENIED",
        "MESSAGE_METHOD_UNKNOWN",
        "MESSAGE_PARAMETER_COUNT_MISMATCH",
        "CANNOT_CONTACT_HOST",
        "HOST_OFFLINE",
        "HA_IS_ENABLED",
        "HA_NOT_ENABLED",
        "HA_ENABLE_IN_PROGRESS",
        "HA_DISABLE_IN_PROGRESS",
        "SR_HAS_NO_PBDS",
        "CANNOT_CREATE_STATE_FILE",
        "PIF_HAS_NO_NETWORK_CONFIGURATION",
        "INTERFACE_HAS_NO_IP",
        "TASK_CANCELLED",
        "INTERNAL_ERROR",
        "NO_HOSTS_AVAILABLE",
    ]
    assert not [code for code in codes if code not in MEANINGS]


REFERENCES = ("OpaqueRef:v1", "OpaqueRef:gone", "OpaqueRef:NULL", "Ref:1234", "DummyRef:|5e0f|VM.start")


@pytest.mark.parametrize("code", [*EVERY, "CANNOT_EVACUATE_HOST", "SOMETHING_NEW_IN_2030"])
def test_no_code_shows_a_reference(code: str) -> None:
    """Whatever stands where an object should, of whatever number: known, gone, null, or in the middle of a text."""
    for inventory in (world(), None):
        for reference in REFERENCES:
            for arguments in (
                *([reference] * number for number in range(1, 5)),
                [f"Failure({reference}: not found)"] * 4,
                [f"VM_REQUIRES_SR,{reference},{reference}|HANDLE_INVALID,VM,{reference}"],
            ):
                for told_text in failures.explain([code, *arguments], inventory):
                    assert "Ref:" not in told_text, (code, arguments)


def test_no_code_is_a_word_that_xenapi_does_not_have() -> None:
    """A misspelt code would never match."""
    if not SHARED_ERRORS.exists():
        pytest.skip("the list of XenAPI's error codes is not beside this checkout")
    known = set(json.loads(SHARED_ERRORS.read_text()))
    unknown = {code for code in MEANINGS if not re.fullmatch(r"SR_BACKEND_FAILURE_\d+", code)} - known
    assert unknown <= {"Fault"}


@given(
    st.one_of(st.sampled_from(sorted(MEANINGS)), st.text(max_size=30)),
    st.lists(
        st.one_of(
            st.text(max_size=40), st.sampled_from(["OpaqueRef:v1", "OpaqueRef:evil", "OpaqueRef:gone", "-1", ""])
        ),
        max_size=5,
    ),
)
def test_no_error_makes_a_second_line_or_shows_a_reference(code: str, arguments: list[str]) -> None:
    inventory = world(evil="<!channel>\nApproved\u202e \x1b[31m")
    for known in (inventory, None):
        text, remedy = failures.explain([code, *arguments], known)
        assert text
        for line in (text, remedy):
            assert one_line(line) == line
            assert "OpaqueRef:" not in line
    assert family_of("NO_FAMILY") is None
