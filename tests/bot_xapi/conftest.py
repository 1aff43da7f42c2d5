from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from bot.xapi import PoolSettings, XapiPools
from bot.xapi.session import PoolSession
from sandbox.xapi.lab import load
from sandbox.xapi.running import RunningLab, start
from tests.bot_xapi.hosts import Handler, PretendHost, WallClock

Serve = Callable[..., PretendHost]
PoolsWith = Callable[..., XapiPools]
SessionWith = Callable[[PoolSettings], PoolSession]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as closing:
        yield closing


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture
def serve(stack: ExitStack) -> Serve:
    def serving(handler: Handler, **options: Any) -> PretendHost:
        return stack.enter_context(PretendHost(handler, **options))

    return serving


def plain(*hosts: PretendHost, password: str = "secret", **changes: Any) -> PoolSettings:
    """Settings for pretend hosts over plain HTTP, at 10.0.0.101, 10.0.0.102 and so on."""
    addresses = tuple(f"10.0.0.{100 + number}" for number in range(1, len(hosts) + 1))
    given: dict[str, Any] = {
        "name": "lab",
        "addresses": addresses,
        "username": "root",
        "password": lambda: password,
        "plain_http": True,
        "address_map": {address: host.endpoint for address, host in zip(addresses, hosts, strict=True)},
        "connect_seconds": 2.0,
        "answer_seconds": 5.0,
        "probe_seconds": 2.0,
    }
    return PoolSettings(**(given | changes))


@pytest.fixture
def session_with(stack: ExitStack, clock: WallClock) -> Callable[[PoolSettings], PoolSession]:
    def made(settings: PoolSettings) -> PoolSession:
        session = PoolSession(settings, clock)
        stack.callback(session.close)
        return session

    return made


@pytest.fixture
def pools_with(stack: ExitStack, clock: WallClock) -> Callable[..., XapiPools]:
    def made(*settings: PoolSettings, **options: Any) -> XapiPools:
        pools = XapiPools(settings, clock, **options)
        stack.callback(pools.close)
        return pools

    return made


@pytest.fixture
def lab() -> Iterator[RunningLab]:
    with start(load("current"), speed=50.0) as running:
        yield running
