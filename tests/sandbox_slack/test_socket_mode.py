"""Socket Mode on the wire: the SDK's own client, and a bare WebSocket where the SDK hides things."""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox.slack import RunningWorkspace
from tests.sandbox_slack.conftest import Bot, ConnectBot, StartWorkspace

JSON = dict[str, Any]
T = TypeVar("T")


def open_url(workspace: RunningWorkspace) -> str:
    answer = WebClient(base_url=workspace.api).apps_connections_open(app_token=workspace.app_token)
    return str(answer["url"])


def with_sockets(work: Callable[[aiohttp.ClientSession], Awaitable[T]]) -> T:
    async def inside() -> T:
        async with aiohttp.ClientSession() as session:
            return await asyncio.wait_for(work(session), 20)

    return asyncio.run(inside())


def say_in_thread(workspace: RunningWorkspace, text: str) -> "threading.Thread":
    thread = threading.Thread(target=workspace.say, args=("olga", "#infra", text))
    thread.start()
    return thread


def test_hello_and_an_envelope_and_its_acknowledgement(workspace: RunningWorkspace) -> None:
    async def work(session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(open_url(workspace)) as socket:
            hello = await socket.receive_json()
            assert hello["type"] == "hello"
            assert hello["num_connections"] == 1
            assert hello["connection_info"] == {"app_id": "A0XENIA"}
            assert hello["debug_info"]["approximate_connection_time"] == 18060
            typing = say_in_thread(workspace, "/xen x")
            envelope = await socket.receive_json()
            assert set(envelope) == {"envelope_id", "type", "payload", "accepts_response_payload"}
            assert envelope["type"] == "slash_commands"
            assert envelope["accepts_response_payload"] is True
            await socket.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "hi"}})
            typing.join(5)

    with_sockets(work)
    assert workspace.messages("#infra", "olga")[-1]["text"] == "hi"


def test_a_ticket_opens_one_connection_and_a_wrong_one_none(workspace: RunningWorkspace) -> None:
    async def work(session: aiohttp.ClientSession) -> None:
        url = open_url(workspace)
        async with session.ws_connect(url):
            for again in (url, url.replace("ticket=", "ticket=x")):
                with pytest.raises(aiohttp.WSServerHandshakeError):
                    await session.ws_connect(again)

    with_sockets(work)


def test_ten_connections_are_the_most(workspace: RunningWorkspace) -> None:
    async def work(session: aiohttp.ClientSession) -> None:
        sockets = [await session.ws_connect(open_url(workspace)) for _ in range(10)]
        tenth = await sockets[-1].receive_json()
        assert tenth["num_connections"] == 10
        eleventh = await session.ws_connect(open_url(workspace))
        assert (await eleventh.receive_json())["reason"] == "too_many_websockets"
        assert (await eleventh.receive()).type == aiohttp.WSMsgType.CLOSE
        for socket in sockets:
            await socket.close()

    with_sockets(work)


def test_each_payload_goes_to_exactly_one_of_two_connections(workspace: RunningWorkspace, connect: ConnectBot) -> None:
    seen: list[list[str]] = [[], []]

    def listen(mine: list[str]) -> None:
        @connect(workspace).app.command("/xen")
        def xen(ack: Any, body: JSON) -> None:
            mine.append(body["text"])
            ack()

    listen(seen[0])
    listen(seen[1])
    for number in range(6):
        assert workspace.say("olga", "#infra", f"/xen {number}")["acknowledged"]
    assert sorted(seen[0] + seen[1]) == [str(number) for number in range(6)]
    assert len(seen[0]) == len(seen[1]) == 3


@pytest.mark.parametrize("reason", ["refresh_requested", "warning", "none"])
def test_a_bot_that_is_sent_away_connects_again(workspace: RunningWorkspace, bot: Bot, reason: str) -> None:
    @bot.app.command("/xen")
    def xen(ack: Any) -> None:
        ack("still here")

    assert workspace.fault("disconnect", reason=reason)["connections"] == 1
    workspace.wait_until(lambda: workspace.workspace.socket_mode.opened >= 2)
    answer = workspace.wait_until(lambda: workspace.say("olga", "#infra", "/xen x").get("acknowledged"))
    assert answer
    assert workspace.messages("#infra", "olga")[-1]["text"] == "still here"


def test_a_connection_is_warned_and_then_refreshed(workspace: RunningWorkspace) -> None:
    async def work(session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(open_url(workspace) + "&debug_reconnects=true") as socket:
            hello = await socket.receive_json()
            assert hello["debug_info"]["approximate_connection_time"] == 360
            workspace.advance(350.5)
            assert (await socket.receive_json())["reason"] == "warning"
            workspace.advance(10)
            assert (await socket.receive_json())["reason"] == "refresh_requested"
            workspace.advance(11)
            assert (await socket.receive()).type == aiohttp.WSMsgType.CLOSE

    with_sockets(work)


def test_only_an_app_token_opens_a_connection(workspace: RunningWorkspace, client: WebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        client.apps_connections_open(app_token=workspace.bot_token)
    assert refused.value.response["error"] == "not_allowed_token_type"


def test_connections_open_needs_its_scope(workspace_with: StartWorkspace) -> None:
    workspace = workspace_with(app_scopes=("authorizations:read",))
    with pytest.raises(SlackApiError) as refused:
        open_url(workspace)
    assert refused.value.response["error"] == "missing_scope"
    assert refused.value.response["needed"] == "connections:write"
    assert refused.value.response["provided"] == "authorizations:read"


def test_an_event_is_sent_again_three_times_and_then_given_up(workspace: RunningWorkspace) -> None:
    got: list[JSON] = []

    async def next_or_nothing(socket: aiohttp.ClientWebSocketResponse) -> JSON | None:
        """The next envelope, letting up to 10 minutes pass in steps."""
        coming = asyncio.ensure_future(socket.receive_json())
        for _ in range(60):
            done, _waiting = await asyncio.wait({coming}, timeout=0.02)
            if done:
                return dict(coming.result())
            workspace.advance(10)
        coming.cancel()
        return None

    async def work(session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(open_url(workspace)) as socket:
            await socket.receive_json()
            workspace.say("olga", "#infra", "hello @xenia")
            while envelope := await next_or_nothing(socket):
                got.append(envelope)

    with_sockets(work)
    assert [one["retry_attempt"] for one in got] == [0, 1, 2, 3]
    assert [one["retry_reason"] for one in got] == ["", "timeout", "timeout", "timeout"]
    assert len({one["payload"]["event_id"] for one in got}) == 1
    assert len({one["envelope_id"] for one in got}) == 4
    assert got[0]["accepts_response_payload"] is False


def test_an_acknowledged_event_comes_once(workspace: RunningWorkspace, bot: Bot) -> None:
    mentions: list[JSON] = []
    came = threading.Event()

    @bot.app.event("app_mention")
    def mentioned(event: JSON) -> None:
        mentions.append(event)
        came.set()

    ts = workspace.say("sam", "#infra", "hey @xenia, status & more?")["ts"]
    assert came.wait(5)
    event = mentions[0]
    assert event["text"] == "hey <@U0XENIA>, status &amp; more?"
    assert (event["user"], event["channel"], event["ts"]) == ("U0SAM", "C0INFRA", ts)
    workspace.wait_until(lambda: workspace.workspace.delivery.under_way == 0)
    workspace.advance(400)
    workspace.say("sam", "#infra", "nothing")
    assert workspace.deliveries() == {"event_callback": 1}


def test_a_mention_in_a_dm_comes_as_a_message_and_one_without_the_bot_not_at_all(
    workspace: RunningWorkspace, bot: Bot
) -> None:
    events: list[JSON] = []
    came = threading.Event()

    @bot.app.event("message")
    def message(event: JSON) -> None:
        events.append(event)
        came.set()

    workspace.say("olga", "#random", "hello @xenia")
    workspace.say("olga", "@olga", "hello @xenia")
    assert came.wait(5)
    assert [(one["type"], one["channel_type"], one["channel"]) for one in events] == [("message", "im", "D0OLGA")]
    assert workspace.deliveries() == {"event_callback": 1}


def test_the_apps_own_messages_in_a_dm_are_events_too(workspace: RunningWorkspace, client: WebClient) -> None:
    """Bolt drops them by itself, which is why few apps ever see them."""

    async def work(session: aiohttp.ClientSession) -> list[JSON]:
        events = []
        async with session.ws_connect(open_url(workspace)) as socket:
            await socket.receive_json()
            ts = str(client.chat_postMessage(channel="D0ANA", text="one")["ts"])
            client.chat_update(channel="D0ANA", ts=ts, text="two")
            client.chat_delete(channel="D0ANA", ts=ts)
            client.chat_postEphemeral(channel="D0ANA", user="U0ANA", text="psst")
            client.chat_postMessage(channel="C0INFRA", text="one")
            for _ in range(3):
                envelope = await socket.receive_json()
                await socket.send_json({"envelope_id": envelope["envelope_id"]})
                events.append(envelope["payload"]["event"])
        return events

    posted, changed, deleted = with_sockets(work)
    assert (posted["text"], posted["bot_id"], posted["channel_type"]) == ("one", "B0XENIA", "im")
    assert (changed["subtype"], changed["message"]["text"], changed["previous_message"]["text"]) == (
        "message_changed",
        "two",
        "one",
    )
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", posted["ts"])
    assert workspace.deliveries() == {"event_callback": 3}


def test_events_need_their_scope(workspace_with: StartWorkspace, connect: ConnectBot) -> None:
    workspace = workspace_with(scopes=("chat:write", "commands"))
    connect(workspace)
    workspace.say("olga", "#infra", "hello @xenia")
    workspace.say("olga", "@olga", "hello")
    assert workspace.deliveries() == {}


def test_the_same_envelope_twice(workspace: RunningWorkspace) -> None:
    async def work(session: aiohttp.ClientSession) -> list[JSON]:
        async with session.ws_connect(open_url(workspace)) as socket:
            await socket.receive_json()
            workspace.fault("duplicate_envelope")
            typing = say_in_thread(workspace, "/xen x")
            both = [await socket.receive_json(), await socket.receive_json()]
            await socket.send_json({"envelope_id": both[0]["envelope_id"]})
            typing.join(5)
            return both

    first, second = with_sockets(work)
    assert json.dumps(first) == json.dumps(second)


def test_a_withheld_envelope_comes_when_it_is_released(workspace_with: StartWorkspace, connect: ConnectBot) -> None:
    workspace = workspace_with(clock_scale=20)
    got = threading.Event()

    @connect(workspace).app.command("/xen")
    def xen(ack: Any) -> None:
        got.set()
        ack()

    workspace.fault("hold")
    assert not workspace.say("olga", "#infra", "/xen x")["acknowledged"]
    assert not got.is_set()
    workspace.fault("release")
    assert got.wait(5)


def test_a_delayed_envelope_is_late(workspace: RunningWorkspace, bot: Bot) -> None:
    @bot.app.command("/xen")
    def xen(ack: Any) -> None:
        ack()

    workspace.fault("delay", seconds=1.5)
    assert workspace.say("olga", "#infra", "/xen x")["seconds"] >= 1.5
    assert workspace.say("olga", "#infra", "/xen x")["seconds"] < 1.5


def test_home_opened(workspace: RunningWorkspace, bot: Bot) -> None:
    events: list[JSON] = []
    came = threading.Semaphore(0)

    @bot.app.event("app_home_opened")
    def opened(event: JSON) -> None:
        events.append(event)
        came.release()

    workspace.open_home("ana")
    assert came.acquire(timeout=30)
    assert (events[0]["user"], events[0]["channel"], events[0]["tab"]) == ("U0ANA", "D0ANA", "home")
    assert "view" not in events[0]
    bot.client.views_publish(user_id="U0ANA", view={"type": "home", "blocks": [{"type": "divider"}]})
    workspace.open_home("ana")
    assert came.acquire(timeout=30)
    assert events[1]["view"]["type"] == "home"


def test_slack_pings_too(workspace_with: StartWorkspace) -> None:
    """slack-go takes a connection for dead on which nothing comes for 30 s."""
    workspace = workspace_with(ping_seconds=0.05)

    async def work(session: aiohttp.ClientSession) -> None:
        async with session.ws_connect(open_url(workspace), autoping=False) as socket:
            assert (await socket.receive_json())["type"] == "hello"
            for _ in range(3):  # unanswered, and yet the connection stays
                frame = await socket.receive()
                assert (frame.type, bytes(frame.data)[:9]) == (aiohttp.WSMsgType.PING, b"Ping from")

    with_sockets(work)
