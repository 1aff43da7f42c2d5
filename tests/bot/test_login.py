"""Who sits at the terminal is what the system says of the process, not what its environment says."""

from __future__ import annotations

import os
import pwd
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.cli.people import acting, login, person
from bot.model import Actor

ME = pwd.getpwuid(os.getuid()).pw_name
NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")


@pytest.fixture(autouse=True)
def somebody_else_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "ana")


def settings(**terminal: str) -> Any:
    named = SimpleNamespace(terminal=terminal, slack=SimpleNamespace(team="T1"), bot=SimpleNamespace(sandbox=False))
    return cast(Any, named)


def test_the_environment_makes_nobody_somebody_else() -> None:
    assert login() == Actor(kind="terminal", id=ME, name=ME)
    assert person(settings(ana="UANA")) is None
    assert acting(settings(ana="UANA"), None) == login()


def test_the_login_that_is_named_is_that_person() -> None:
    found = acting(settings(**{"ana": "UANA", ME: "UOLGA"}), None)
    assert found.key == "slack:T1/UOLGA"


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_001)
    assert login().id == "uid-4000000001"
