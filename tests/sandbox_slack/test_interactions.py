"""Buttons, menus and response URLs through slack_bolt."""

import threading
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from sandbox.slack import RunningWorkspace
from sandbox.slack.errors import Refused
from tests.sandbox_slack.conftest import Bot, ConnectBot, StartWorkspace, actions, button, section, text_input, texts

JSON = dict[str, Any]


def option(value: str) -> JSON:
    return {"text": {"type": "plain_text", "text": f"Option {value}"}, "value": value}


def catch(bot: Bot, *action_ids: str) -> list[JSON]:
    """The payloads of these actions, acknowledged at once."""
    seen: list[JSON] = []

    def keep(ack: Any, body: JSON) -> None:
        seen.append(body)
        ack()

    for action_id in action_ids:
        bot.app.action(action_id)(keep)
    return seen


def post(bot: Bot, *blocks: JSON, channel: str = "C0INFRA") -> str:
    return str(bot.client.chat_postMessage(channel=channel, text="choose", blocks=list(blocks))["ts"])


def test_a_press_brings_where_who_and_what(workspace: RunningWorkspace, bot: Bot) -> None:
    seen = catch(bot, "approve")
    ts = post(bot, section("A plan"), actions(button("approve", "Approve", value="r1", style="primary")))
    answer = workspace.press("ana", channel="#infra", ts=ts, text="Approve")
    assert answer["acknowledged"]
    body = seen[0]
    assert body["type"] == "block_actions"
    assert body["user"] == {"id": "U0ANA", "username": "ana", "name": "ana", "team_id": "T0EXAMPLE"}
    assert body["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": "C0INFRA",
        "is_ephemeral": False,
    }
    assert body["channel"] == {"id": "C0INFRA", "name": "infra"}
    assert body["message"]["ts"] == ts
    assert body["message"]["blocks"][1]["block_id"] == "buttons"
    action = body["actions"][0]
    assert (action["action_id"], action["block_id"], action["value"]) == ("approve", "buttons", "r1")
    assert action["text"]["text"] == "Approve"
    assert body["response_url"].startswith(f"{workspace.base}/actions/")
    assert body["state"] == {"values": {}}


def test_a_press_that_nobody_acknowledges_shows_a_trouble_to_who_pressed(
    workspace_with: StartWorkspace, connect: ConnectBot
) -> None:
    workspace = workspace_with(clock_scale=20)
    bot = connect(workspace)
    ts = post(bot, actions(button("unknown")))
    answer = workspace.press("ana", channel="#infra", ts=ts, action_id="unknown")
    assert not answer["acknowledged"]
    assert workspace.messages("#infra", "ana")[0]["error"] == "Sorry, an error occurred. Please try again."
    assert "error" not in workspace.messages("#infra", "ben")[0]
    catch(bot, "unknown")
    assert workspace.press("ana", channel="#infra", ts=ts, action_id="unknown")["acknowledged"]
    assert "error" not in workspace.messages("#infra", "ana")[0]


def test_what_cannot_be_pressed(workspace: RunningWorkspace, bot: Bot) -> None:
    ts = post(bot, actions(button("go")), actions(button("go"), button("stop", "Stop"), block_id="more"))
    partners = post(bot, actions(button("go")), channel="C0PARTNERS")
    for who, body, reason in [
        ("ana", {"channel": "#infra", "ts": ts, "action_id": "jump"}, "there is no 'jump' here; there is: Go, Stop"),
        ("ana", {"channel": "#infra", "ts": ts, "action_id": "go"}, "is there 2 times: name the block_id too"),
        ("ana", {"channel": "#infra", "ts": "1.000000", "action_id": "go"}, "there is no such message"),
        ("gil", {"channel": "#infra", "ts": ts, "action_id": "stop"}, "gil is not in #infra"),
        ("dee", {"channel": "#infra", "ts": ts, "action_id": "stop"}, "account is deactivated"),
        ("sam", {"channel": "#partners", "ts": partners, "action_id": "go"}, "sam is not in #partners"),
        ("xenia", {"channel": "#infra", "ts": ts, "action_id": "stop"}, "the bot acts through its own program"),
    ]:
        with pytest.raises(Refused, match=reason):
            workspace.press(who, **body)
    assert workspace.deliveries() == {}


def test_an_outsider_presses_with_the_other_teams_id(workspace: RunningWorkspace, bot: Bot) -> None:
    seen = catch(bot, "go")
    ts = post(bot, actions(button("go")), channel="C0PARTNERS")
    workspace.press("otto", channel="#partners", ts=ts, action_id="go")
    assert (seen[0]["user"]["team_id"], seen[0]["team"]["id"]) == ("T0PARTNER", "T0EXAMPLE")


MENUS: list[tuple[JSON, JSON, JSON]] = [
    ({"type": "static_select", "options": [option("a"), option("b")]}, {"value": "b"}, {"selected_option": "b"}),
    ({"type": "static_select", "options": [option("a")]}, {"value": "Option a"}, {"selected_option": "a"}),
    (
        {"type": "radio_buttons", "options": [option("a")]},
        {"selected_option": {"value": "a"}},
        {"selected_option": "a"},
    ),
    ({"type": "overflow", "options": [option("a"), option("b")]}, {"value": "b"}, {"selected_option": "b"}),
    (
        {"type": "checkboxes", "options": [option("a"), option("b")]},
        {"value": ["a", "b"]},
        {"selected_options": ["a", "b"]},
    ),
    (
        {"type": "multi_static_select", "options": [option("a"), option("b")]},
        {"selected_options": ["b"]},
        {"selected_options": ["b"]},
    ),
    ({"type": "users_select"}, {"selected_user": "U0BEN"}, {"selected_user": "U0BEN"}),
    ({"type": "multi_users_select"}, {"value": ["U0BEN"]}, {"selected_users": ["U0BEN"]}),
    ({"type": "conversations_select"}, {"value": "C0LAB"}, {"selected_conversation": "C0LAB"}),
    ({"type": "multi_conversations_select"}, {"value": ["C0LAB"]}, {"selected_conversations": ["C0LAB"]}),
    ({"type": "channels_select"}, {"value": "C0LAB"}, {"selected_channel": "C0LAB"}),
    ({"type": "multi_channels_select"}, {"value": ["C0LAB"]}, {"selected_channels": ["C0LAB"]}),
    ({"type": "datepicker"}, {"value": "2026-11-23"}, {"selected_date": "2026-11-23"}),
    ({"type": "timepicker"}, {"value": "03:00"}, {"selected_time": "03:00"}),
    ({"type": "datetimepicker"}, {"value": 1_795_000_000}, {"selected_date_time": 1_795_000_000}),
    ({"type": "datepicker", "initial_date": "2026-11-23"}, {"value": None}, {"selected_date": None}),
]


@pytest.mark.parametrize(("element", "chosen", "expected"), MENUS)
def test_every_control_sends_its_own_key(
    workspace: RunningWorkspace, bot: Bot, element: JSON, chosen: JSON, expected: JSON
) -> None:
    seen = catch(bot, "pick")
    ts = post(bot, actions(element | {"action_id": "pick"}))
    assert workspace.press("ana", channel="#infra", ts=ts, action_id="pick", **chosen)["acknowledged"]
    action = seen[0]["actions"][0]
    key, value = next(iter(expected.items()))
    got = action[key]
    if isinstance(got, dict):
        got = got["value"]
    elif key == "selected_options":
        got = [one["value"] for one in got]
    assert got == value
    held = seen[0]["state"]["values"].get("buttons", {}).get("pick")
    assert held is None if element["type"] == "overflow" else held[key] == action[key]


def test_a_menu_offers_what_it_offers(workspace: RunningWorkspace, bot: Bot) -> None:
    ts = post(bot, actions({"type": "static_select", "action_id": "pick", "options": [option("a")]}))
    with pytest.raises(Refused, match="'z' is not one of the options"):
        workspace.press("ana", channel="#infra", ts=ts, action_id="pick", value="z")


def test_an_input_tells_the_app_only_when_it_is_to(workspace: RunningWorkspace, bot: Bot) -> None:
    seen = catch(bot, "value")
    quiet, loud = text_input("quiet"), text_input("loud", dispatch_action=True)
    ts = post(bot, quiet, loud)
    assert not workspace.press("ana", channel="#infra", ts=ts, action_id="value", block_id="quiet", value="x")["sent"]
    workspace.press("ana", channel="#infra", ts=ts, action_id="value", block_id="loud", value="y")
    assert len(seen) == 1
    values = seen[0]["state"]["values"]
    assert (values["quiet"]["value"]["value"], values["loud"]["value"]["value"]) == ("x", "y")


def test_each_person_has_their_own_state_and_initial_values_count(workspace: RunningWorkspace, bot: Bot) -> None:
    seen = catch(bot, "pick", "go")
    menu = {
        "type": "static_select",
        "action_id": "pick",
        "options": [option("a"), option("b")],
        "initial_option": option("a"),
    }
    ts = post(bot, actions(menu, button("go")))
    workspace.press("ana", channel="#infra", ts=ts, action_id="pick", value="b")
    workspace.press("ana", channel="#infra", ts=ts, action_id="go")
    workspace.press("ben", channel="#infra", ts=ts, action_id="go")
    held = [one["state"]["values"]["buttons"]["pick"]["selected_option"]["value"] for one in seen]
    assert held == ["b", "b", "a"]


def test_external_selects_ask_the_app(workspace: RunningWorkspace, bot: Bot) -> None:
    asked: list[JSON] = []

    @bot.app.options("vm")
    def offer(ack: Any, body: JSON) -> None:
        asked.append(body)
        count = {"many": 101, "most": 100}.get(body["value"], 2)
        ack(options=[option(f"{body['value']}-{number}") for number in range(count)])

    seen = catch(bot, "vm")
    ts = post(bot, actions({"type": "external_select", "action_id": "vm", "min_query_length": 3}))
    place = {"channel": "#infra", "ts": ts, "action_id": "vm"}
    assert workspace.options("ana", **place, value="we") == {"options": []}
    assert asked == []
    found = workspace.options("ana", **place, value="web")["options"]
    assert [one["value"] for one in found] == ["web-0", "web-1"]
    assert (asked[0]["type"], asked[0]["action_id"], asked[0]["value"]) == ("block_suggestion", "vm", "web")
    assert asked[0]["container"]["type"] == "message"
    assert "trigger_id" not in asked[0]
    assert len(workspace.options("ana", **place, value="most")["options"]) == 100
    too_many = workspace.options("ana", **place, value="many")
    assert too_many["options"] == []
    assert "no more than 100 items allowed [json-pointer:/options]" in too_many["problems"]
    workspace.press("ana", **place, selected_option=found[1])
    assert seen[0]["actions"][0]["selected_option"] == found[1]


def test_option_groups_of_an_external_select(workspace: RunningWorkspace, bot: Bot) -> None:
    @bot.app.options("vm")
    def offer(ack: Any) -> None:
        ack(option_groups=[{"label": {"type": "plain_text", "text": "lab"}, "options": [option("a")]}])

    ts = post(bot, actions({"type": "external_select", "action_id": "vm", "min_query_length": 0}))
    answer = workspace.options("ana", channel="#infra", ts=ts, action_id="vm", value="")
    assert answer["option_groups"][0]["label"]["text"] == "lab"
    assert [one["value"] for one in answer["options"]] == ["a"]


def test_an_ephemeral_is_changed_only_by_the_response_url_of_a_press_on_it(
    workspace: RunningWorkspace, bot: Bot
) -> None:
    seen = catch(bot, "go")
    ts = bot.client.chat_postEphemeral(channel="C0INFRA", user="U0ANA", text="psst", blocks=[actions(button("go"))])[
        "message_ts"
    ]
    assert texts(workspace.messages("#infra", "ana")) == ["psst"]
    assert workspace.messages("#infra", "ben") == []
    for method, args in [
        ("chat.update", {"ts": ts, "text": "new"}),
        ("chat.delete", {"ts": ts}),
        ("chat.getPermalink", {"message_ts": ts}),
        ("reactions.add", {"timestamp": ts, "name": "eyes"}),
    ]:
        with pytest.raises(SlackApiError, match="message_not_found"):
            bot.client.api_call(method, params={"channel": "C0INFRA", **args})
    workspace.press("ana", channel="#infra", ts=ts, action_id="go")
    body = seen[0]
    assert body["container"]["is_ephemeral"] is True
    assert "message" not in body
    answer = WebhookClient(body["response_url"]).send(text="changed", replace_original=True)
    assert (answer.status_code, answer.body) == (200, "ok")
    changed = workspace.messages("#infra", "ana")
    assert (changed[0]["ts"], changed[0]["text"], changed[0]["blocks"]) == (ts, "changed", [])
    assert changed[0]["ephemeral"] is True
    assert WebhookClient(body["response_url"]).send(delete_original=True).status_code == 200
    assert workspace.messages("#infra", "ana") == []


def response_url(workspace: RunningWorkspace, bot: Bot, channel: str = "#infra") -> str:
    urls: list[str] = []

    @bot.app.command("/xen")
    def xen(ack: Any, body: JSON) -> None:
        urls.append(body["response_url"])
        ack()

    workspace.say("olga", channel, "/xen x")
    return urls[0]


def test_a_response_url_serves_five_times(workspace: RunningWorkspace, bot: Bot) -> None:
    hook = WebhookClient(response_url(workspace, bot), retry_handlers=[])
    for number in range(5):
        assert hook.send(text=f"answer {number}").status_code == 200
    sixth = hook.send(text="answer 5")
    assert (sixth.status_code, sixth.body) == (404, "used_url")
    assert texts(workspace.messages("#infra", "olga"))[1:] == [f"answer {number}" for number in range(5)]
    assert workspace.messages("#infra", "ana") == []


def test_a_response_url_serves_thirty_minutes(workspace: RunningWorkspace, bot: Bot) -> None:
    hook = WebhookClient(response_url(workspace, bot))
    workspace.advance(30 * 60 - 5)
    assert hook.send(text="in time").status_code == 200
    workspace.advance(10)
    late = hook.send(text="late")
    assert (late.status_code, late.body) == (404, "expired_url")


def test_what_a_response_url_refuses(workspace: RunningWorkspace, bot: Bot) -> None:
    url = response_url(workspace, bot)
    hook = WebhookClient(url)
    assert (hook.send(text="").status_code, hook.send(text="").body) == (400, "no_text")
    blocks = hook.send_dict({"blocks": [{"type": "nothing"}]})
    assert (blocks.status_code, blocks.body) == (400, "invalid_blocks")
    assert hook.send_dict({"text": "x", "channel": "C0LAB"}).body == "invalid_payload"
    nowhere = {"text": "x", "response_type": "in_channel", "thread_ts": "1.000000"}
    assert WebhookClient(url).send_dict(nowhere).body == "thread_not_found"
    unknown = WebhookClient(url[:-3] + "xyz").send(text="x")
    assert (unknown.status_code, unknown.body) == (404, "no_service")


def test_a_commands_response_url_has_no_original(workspace: RunningWorkspace, bot: Bot) -> None:
    hook = WebhookClient(response_url(workspace, bot))
    hook.send(text="first", response_type="in_channel")
    hook.send(text="second", response_type="in_channel", replace_original=True)
    assert texts(workspace.messages("#infra", "ana")) == ["first", "second"]


def test_a_response_url_into_a_thread_only_in_channel(workspace: RunningWorkspace, bot: Bot) -> None:
    parent = post(bot, section("parent"))
    hook = WebhookClient(response_url(workspace, bot))
    hook.send_dict({"text": "in the thread", "response_type": "in_channel", "thread_ts": parent})
    hook.send_dict({"text": "for me", "thread_ts": parent})
    assert texts(workspace.messages("#infra", "olga", parent)) == ["choose", "in the thread"]
    assert workspace.messages("#infra", "olga")[-1]["text"] == "for me"


def test_replacing_a_message_keeps_everybody_seeing_it(workspace: RunningWorkspace, bot: Bot) -> None:
    seen = catch(bot, "go")
    ts = post(bot, actions(button("go")))
    workspace.press("ana", channel="#infra", ts=ts, action_id="go")
    hook = WebhookClient(seen[0]["response_url"])
    hook.send(text="done", replace_original=True, response_type="ephemeral")
    assert texts(workspace.messages("#infra", "ben")) == ["done"]
    hook.send(text="only for ana")
    assert texts(workspace.messages("#infra", "ben")) == ["done"]
    assert texts(workspace.messages("#infra", "ana")) == ["done", "only for ana"]
    hook.send(text="anew", delete_original=True, response_type="in_channel")
    assert texts(workspace.messages("#infra", "ben")) == ["anew"]


def test_respond_works_where_the_bot_is_not_a_member(workspace: RunningWorkspace, bot: Bot) -> None:
    hook = WebhookClient(response_url(workspace, bot, "#random"))
    assert hook.send(text="here", response_type="in_channel").status_code == 200
    assert texts(workspace.messages("#random", "ana")) == ["here"]
    with pytest.raises(SlackApiError, match="not_in_channel"):
        bot.client.chat_postMessage(channel="C0RANDOM", text="not here")


def test_fifty_presses_at_once_are_all_delivered(workspace: RunningWorkspace, bot: Bot) -> None:
    seen = catch(bot, "go")
    ts = post(bot, actions(button("go")))
    threads = [
        threading.Thread(
            target=workspace.press, args=("ana",), kwargs={"channel": "#infra", "ts": ts, "action_id": "go"}
        )
        for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(seen) == 50
    assert len({one["trigger_id"] for one in seen}) == 50
