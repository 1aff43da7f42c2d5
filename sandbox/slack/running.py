"""A workspace running in its own thread, for tests, the demo and the command line."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from sandbox.slack import acts
from sandbox.slack.clock import Clock
from sandbox.slack.control import Control
from sandbox.slack.errors import Refused
from sandbox.slack.server import application
from sandbox.slack.settings import Settings
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]
T = TypeVar("T")
HOST = "127.0.0.1"
START_SECONDS = 15.0
_ANSWER_SECONDS = 30.0


class RunningWorkspace:
    """A context manager. Its helpers do without HTTP what /sandbox/* does with it, from any thread.

    People and channels are given by id or by name (`olga`, `#infra`, `@olga` for her DM with the bot).
    """

    def __init__(
        self, settings: Settings, *, port: int = 0, record: Path | None = None, clock_scale: float = 1.0
    ) -> None:
        self.settings = settings
        self._port = port
        self._record = record
        self._scale = clock_scale
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="sandbox-slack", daemon=True)
        self._stopping = asyncio.Event()
        self.workspace: Workspace
        self.control: Control
        self.page = ""

    # --- life ---------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            raise TimeoutError("the workspace did not start")
        if self._failure:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(START_SECONDS)

    def join(self) -> None:
        """Wait until it is stopped."""
        while self._thread.is_alive():
            self._thread.join(1)

    # --- what an app needs -------------------------------------------------------------------------------------

    @property
    def base(self) -> str:
        """The server's address, without a slash at the end."""
        return self.workspace.base

    @property
    def api(self) -> str:
        """`base_url` for slack_sdk."""
        return f"{self.base}/api/"

    @property
    def bot_token(self) -> str:
        return self.settings.bot_token

    @property
    def app_token(self) -> str:
        return self.settings.app_token

    @property
    def signing_secret(self) -> str:
        return self.settings.signing_secret

    @property
    def people(self) -> dict[str, str]:
        """Name → id."""
        return {one.name: one.id for one in self.workspace.directory.people.values()}

    @property
    def channels(self) -> dict[str, str]:
        """Name → id; a person's DM with the bot as `@name`."""
        everything = self.workspace.directory.channels.values()
        return {("@" if one.kind == "dm" else "") + one.name: one.id for one in everything}

    def ready_line(self) -> JSON:
        """What is printed when it is ready."""
        return {
            "api": self.api,
            "bot_token": self.bot_token,
            "app_token": self.app_token,
            "signing_secret": self.signing_secret,
            "page": self.page,
            "people": self.people,
            "channels": self.channels,
        }

    # --- what people do ----------------------------------------------------------------------------------------

    def say(self, as_: str, channel: str, text: str, thread_ts: str | None = None) -> JSON:
        return self._await(acts.say(self.workspace, as_, channel, text, thread_ts))

    def press(self, as_: str, **body: Any) -> JSON:
        """Keys as POST /sandbox/press has them: channel, ts or view_id, action_id or text, value …"""
        return self._await(acts.press(self.workspace, {"as": as_, **body}))

    def options(self, as_: str, **body: Any) -> JSON:
        return self._await(acts.options(self.workspace, {"as": as_, **body}))

    def submit(self, as_: str, view_id: str, values: JSON | None = None) -> JSON:
        return self._await(acts.submit(self.workspace, {"as": as_, "view_id": view_id, "values": values or {}}))

    def close_view(self, as_: str, view_id: str, *, everything: bool = False) -> JSON:
        return self._await(acts.close(self.workspace, {"as": as_, "view_id": view_id, "all": everything}))

    def open_home(self, as_: str, tab: str = "home") -> JSON:
        return self.run(lambda: acts.open_home(self.workspace, as_, tab))

    def messages(self, channel: str, as_: str | None = None, thread_ts: str | None = None) -> list[JSON]:
        return self.run(lambda: self.control.messages(channel, as_, thread_ts))

    def views(self, as_: str) -> JSON:
        return self.run(lambda: self.control.views(as_))

    # --- what fate does ----------------------------------------------------------------------------------------

    def fault(self, what: str, **body: Any) -> JSON:
        return self._await(self.control.fault({"what": what, **body}))

    def person(self, name: str, action: str, channel: str | None = None) -> JSON:
        return self.run(
            lambda: acts.change_person(self.workspace, {"person": name, "action": action, "channel": channel})
        )

    def advance(self, seconds: float) -> None:
        self.run(lambda: self.control.advance(seconds))

    def calls(self) -> dict[str, int]:
        return self.run(self.control.calls)

    def deliveries(self) -> dict[str, int]:
        return self.run(self.control.deliveries)

    def verify_request_url(self) -> bool:
        """Slack's handshake with a new request URL (HTTP delivery only)."""
        if self.workspace.http is None:
            raise Refused("this workspace delivers by Socket Mode")
        return self._await(self.workspace.http.verify_url())

    def wait_until(self, found: Callable[[], T], timeout: float = 60.0) -> T:
        """The first true answer of `found`, asked again at every change, and now and then. Raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while True:
            seen = self.run(lambda: self.workspace.changes.seq)
            answer = found()
            if answer:
                return answer
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("it did not come about")
            self._await(self.control.changes(seen, None, min(left, 0.1)))

    def run(self, work: Callable[[], T]) -> T:
        """Call `work` on the server's loop, where alone the workspace may be touched."""

        async def once() -> T:
            return work()

        return self._await(once())

    # --- inside ------------------------------------------------------------------------------------------------

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_ANSWER_SECONDS)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._live())
        except BaseException as error:  # noqa: BLE001 - handed to whoever started the thread
            self._failure = error
            self._ready.set()
        finally:
            self._loop.close()

    async def _live(self) -> None:
        self.workspace = Workspace(self.settings, clock=Clock(self._scale), record=self._record)
        self.control = Control(self.workspace)
        runner = web.AppRunner(application(self.workspace, self.control), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, HOST, self._port)
        await site.start()
        port = runner.addresses[0][1]
        self.workspace.base = f"http://{HOST}:{port}"
        self.page = f"{self.workspace.base}/"
        self._ready.set()
        await self._stopping.wait()
        await self.workspace.stop()
        await runner.cleanup()


def start(
    settings: Settings | None = None, *, port: int = 0, record: Path | None = None, clock_scale: float = 1.0
) -> RunningWorkspace:
    """A workspace on 127.0.0.1 (a free port, unless one is given), as a context manager."""
    return RunningWorkspace(settings or Settings(), port=port, record=record, clock_scale=clock_scale)
