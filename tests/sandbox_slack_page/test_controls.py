"""Using what is in messages: by mouse and by keyboard alone."""

import pytest

from sandbox.slack.running import RunningWorkspace
from tests.sandbox_slack_page import blocks
from tests.sandbox_slack_page.app import PageApp
from tests.sandbox_slack_page.conftest import Look

pytestmark = pytest.mark.browser


def test_sending_and_pressing_by_keyboard_alone(app: PageApp, look: Look) -> None:
    page = look("olga", "infra")
    page.wait_for_function("document.activeElement.matches('.composer-field')")
    page.keyboard.type("/xe")
    page.get_by_role("option", name="/xen").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.type("first")
    page.keyboard.press("Enter")
    page.locator(".message", has_text="You said first.").wait_for()
    page.keyboard.type("two")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("lines")
    page.keyboard.press("Enter")
    sent = page.locator(".message .text", has_text="lines")
    sent.wait_for()
    assert sent.inner_text() == "two\nlines"
    page.keyboard.press("ArrowUp")
    field = page.get_by_label("Message #infra")
    assert field.input_value() == "two\nlines"
    page.keyboard.press("ArrowUp")
    assert field.input_value() == "/xen first"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert field.input_value() == ""

    app.post("infra", "x", blocks=[blocks.actions("row", blocks.button("go", "Go", value="v1"))])
    page.get_by_role("button", name="Go", exact=True).wait_for()
    for _ in range(4):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.dataset.action") == "go":
            break
    page.keyboard.press("Enter")
    pressed = app.next_of(app.actions)
    assert (pressed["user"]["id"], pressed["actions"][0]["value"]) == ("U0OLGA", "v1")


def test_hints_are_chosen_with_arrows_and_dismissed(look: Look) -> None:
    page = look("olga", "infra")
    field = page.get_by_label("Message #infra")
    field.press_sequentially("/")
    option = page.get_by_role("option", name="/xen")
    option.wait_for()
    page.keyboard.press("Escape")
    option.wait_for(state="hidden")
    field.press_sequentially("x")
    option.wait_for()
    page.keyboard.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") == option.get_attribute("id")
    page.keyboard.press("Enter")
    assert field.input_value() == "/xen "
    field.fill("no command")
    option.wait_for(state="hidden")


def test_a_confirm_dialog_stands_between(app: PageApp, look: Look) -> None:
    page = look("olga", "infra")
    app.post("infra", "x", blocks=[blocks.actions("row", blocks.button("reject", "Reject", confirm=blocks.CONFIRM))])
    button = page.get_by_role("button", name="Reject", exact=True)
    for way in ("Escape", "No"):
        button.click()
        dialog = page.get_by_role("dialog", name="Sure?")
        assert dialog.locator("strong").inner_text() == "final"
        if way == "Escape":
            page.keyboard.press("Escape")
        else:
            dialog.get_by_role("button", name="No").click()
        dialog.wait_for(state="detached")
    button.click()
    page.get_by_role("button", name="Yes, reject").click()
    assert app.next_of(app.actions)["actions"][0]["action_id"] == "reject"
    assert len(app.actions) == 1
    assert page.evaluate("document.activeElement.dataset.action") == "reject"


def test_every_control_of_a_message_sends_its_choice(app: PageApp, look: Look) -> None:
    page = look("olga", "lab")
    app.post("lab", "x", blocks=blocks.MOST_BLOCKS)
    message = page.locator(".message", has_text="Rich bold")
    message.wait_for()
    sent = 0

    def arrived() -> blocks.JSON:
        nonlocal sent
        sent += 1
        action: blocks.JSON = app.next_of(app.actions, sent)["actions"][0]
        return action

    message.get_by_role("button", name="More actions").press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert arrived()["selected_option"]["value"] == "Hide"
    message.locator("input[type=date]").fill("2026-03-04")
    assert arrived()["selected_date"] == "2026-03-04"
    message.locator("input[type=time]").fill("10:45")
    assert arrived()["selected_time"] == "10:45"
    message.get_by_role("checkbox", name="beta").check()
    assert [one["value"] for one in arrived()["selected_options"]] == ["beta"]
    message.get_by_role("radio", name="right").check()
    assert arrived()["selected_option"]["value"] == "right"

    host = message.locator('[data-action="host"]').get_by_role("combobox")
    host.focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("option", name="xs1").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert arrived()["selected_option"]["value"] == "xs2"
    assert host.input_value() == "xs2"

    vm = message.locator('[data-action="vm"]').get_by_role("combobox")
    vm.press_sequentially("w")
    page.get_by_text("Type at least 2 characters to search").wait_for()
    vm.press_sequentially("e")
    assert page.get_by_role("option").first.inner_text() == "web-1"
    page.get_by_role("option", name="web-2").click()
    assert arrived()["selected_option"]["value"] == "web-2"

    who = message.locator('[data-action="who"]').get_by_role("combobox")
    who.press_sequentially("approver")
    page.get_by_role("option", name="Ben Approver").click()
    assert arrived()["selected_user"] == "U0BEN"

    message.get_by_role("button", name="Approve").click()
    arrived()
    state = app.actions[-1]["state"]["values"]
    assert state["actions"]["boxes"]["selected_options"][0]["value"] == "beta"
    assert state["select"]["host"]["selected_option"]["value"] == "xs2"


def test_a_press_that_nobody_answers_is_marked(workspace: RunningWorkspace, app: PageApp, look: Look) -> None:
    page = look("olga", "infra")
    app.post("infra", "x", blocks=[blocks.actions("row", blocks.button("deaf", "Anybody?"))])
    button = page.get_by_role("button", name="Anybody?")
    button.click()
    assert button.get_attribute("aria-busy") == "true"
    page.get_by_role("img", name="Sorry, an error occurred").wait_for()
    assert button.get_attribute("aria-busy") is None
    page.get_by_role("alert").filter(has_text="Sorry, an error occurred. Please try again.").wait_for()
