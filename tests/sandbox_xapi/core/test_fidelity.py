"""Whether a call is unknown, removed, refused or simulated can be told."""

from __future__ import annotations

import pytest

from sandbox.xapi import dispatch, fidelity
from sandbox.xapi.failure import Failure
from sandbox.xapi.model import model
from sandbox.xapi.registry import HANDLERS
from tests.sandbox_xapi.core.world import Client


def test_every_simulated_call_is_a_call_of_some_release() -> None:
    releases = [model(name) for name in ("cream", "26.9.0", "26.17.0")]
    assert {n for n in HANDLERS if not any(m.message(n) for m in releases)} == set()


def test_the_page_lists_each_call_with_its_source() -> None:
    page = fidelity.page()
    for name, handler in HANDLERS.items():
        assert f"| `{name}` | {handler.only or 'all'} | {handler.source} |" in page
    assert page == fidelity.page()


def test_what_is_not_simulated_is_refused(client: Client) -> None:
    known = client.estate.pools[0].model
    silent = [
        m for c in known.classes.values() for m in c.messages.values() if not dispatch.is_simulated(m) and not m.removed
    ]
    assert silent
    for message in silent:
        if message.params or not message.needs_session:
            continue
        with pytest.raises(Failure) as caught:
            client(message.wire_name)
        assert caught.value.description == ["NOT_IMPLEMENTED", message.wire_name]


def test_list_methods_is_the_releases_own(client: Client) -> None:
    names = client.raw("system.listMethods")
    assert "VM.get_all_records_where" in names
    assert "VIF.get_trunks" not in names, "came with 26.17"
