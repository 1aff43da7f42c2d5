"""conversations.*, users.*, usergroups.*, reactions, pins and files through slack_sdk."""

import urllib.error
import urllib.request
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.slack import RunningWorkspace
from tests.sandbox_slack.conftest import StartWorkspace, client_of

JSON = dict[str, Any]


def refused(call: Any, **args: Any) -> str:
    with pytest.raises(SlackApiError) as error:
        call(**args)
    return str(error.value.response["error"])


def test_what_kind_of_conversation_it_is(client: WebClient) -> None:
    def facts(channel: str) -> JSON:
        return dict(client.conversations_info(channel=channel)["channel"])

    infra, ops, partners, dm = facts("C0INFRA"), facts("C0OPSPRIVATE"), facts("C0PARTNERS"), facts("D0ANA")
    assert (infra["name"], infra["is_private"], infra["is_member"], infra["is_ext_shared"]) == (
        "infra",
        False,
        True,
        False,
    )
    assert (ops["is_private"], ops["is_member"]) == (True, True)
    assert (partners["is_shared"], partners["is_ext_shared"]) == (True, True)
    assert (dm["is_im"], dm["user"]) == (True, "U0ANA")
    assert facts("C0RANDOM")["is_member"] is False
    assert "num_members" not in infra
    counted = client.conversations_info(channel="C0INFRA", include_num_members=True)["channel"]
    assert counted["num_members"] == 5
    assert refused(client.conversations_info, channel="C0SECRET") == "channel_not_found"
    assert refused(client.conversations_info, channel="C0NOWHERE") == "channel_not_found"


def test_listing_conversations(client: WebClient) -> None:
    def names(**args: Any) -> list[str]:
        return [one.get("name") or one["user"] for one in client.conversations_list(**args)["channels"]]

    assert names() == ["infra", "lab", "random", "partners"]
    assert names(types="private_channel") == ["ops-private"]
    assert names(types=["im"], exclude_archived=True) == ["U0OLGA", "U0ANA", "U0BEN", "U0SAM", "U0GIL"]
    assert refused(client.conversations_list, types="secret_channel") == "invalid_types"


def test_pages(client: WebClient) -> None:
    pages = [
        (len(page["channels"]), bool(page["response_metadata"]["next_cursor"]))
        for page in client.conversations_list(limit=3)
    ]
    assert pages == [(3, True), (1, False)]
    assert refused(client.conversations_list, cursor="nonsense") == "invalid_cursor"


def test_members(workspace: RunningWorkspace, client: WebClient) -> None:
    assert client.conversations_members(channel="C0LAB")["members"] == [
        "U0OLGA",
        "U0ANA",
        "U0BEN",
        "U0SAM",
        "U0GIL",
        "U0XENIA",
    ]
    workspace.person("sam", "deactivate")
    assert "U0SAM" not in client.conversations_members(channel="C0LAB")["members"]


def test_history_is_for_members_newest_first(workspace: RunningWorkspace, client: WebClient) -> None:
    stamps = [str(client.chat_postMessage(channel="C0INFRA", text=str(number))["ts"]) for number in range(5)]
    client.chat_postMessage(channel="C0INFRA", text="in a thread", thread_ts=stamps[0])

    def read(**args: Any) -> list[str]:
        return [one["text"] for one in client.conversations_history(channel="C0INFRA", **args)["messages"]]

    assert read() == ["4", "3", "2", "1", "0"]
    assert read(oldest=stamps[1], latest=stamps[3]) == ["2"]
    assert read(oldest=stamps[1], latest=stamps[3], inclusive=True) == ["3", "2", "1"]
    pages = [
        [one["text"] for one in page["messages"]] for page in client.conversations_history(channel="C0INFRA", limit=2)
    ]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]
    assert refused(client.conversations_history, channel="C0RANDOM") == "not_in_channel"
    assert refused(client.conversations_history, channel="C0SECRET") == "channel_not_found"
    assert refused(client.conversations_history, channel="C0INFRA", oldest="x") == "invalid_ts_oldest"


def test_replies(client: WebClient) -> None:
    parent = str(client.chat_postMessage(channel="C0INFRA", text="parent")["ts"])
    for text in "ab":
        client.chat_postMessage(channel="C0INFRA", text=text, thread_ts=parent)
    answer = client.conversations_replies(channel="C0INFRA", ts=parent)["messages"]
    assert [one["text"] for one in answer] == ["parent", "a", "b"]
    assert (answer[0]["reply_count"], answer[0]["reply_users"]) == (2, ["U0XENIA"])
    assert refused(client.conversations_replies, channel="C0INFRA", ts="1.000000") == "thread_not_found"


def test_joining(client: WebClient) -> None:
    assert client.conversations_join(channel="C0RANDOM")["channel"]["is_member"] is True
    client.chat_postMessage(channel="C0RANDOM", text="x")
    assert client.conversations_join(channel="C0RANDOM")["warning"] == "already_in_channel"
    assert refused(client.conversations_join, channel="C0OPSPRIVATE") == "method_not_supported_for_channel_type"
    assert refused(client.conversations_join, channel="C0SECRET") == "channel_not_found"


@pytest.mark.parametrize(
    ("users", "error"),
    [
        ("", "users_list_not_supplied"),
        ("U0NOBODY", "user_not_found"),
        ("U0DEE", "user_disabled"),
        ("U0OTTO", "user_not_visible"),
        (",".join(["U0ANA"] * 9), "too_many_users"),
    ],
)
def test_dms_that_cannot_be_opened(client: WebClient, users: str, error: str) -> None:
    assert refused(client.conversations_open, users=users) == error


def test_opening_a_dm(client: WebClient) -> None:
    assert client.conversations_open(users="U0ANA")["channel"] == {"id": "D0ANA"}


def test_people(workspace: RunningWorkspace, client: WebClient) -> None:
    def user(name: str) -> JSON:
        return dict(client.users_info(user=workspace.people[name])["user"])

    assert (user("olga")["team_id"], user("olga")["deleted"], user("olga")["tz_offset"]) == ("T0EXAMPLE", False, 3600)
    assert user("olga")["profile"]["email"] == "olga@infra.example"
    assert (user("gil")["is_restricted"], user("olga")["is_restricted"]) == (True, False)
    assert user("otto")["team_id"] == "T0PARTNER"
    assert user("dee")["deleted"] is True
    assert user("xenia")["is_bot"] is True
    assert refused(client.users_info, user="U0NOBODY") == "user_not_found"
    listed = [one["name"] for one in client.users_list()["members"]]
    assert listed == ["olga", "ana", "ben", "sam", "gil", "dee", "xenia"]


def test_where_somebody_is_a_member(client: WebClient) -> None:
    def names(**args: Any) -> list[str]:
        return [one.get("name", one["id"]) for one in client.users_conversations(**args)["channels"]]

    everything = "public_channel,private_channel,im"
    assert names() == ["infra", "lab", "partners"]
    assert names(types="private_channel") == ["ops-private"]
    assert names(user="U0OLGA", types=everything) == ["infra", "lab", "random", "ops-private", "partners", "D0OLGA"]
    assert names(user="U0OTTO") == ["partners"]
    assert names(limit=1) == ["infra"]
    assert refused(client.users_conversations, types="secret") == "invalid_types"
    assert refused(client.users_conversations, user="U0NOBODY") == "user_not_found"


def test_the_bot_and_the_team(workspace_with: StartWorkspace, client: WebClient) -> None:
    bot = client.bots_info(bot=client.auth_test()["bot_id"])["bot"]
    assert (bot["user_id"], bot["app_id"], bot["deleted"]) == ("U0XENIA", "A0XENIA", False)
    assert refused(client.bots_info, bot="B0NOBODY") == "bot_not_found"
    assert refused(client.bots_info) == "missing_argument"
    team = client.team_info()["team"]
    assert (team["id"], team["name"], team["domain"]) == ("T0EXAMPLE", "Example Infra", "example-infra")
    assert client.team_info(team="T0EXAMPLE")["team"] == team
    assert refused(client.team_info, team="T0PARTNER") == "team_not_found"
    assert refused(client_of(workspace_with(scopes=("chat:write",))).team_info) == "missing_scope"


def test_addresses_need_their_scope(workspace_with: StartWorkspace) -> None:
    client = client_of(workspace_with(scopes=("users:read",)))
    assert "email" not in client.users_info(user="U0ANA")["user"]["profile"]
    assert refused(client.users_lookupByEmail, email="ana@infra.example") == "missing_scope"


def test_looking_up_by_address(client: WebClient) -> None:
    assert client.users_lookupByEmail(email="Ana@infra.example")["user"]["id"] == "U0ANA"
    assert refused(client.users_lookupByEmail, email="dee@infra.example") == "users_not_found"


def test_the_approvers(workspace: RunningWorkspace, client: WebClient) -> None:
    assert client.usergroups_list(include_users=True)["usergroups"][0]["users"] == ["U0ANA", "U0BEN"]
    assert client.usergroups_users_list(usergroup="S0APPROVERS")["users"] == ["U0ANA", "U0BEN"]
    workspace.person("ben", "deactivate")
    assert client.usergroups_users_list(usergroup="S0APPROVERS")["users"] == ["U0ANA"]
    assert refused(client.usergroups_users_list, usergroup="S0NOBODY") == "no_such_subteam"


def test_reactions(workspace: RunningWorkspace, client: WebClient) -> None:
    ts = workspace.say("olga", "#infra", "hello")["ts"]
    client.reactions_add(channel="C0INFRA", timestamp=ts, name="eyes")
    assert workspace.messages("#infra")[0]["reactions"] == [{"name": "eyes", "users": ["U0XENIA"], "count": 1}]
    assert refused(client.reactions_add, channel="C0INFRA", timestamp=ts, name="eyes") == "already_reacted"
    assert refused(client.reactions_add, channel="C0INFRA", timestamp=ts, name="no such!") == "invalid_name"
    assert refused(client.reactions_add, channel="C0RANDOM", timestamp=ts, name="eyes") == "channel_not_found"
    assert refused(client.reactions_add, channel="C0INFRA", timestamp="1.000000", name="eyes") == "message_not_found"
    assert refused(client.reactions_add, channel="C0INFRA", timestamp="soon", name="eyes") == "bad_timestamp"
    got = client.reactions_get(channel="C0INFRA", timestamp=ts)
    assert got["message"]["reactions"][0]["name"] == "eyes"
    client.reactions_remove(channel="C0INFRA", timestamp=ts, name="eyes")
    assert refused(client.reactions_remove, channel="C0INFRA", timestamp=ts, name="eyes") == "no_reaction"


def test_pins(workspace: RunningWorkspace, client: WebClient) -> None:
    ts = str(client.chat_postMessage(channel="C0INFRA", text="x")["ts"])
    client.pins_add(channel="C0INFRA", timestamp=ts)
    assert refused(client.pins_add, channel="C0INFRA", timestamp=ts) == "already_pinned"
    assert refused(client.pins_add, channel="C0RANDOM", timestamp=ts) == "not_in_channel"
    assert client.conversations_history(channel="C0INFRA")["messages"][0]["pinned_to"] == ["C0INFRA"]


def test_files_are_uploaded_in_three_steps_by_the_sdk(workspace: RunningWorkspace, client: WebClient) -> None:
    parent = str(client.chat_postMessage(channel="C0INFRA", text="x")["ts"])
    answer = client.files_upload_v2(
        channel="C0INFRA", filename="graph.png", content=b"\x89PNG not really", title="A graph", initial_comment="see",
        thread_ts=parent,
    )  # fmt: skip
    message = workspace.messages("#infra", thread_ts=parent)[1]
    shown = message["files"][0]
    assert (message["text"], shown["title"], shown["mimetype"], shown["size"]) == ("see", "A graph", "image/png", 15)
    with urllib.request.urlopen(workspace.base + shown["url"]) as response:
        assert response.read() == b"\x89PNG not really"
        assert response.headers["Content-Type"] == "image/png"
    told = client.files_info(file=answer["files"][0]["id"])
    assert (told["file"], told["comments"]) == (answer["files"][0], [])
    private = answer["files"][0]["url_private"]
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(private)
    with_token = urllib.request.Request(private, headers={"Authorization": f"Bearer {workspace.bot_token}"})
    with urllib.request.urlopen(with_token) as response:
        assert response.read() == b"\x89PNG not really"
    assert workspace.calls()["files.completeUploadExternal"] == 1


def test_what_uploads_refuse(workspace: RunningWorkspace, client: WebClient) -> None:
    assert refused(client.files_getUploadURLExternal, filename="a", length=0) == "missing_argument"
    reserved = client.files_getUploadURLExternal(filename="a.txt", length=3)
    listed = [{"id": reserved["file_id"], "title": "a"}]
    assert refused(client.files_info, file=reserved["file_id"]) == "file_not_found"
    assert refused(client.files_completeUploadExternal, files=listed) == "file_not_found"
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(urllib.request.Request(reserved["upload_url"], data=b"too long", method="POST"))
    with urllib.request.urlopen(urllib.request.Request(reserved["upload_url"], data=b"abc", method="POST")) as response:
        assert response.status == 200
    not_there = refused(client.files_completeUploadExternal, files=listed, channel_id="C0RANDOM")
    assert not_there == "not_in_channel"
    client.files_completeUploadExternal(files=listed, channel_id="C0INFRA")
    assert refused(client.files_completeUploadExternal, files=listed) == "file_not_found"
