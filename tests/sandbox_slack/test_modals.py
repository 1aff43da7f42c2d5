"""Modals and App Homes through slack_bolt."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from sandbox.slack import RunningWorkspace
from sandbox.slack.errors import Refused
from tests.sandbox_slack.conftest import Bot, ConnectBot, StartWorkspace, actions, button, modal, section, text_input

JSON = dict[str, Any]


def open_modal(workspace: RunningWorkspace, bot: Bot, view: JSON, who: str = "olga") -> JSON:
    """Open it by a command, as an app does; the view object of the answer."""
    opened: list[JSON] = []

    @bot.app.command("/xen")
    def xen(ack: Any, body: JSON, client: Any) -> None:
        opened.append(client.views_open(trigger_id=body["trigger_id"], view=view)["view"])
        ack()

    assert workspace.say(who, "#infra", "/xen form")["acknowledged"]
    return opened[0]


def fresh_trigger(workspace: RunningWorkspace, who: str = "olga") -> str:
    """As if the person had just pressed something."""
    person = workspace.people[who]
    return workspace.run(lambda: workspace.workspace.grants.new_trigger(person))


def answer_with(bot: Bot, callback_id: str, **answer: Any) -> list[JSON]:
    seen: list[JSON] = []

    @bot.app.view(callback_id)
    def submitted(ack: Any, body: JSON) -> None:
        seen.append(body)
        ack(**answer)

    return seen


def stack(workspace: RunningWorkspace, who: str = "olga") -> list[str]:
    return [one["view"]["title"]["text"] for one in workspace.views(who)["views"]]


def test_a_form_is_opened_filled_in_and_sent(workspace: RunningWorkspace, bot: Bot) -> None:
    seen = answer_with(bot, "ask")
    view = open_modal(
        workspace,
        bot,
        modal(text_input("vm"), text_input("why", optional=True), callback_id="ask", private_metadata='{"a":1}'),
    )
    assert (view["root_view_id"], view["previous_view_id"], view["team_id"]) == (view["id"], None, "T0EXAMPLE")
    shown = workspace.views("olga")["views"][0]
    assert (shown["id"], shown["errors"], shown["trouble"]) == (view["id"], {}, None)
    assert workspace.views("ana")["views"] == []
    assert workspace.submit("olga", view["id"], {"vm": {"value": {"type": "plain_text_input", "value": "web-1"}}}) == {
        "ok": True
    }
    body = seen[0]
    assert body["type"] == "view_submission"
    assert body["user"]["id"] == "U0OLGA"
    assert body["view"]["callback_id"] == "ask"
    assert body["view"]["private_metadata"] == '{"a":1}'
    assert body["view"]["state"]["values"] == {
        "vm": {"value": {"type": "plain_text_input", "value": "web-1"}},
        "why": {"value": {"type": "plain_text_input", "value": None}},
    }
    assert body["response_urls"] == []
    assert "channel" not in body
    assert workspace.views("olga")["views"] == []


def test_slacks_client_checks_before_it_sends(workspace: RunningWorkspace, bot: Bot) -> None:
    seen = answer_with(bot, "ask")
    number = {
        "type": "number_input",
        "action_id": "value",
        "is_decimal_allowed": False,
        "min_value": "1",
        "max_value": "9",
    }
    length = {"type": "plain_text_input", "action_id": "value", "min_length": 2, "max_length": 4}
    mail = {"type": "email_text_input", "action_id": "value"}
    link = {"type": "url_text_input", "action_id": "value"}
    view = open_modal(
        workspace,
        bot,
        modal(
            text_input("needed"),
            text_input("count", element=number),
            text_input("word", element=length),
            text_input("mail", element=mail),
            text_input("link", element=link),
            callback_id="ask",
        ),
    )

    def errors(**values: Any) -> list[str]:
        answer = workspace.submit("olga", view["id"], {key: {"value": value} for key, value in values.items()})
        return sorted(answer.get("errors", {}))

    assert errors() == ["count", "link", "mail", "needed", "word"]
    assert errors(needed="x", count="ten", word="a", mail="me", link="x") == ["count", "link", "mail", "word"]
    assert errors(count="1.5", word="abcde", mail="a@b.example", link="https://x.example") == ["count", "word"]
    assert errors(count="10", word="abcd") == ["count"]
    assert workspace.views("olga")["views"][0]["errors"] == {"count": "Please enter a number that is at most 9."}
    assert seen == []
    assert errors(count="9") == []
    assert len(seen) == 1


def test_errors_of_the_app_stand_under_their_fields(workspace: RunningWorkspace, bot: Bot) -> None:
    answer_with(bot, "ask", response_action="errors", errors={"vm": "no such VM"})
    view = open_modal(workspace, bot, modal(text_input("vm"), callback_id="ask"))
    answer = workspace.submit("olga", view["id"], {"vm": {"value": "web-9"}})
    assert answer == {"ok": False, "errors": {"vm": "no such VM"}}
    shown = workspace.views("olga")["views"][0]
    assert shown["errors"] == {"vm": "no such VM"}
    assert shown["view"]["state"]["values"]["vm"]["value"]["value"] == "web-9"


BAD_ANSWERS: list[JSON] = [
    {"response_action": "errors", "errors": {"elsewhere": "no such block"}},
    {"response_action": "update", "view": {"type": "modal"}},
    {"response_action": "dance"},
]


@pytest.mark.parametrize("answer", BAD_ANSWERS)
def test_an_answer_that_slack_would_not_take_leaves_the_form_open(
    workspace: RunningWorkspace, bot: Bot, answer: JSON
) -> None:
    answer_with(bot, "ask", **answer)
    view = open_modal(workspace, bot, modal(text_input("vm"), callback_id="ask"))
    got = workspace.submit("olga", view["id"], {"vm": {"value": "web-9"}})
    assert got == {"ok": False, "errors": {}, "error": "We had some trouble connecting. Try again?"}
    assert workspace.views("olga")["views"][0]["trouble"] == "We had some trouble connecting. Try again?"


def test_a_submission_without_an_answer_leaves_the_form_open(
    workspace_with: StartWorkspace, connect: ConnectBot
) -> None:
    workspace = workspace_with(clock_scale=20)
    view = open_modal(workspace, connect(workspace), modal(section(), callback_id="nobody-listens"))
    assert workspace.submit("olga", view["id"])["error"] == "We had some trouble connecting. Try again?"
    assert stack(workspace) == ["A form"]


def test_push_update_clear(workspace: RunningWorkspace, bot: Bot) -> None:
    answer_with(bot, "one", response_action="push", view=modal(section(), title="Two", callback_id="two"))
    answer_with(bot, "two", response_action="update", view=modal(section(), title="Two again", callback_id="three"))
    answer_with(bot, "three", response_action="clear")
    first = open_modal(workspace, bot, modal(section(), title="One", callback_id="one"))
    workspace.submit("olga", first["id"])
    assert stack(workspace) == ["One", "Two"]
    top = workspace.views("olga")["views"][1]["view"]
    assert (top["root_view_id"], top["previous_view_id"]) == (first["id"], first["id"])
    with pytest.raises(Refused, match="another view lies on top"):
        workspace.submit("olga", first["id"])
    workspace.submit("olga", top["id"])
    assert stack(workspace) == ["One", "Two again"]
    workspace.submit("olga", top["id"])
    assert stack(workspace) == []


def test_an_empty_answer_closes_the_top_view_only(workspace: RunningWorkspace, bot: Bot) -> None:
    answer_with(bot, "two")
    open_modal(workspace, bot, modal(section(), title="One"))
    second = bot.client.views_push(
        trigger_id=fresh_trigger(workspace), view=modal(section(), title="Two", callback_id="two")
    )["view"]
    workspace.submit("olga", second["id"])
    assert stack(workspace) == ["One"]


def test_three_views_are_the_most(workspace: RunningWorkspace, bot: Bot) -> None:
    open_modal(workspace, bot, modal(section(), title="1"))
    for number in ("2", "3"):
        bot.client.views_push(trigger_id=fresh_trigger(workspace), view=modal(section(), title=number))
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        bot.client.views_push(trigger_id=fresh_trigger(workspace), view=modal(section(), title="4"))
    assert stack(workspace) == ["1", "2", "3"]


def test_a_push_needs_an_open_view_and_its_own_trigger(workspace: RunningWorkspace, bot: Bot) -> None:
    with pytest.raises(SlackApiError, match="not_found"):
        bot.client.views_push(trigger_id=fresh_trigger(workspace), view=modal(section()))
    trigger = fresh_trigger(workspace)
    bot.client.views_open(trigger_id=trigger, view=modal(section()))
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        bot.client.views_push(trigger_id=trigger, view=modal(section()))


def test_an_invalid_view_does_not_use_up_the_trigger(workspace: RunningWorkspace, bot: Bot) -> None:
    trigger = fresh_trigger(workspace)
    with pytest.raises(SlackApiError) as refused:
        bot.client.views_open(trigger_id=trigger, view=modal(section("x" * 3001)))
    assert refused.value.response["error"] == "invalid_arguments"
    reasons = refused.value.response["response_metadata"]["messages"]
    assert "[ERROR] must be less than 3001 characters [json-pointer:/view/blocks/0/text/text]" in reasons
    bot.client.views_open(trigger_id=trigger, view=modal(section()))


def test_update_by_hash(workspace: RunningWorkspace, bot: Bot) -> None:
    view = open_modal(workspace, bot, modal(text_input("kept"), text_input("gone")))
    new = modal(text_input("kept"), text_input("added"))
    updated = bot.client.views_update(view_id=view["id"], hash=view["hash"], view=new)["view"]
    assert updated["hash"] != view["hash"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        bot.client.views_update(view_id=view["id"], hash=view["hash"], view=new)
    bot.client.views_update(view_id=view["id"], view=new)
    with pytest.raises(SlackApiError, match="not_found"):
        bot.client.views_update(view_id="V0NOTHING", view=new)


def test_what_is_typed_survives_an_update_where_the_ids_do(workspace: RunningWorkspace, bot: Bot) -> None:
    @bot.app.action("more")
    def more(ack: Any, body: JSON, client: Any) -> None:
        client.views_update(view_id=body["view"]["id"], view=modal(text_input("kept"), text_input("new")))
        ack()

    view = open_modal(workspace, bot, modal(text_input("kept"), text_input("gone"), actions(button("more"))))
    values = {"kept": {"value": "a"}, "gone": {"value": "b"}}
    answer = workspace.press("olga", view_id=view["id"], action_id="more", values=values)
    assert answer["acknowledged"]
    state = workspace.views("olga")["views"][0]["view"]["state"]["values"]
    assert state["kept"]["value"]["value"] == "a"
    assert "gone" not in state


def test_external_ids_are_unique_and_serve_for_updates(workspace: RunningWorkspace, bot: Bot) -> None:
    open_modal(workspace, bot, modal(section(), external_id="mine"))
    with pytest.raises(SlackApiError, match="duplicate_external_id"):
        bot.client.views_open(trigger_id=fresh_trigger(workspace, "ana"), view=modal(section(), external_id="mine"))
    bot.client.views_update(external_id="mine", view=modal(section(), title="Changed", external_id="mine"))
    assert stack(workspace) == ["Changed"]


def test_a_view_may_be_250_kb(workspace: RunningWorkspace, bot: Bot) -> None:
    heavy = [section("é" * 3000) for _ in range(14)]
    with pytest.raises(SlackApiError, match="view_too_large"):
        bot.client.views_open(trigger_id=fresh_trigger(workspace), view=modal(*heavy))


def test_an_action_in_a_modal(workspace: RunningWorkspace, bot: Bot) -> None:
    seen: list[JSON] = []

    @bot.app.action("pick")
    def picked(ack: Any, body: JSON) -> None:
        seen.append(body)
        ack()

    view = open_modal(workspace, bot, modal(actions(button("pick", value="7"))))
    workspace.press("olga", view_id=view["id"], text="Go")
    body = seen[0]
    assert body["container"] == {"type": "view", "view_id": view["id"]}
    assert body["view"]["id"] == view["id"]
    assert "response_url" not in body
    assert "channel" not in body
    with pytest.raises(Refused, match="that view is not open"):
        workspace.press("ana", view_id=view["id"], text="Go")


def closings(bot: Bot, callback_id: str) -> list[JSON]:
    seen: list[JSON] = []

    @bot.app.view_closed(callback_id)
    def closed(ack: Any, body: JSON) -> None:
        seen.append(body)
        ack()

    return seen


def test_closing_tells_the_app_only_when_it_asked(workspace: RunningWorkspace, bot: Bot) -> None:
    seen = closings(bot, "told")
    quiet = open_modal(workspace, bot, modal(section(), callback_id="told"))
    workspace.close_view("olga", quiet["id"])
    assert seen == []
    bot.client.views_open(
        trigger_id=fresh_trigger(workspace), view=modal(section(), callback_id="told", notify_on_close=True)
    )
    view = workspace.views("olga")["views"][0]
    workspace.close_view("olga", view["id"])
    assert (seen[0]["type"], seen[0]["is_cleared"], seen[0]["view"]["id"]) == ("view_closed", False, view["id"])
    assert "trigger_id" not in seen[0]


def test_the_cross_closes_the_whole_stack(workspace: RunningWorkspace, bot: Bot) -> None:
    seen = closings(bot, "told")
    both = modal(section(), callback_id="told", notify_on_close=True)
    open_modal(workspace, bot, both)
    top = bot.client.views_push(trigger_id=fresh_trigger(workspace), view=both)["view"]
    workspace.close_view("olga", top["id"], everything=True)
    assert stack(workspace) == []
    assert [one["is_cleared"] for one in seen] == [True, True]


def test_cancel_closes_one_view_of_the_stack(workspace: RunningWorkspace, bot: Bot) -> None:
    open_modal(workspace, bot, modal(section(), title="One"))
    top = bot.client.views_push(trigger_id=fresh_trigger(workspace), view=modal(section(), title="Two"))["view"]
    workspace.close_view("olga", top["id"])
    assert stack(workspace) == ["One"]


def test_a_response_url_from_a_form(workspace: RunningWorkspace, bot: Bot) -> None:
    seen = answer_with(bot, "ask")
    menu = {"type": "conversations_select", "action_id": "value", "response_url_enabled": True}
    view = open_modal(workspace, bot, modal(text_input("where", element=menu), callback_id="ask"))
    workspace.submit("olga", view["id"], {"where": {"value": {"selected_conversation": "C0LAB"}}})
    url = seen[0]["response_urls"][0]
    assert (url["block_id"], url["action_id"], url["channel_id"]) == ("where", "value", "C0LAB")
    assert WebhookClient(url["response_url"]).send(text="there", response_type="in_channel").status_code == 200
    assert workspace.messages("#lab", "ana")[0]["text"] == "there"


def test_a_home_is_one_persons(workspace: RunningWorkspace, bot: Bot) -> None:
    home = {"type": "home", "blocks": [section("for ana"), actions(button("go"))]}
    published = bot.client.views_publish(user_id="U0ANA", view=home)["view"]
    assert workspace.views("ben")["home"] is None
    shown = workspace.views("ana")["home"]
    assert shown["id"] == published["id"]
    assert shown["view"]["blocks"][0]["text"]["text"] == "for ana"
    again = bot.client.views_publish(user_id="U0ANA", view=home, hash=published["hash"])["view"]
    assert again["id"] == published["id"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        bot.client.views_publish(user_id="U0ANA", view=home, hash=published["hash"])
    seen: list[JSON] = []

    @bot.app.action("go")
    def go(ack: Any, body: JSON) -> None:
        seen.append(body)
        ack()

    workspace.press("ana", view_id=published["id"], action_id="go")
    assert seen[0]["view"]["type"] == "home"


def test_a_home_where_there_is_none(workspace_with: StartWorkspace, connect: ConnectBot) -> None:
    bot = connect(workspace_with(switches={"home_tab": False}))
    with pytest.raises(SlackApiError, match="not_enabled"):
        bot.client.views_publish(user_id="U0ANA", view={"type": "home", "blocks": []})


def test_the_modals_of_somebody_who_leaves_are_gone(workspace: RunningWorkspace, bot: Bot) -> None:
    view = open_modal(workspace, bot, modal(section()))
    workspace.person("olga", "deactivate")
    with pytest.raises(SlackApiError, match="not_found"):
        bot.client.views_update(view_id=view["id"], view=modal(section()))
