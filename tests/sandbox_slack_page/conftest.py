"""A workspace, an app connected to it by Socket Mode, and a browser that looks at its page."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.slack.running import RunningWorkspace, start
from sandbox.slack.settings import Settings, Switches
from tests.sandbox_slack_page.app import PageApp

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 30_000  # the longest wait for anything on the page

Look = Callable[..., "Page"]


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Skips, with the reason, where there is no playwright or no Chromium."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next((found for name in names if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(names)} is on the PATH")
    with api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS))
        yield running
        running.close()


@pytest.fixture
def workspace() -> Iterator[RunningWorkspace]:
    with start(Settings(switches=Switches(rate_limits=False))) as running:
        yield running


@pytest.fixture
def poster(workspace: RunningWorkspace) -> PageApp:
    """The app's Web API side alone, for tests in which nobody uses a control."""
    return PageApp(workspace)


@pytest.fixture
def app(workspace: RunningWorkspace) -> Iterator[PageApp]:
    with PageApp(workspace) as running:
        yield running


@pytest.fixture
def look(browser: "Browser", workspace: RunningWorkspace, tmp_path: Path) -> Iterator[Look]:
    """`look("olga", "infra", width=…, height=…, **context options)`: the page as a person sees a channel.

    A test fails when its page raised an error or wrote one to the console.
    """
    contexts = []
    troubles: list[str] = []

    def open_page(person: str, channel: str, *, width: int = 1280, height: int = 800, **options: Any) -> "Page":
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en-US", **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(f"{workspace.page}#{workspace.people[person]}/{workspace.channels[channel]}")
        page.locator("body:not(.loading)").wait_for()
        page.locator(".scroller[role=log] >> nth=0").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []
