"""The main job through the workspace's page, in a real browser: asked, refused to the wrong people, approved, watched,
done. Screenshots of each stage are kept in artifacts/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.model import State
from tests.e2e.conftest import Town, town
from tests.sandbox_slack_page.conftest import PATIENCE_MS, browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser
__all__ = ["browser"]  # the fixture of the page's own tests

PICTURES = Path(__file__).resolve().parents[2] / "artifacts"
SPEED = 2.0
"""Slow enough for a browser to see the progress of a migration."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path, speed=SPEED) as running:
        yield running


@pytest.fixture
def page(place: Town, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page as olga sees #infra; an error on it fails the test."""
    engine: Browser = request.getfixturevalue("browser")
    troubles: list[str] = []
    context = engine.new_context(viewport={"width": 1280, "height": 960}, locale="en-US")
    shown = context.new_page()
    shown.set_default_timeout(PATIENCE_MS)
    shown.on("pageerror", lambda error: troubles.append(str(error)))
    shown.goto(f"{place.workspace.page}#{place.workspace.people['olga']}/{place.workspace.channels['infra']}")
    shown.locator("body:not(.loading)").wait_for()
    yield shown
    context.close()
    assert troubles == []


def type_command(page: Page, text: str) -> None:
    page.get_by_label("Message #infra").fill(text)
    page.keyboard.press("Enter")


def become(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).check(force=True)
    page.locator(".acting-name", has_text=name).wait_for()


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")


def saying(page: Page, text: str | re.Pattern[str]) -> Locator:
    """The newest message that says so, once it is there."""
    message = page.locator("#conversation .message", has_text=text).last
    message.wait_for()
    return message


def test_a_migration_from_the_question_to_the_result(place: Town, page: Page) -> None:
    type_command(page, "/xen pool status")
    saying(page, "lab: ")
    picture(page, "1-status")

    type_command(page, "/xen vm migrate web-1")
    card = saying(page, "Waiting for approval")
    assert "move web-1 from xs1 to xs2" in card.inner_text()
    for button in ("Approve", "Reject", "Details"):
        assert card.get_by_role("button", name=button).is_visible()
    picture(page, "2-asked")

    card.get_by_role("button", name="Details").click()
    details = page.get_by_role("dialog", name=re.compile("Request "))
    details.get_by_text("Async.VM.pool_migrate").wait_for()
    picture(page, "3-details")
    page.keyboard.press("Escape")
    details.wait_for(state="hidden")

    card.get_by_role("button", name="Approve").click()
    saying(page, "You asked for this yourself")
    picture(page, "4-own-approval-refused")

    become(page, "Sam Stranger")
    saying(page, "Waiting for approval").get_by_role("button", name="Approve").click()
    saying(page, "not an approver")
    picture(page, "5-stranger-refused")
    assert place.host_of("web-1") == "xs1"
    assert place.lab.calls().get("Async.VM.pool_migrate", 0) == 0

    become(page, "Ana Approver")
    saying(page, "Waiting for approval").get_by_role("button", name="Approve").click()
    running = saying(page, re.compile(r"Running.*[1-9]\d? %", re.DOTALL))
    assert running.get_by_role("button", name="Approve").count() == 0
    picture(page, "6-running")

    done = saying(page, re.compile(r"Done in [\d.]+ s"))
    assert "How to go back: vm migrate web-1 to xs1 in lab" in done.inner_text()
    picture(page, "7-done")
    assert place.host_of("web-1") == "xs2"
    assert place.lab.calls()["Async.VM.pool_migrate"] == 1
    assert place.bot is not None
    assert [request.state for request in place.bot.store.in_states(tuple(State))] == [State.SUCCEEDED]


def test_a_form_is_filled_by_keyboard(page: Page) -> None:
    type_command(page, "/xen vm migrate")
    form = page.get_by_role("dialog", name="vm migrate")
    picker = form.get_by_role("combobox").first
    picker.wait_for()
    picker.click()
    page.keyboard.type("mail")
    page.keyboard.press("Enter")  # too early: nothing is taken that does not fit what was typed
    page.locator(".listbox-option.active", has_text="mail-1 – on xs1").wait_for()
    picture(page, "8-form")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    form.wait_for(state="hidden")
    assert "move mail-1 from xs1 to xs2" in saying(page, "Waiting for approval").inner_text()
