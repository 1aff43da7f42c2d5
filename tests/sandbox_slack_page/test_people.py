"""Who looks: what each person sees, and what the page says when something cannot be done."""

from typing import TYPE_CHECKING

import pytest

from sandbox.slack.running import RunningWorkspace, start
from sandbox.slack.settings import Settings, Switches
from tests.sandbox_slack_page import blocks
from tests.sandbox_slack_page.app import PageApp
from tests.sandbox_slack_page.conftest import Look

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


def test_another_persons_ephemeral_is_hidden(poster: PageApp, look: Look) -> None:
    page = look("olga", "infra")
    poster.whisper("olga", "infra", "between us")
    poster.post("infra", "for all")
    page.locator(".message", has_text="for all").wait_for()
    whispered = page.locator(".message", has_text="between us")
    assert "Only visible to you" in whispered.inner_text()
    page.get_by_role("radio", name="Ana Approver").check(force=True)
    page.locator(".acting-name", has_text="Ana Approver").wait_for()
    page.locator(".message", has_text="for all").wait_for()
    assert whispered.count() == 0
    page.keyboard.press("Alt+1")
    whispered.wait_for()


def test_a_typed_command_is_shown_to_its_author_alone(workspace: RunningWorkspace, app: PageApp, look: Look) -> None:
    page = look("olga", "infra")
    page.get_by_label("Message #infra").fill("/xen hello")
    page.keyboard.press("Enter")
    page.locator(".message", has_text="You said hello.").wait_for()
    assert page.locator(".typed-command").inner_text().endswith("/xen hello")
    other = look("ana", "infra")
    workspace.say("ana", "#infra", "good morning")
    other.locator(".message", has_text="good morning").wait_for()
    assert other.locator(".message").count() == 1


def test_each_person_finds_their_own_channels(look: Look) -> None:
    page = look("olga", "infra")
    sidebar = page.get_by_role("navigation")
    names = sidebar.locator(".channel-name")
    assert names.all_inner_texts() == ["infra", "lab", "random", "ops-private", "secret", "partners", "Xenia"]
    page.get_by_role("radio", name="Sam Stranger").check(force=True)
    page.locator(".acting-name", has_text="Sam").wait_for()
    assert names.all_inner_texts() == ["infra", "lab", "random", "Xenia"]
    page.get_by_role("radio", name="Otto Outsider").check(force=True)
    page.locator(".acting-name", has_text="Otto").wait_for()
    assert names.all_inner_texts() == ["partners"]


def test_a_public_channel_can_be_joined(workspace: RunningWorkspace, look: Look) -> None:
    workspace.person("sam", "leave", "#lab")
    page = look("sam", "lab")
    assert page.get_by_label("Message #lab").count() == 0
    page.get_by_role("button", name="Join channel").click()
    field = page.get_by_label("Message #lab")
    field.fill("here I am")
    page.keyboard.press("Enter")
    page.locator(".message", has_text="here I am").wait_for()


def test_a_deactivated_person_is_told_so(workspace: RunningWorkspace, look: Look) -> None:
    page = look("sam", "lab")
    page.get_by_label("Message #lab").wait_for()
    workspace.person("sam", "deactivate")
    page.get_by_role("note").filter(has_text="deactivated").wait_for()
    assert page.get_by_label("Message #lab").is_hidden()


def test_unread_messages_are_counted_elsewhere(workspace: RunningWorkspace, look: Look) -> None:
    page = look("olga", "infra")
    page.locator(".message-list .empty").wait_for()
    workspace.say("ana", "#lab", "over here")
    row = page.get_by_role("link", name="lab, channel, 1 unread")
    row.click()
    page.locator(".message", has_text="over here").wait_for()
    page.get_by_role("link", name="lab, channel", exact=True).wait_for()


def test_slacks_own_errors_are_plain(app: PageApp, look: Look) -> None:
    page = look("olga", "infra")
    field = page.get_by_label("Message #infra")
    field.fill("/nosuch thing")
    page.keyboard.press("Enter")
    page.get_by_role("alert").filter(has_text="/nosuch is not a valid command").wait_for()
    assert field.input_value() == "/nosuch thing"
    field.fill("/xen silence")
    page.keyboard.press("Enter")
    page.get_by_role("alert").filter(has_text="/xen failed because the app did not respond").wait_for()


def test_a_workspace_that_is_gone_and_back(workspace: RunningWorkspace, look: Look) -> None:
    page = look("olga", "infra")
    page.locator(".message-list .empty").wait_for()
    page.route("**/sandbox/**", lambda route: route.abort())
    workspace.say("ana", "#infra", "unheard")
    status = page.locator("#connection")
    status.filter(has_text="Reconnecting").wait_for()
    page.get_by_label("Message #infra").fill("lost?")
    page.keyboard.press("Enter")
    page.get_by_role("alert").filter(has_text="does not answer").wait_for()
    assert page.get_by_label("Message #infra").input_value() == "lost?"
    page.unroute("**/sandbox/**")
    page.locator(".message", has_text="unheard").wait_for()
    status.filter(has_text="Reconnecting").wait_for(state="detached")


def test_the_app_home_is_asked_for_and_shown(app: PageApp, look: Look) -> None:
    page = look("ana", "@ana")
    page.get_by_role("tab", name="Home").click()
    assert app.next_of(app.homes, 2)["tab"] == "home"
    panel = page.get_by_role("tabpanel", name="Home")
    panel.get_by_text("lab is well").wait_for()
    panel.get_by_role("button", name="Status").click()
    pressed = app.next_of(app.actions)
    assert (pressed["actions"][0]["action_id"], pressed["view"]["type"]) == ("status", "home")
    page.keyboard.press("Tab")
    page.get_by_role("tab", name="Home").press("ArrowRight")
    page.get_by_label("Message Xenia").wait_for()


def test_an_app_without_a_home_has_no_tab_for_it(browser: "Browser") -> None:
    with start(Settings(switches=Switches(home_tab=False))) as running:
        page = browser.new_page()
        page.goto(f"{running.page}#{running.people['olga']}/{running.channels['@olga']}")
        page.get_by_label("Message Xenia").wait_for()
        assert page.get_by_role("tab").count() == 0
        page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_overflows_sideways(width: int, poster: PageApp, look: Look) -> None:
    page = look("olga", "lab", width=width)
    poster.post("lab", "x" * 300)
    poster.post("lab", "x", blocks=blocks.MOST_BLOCKS)
    page.locator(".message", has_text="Rich bold").wait_for()
    wide = page.evaluate(
        """() => [...document.querySelectorAll(".message *")]
            .filter((node) => !node.closest(".table-frame table, pre"))
            .filter((node) => node.getBoundingClientRect().right > innerWidth + 1)
            .map((node) => node.className || node.tagName)"""
    )
    assert wide == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "whole"), [(390, True), (1280, False)], ids=["narrow", "wide"])
def test_lines_of_code_wrap_as_in_slack_but_stay_whole_where_it_is_narrow(
    width: int, whole: bool, poster: PageApp, look: Look
) -> None:
    """A table of monospaced lines is scrolled sideways on a narrow page, without moving the page."""
    page = look("olga", "lab", width=width)
    line = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "column " * 40}]}
    poster.post("lab", "fallback", blocks=[{"type": "rich_text", "elements": [line]}])
    code = page.locator("pre", has_text="column")
    code.wait_for()
    assert code.evaluate("node => node.scrollWidth > node.clientWidth") is whole
    assert (code.get_attribute("tabindex") == "0") is whole, "the keyboard reaches what has to be scrolled"
    assert page.evaluate("document.documentElement.scrollWidth") <= width


CONTRAST = """() => {
    const linear = value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    const luminance = colour => {
        const canvas = new OffscreenCanvas(1, 1).getContext("2d");
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map(value => linear(value / 255));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    return [...document.querySelectorAll(".topbar .avatar")].map(node => {
        const style = getComputedStyle(node);
        const [light, dark] = [luminance(style.color), luminance(style.backgroundColor)].sort((a, b) => b - a);
        return (light + 0.05) / (dark + 0.05);
    });
}"""


def test_initials_can_be_read_on_every_persons_colour(look: Look) -> None:
    """WCAG 2.1, 1.4.3: a contrast of 4.5 : 1; nobody is dimmed for not being chosen."""
    page = look("olga", "infra")
    page.locator(".topbar .avatar").first.wait_for()
    assert min(page.evaluate(CONTRAST)) >= 4.5
    assert {float(each) for each in page.locator(".person").evaluate_all(
        "nodes => nodes.map(node => getComputedStyle(node).opacity)"
    )} == {1.0}  # fmt: skip


def test_an_empty_conversation_says_how_to_begin(look: Look) -> None:
    page = look("olga", "random")
    page.get_by_text("Nothing has been said here yet. Type / to see the app's commands.").wait_for()


def test_a_narrow_window_has_its_channels_behind_a_button(look: Look) -> None:
    page = look("olga", "infra", width=390, height=844)
    link = page.get_by_role("link", name="lab, channel")
    assert not link.is_visible()
    page.get_by_role("button", name="Channels", exact=True).click()
    link.click()
    page.get_by_role("heading", name="lab").wait_for()
    link.wait_for(state="hidden")
    page.set_viewport_size({"width": 1280, "height": 800})
    link.wait_for()
    assert page.get_by_role("button", name="Channels", exact=True).is_hidden()


def test_colours_follow_the_system_and_the_choice(look: Look) -> None:
    page = look("olga", "infra", color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    button = page.get_by_role("button", name="Colours: system. Change")
    button.click()
    assert page.evaluate(background) == dark
    page.get_by_role("button", name="Colours: dark. Change").click()
    light = page.evaluate(background)
    assert light != dark
    page.reload()
    page.get_by_role("button", name="Colours: light. Change").wait_for()
    assert page.evaluate(background) == light


def test_whether_the_app_listens_is_told(workspace: RunningWorkspace, look: Look) -> None:
    page = look("olga", "infra")
    page.get_by_text("Xenia is not connected").wait_for()
    with PageApp(workspace):
        page.get_by_text("Xenia is connected").wait_for()


def test_in_the_apps_dm_everybody_has_their_own(look: Look) -> None:
    page = look("olga", "@olga")
    page.keyboard.press("Alt+3")
    page.locator(".acting-name", has_text="Ben").wait_for()
    page.wait_for_function("location.hash === '#U0BEN/D0BEN'")
