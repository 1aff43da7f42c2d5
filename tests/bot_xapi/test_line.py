"""What is left on the way when a request is given up."""

from __future__ import annotations

import contextlib
import socket

import pytest

from bot.xapi.addresses import Endpoint
from bot.xapi.broken import AnswerLost
from bot.xapi.line import Line
from bot.xapi.settings import PoolSettings

# More than fits into the receiver's buffer, less than into the sender's: most of it waits in the system, sent for good.
REQUEST = b"x" * 400_000


def test_a_request_that_was_given_up_is_not_delivered_later() -> None:
    """A host that was away comes back after the bot has looked for the call: the rest of it must not arrive then."""
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        door.bind(("127.0.0.1", 0))
        door.listen()
        port = door.getsockname()[1]
        settings = PoolSettings(
            name="lab", addresses=("127.0.0.1",), username="root", password=lambda: "secret", plain_http=True
        )
        line = Line(Endpoint("127.0.0.1", "127.0.0.1", port), settings, None)
        host, _ = door.accept()
        with host:
            with pytest.raises(AnswerLost) as lost:
                list(line.exchange("/", REQUEST, silence_seconds=0.3, whole_seconds=1.0))
            assert lost.value.timed_out
            host.settimeout(5)
            arrived = 0
            with contextlib.suppress(ConnectionResetError):
                while piece := host.recv(65536):
                    arrived += len(piece)
    assert arrived < len(REQUEST)
