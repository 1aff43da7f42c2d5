"""Files reach Slack: shown once, in their thread, whatever breaks in between."""

from __future__ import annotations

import urllib.request
from typing import Any

import pytest

from bot.model import Attachment, Report
from bot.slack.api import Api, InDoubt, Refused, web_client
from bot.slack.uploads import Uploads
from bot.store import outbox
from sandbox.slack import RunningWorkspace
from tests.bot_slack import samples
from tests.bot_slack.post import Post

JSON = dict[str, Any]
PICTURE = Attachment.of("chart.png", "A chart of <!channel> & more", b"\x89PNG" + bytes(range(256)), "xs1 +1 s")
TABLE = Attachment.of("table.csv", "A table", b"a,b\r\n1,2\r\n")
CHANNEL = "C0INFRA"


def uploads(slack: RunningWorkspace) -> Uploads:
    return Uploads(Api(web_client(slack.bot_token, slack.api, 2)), seconds=20)


def content(slack: RunningWorkspace, file: JSON) -> bytes:
    with urllib.request.urlopen(slack.base + file["url"], timeout=60) as answer:
        data: bytes = answer.read()
        return data


def with_files(messages: list[JSON]) -> list[JSON]:
    return [one for one in messages if one.get("files")]


def announce(post: Post, *bodies: Report) -> None:
    """The first is a message of its own, the others belong into its thread."""
    parent: int | None = None
    with post.store._connections.write() as db:
        for body in bodies:
            number = outbox.announcement(db, samples.INFRA, body, post.clock.now(), parent)
            parent = parent or number


def files_in_thread(post: Post, title: str = "The report") -> list[JSON]:
    (head,) = (one for one in post.messages() if title in one["text"])
    return with_files(post.messages(thread_ts=head["ts"]))


REPORT = Report(title="The report")
FILES = Report(title="Its files", attachments=(PICTURE, TABLE))


def test_files_are_shown_as_they_are(post: Post) -> None:
    first = uploads(post.slack).share(CHANNEL, "", [PICTURE, TABLE], "Files of <!channel>")
    (message,) = with_files(post.messages())
    assert [file["name"] for file in message["files"]] == ["chart.png", "table.csv"]
    assert [content(post.slack, file) for file in message["files"]] == [PICTURE.data, TABLE.data]
    assert message["files"][0]["id"] == first
    assert message["files"][0]["alt_txt"] == "xs1 +1 s"
    assert "<!channel>" not in message["text"]


def test_a_report_s_files_come_into_its_thread_once(post: Post) -> None:
    announce(post, REPORT, FILES)
    post.run(60)
    (message,) = files_in_thread(post)
    assert len(message["files"]) == 2
    assert with_files(post.messages()) == []
    post.run(600)
    assert len(files_in_thread(post)) == 1
    assert post.store.next_due() is None


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.parametrize("fault", ["drop_before", "error_500", "not_json", "rate_limit"])
def test_what_breaks_is_tried_again(post: Post, method: str, fault: str) -> None:
    post.slack.fault(fault, method=method, count=1, seconds=1)
    announce(post, REPORT, FILES)
    post.run(600)
    assert len(files_in_thread(post)) == 1


def test_a_lost_answer_does_not_show_them_twice(post: Post) -> None:
    post.slack.fault("drop_after", method="files.completeUploadExternal", count=1)
    announce(post, REPORT, FILES)
    post.run(600)
    assert len(files_in_thread(post)) == 1
    assert post.slack.calls()["files.completeUploadExternal"] == 1


def test_an_upload_that_breaks_shows_nothing_and_is_no_doubt(post: Post) -> None:
    post.slack.fault("drop_after", method="files.getUploadURLExternal", count=1)
    with pytest.raises(Exception, match="getUploadURL") as failure:
        uploads(post.slack).share(CHANNEL, "", [PICTURE], "x")
    assert not isinstance(failure.value, InDoubt)
    assert with_files(post.messages()) == []


def test_slack_s_refusals_are_told(post: Post) -> None:
    with pytest.raises(Refused, match="thread_not_found"):
        uploads(post.slack).share(CHANNEL, "1.000001", [TABLE], "x")
    with pytest.raises(ValueError, match="nothing"):
        uploads(post.slack).share(CHANNEL, "", [], "x")
