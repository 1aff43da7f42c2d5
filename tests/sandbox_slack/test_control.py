"""The page's interface, over HTTP as the page uses it."""

import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest
from slack_sdk import WebClient

from sandbox.slack import RunningWorkspace
from tests.sandbox_slack.conftest import Bot, actions, button, modal, section, text_input, texts

JSON = dict[str, Any]


def get(workspace: RunningWorkspace, path: str, **query: str) -> JSON:
    url = f"{workspace.base}/sandbox/{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=30) as response:
        answer: JSON = json.loads(response.read())
    return answer


def post(workspace: RunningWorkspace, path: str, **body: Any) -> JSON:
    request = urllib.request.Request(f"{workspace.base}/sandbox/{path}", data=json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=30) as response:
        answer: JSON = json.loads(response.read())
    return answer


def refusal(call: Any, *args: Any, **more: Any) -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as refused:
        call(*args, **more)
    return refused.value.code, json.loads(refused.value.read())["error"]


def test_who_and_what_there_is(workspace: RunningWorkspace) -> None:
    overview = get(workspace, "workspace")
    assert overview["team"] == {"id": "T0EXAMPLE", "name": "Example Infra"}
    roles = {one["name"]: one["role"] for one in overview["people"]}
    assert roles == {
        "olga": "operator",
        "ana": "approver",
        "ben": "approver2",
        "sam": "stranger",
        "gil": "guest",
        "otto": "outsider",
        "dee": "deactivated",
    }
    assert overview["people"][0]["initials"] == "OO"
    kinds = {one["name"]: one["kind"] for one in overview["channels"] if one["kind"] != "dm"}
    assert kinds == {
        "infra": "public",
        "lab": "public",
        "random": "public",
        "ops-private": "private",
        "secret": "private",
        "partners": "shared",
    }
    assert overview["commands"][0]["command"] == "/xen"
    assert overview["bot"] == {"user_id": "U0XENIA", "name": "Xenia"}
    assert overview["groups"][0]["users"] == ["U0ANA", "U0BEN"]


def test_a_conversation_through_the_page(workspace: RunningWorkspace, bot: Bot) -> None:
    @bot.app.command("/xen")
    def xen(ack: Any, body: JSON, client: Any) -> None:
        view = modal(text_input("vm"), actions(button("more", "More")), callback_id="ask")
        client.views_open(trigger_id=body["trigger_id"], view=view)
        ack()

    @bot.app.view("ask")
    def ask(ack: Any, body: JSON, client: Any) -> None:
        name = body["view"]["state"]["values"]["vm"]["value"]["value"]
        client.chat_postMessage(channel="C0INFRA", text=f"asked for {name}", blocks=[actions(button("ok", "Approve"))])
        ack()

    @bot.app.action("ok")
    def ok(ack: Any, body: JSON, client: Any) -> None:
        client.chat_update(channel="C0INFRA", ts=body["message"]["ts"], text=f"approved by {body['user']['name']}")
        ack()

    assert post(workspace, "say", **{"as": "U0OLGA", "channel": "C0INFRA", "text": "/xen migrate"})["acknowledged"]
    view = get(workspace, "views", **{"as": "U0OLGA"})["views"][0]
    missing = post(workspace, "submit", **{"as": "U0OLGA", "view_id": view["id"], "values": {}})
    assert missing == {"ok": False, "errors": {"vm": "Please complete this required field."}}
    values = {"vm": {"value": {"type": "plain_text_input", "value": "web-1"}}}
    assert post(workspace, "submit", **{"as": "U0OLGA", "view_id": view["id"], "values": values}) == {"ok": True}
    found = get(workspace, "messages", channel="C0INFRA", **{"as": "U0ANA"})["messages"]
    assert texts(found) == ["asked for web-1"]
    press = {"as": "U0ANA", "channel": "C0INFRA", "ts": found[0]["ts"], "text": "Approve"}
    assert post(workspace, "press", **press)["acknowledged"]
    assert texts(get(workspace, "messages", channel="C0INFRA")["messages"]) == ["approved by ana"]


def test_refusals_are_plain_words(workspace: RunningWorkspace) -> None:
    say = {"as": "sam", "channel": "#infra", "text": "hello"}
    assert refusal(post, workspace, "say", **say | {"as": "dee"}) == (403, "dee's account is deactivated")
    assert refusal(post, workspace, "say", **say | {"channel": "#ops-private"})[0] == 403
    assert refusal(post, workspace, "say", **say | {"channel": "#nowhere"})[0] == 404
    assert refusal(post, workspace, "say", **say | {"text": ""}) == (400, "missing: text")
    assert refusal(post, workspace, "say", **say | {"text": "   "}) == (400, "there is nothing to send")
    assert refusal(post, workspace, "submit", **{"as": "olga", "view_id": "V0"}) == (404, "that view is not open")
    assert refusal(post, workspace, "close", **{"as": "olga", "view_id": "V0"})[0] == 404
    assert refusal(post, workspace, "fault", what="earthquake")[0] == 400
    assert refusal(post, workspace, "fault", what="hold", method="auth.test")[0] == 400
    assert refusal(post, workspace, "person", person="olga", action="promote")[0] == 400
    assert refusal(post, workspace, "fault", what="hold", count="two") == (400, "count is a number")
    assert refusal(post, workspace, "submit", **{"as": "olga", "view_id": "V0", "values": 3})[0] == 404
    assert refusal(get, workspace, "changes", since="x") == (400, "since is a number")
    request = urllib.request.Request(f"{workspace.base}/sandbox/say", data=b"{", method="POST")
    assert refusal(urllib.request.urlopen, request) == (400, "the body is not JSON")


def test_who_may_look_where(workspace: RunningWorkspace) -> None:
    assert get(workspace, "messages", channel="C0RANDOM", **{"as": "U0OLGA"})["messages"] == []
    for person, channel in [("gil", "C0INFRA"), ("otto", "C0INFRA"), ("sam", "C0PARTNERS"), ("ben", "C0SECRET")]:
        assert refusal(get, workspace, "messages", channel=channel, **{"as": person})[0] == 403
    workspace.person("sam", "leave", "#infra")
    get(workspace, "messages", channel="C0INFRA", **{"as": "sam"})
    assert refusal(post, workspace, "say", **{"as": "sam", "channel": "C0INFRA", "text": "x"})[0] == 403


def test_changes_wait_until_there_is_one_and_tell_only_what_one_can_see(
    workspace: RunningWorkspace, client: WebClient
) -> None:
    before = get(workspace, "changes", since="0", **{"as": "ana"}) if workspace.workspace.changes.seq else {"seq": 0}
    answers: dict[str, JSON] = {}

    def wait(person: str) -> None:
        answers[person] = get(workspace, "changes", since=str(before["seq"]), **{"as": person})

    threads = [threading.Thread(target=wait, args=(person,)) for person in ("ana", "ben")]
    for thread in threads:
        thread.start()
    client.chat_postEphemeral(channel="C0INFRA", user="U0ANA", text="psst")
    for thread in threads:
        thread.join(30)
    assert "C0INFRA" in answers["ana"]["changed"]
    assert "C0INFRA" not in answers["ben"]["changed"]
    client.chat_postMessage(channel="C0LAB", text="x")
    later = get(workspace, "changes", since=str(answers["ben"]["seq"]), **{"as": "ben"})
    assert later["changed"] == ["C0LAB"]
    assert get(workspace, "changes", since="999999")["changed"] == ["everything"]


def test_changes_of_views_are_their_persons(workspace: RunningWorkspace, client: WebClient) -> None:
    client.views_publish(user_id="U0ANA", view={"type": "home", "blocks": [section()]})
    seq = str(workspace.workspace.changes.seq - 1)
    assert get(workspace, "changes", since=seq, **{"as": "ana"})["changed"] == ["views"]
    assert get(workspace, "changes", since=seq, **{"as": "ben"})["changed"] == []


def test_hints_know_the_command_only(workspace: RunningWorkspace) -> None:
    for text in ("/", "/x", "/xen", "/xen vm mig"):
        hints = get(workspace, "hints", text=text)["hints"]
        assert [(one["insert"], one["description"]) for one in hints] == [("/xen ", "Run XenServer and XCP-ng pools")]
    assert get(workspace, "hints", text="/y")["hints"] == []
    assert get(workspace, "hints", text="hello")["hints"] == []


def test_counts(workspace: RunningWorkspace, client: WebClient) -> None:
    for _ in range(3):
        client.chat_postMessage(channel="C0INFRA", text="x")
    client.auth_test()
    assert get(workspace, "calls") == {"chat.postMessage": 3, "auth.test": 1}


def test_the_page_itself(workspace: RunningWorkspace) -> None:
    with urllib.request.urlopen(f"{workspace.base}/") as response:
        assert response.headers["Content-Type"].startswith("text/html")
        assert b"<html" in response.read()
    with urllib.request.urlopen(f"{workspace.base}/page/main.js") as response:
        assert "javascript" in response.headers["Content-Type"]
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{workspace.base}/page/../running.py")


def test_the_clock_can_be_moved_on(workspace: RunningWorkspace) -> None:
    before = workspace.run(workspace.workspace.clock.now)
    assert post(workspace, "clock", advance=60) == {"ok": True}
    assert 60 <= workspace.run(workspace.workspace.clock.now) - before < 90
    assert refusal(post, workspace, "clock", advance=-1)[0] == 400
    assert refusal(post, workspace, "clock", advance="soon")[0] == 400


def test_opening_the_home_tab_tells_the_app(workspace: RunningWorkspace) -> None:
    assert post(workspace, "home", **{"as": "ana"}) == {"ok": True}
    workspace.wait_until(lambda: workspace.deliveries().get("event_callback"))
    assert refusal(post, workspace, "home", **{"as": "otto"})[0] == 403
