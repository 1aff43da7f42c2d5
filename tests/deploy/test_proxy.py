"""HTTP mode as it is run: Slack speaks TLS to a real nginx with deploy/nginx.conf, nginx to `xenia run`."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bot.approval import END_STATES
from bot.model import Request, State
from tests.deploy.proxied import NGINX, Nginx, Proxied, proxied, reserved
from tests.e2e.conftest import text_of
from tests.e2e.people import filled_form
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not here")

MIGRATE = "Async.VM.pool_migrate"
AT_ONCE = 100
RETRY_SECONDS = (60.0, 300.0)
"""Slack sends an event again at once, after a minute, after five."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    with proxied(tmp_path_factory.mktemp("proxied")) as made:
        yield made


def requests(place: Proxied) -> tuple[Request, ...]:
    return place.store.in_states(State)


def mentioned(place: Proxied, text: str, who: str = "olga") -> str:
    """Says it to the bot; the message's time."""
    return str(place.workspace.say(who, "#infra", f"@xenia {text}")["ts"])


def replies(place: Proxied, ts: str) -> list[dict[str, Any]]:
    """What olga sees of the bot in the thread of a message."""
    seen = place.workspace.messages("#infra", "olga", ts)
    return [message for message in seen if message["user"] == "U0XENIA"]


# --- the file ---------------------------------------------------------------------------------------------------------


def test_nginx_takes_the_file_and_would_not_take_a_mistake(tmp_path: Path) -> None:
    with reserved() as port:
        nginx = Nginx(tmp_path / "nginx", port, 3000)
        done = nginx.checked()
        assert done.returncode == 0, done.stderr
        assert "[warn]" not in done.stderr
        conf = tmp_path / "nginx" / "xenia.conf"
        conf.write_text(conf.read_text(encoding="utf-8").replace("proxy_pass ", "proxy_pas "), encoding="utf-8")
        assert nginx.checked().returncode != 0


# --- what Slack does --------------------------------------------------------------------------------------------------


def test_slack_accepts_the_address(place: Proxied) -> None:
    assert place.workspace.verify_request_url()


def test_a_change_from_its_form_to_its_end(place: Proxied) -> None:
    place.workspace.say("olga", "#infra", "/xen vm migrate")

    view = eventually(lambda: filled_form(place.workspace), "the form")

    def offered() -> Any:
        found = place.workspace.options("olga", view_id=view, block_id="vm", action_id="pick", value="web-1")
        return found.get("options") or [one for group in found.get("option_groups", []) for one in group["options"]]

    picked = {"type": "external_select", "selected_option": eventually(offered, "something to pick")[0]}
    before = {request.id for request in requests(place)}
    assert place.workspace.submit("olga", view, {"vm": {"pick": picked}})["ok"]
    (made,) = eventually(lambda: [one for one in requests(place) if one.id not in before], "the request")
    eventually(lambda: place.card(made.id), "its card")
    place.press("Approve", made.id)

    def ended() -> State | None:
        found = place.store.request(made.id)
        return found.state if found and found.state in END_STATES else None

    assert eventually(ended, "the end") is State.SUCCEEDED
    assert place.lab.calls()[MIGRATE] == 1
    eventually(lambda: "Done" in text_of(place.card(made.id) or {"blocks": [], "text": ""}), "the card's end")


def test_a_command_and_a_mention_are_answered(place: Proxied) -> None:
    assert "xs1" in place.say("host list")
    ts = mentioned(place, "pool status")
    assert "lab" in text_of(eventually(lambda: replies(place, ts), "the answer")[0])


# --- what others do ---------------------------------------------------------------------------------------------------


def test_a_wrong_signature_and_none_are_refused_by_the_bot(place: Proxied) -> None:
    line = place.line()
    assert place.post(line, place.command("pool status", 1)) == 200
    assert place.post(line, place.command("pool status", 2), secret="another") == 401
    assert place.post(line, place.command("pool status", 3), signed=False) == 401


def test_a_body_is_passed_on_up_to_what_the_bot_takes_and_never_written_to_a_disk(place: Proxied) -> None:
    largest = 4 * 1024 * 1024
    assert place.post(place.line(), b"x" * largest, secret="another") == 401
    assert place.post(place.line(), b"x" * (largest + 1)) == 413
    assert "temporary file" not in place.nginx.errors()


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/slack/events/", "/slack/eventsx", "/slack/../metrics"])
def test_nothing_else_is_passed_on(place: Proxied, path: str) -> None:
    assert place.post(place.line(), place.command("pool status", 4), path=path) == 404


def test_what_is_not_a_post_is_refused_before_the_bot(place: Proxied) -> None:
    line = place.line()
    line.request("GET", "/slack/events")
    assert line.getresponse().status == 403


# --- many at once, and for long ---------------------------------------------------------------------------------------


def test_a_connection_is_kept_for_many_deliveries(place: Proxied) -> None:
    line = place.line()
    line.connect()
    first = line.sock
    assert [place.post(line, place.command("help", 100 + number)) for number in range(20)] == [200] * 20
    assert line.sock is first


def test_a_hundred_at_once_are_all_acknowledged(place: Proxied) -> None:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        posts = [
            threads.submit(place.post, place.line(), place.command("help", 1000 + number)) for number in range(AT_ONCE)
        ]
        assert [each.result() for each in posts] == [200] * AT_ONCE


# --- what goes away and comes back ------------------------------------------------------------------------------------


def test_the_proxy_takes_a_new_configuration_in_the_middle_of_it(place: Proxied) -> None:
    assert place.nginx.process is not None
    with ThreadPoolExecutor(4) as threads:
        posts = [threads.submit(place.post, place.line(), place.command("help", 2000 + number)) for number in range(20)]
        place.nginx.process.popen.send_signal(signal.SIGHUP)
        assert [each.result() for each in posts] == [200] * 20
    assert place.post(place.line(), place.command("help", 2100)) == 200


def test_what_is_said_while_the_proxy_is_away_is_heard_later_and_once(place: Proxied) -> None:
    place.nginx.stop()
    ts = mentioned(place, "pool list")
    place.quiet()
    place.nginx.start()
    place.workspace.advance(RETRY_SECONDS[0] + 1)
    eventually(lambda: replies(place, ts), "the answer")
    for seconds in RETRY_SECONDS:
        place.workspace.advance(seconds + 1)
        place.quiet()
    assert len(replies(place, ts)) == 1


def test_what_is_said_while_the_bot_is_away_is_heard_by_the_next_and_once(place: Proxied) -> None:
    before = {request.id for request in requests(place)}
    assert place.process.end() == 0
    answer = place.workspace.say("olga", "#infra", "/xen pool list")
    assert "dispatch_failed" in answer["error"]  # Slack tells the person; a command is not sent again
    ts = mentioned(place, "vm migrate web-2 to xs1")
    place.quiet()
    assert "502" in (place.nginx.folder / "access.log").read_text(encoding="utf-8")
    place.run()
    place.workspace.advance(RETRY_SECONDS[0] + 1)
    (made,) = eventually(lambda: [one for one in requests(place) if one.id not in before], "the request")
    eventually(lambda: replies(place, ts), "the answer")
    for seconds in RETRY_SECONDS:
        place.workspace.advance(seconds + 1)
        place.quiet()
    assert [one.id for one in requests(place) if one.id not in before] == [made.id]
    assert made.id in place.say(f"request withdraw {made.id}")


def test_what_slack_sends_again_because_the_bot_stood_still_counts_once(place: Proxied) -> None:
    """Slack gives up after three seconds and sends the event again; then the bot finds both."""
    before = {request.id for request in requests(place)}
    place.process.popen.send_signal(signal.SIGSTOP)
    delivered = place.workspace.deliveries().get("event_callback", 0)
    ts = mentioned(place, "vm migrate web-2 to xs1")

    def sent(times: int) -> bool:
        place.workspace.advance(0.5)  # Slack's three seconds, in steps
        return place.workspace.deliveries().get("event_callback", 0) >= delivered + times

    eventually(lambda: sent(2), "the second delivery")
    place.process.popen.send_signal(signal.SIGCONT)
    (made,) = eventually(lambda: [one for one in requests(place) if one.id not in before], "the request")
    eventually(lambda: replies(place, ts), "the answer")
    place.quiet()
    assert [one.id for one in requests(place) if one.id not in before] == [made.id]
    assert made.id in place.say(f"request withdraw {made.id}")
