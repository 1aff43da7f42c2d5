"""Modals: filling in, the workspace's and the app's errors, the stack, and closing."""

from typing import TYPE_CHECKING

import pytest

from sandbox.slack.running import RunningWorkspace
from tests.sandbox_slack_page import blocks
from tests.sandbox_slack_page.app import PageApp
from tests.sandbox_slack_page.conftest import Look

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser


@pytest.fixture
def page(app: PageApp, look: Look) -> "Page":
    """Olga's page with the form open."""
    page = look("olga", "infra")
    page.get_by_label("Message #infra").fill("/xen form")
    page.keyboard.press("Enter")
    modal(page).wait_for()
    return page


def modal(page: "Page", name: str = "Move a VM") -> "Locator":
    return page.get_by_role("dialog", name=name)


def test_filled_in_and_submitted_by_keyboard(page: "Page", app: PageApp) -> None:
    form = modal(page)
    assert page.evaluate("document.activeElement.dataset.action") == "vm_name"
    page.keyboard.type("web-1")
    page.keyboard.press("Tab")
    page.keyboard.type("2")
    page.get_by_role("option", name="xs2").wait_for()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.get_by_role("option", name="prod").wait_for()
    page.keyboard.press("Enter")
    form.locator(".chip", has_text="prod").wait_for()
    page.keyboard.type("db")
    page.get_by_role("option", name="prod").wait_for(state="detached")
    page.keyboard.press("Enter")
    form.locator(".chip", has_text="db").wait_for()
    page.keyboard.press("Escape")
    assert form.is_visible()
    form.get_by_label("Count").fill("3")
    form.get_by_role("checkbox", name="Live").check()
    form.get_by_label("Why").fill("it is\ntime")
    page.keyboard.press("Control+Enter")
    form.wait_for(state="hidden")
    values = app.next_of(app.submissions)["view"]["state"]["values"]
    assert values["vm_name"]["vm_name"]["value"] == "web-1"
    assert values["host"]["host"]["selected_option"]["value"] == "xs2"
    assert [one["value"] for one in values["tags"]["tags"]["selected_options"]] == ["prod", "db"]
    assert values["count"]["count"]["value"] == "3"
    assert [one["value"] for one in values["how"]["how"]["selected_options"]] == ["Live"]
    assert values["why"]["why"]["value"] == "it is\ntime"
    page.wait_for_function("document.activeElement.matches('.composer-field')")


def test_errors_stand_beneath_their_fields(page: "Page", app: PageApp) -> None:
    form = modal(page)
    name = form.get_by_label("VM", exact=True)
    form.get_by_role("button", name="Plan it").click()
    error = form.locator('[data-block="vm_name"]').get_by_role("alert")
    assert error.inner_text() == "Please complete this required field."
    assert name.get_attribute("aria-describedby") == error.get_attribute("id")
    page.wait_for_function("document.activeElement.dataset.action === 'vm_name'")
    assert app.submissions == []
    form.get_by_label("Why").fill("kept")
    name.fill("ghost")
    page.keyboard.press("Enter")
    error.filter(has_text="There is no VM called ghost.").wait_for()
    assert form.get_by_label("Why").input_value() == "kept"
    name.fill("web-1")
    page.keyboard.press("Control+Enter")
    form.wait_for(state="hidden")
    assert len(app.submissions) == 2


def test_an_update_keeps_what_was_typed(page: "Page", workspace: RunningWorkspace, app: PageApp) -> None:
    form = modal(page)
    form.get_by_role("checkbox", name="Force").check()
    name = form.get_by_label("VM", exact=True)
    name.fill("web-1")
    (view,) = workspace.views("olga")["views"]
    app.client.views_update(view_id=view["id"], view=blocks.form("Another title", label="Virtual machine"))
    renamed = modal(page, "Another title")
    renamed.wait_for()
    assert renamed.get_by_label("Virtual machine").input_value() == "web-1"
    assert renamed.get_by_role("checkbox", name="Force").is_checked()
    assert page.evaluate("document.activeElement.dataset.action") == "vm_name"


def test_a_pushed_view_lies_on_top_and_goes_with_escape(page: "Page", workspace: RunningWorkspace) -> None:
    modal(page).get_by_label("VM", exact=True).fill("web-1")
    modal(page).get_by_role("button", name="Help").click()
    modal(page, "Help").get_by_text("A VM is a virtual machine.").wait_for()
    assert page.locator(".modal-body").get_attribute("tabindex") == "0", "what is only read is scrolled by the keyboard"
    page.keyboard.press("Escape")
    form = modal(page)
    form.wait_for()
    assert form.get_by_label("VM", exact=True).input_value() == "web-1"
    assert page.locator(".modal-body").get_attribute("tabindex") is None
    form.get_by_role("button", name="Help").click()
    modal(page, "Help").get_by_role("button", name="Close", exact=True).first.click()
    page.locator("dialog[open]").wait_for(state="hidden")
    assert workspace.views("olga")["views"] == []


def test_leaving_closes_it_for_the_workspace_too(page: "Page", workspace: RunningWorkspace, app: PageApp) -> None:
    modal(page).get_by_role("button", name="Leave").click()
    modal(page).wait_for(state="hidden")
    assert workspace.views("olga")["views"] == []
    assert app.submissions == []


def test_a_modal_belongs_to_its_person(page: "Page") -> None:
    modal(page).get_by_label("VM", exact=True).fill("web-1")
    page.keyboard.press("Alt+2")
    modal(page).wait_for(state="hidden")
    page.keyboard.press("Alt+1")
    modal(page).wait_for()
    assert modal(page).get_by_label("VM", exact=True).input_value() == "web-1"
