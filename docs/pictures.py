"""`python -m docs.pictures`: take the documentation's pictures anew, from the demo's page in a real browser.

Needs the development environment and a Chromium on the PATH. The pictures hold dates, so no test compares them.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize, sync_playwright

from bot.demo.conversation import plain
from bot.demo.lab import Demo, demo

PICTURES = Path(__file__).parent / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE: ViewportSize = {"width": 1280, "height": 900}
LARGEST_BYTES = 300_000
WAIT_SECONDS = 30.0
CHANNEL = "#infra"


def main() -> int:
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        sys.stderr.write(f"There is no browser: none of {', '.join(BROWSERS)} is on the PATH.\n")
        return 1
    PICTURES.mkdir(exist_ok=True)
    with demo(speed=4.0) as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport=SIZE, locale="en-GB", color_scheme="light")
        _migration(running, page)
        browser.close()
    return 0


def _migration(running: Demo, page: Page) -> None:
    """A status, and a migration that waits for its second person; then the same one done."""
    workspace = running.workspace
    page.goto(f"{workspace.page}#{workspace.people['olga']}/{workspace.channels['infra']}")
    page.locator("body:not(.loading)").wait_for()
    workspace.say("olga", CHANNEL, "/xen vm migrate web-1")
    card = _message(running, "Waiting for approval")
    page.get_by_text("Waiting for approval").last.wait_for()
    _take(page, "approval")
    workspace.press("ana", channel=CHANNEL, ts=card["ts"], text="Approve")
    _message(running, "Done in")
    workspace.say("olga", CHANNEL, "/xen pool status")
    _message(running, "Shared storage")
    page.get_by_text("Shared storage").last.wait_for()
    _take(page, "status")


def _message(running: Demo, holds: str) -> dict[str, Any]:
    """The message that holds the words, as soon as it is there."""

    def found() -> dict[str, Any] | None:
        messages = running.workspace.messages(CHANNEL, "olga")
        return next((each for each in messages if holds in "\n".join(plain(each["blocks"]))), None)

    return _awaited(found, holds)


def _awaited(found: Callable[[], dict[str, Any] | None], what: str) -> dict[str, Any]:
    """:raises TimeoutError: nothing was found in time."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if (answer := found()) is not None:
            return answer
        time.sleep(0.1)
    raise TimeoutError(f"waited in vain for {what}")


def _take(page: Page, name: str) -> None:
    path = PICTURES / f"{name}.png"
    page.wait_for_timeout(500)  # what moves has come to rest
    page.screenshot(path=path)
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise ValueError(f"{path.name} has {size} bytes; a picture has at most {LARGEST_BYTES}")
    sys.stdout.write(f"{path.relative_to(PICTURES.parent.parent)}: {size} bytes\n")


if __name__ == "__main__":
    sys.exit(main())
