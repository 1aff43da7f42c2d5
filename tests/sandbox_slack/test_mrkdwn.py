"""What Slack does to text by itself."""

import pytest

from sandbox.slack import mrkdwn
from sandbox.slack.directory import default_directory
from sandbox.slack.settings import Settings

DIRECTORY = default_directory(Settings())

LINKED = [
    ("see https://x.example/a?b=1&amp;c=2.", "see <https://x.example/a?b=1&amp;c=2>."),
    ("<https://x.example|words> stay", "<https://x.example|words> stay"),
    ("`https://x.example` stays", "`https://x.example` stays"),
    ("```\n@here https://x.example\n``` stays", "```\n@here https://x.example\n``` stays"),
    ("@ana and @Ben, not mail@ana", "<@U0ANA> and <@U0BEN>, not mail@ana"),
    ("@approvers @here @channel @everyone", "<!subteam^S0APPROVERS> <!here> <!channel> <!everyone>"),
    ("#infra but not #nothing or a#infra", "<#C0INFRA> but not #nothing or a#infra"),
    ("<@U0ANA> @nobody", "<@U0ANA> @nobody"),
]


@pytest.mark.parametrize(("text", "kept"), LINKED)
def test_names_and_urls_become_links(text: str, kept: str) -> None:
    assert mrkdwn.link(text, DIRECTORY, names=True, urls=True) == kept


def test_a_typed_message_as_rich_text() -> None:
    typed = mrkdwn.typed("hi @xenia & @ana in #lab, @here: https://x.example @approvers", DIRECTORY)
    assert mrkdwn.rich_text(typed)[0]["elements"][0]["elements"] == [
        {"type": "text", "text": "hi "},
        {"type": "user", "user_id": "U0XENIA"},
        {"type": "text", "text": " & "},
        {"type": "user", "user_id": "U0ANA"},
        {"type": "text", "text": " in "},
        {"type": "channel", "channel_id": "C0LAB"},
        {"type": "text", "text": ", "},
        {"type": "broadcast", "range": "here"},
        {"type": "text", "text": ": "},
        {"type": "link", "url": "https://x.example"},
        {"type": "text", "text": " "},
        {"type": "usergroup", "usergroup_id": "S0APPROVERS"},
    ]


def test_nothing_is_linked_unless_asked() -> None:
    text = "@here #infra https://x.example"
    assert mrkdwn.link(text, DIRECTORY, names=False, urls=False) == text


def test_what_is_typed_is_escaped_first() -> None:
    assert mrkdwn.typed("<!channel> & @ana", DIRECTORY) == "&lt;!channel&gt; &amp; <@U0ANA>"


@pytest.mark.parametrize(
    ("text", "stored"), [("a & b", "a &amp; b"), ("a &amp; b", "a &amp; b"), ("&lt;", "&lt;"), ("&x;", "&amp;x;")]
)
def test_a_bare_ampersand_is_escaped_once(text: str, stored: str) -> None:
    assert mrkdwn.stray_brackets(text) == stored
