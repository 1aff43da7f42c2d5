"""Values that XenAPI does not promise, and addresses that nobody has: told as what they are, never a defect."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bot.errors import Unavailable
from bot.inventory import CLASSES, VM, Inventory, fraction
from bot.xapi.addresses import split
from bot.xapi.tasks import view_of
from tests.bot_xapi.conftest import Serve, SessionWith, plain
from tests.bot_xapi.hosts import Failure


@pytest.mark.parametrize(
    ("value", "share"),
    [
        (0.5, 0.5),
        ("0.25", 0.25),
        (-1, 0.0),
        (7, 1.0),
        ("inf", 1.0),
        (math.nan, 0.0),
        ("nan", 0.0),
        ("", 0.0),
        (None, 0.0),
    ],
    ids=str,
)
def test_a_task_s_progress_is_always_a_share(value: Any, share: float) -> None:
    assert fraction(value) == share
    assert view_of({"progress": value, "status": "pending"}).progress == share


@pytest.mark.parametrize(
    "value", [math.inf, math.nan, "9" * 5000, "²", None, [], "0x10"], ids=lambda each: str(each)[:9]
)
def test_what_is_no_number_counts_as_none(value: Any) -> None:
    records: dict[str, Any] = {kind.cls: {} for kind in CLASSES} | {"VM": {"v": {"memory_static_max": value}}}
    (vm,) = Inventory(records, 0.0).all(VM)
    assert vm.number("memory_static_max", 7) == 7


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("10.0.0.1:8443", ("10.0.0.1", 8443)),
        ("[fe80::1]:8443", ("fe80::1", 8443)),
        ("10.0.0.1:²", ("10.0.0.1:²", 443)),
        ("10.0.0.1:" + "9" * 5000, ("10.0.0.1:" + "9" * 5000, 443)),
        ("[::1]:²", ("::1", 443)),
    ],
    ids=["port", "port of IPv6", "superscript", "endless", "superscript of IPv6"],
)
def test_a_port_is_a_number(text: str, where: tuple[str, int]) -> None:
    assert split(text, 443) == where


@pytest.mark.parametrize("address", ["127.0.0.1:²", "127.0.0.1:99999", "", ".", "日本", "a\nb", "x" * 300], ids=ascii)
def test_a_member_that_names_nonsense_as_its_coordinator_is_told(
    address: str, serve: Serve, session_with: SessionWith
) -> None:
    def member(method: str, arguments: list[Any]) -> Any:
        raise Failure("HOST_IS_SLAVE", address)

    with pytest.raises(Unavailable) as refused:
        session_with(plain(serve(member))).login()
    assert "\n" not in " ".join(refused.value.evidence)
