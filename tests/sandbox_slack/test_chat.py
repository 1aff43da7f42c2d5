"""chat.* through slack_sdk."""

import json
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.slack import RunningWorkspace, Settings
from tests.sandbox_slack.conftest import StartWorkspace, actions, button, client_of, section, texts

JSON = dict[str, Any]

# Some calls leave the text out on purpose, which slack_sdk advises against.
pytestmark = pytest.mark.filterwarnings("ignore:The top-level `text` argument is missing")


def refused(call: Any, **args: Any) -> JSON:
    with pytest.raises(SlackApiError) as error:
        call(**args)
    answer: JSON = error.value.response.data
    return answer


def test_a_message_comes_back_as_slack_keeps_it(workspace: RunningWorkspace, client: WebClient) -> None:
    answer = client.chat_postMessage(
        channel="C0INFRA", text="see https://x.example/a & <#C0LAB>", blocks=[section("a")]
    )
    message = answer["message"]
    assert answer["channel"] == "C0INFRA"
    assert message["ts"] == answer["ts"]
    assert message["text"] == "see <https://x.example/a> &amp; <#C0LAB>"
    assert (message["type"], message["user"], message["bot_id"]) == ("message", "U0XENIA", "B0XENIA")
    assert (message["app_id"], message["team"]) == ("A0XENIA", "T0EXAMPLE")
    assert message["bot_profile"]["name"] == "Xenia"
    assert message["blocks"][0]["block_id"]
    assert message["blocks"][0]["text"]["verbatim"] is False
    assert "subtype" not in message


def test_times_are_unique_and_rise(client: WebClient) -> None:
    stamps = [str(client.chat_postMessage(channel="C0INFRA", text="x")["ts"]) for _ in range(10)]
    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize(
    ("channel", "posted"), [("#infra", "C0INFRA"), ("infra", "C0INFRA"), ("C0INFRA", "C0INFRA"), ("U0ANA", "D0ANA")]
)
def test_where_a_message_goes(client: WebClient, channel: str, posted: str) -> None:
    assert client.chat_postMessage(channel=channel, text="x")["channel"] == posted


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("C0NOWHERE", "channel_not_found"),
        ("C0SECRET", "channel_not_found"),
        ("C0RANDOM", "not_in_channel"),
        ("D0DEE", "is_archived"),
        ("U0OTTO", "channel_not_found"),
    ],
)
def test_where_it_does_not(workspace: RunningWorkspace, client: WebClient, channel: str, error: str) -> None:
    assert refused(client.chat_postMessage, channel=channel, text="x")["error"] == error


def test_chat_write_public_posts_without_joining(workspace_with: StartWorkspace) -> None:
    client = client_of(workspace_with(scopes=("chat:write", "chat:write.public")))
    client.chat_postMessage(channel="C0RANDOM", text="x")
    assert refused(client.chat_postMessage, channel="C0SECRET", text="x")["error"] == "channel_not_found"


def test_membership_changes_count_at_once(workspace: RunningWorkspace, client: WebClient) -> None:
    workspace.person("xenia", "invite", "#random")
    client.chat_postMessage(channel="C0RANDOM", text="x")
    workspace.person("xenia", "remove", "#random")
    assert refused(client.chat_postMessage, channel="C0RANDOM", text="x")["error"] == "not_in_channel"
    workspace.person("xenia", "archive", "#infra")
    assert refused(client.chat_postMessage, channel="C0INFRA", text="x")["error"] == "is_archived"


def test_an_empty_message_and_wrong_blocks(client: WebClient) -> None:
    assert refused(client.chat_postMessage, channel="C0INFRA", text="")["error"] == "no_text"
    assert (
        refused(client.chat_postMessage, channel="C0INFRA", text="x", blocks="no json")["error"]
        == "invalid_blocks_format"
    )
    answer = refused(client.chat_postMessage, channel="C0INFRA", text="x", blocks=[{"type": "divider"}] * 51)
    assert answer["error"] == "invalid_blocks"
    assert answer["errors"] == ["no more than 50 items allowed [json-pointer:/blocks]"]
    assert answer["response_metadata"]["messages"] == ["[ERROR] no more than 50 items allowed [json-pointer:/blocks]"]


def test_blocks_may_be_json_text(client: WebClient) -> None:
    answer = client.chat_postMessage(channel="C0INFRA", text="x", blocks=json.dumps([section("a")]))
    assert answer["message"]["blocks"][0]["text"]["text"] == "a"


def test_text_is_cut_at_40000(client: WebClient) -> None:
    answer = client.chat_postMessage(channel="C0INFRA", text="x" * 40_001)
    assert len(answer["message"]["text"]) == 40_000


def test_markdown_text(client: WebClient) -> None:
    both = refused(client.chat_postMessage, channel="C0INFRA", text="x", markdown_text="y")
    assert both["error"] == "markdown_text_conflict"
    assert refused(client.chat_postMessage, channel="C0INFRA", markdown_text="x" * 12_001)["error"] == "msg_too_long"
    client.chat_postMessage(channel="C0INFRA", markdown_text="x" * 12_000)


def test_what_mentions_do_by_themselves(client: WebClient) -> None:
    """verbatim:false lets Slack make mentions; verbatim:true and plain text do not; the text only with link_names."""
    words = "@here #lab `@here`"
    mention = "<!here> <#C0LAB> `@here`"
    blocks = [
        section(words),
        {"type": "section", "text": {"type": "mrkdwn", "text": words, "verbatim": True}},
        {"type": "section", "text": {"type": "plain_text", "text": words}},
    ]
    message = client.chat_postMessage(channel="C0INFRA", text=words, blocks=blocks)["message"]
    assert [one["text"]["text"] for one in message["blocks"]] == [mention, words, words]
    assert message["text"] == words
    linked = client.chat_postMessage(channel="C0INFRA", text=words, link_names=True)["message"]
    assert linked["text"] == mention


def test_threads(workspace: RunningWorkspace, client: WebClient) -> None:
    parent = client.chat_postMessage(channel="C0INFRA", text="parent")["ts"]
    reply = client.chat_postMessage(channel="C0INFRA", text="reply", thread_ts=parent)
    client.chat_postMessage(channel="C0INFRA", text="both", thread_ts=parent, reply_broadcast=True)
    assert reply["message"]["thread_ts"] == parent
    assert texts(workspace.messages("#infra")) == ["parent", "both"]
    assert texts(workspace.messages("#infra", thread_ts=parent)) == ["parent", "reply", "both"]
    first = workspace.messages("#infra")[0]
    assert (first["reply_count"], first["thread_ts"]) == (2, parent)
    unknown = refused(client.chat_postMessage, channel="C0INFRA", text="x", thread_ts="1.000000")
    assert unknown["error"] == "thread_not_found"
    nested = refused(client.chat_postMessage, channel="C0INFRA", text="x", thread_ts=reply["ts"])
    assert nested["error"] == "cannot_reply_to_message"


def test_an_update_replaces_what_is_given(workspace: RunningWorkspace, client: WebClient) -> None:
    ts = client.chat_postMessage(channel="C0INFRA", text="one", blocks=[section("a")], metadata=METADATA)["ts"]

    def now() -> JSON:
        return dict(workspace.messages("#infra")[0])

    client.chat_update(channel="C0INFRA", ts=ts, text="two", blocks=[section("b")])
    assert (now()["text"], now()["blocks"][0]["text"]["text"]) == ("two", "b")
    assert "edited" not in now()
    client.chat_update(channel="C0INFRA", ts=ts, metadata={"event_type": "other", "event_payload": {}})
    assert len(now()["blocks"]) == 1
    answer = client.chat_update(channel="C0INFRA", ts=ts, text="three")
    assert now()["blocks"] == []
    assert "edited" in now()
    assert answer["message"]["metadata"]["event_type"] == "other"
    assert "metadata" not in client.chat_update(channel="C0INFRA", ts=ts, text="four", metadata={})["message"]


def test_what_an_update_refuses(workspace: RunningWorkspace, client: WebClient) -> None:
    ts = client.chat_postMessage(channel="C0INFRA", text="mine")["ts"]
    theirs = workspace.say("olga", "#infra", "hers")["ts"]
    for args, error in [
        ({"ts": theirs, "text": "x"}, "cant_update_message"),
        ({"ts": "1.000000", "text": "x"}, "message_not_found"),
        ({"ts": ts, "text": ""}, "no_text"),
        ({"ts": ts, "text": "x" * 4001}, "msg_too_long"),
        ({"ts": ts, "text": "x", "blocks": [{"type": "nothing"}]}, "invalid_blocks"),
        ({"ts": ts, "text": "x", "channel": "infra"}, "channel_not_found"),
    ]:
        assert refused(client.chat_update, **{"channel": "C0INFRA", **args})["error"] == error
    assert texts(workspace.messages("#infra")) == ["mine", "hers"]
    workspace.person("xenia", "archive", "#infra")
    assert refused(client.chat_update, channel="C0INFRA", ts=ts, text="x")["error"] == "is_inactive"


def test_a_message_is_deleted_by_its_author_only(workspace: RunningWorkspace, client: WebClient) -> None:
    ts = client.chat_postMessage(channel="C0INFRA", text="mine")["ts"]
    theirs = workspace.say("olga", "#infra", "hers")["ts"]
    assert refused(client.chat_delete, channel="C0INFRA", ts=theirs)["error"] == "cant_delete_message"
    client.chat_delete(channel="C0INFRA", ts=ts)
    assert refused(client.chat_delete, channel="C0INFRA", ts=ts)["error"] == "message_not_found"
    assert texts(workspace.messages("#infra")) == ["hers"]


def test_ephemerals(workspace: RunningWorkspace, client: WebClient) -> None:
    answer = client.chat_postEphemeral(channel="C0INFRA", user="U0SAM", text="psst")
    assert set(answer.data) == {"ok", "message_ts"}
    assert texts(workspace.messages("#infra", "sam")) == ["psst"]
    assert workspace.messages("#infra", "ana") == []
    assert client.conversations_history(channel="C0INFRA")["messages"] == []
    for channel, user, error in [
        ("C0INFRA", "U0GIL", "user_not_in_channel"),
        ("C0INFRA", "U0DEE", "user_not_in_channel"),
        ("C0RANDOM", "U0OLGA", "not_in_channel"),
        ("C0SECRET", "U0OLGA", "channel_not_found"),
    ]:
        assert refused(client.chat_postEphemeral, channel=channel, user=user, text="x")["error"] == error


def test_permalinks(workspace: RunningWorkspace, client: WebClient) -> None:
    parent = str(client.chat_postMessage(channel="C0INFRA", text="parent")["ts"])
    reply = str(client.chat_postMessage(channel="C0INFRA", text="reply", thread_ts=parent)["ts"])
    link = "https://example-infra.slack.com/archives/C0INFRA/p"
    first = client.chat_getPermalink(channel="C0INFRA", message_ts=parent)["permalink"]
    second = client.chat_getPermalink(channel="C0INFRA", message_ts=reply)["permalink"]
    assert first == link + parent.replace(".", "")
    assert second == link + reply.replace(".", "") + f"?thread_ts={parent}&cid=C0INFRA"


def test_scheduled_messages(workspace: RunningWorkspace, client: WebClient) -> None:
    now = workspace.run(workspace.workspace.clock.now)
    answer = client.chat_scheduleMessage(channel="C0INFRA", text="later", post_at=int(now) + 600)
    assert answer["scheduled_message_id"].startswith("Q")
    assert workspace.messages("#infra") == []
    workspace.advance(601)
    workspace.wait_until(lambda: texts(workspace.messages("#infra")) == ["later"])
    for post_at, error in [
        (int(now) - 10, "time_in_past"),
        (int(now) + 121 * 86_400, "time_too_far"),
        ("soon", "invalid_time"),
    ]:
        assert refused(client.chat_scheduleMessage, channel="C0INFRA", text="x", post_at=post_at)["error"] == error


METADATA = {"event_type": "request_posted", "event_payload": {"request": "r-1", "attempt": 1}}


def test_metadata_is_found_again(client: WebClient) -> None:
    """What an app looks for after a call whose answer was lost."""
    ts = client.chat_postMessage(channel="C0INFRA", text="x", metadata=METADATA)["ts"]
    client.chat_postMessage(channel="C0INFRA", text="y", thread_ts=ts, metadata=METADATA)
    whole = client.conversations_history(channel="C0INFRA", include_all_metadata=True)["messages"]
    assert whole[0]["metadata"] == METADATA
    assert client.conversations_history(channel="C0INFRA")["messages"][0]["metadata"] == {
        "event_type": "request_posted"
    }
    replies = client.conversations_replies(channel="C0INFRA", ts=ts, include_all_metadata=True)["messages"]
    assert [one["metadata"] for one in replies] == [METADATA, METADATA]


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"event_type": "x"}, "invalid_metadata_format"),
        ({"event_type": "", "event_payload": {}}, "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": {"a": {"b": 1}}}, "invalid_metadata_schema"),
        ({"event_type": "x", "event_payload": {"a": "x" * 16_000}}, "metadata_too_large"),
    ],
)
def test_metadata_that_slack_would_not_take(client: WebClient, metadata: JSON, error: str) -> None:
    assert refused(client.chat_postMessage, channel="C0INFRA", text="x", metadata=metadata)["error"] == error


def test_attachments(client: WebClient) -> None:
    many = [{"text": "a", "fallback": "a"}] * 101
    assert (
        refused(client.chat_postMessage, channel="C0INFRA", text="x", attachments=many)["error"]
        == "too_many_attachments"
    )
    bad = [{"blocks": [{"type": "nothing"}], "fallback": "a"}]
    answer = refused(client.chat_postMessage, channel="C0INFRA", text="x", attachments=bad)
    assert answer["errors"] == ["unsupported type: nothing [json-pointer:/attachments/0/blocks/0/type]"]
    good = [{"blocks": [actions(button())], "fallback": "a"}]
    message = client.chat_postMessage(channel="C0INFRA", text="x", attachments=good)["message"]
    assert message["attachments"][0]["blocks"][0]["elements"][0]["text"]["emoji"] is True


def test_another_name_needs_its_scope(workspace_with: StartWorkspace, client: WebClient) -> None:
    answer = refused(client.chat_postMessage, channel="C0INFRA", text="x", username="Boss")
    assert (answer["error"], answer["needed"]) == ("missing_scope", "chat:write.customize")
    scopes = (*Settings().scopes, "chat:write.customize")
    message = client_of(workspace_with(scopes=scopes)).chat_postMessage(channel="C0INFRA", text="x", username="Boss")
    assert message["message"]["username"] == "Boss"


def test_a_messages_tab_that_is_off(workspace_with: StartWorkspace) -> None:
    client = client_of(workspace_with(switches={"messages_tab": False}))
    assert refused(client.chat_postMessage, channel="D0ANA", text="x")["error"] == "messages_tab_disabled"
