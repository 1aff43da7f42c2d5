"""Asks NTP servers for the time. The only part that knows ntplib."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import ntplib

from bot.findings import TimeAnswer
from bot.rules.clocks import Interval
from bot.rules.truetime import exchanged
from bot.text import one_line

SECONDS = 2.0
"""How long an answer is waited for."""
TRIES = 2
"""A datagram may be lost."""
_PORT = 123
_SERVER_MODE = 4
_UNSYNCHRONISED = 3
_LARGEST_STRATUM = 15


class NtpServers:
    """Some servers, asked at the same time."""

    def __init__(self, servers: Sequence[str], seconds: float = SECONDS) -> None:
        """:param servers: names or addresses, with `:port` where it is another than 123 (`[::1]:1123`)."""
        self._servers = tuple(servers)
        self._seconds = seconds

    def ask(self, ahead: float) -> tuple[TimeAnswer, ...]:
        """What each says, in the order of the configuration; never raises: who does not answer is told as such.

        :param ahead: what the clock that the answers are about (the audit's steady one) is ahead of the system's.
        """
        if not self._servers:
            return ()
        with ThreadPoolExecutor(len(self._servers), thread_name_prefix="ntp") as threads:
            return tuple(threads.map(lambda server: self._one(server, ahead), self._servers))

    def _one(self, server: str, ahead: float) -> TimeAnswer:
        why = ""
        for _ in range(TRIES):
            try:
                host, port = parted(server)
                said = ntplib.NTPClient().request(host, version=4, port=port, timeout=self._seconds)
            except ntplib.NTPException:
                why = f"no answer within {self._seconds:g} s"
                continue
            except (OSError, ValueError) as error:
                why = error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
                break
            why = _useless(said)
            if why:
                break
            found = exchanged(
                said.orig_time, said.recv_time, said.tx_time, said.dest_time, said.root_delay / 2 + said.root_dispersion
            )
            found = Interval(found.low - ahead, found.high - ahead).widened(2.0 ** min(said.precision, 0))
            at = datetime.fromtimestamp(said.dest_time + ahead, UTC)
            return TimeAnswer(server=server, at=at, low=found.low, high=found.high, stratum=said.stratum)
        return TimeAnswer(
            server=server, at=datetime.fromtimestamp(time.time() + ahead, UTC), failure=one_line(why, 120)
        )


def parted(server: str) -> tuple[str, int]:
    """`name`, `name:port`, `2001:db8::1` or `[2001:db8::1]:port` as host and port.

    :raises ValueError: the port is none, or there is no name.
    """
    host, colon, port = server.rpartition(":")
    if not colon or (":" in host and not host.startswith("[")) or server.endswith("]"):
        host, port = server, str(_PORT)
    host = host.strip("[]")
    if not host or not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(f"“{one_line(server, 80)}” is no server")
    return host, int(port)


def _useless(said: ntplib.NTPStats) -> str:
    """Why an answer proves nothing, "" when it does (RFC 5905, sections 7.3 and 7.4)."""
    if said.mode != _SERVER_MODE:
        return f"it answered as something else than a server (mode {said.mode})"
    if said.stratum == 0:
        code = said.ref_id.to_bytes(4, "big").decode("ascii", "replace").strip("\0")
        return f"it turns the bot away ({code})"
    if said.leap == _UNSYNCHRONISED or said.stratum > _LARGEST_STRATUM:
        return "it says itself that it is not synchronised"
    if said.tx_time < said.recv_time or said.dest_time < said.orig_time:
        return "its times contradict each other, or a clock was stepped just then"
    if abs(said.orig_time - said.dest_time) > 60:
        return "it answered another question than the bot's"
    return ""
