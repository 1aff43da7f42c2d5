"""What people and apps say, as the page shows it."""

import re
from typing import TYPE_CHECKING

import pytest

from sandbox.slack.running import RunningWorkspace
from tests.sandbox_slack_page import blocks
from tests.sandbox_slack_page.app import PageApp
from tests.sandbox_slack_page.conftest import Look

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

ATTACK = (
    "<img src=x onerror=alert(1)> <script>alert(2)</script> <javascript:alert(3)|click> &lt;b&gt;bold&lt;/b&gt; \"'`"
)
SHOWN_ATTACK = "<img src=x onerror=alert(1)> <script>alert(2)</script> <javascript:alert(3)|click> <b>bold</b> \"'`"
NO_MARKUP = "img, script, iframe, object, b, a[href^='javascript']"


def newest(page: "Page") -> "Locator":
    return page.locator("#conversation .message").last


def arrival(page: "Page", text: str) -> "Locator":
    """The newest message, once it says `text`."""
    found = page.locator("#conversation .message", has_text=text).last
    found.wait_for()
    return found


def test_every_block_is_shown(poster: PageApp, look: Look) -> None:
    page = look("olga", "lab")
    poster.post("lab", "fallback", blocks=blocks.MOST_BLOCKS)
    message = arrival(page, "Rich bold")
    assert "fallback" not in message.inner_text()

    def within(block_id: str) -> "Locator":
        return message.locator(f'[data-block="{block_id}"]')

    assert within("header").get_by_role("heading", name="lab :large_green_circle: healthy").is_visible()
    for tag, text in {"strong": "Hosts", "em": "two", "s": "three", "code": "code"}.items():
        assert within("section").locator(tag).inner_text() == text
    assert within("fields").locator(".section-fields > *").all_inner_texts() == ["Coordinator\nxs1", "*literal*"]
    assert within("divider").locator("hr").count() == 1
    assert within("context").inner_text().split("\n") == ["read in 0.4 s", "twice"]
    assert within("image").get_by_role("img", name="a far image").is_visible()
    rich = within("rich")
    assert rich.locator("li").inner_text() == "one"
    assert rich.locator("blockquote").inner_text() == "quoted"
    assert rich.locator("pre").inner_text() == "<b>pre</b>"
    assert rich.locator(".mention").inner_text() == "@ana"
    assert message.locator(".block-markdown li li").inner_text() == "deeper"
    assert message.get_by_role("columnheader").all_inner_texts() == ["Host", "VMs"]
    assert message.get_by_role("cell").all_inner_texts() == ["<xs1>", "7"]
    assert "primary" in (message.get_by_role("button", name="Approve").get_attribute("class") or "")
    assert "danger" in (message.get_by_role("button", name="Reject").get_attribute("class") or "")
    assert message.locator("input[type=date]").input_value() == "2026-02-03"
    assert message.locator("input[type=time]").input_value() == "09:30"
    assert message.get_by_role("checkbox").count() == 2
    assert message.get_by_role("radio").count() == 2
    assert message.get_by_role("combobox").count() == 3
    assert message.locator(".unsupported").count() == 0


def test_the_page_loads_nothing_from_elsewhere(workspace: RunningWorkspace, poster: PageApp, look: Look) -> None:
    page = look("olga", "lab")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    poster.post("lab", "x", blocks=blocks.MOST_BLOCKS)
    arrival(page, "Rich bold")
    poster.post("lab", "after it")
    arrival(page, "after it")
    assert asked
    assert [url for url in asked if not url.startswith(workspace.page)] == []


ATTACKED_BLOCKS: list[tuple[blocks.JSON, str]] = [
    (blocks.section("a", ATTACK), SHOWN_ATTACK),
    ({"type": "section", "text": blocks.plain(ATTACK)}, ATTACK),
    ({"type": "header", "text": blocks.plain(ATTACK[:140])}, ATTACK[:140]),
    ({"type": "context", "elements": [blocks.mrkdwn(ATTACK)]}, SHOWN_ATTACK),
    ({"type": "section", "fields": [blocks.mrkdwn(ATTACK)]}, SHOWN_ATTACK),
    ({"type": "rich_text", "elements": [blocks.rich_section(blocks.words(ATTACK))]}, ATTACK),
    ({"type": "markdown", "text": ATTACK}, SHOWN_ATTACK),
    ({"type": "table", "rows": [[{"type": "raw_text", "text": ATTACK}]]}, ATTACK),
    (blocks.actions("a", blocks.button("b", ATTACK[:70])), ATTACK[:70]),
]


def test_markup_in_blocks_stays_text(poster: PageApp, look: Look) -> None:
    page = look("olga", "lab")
    shown = {poster.post("lab", "x", blocks=[block]): (block["type"], text) for block, text in ATTACKED_BLOCKS}
    arrival(page, ATTACK[:70])
    for ts, (kind, text) in shown.items():
        message = page.locator(f'.message[data-ts="{ts}"] .blocks')
        assert (kind, message.inner_text()) == (kind, text)
        assert (kind, message.locator(f":is({NO_MARKUP})").count()) == (kind, 0)


def test_markup_in_texts_names_and_commands_stays_text(
    workspace: RunningWorkspace, poster: PageApp, look: Look
) -> None:
    page = look("olga", "lab")
    poster.post("lab", ATTACK)
    assert arrival(page, "onerror").locator(".text").inner_text() == SHOWN_ATTACK
    typed = '<img src=x onerror=alert(1)> & "quoted"'
    workspace.say("olga", "#lab", typed)
    page.locator(".message .text", has_text="quoted").wait_for()
    assert newest(page).locator(".text").inner_text() == typed
    workspace.say("olga", "#lab", f"/xen {typed}")
    command = page.locator(".command-line")
    command.wait_for()
    assert command.inner_text() == f"/xen {typed}"
    assert page.locator(f".message-content :is({NO_MARKUP})").count() == 0


MRKDWN = {
    "*bold* _it_ ~no~": "<strong>bold</strong> <em>it</em> <s>no</s>",
    "a*b*c snake_case_name 2~3~4": "a*b*c snake_case_name 2~3~4",
    "* not bold* *nor this *": "* not bold* *nor this *",
    "_*both*_": "<em><strong>both</strong></em>",
    "`*literal*`": "<code>*literal*</code>",
    "*a `*` b*": "<strong>a <code>*</code> b</strong>",
    "*two\nlines*": "*two<br>lines*",
    "(*b*), *c*.": "(<strong>b</strong>), <strong>c</strong>.",
    "```one\n*two*```": "<pre>one\n*two*</pre>",
    "> quoted\n> twice\nnot": "<blockquote>quoted<br>twice</blockquote>not",
    "&gt; escaped quote": "<blockquote>escaped quote</blockquote>",
    "&gt;&gt;&gt;all\nof it": "<blockquote>all<br>of it</blockquote>",
    "a &lt;b&gt; &amp;amp; &quot;": "a &lt;b&gt; &amp;amp; &amp;quot;",
    "<https://e.org/?a=1&amp;b=2|see *it*>": (
        '<a href="https://e.org/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer" class="link">see *it*</a>'
    ),
    "<javascript:alert(1)|x>": "&lt;javascript:alert(1)|x&gt;",
    "<data:text/html,x>": "&lt;data:text/html,x&gt;",
    ":nosuchcode: 10:30:45": ":nosuchcode: 10:30:45",
    "https://e.org": "https://e.org",
    "<!nosuch>": "&lt;!nosuch&gt;",
    "<!date^bad^{date}|then>": "&lt;then&gt;",
    "<!date^1^{nosuch}|fallback>": "fallback",
}


def test_mrkdwn_is_read_as_slack_reads_it(look: Look) -> None:
    page = look("olga", "lab")
    shown = page.evaluate(
        """async (texts) => {
          const { mrkdwn } = await import("/page/mrkdwn.js");
          const { people } = await import("/page/state.js");
          return texts.map((text) => {
            const holder = document.createElement("div");
            holder.append(mrkdwn(text, people));
            return holder.innerHTML;
          });
        }""",
        list(MRKDWN),
    )
    assert dict(zip(MRKDWN, shown, strict=True)) == MRKDWN


HOSTILE = ["*a " * 14_000, "`" * 40_000, "<" * 40_000, "*_~" * 13_000, "&gt;" * 10_000, ":a" * 20_000, "*a* " * 10_000]


def test_hostile_text_is_read_in_no_time(look: Look) -> None:
    page = look("olga", "lab")
    milliseconds = page.evaluate(
        """async (texts) => {
          const { mrkdwn } = await import("/page/mrkdwn.js");
          const { markdown } = await import("/page/markdown.js");
          const { people } = await import("/page/state.js");
          return texts.flatMap((text) => [mrkdwn, markdown].map((read) => {
            const before = performance.now();
            read(text, people);
            return performance.now() - before;
          }));
        }""",
        HOSTILE,
    )
    assert [took for took in milliseconds if took > 2_000] == []


def test_dates_are_in_the_readers_time_zone(poster: PageApp, look: Look) -> None:
    page = look("olga", "lab", timezone_id="Asia/Tokyo")
    poster.post("lab", "zone <!date^1392734382^{date_num} {time}|x>, <!date^1392734382^{date_long}|x>")
    text = arrival(page, "zone").locator(".text").inner_text()
    assert re.sub(r"\s", " ", text) == "zone 2014-02-18 11:39 PM, Tuesday, February 18th, 2014"


@pytest.mark.parametrize(
    ("person", "pinging", "quiet"),
    [
        (
            "ben",
            ["<!here> 1", "<!channel> 2", "<@U0BEN> 3", "<!subteam^S0APPROVERS> 4"],
            ["<@U0ANA> 5", "&lt;!here&gt; 6", "<#C0INFRA> 7"],
        ),
        ("olga", ["<!everyone> 1"], ["<!subteam^S0APPROVERS> 2"]),
    ],
)
def test_what_pings_the_reader_is_marked(
    person: str, pinging: list[str], quiet: list[str], poster: PageApp, look: Look
) -> None:
    page = look(person, "lab")
    for text in pinging + quiet:
        poster.post("lab", text)
    arrival(page, quiet[-1][-2:])
    marked = page.locator("#conversation .message.pings-me .text").all_inner_texts()
    assert [text[-1] for text in marked] == [text[-1] for text in pinging]


def test_a_line_break_within_a_list_item_is_shown(poster: PageApp, look: Look) -> None:
    """As in a section: the text of rich text is shown as it is."""
    page = look("olga", "lab")
    item = blocks.rich_section(blocks.words("first"), blocks.words("\n"), blocks.words("second"))
    listed = {"type": "rich_text_list", "style": "bullet", "elements": [item]}
    poster.post("lab", "fallback", blocks=[{"type": "rich_text", "elements": [listed]}])
    assert arrival(page, "second").locator("li").inner_text() == "first\nsecond"


def test_an_edit_touches_only_what_changed(poster: PageApp, look: Look) -> None:
    page = look("olga", "lab", height=500)
    for number in range(12):
        poster.post("lab", f"filler {number}")
    bar, button = blocks.section("bar", "at 10 %"), blocks.actions("row", blocks.button("go", "Go"))
    ts = poster.post("lab", "x", blocks=[bar, button])
    message = arrival(page, "at 10 %")
    message.get_by_role("button", name="Go").focus()
    scroller = page.locator(".scroller").first
    scroller.evaluate("node => { node.scrollTop = 100; }")
    page.evaluate("window.kept = document.activeElement")
    poster.update("lab", ts, "x", blocks=[blocks.section("bar", "at 90 %"), button])
    arrival(page, "at 90 %")
    assert page.evaluate("document.activeElement === window.kept && window.kept.isConnected")
    assert scroller.evaluate("node => node.scrollTop") == 100
    poster.post("lab", "one more")
    page.get_by_role("button", name="New messages").click()
    assert arrival(page, "one more").is_visible()
    assert scroller.evaluate("node => node.scrollHeight - node.scrollTop - node.clientHeight < 2")


def test_focus_survives_a_redrawn_control(poster: PageApp, look: Look) -> None:
    page = look("olga", "lab")
    ts = poster.post("lab", "x", blocks=[blocks.actions("row", blocks.button("go", "Go"))])
    arrival(page, "Go").get_by_role("button", name="Go").focus()
    poster.update("lab", ts, "x", blocks=[blocks.actions("row", blocks.button("go", "Go on"))])
    arrival(page, "Go on")
    assert page.evaluate("document.activeElement.textContent") == "Go on"


def test_a_thread_opens_beside_and_takes_replies(workspace: RunningWorkspace, look: Look) -> None:
    page = look("olga", "infra")
    parent = workspace.say("ana", "#infra", "shall we?")
    message = arrival(page, "shall we?")
    message.hover()
    message.get_by_role("button", name="Reply in thread").click()
    thread = page.get_by_role("complementary", name="Thread")
    page.get_by_label("Reply…").fill("we shall")
    page.keyboard.press("Enter")
    thread.locator(".message", has_text="we shall").wait_for()
    workspace.say("ben", "#infra", "agreed", parent["ts"])
    thread.locator(".message", has_text="agreed").wait_for()
    footer = message.get_by_role("button", name="2 replies")
    footer.wait_for()
    assert page.locator("#conversation .message").count() == 1
    page.keyboard.press("Escape")
    thread.wait_for(state="hidden")
    footer.click()
    assert thread.locator(".message").count() == 3
    page.get_by_label("Reply…").fill("/xen help")
    page.keyboard.press("Enter")
    thread.get_by_role("alert").filter(has_text="not supported in threads").wait_for()


def test_files_reactions_edits_and_days(workspace: RunningWorkspace, poster: PageApp, look: Look) -> None:
    page = look("olga", "infra")
    pixel = bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
        "0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
    )
    channel = workspace.channels["infra"]
    poster.client.files_upload_v2(content=pixel, filename="memory.png", channel=channel, initial_comment="a picture")
    poster.client.files_upload_v2(content="a,b\n", filename="list.csv", channel=channel, initial_comment="a list")
    picture = arrival(page, "a picture").get_by_role("img", name="memory.png")
    picture.wait_for()
    page.wait_for_function("image => image.naturalWidth === 1", arg=picture.element_handle())
    assert "4 B" in arrival(page, "a list").locator(".file-card").inner_text()
    ts = poster.post("infra", "first words")
    poster.client.reactions_add(channel=channel, name="white_check_mark", timestamp=ts)
    arrival(page, "first words").get_by_role("img", name=":white_check_mark:").wait_for()
    poster.update("infra", ts, "other words")
    assert "(edited)" in arrival(page, "other words").inner_text()
    assert page.locator(".day").all_inner_texts() == ["Today"]
    assert re.search(r"\d{4}", newest(page).locator("time").first.get_attribute("title") or "")
