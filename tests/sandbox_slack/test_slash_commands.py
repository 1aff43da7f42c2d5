"""Slash commands through slack_bolt over Socket Mode."""

import threading
from typing import Any

import pytest

from sandbox.slack import RunningWorkspace, SlashCommand
from sandbox.slack.errors import Refused
from tests.sandbox_slack.conftest import Bot, ConnectBot, StartWorkspace, texts

JSON = dict[str, Any]


def test_a_command_arrives_with_all_its_fields_and_its_reply_is_ephemeral(
    workspace: RunningWorkspace, bot: Bot
) -> None:
    seen: list[JSON] = []

    @bot.app.command("/xen")
    def xen(ack: Any, body: JSON) -> None:
        seen.append(body)
        ack("pong")

    answer = workspace.say("olga", "#infra", "/xen vm show  web-1 ")
    assert answer["acknowledged"]
    assert "error" not in answer
    payload = seen[0]
    assert payload["text"] == "vm show  web-1 "
    assert (payload["command"], payload["user_id"], payload["user_name"]) == ("/xen", "U0OLGA", "olga")
    assert (payload["channel_id"], payload["channel_name"]) == ("C0INFRA", "infra")
    assert payload["is_enterprise_install"] == "false"
    assert payload["response_url"].startswith(f"{workspace.base}/commands/T0EXAMPLE/")
    assert len(payload["trigger_id"].split(".")) == 3
    assert "thread_ts" not in payload
    mine, hers = workspace.messages("#infra", "olga"), workspace.messages("#infra", "ana")
    assert [one.get("command") for one in mine] == ["/xen vm show  web-1 ", None]
    assert mine[1]["text"] == "pong"
    assert mine[1]["ephemeral"] is True
    assert hers == []


def test_in_channel_shows_the_typed_command_and_the_reply_to_everybody(workspace: RunningWorkspace, bot: Bot) -> None:
    @bot.app.command("/xen")
    def xen(ack: Any) -> None:
        ack({"response_type": "in_channel", "text": "for all"})

    workspace.say("olga", "#infra", "/xen x")
    assert texts(workspace.messages("#infra", "ana")) == ["/xen x", "for all"]


def test_in_channel_alone_shows_only_the_typed_command(workspace: RunningWorkspace, bot: Bot) -> None:
    @bot.app.command("/xen")
    def xen(ack: Any) -> None:
        ack(response_type="in_channel")

    workspace.say("olga", "#infra", "/xen x")
    assert texts(workspace.messages("#infra", "ana")) == ["/xen x"]


def test_no_answer_within_three_seconds(workspace_with: StartWorkspace, connect: ConnectBot) -> None:
    workspace = workspace_with(clock_scale=20)
    bot = connect(workspace)
    go_on = threading.Event()

    @bot.app.command("/xen")
    def xen(ack: Any) -> None:
        go_on.wait(10)
        ack()

    answer = workspace.say("olga", "#infra", "/xen slow")
    go_on.set()
    assert not answer["acknowledged"]
    assert 3 / 20 <= answer["seconds"] < 3
    words = "/xen failed because the app did not respond. Please try again or contact the app developer."
    assert answer["error"] == words
    assert workspace.messages("#infra", "olga")[0]["error"] == words


def test_three_seconds_are_the_limit(workspace: RunningWorkspace, bot: Bot) -> None:
    @bot.app.command("/xen")
    def xen(ack: Any, body: JSON) -> None:
        workspace.advance(float(body["text"]))
        ack()

    assert workspace.say("olga", "#infra", "/xen 2.5")["acknowledged"]
    assert not workspace.say("olga", "#infra", "/xen 3.1")["acknowledged"]


def test_without_a_connection_it_fails_at_once(workspace: RunningWorkspace) -> None:
    answer = workspace.say("olga", "#infra", "/xen x")
    assert answer["error"] == '/xen failed with the error "dispatch_failed"'


def test_a_reply_that_slack_would_not_take(workspace: RunningWorkspace, bot: Bot) -> None:
    @bot.app.command("/xen")
    def xen(ack: Any) -> None:
        ack({"blocks": [{"type": "sectoin"}]})

    answer = workspace.say("olga", "#infra", "/xen x")
    assert answer["acknowledged"]
    assert answer["error"] == '/xen failed with the error "invalid_command_response"'


def test_commands_are_refused_in_threads_and_when_unknown(workspace: RunningWorkspace, bot: Bot) -> None:
    parent = workspace.say("olga", "#infra", "hello")["ts"]
    with pytest.raises(Refused, match=r"/xen is not supported in threads\. Sorry!"):
        workspace.say("olga", "#infra", "/xen x", thread_ts=parent)
    with pytest.raises(Refused, match="/xne is not a valid command"):
        workspace.say("olga", "#infra", "/xne x")
    assert workspace.deliveries() == {}


def test_an_outsider_has_no_commands_of_this_workspace_but_a_guest_has(workspace: RunningWorkspace, bot: Bot) -> None:
    seen: list[JSON] = []

    @bot.app.command("/xen")
    def xen(ack: Any, body: JSON) -> None:
        seen.append(body)
        ack()

    with pytest.raises(Refused, match="not a valid command"):
        workspace.say("otto", "#partners", "/xen x")
    workspace.say("gil", "#lab", "/xen x")
    assert [one["user_id"] for one in seen] == ["U0GIL"]


def test_a_command_works_where_the_bot_is_not(workspace: RunningWorkspace, bot: Bot) -> None:
    """The immediate reply and the response URL do; chat.postMessage does not."""
    seen: list[JSON] = []
    responded = threading.Event()

    @bot.app.command("/xen")
    def xen(ack: Any, body: JSON, respond: Any) -> None:
        ack("at once")
        seen.append(body)
        respond("later")
        responded.set()

    workspace.say("olga", "#secret", "/xen x")
    assert responded.wait(5)
    assert seen[0]["channel_name"] == "privategroup"
    assert sorted(texts(workspace.messages("#secret", "olga"))[1:]) == ["at once", "later"]  # one may overtake
    workspace.say("olga", "@olga", "/xen x")
    assert seen[1]["channel_name"] == "directmessage"


ESCAPED = "<@U0ANA|ana> <#C0INFRA|infra> <#C0SECRET|> <https://x.example/a> a &amp; b &lt;"
TYPED = "@ana #infra #secret https://x.example/a a & b <"


@pytest.mark.parametrize(
    ("should_escape", "switches", "expected"),
    [
        (True, {}, ESCAPED),
        (False, {}, TYPED),
        (False, {"slash_text_entities": True}, TYPED.replace("&", "&amp;").replace("<", "&lt;")),
    ],
)
def test_how_the_text_is_escaped(
    workspace_with: StartWorkspace, connect: ConnectBot, should_escape: bool, switches: JSON, expected: str
) -> None:
    command = SlashCommand("/xen", "does things", should_escape=should_escape)
    workspace = workspace_with(commands=(command,), switches=switches)
    seen: list[str] = []

    @connect(workspace).app.command("/xen")
    def xen(ack: Any, body: JSON) -> None:
        seen.append(body["text"])
        ack()

    workspace.say("olga", "#infra", f"/xen {TYPED}")
    assert seen == [expected]


def test_smart_quotes_change_what_is_typed(workspace_with: StartWorkspace, connect: ConnectBot) -> None:
    workspace = workspace_with(switches={"smart_quotes": True})
    seen: list[str] = []

    @connect(workspace).app.command("/xen")
    def xen(ack: Any, body: JSON) -> None:
        seen.append(body["text"])
        ack()

    workspace.say("olga", "#infra", "/xen vm show \"web 1\" --all it's 'x'")
    assert seen == ["vm show “web 1” —all it’s ‘x’"]


def test_who_may_not_type(workspace: RunningWorkspace) -> None:
    with pytest.raises(Refused, match="dee's account is deactivated"):
        workspace.say("dee", "#infra", "/xen x")
    with pytest.raises(Refused, match="sam is not in #ops-private"):
        workspace.say("sam", "#ops-private", "/xen x")
    with pytest.raises(Refused, match="there is nobody called"):
        workspace.say("nobody", "#infra", "/xen x")


def test_the_trigger_of_a_command_lives_three_seconds_and_once(workspace: RunningWorkspace, bot: Bot) -> None:
    triggers: list[str] = []

    @bot.app.command("/xen")
    def xen(ack: Any, body: JSON) -> None:
        triggers.append(body["trigger_id"])
        ack()

    from slack_sdk.errors import SlackApiError

    from tests.sandbox_slack.conftest import modal, section

    def open_with(trigger: str) -> str:
        try:
            bot.client.views_open(trigger_id=trigger, view=modal(section()))
        except SlackApiError as error:
            return str(error.response["error"])
        return "ok"

    workspace.say("olga", "#infra", "/xen x")
    assert open_with(triggers[0]) == "ok"
    assert open_with(triggers[0]) == "exchanged_trigger_id"
    workspace.say("olga", "#infra", "/xen x")
    workspace.advance(3.1)
    assert open_with(triggers[1]) == "expired_trigger_id"
    assert open_with("1.2.unknown") == "invalid_trigger_id"
    assert open_with("nonsense") == "invalid_arguments"
