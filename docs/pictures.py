"""`python -m docs.pictures`: take the documentation's pictures anew, from the demo's page in a real browser.

Needs the development environment and a Chromium on the PATH. The pictures hold dates, so no test compares them.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

from bot.demo.conversation import plain
from bot.demo.lab import Demo, demo
from bot.demo.witness import Witness

PICTURES = Path(__file__).parent / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE: ViewportSize = {"width": 1280, "height": 900}
LARGEST_BYTES = 300_000
WAIT_SECONDS = 240.0
CHANNEL = "#infra"
HA_SPEED = 1.0
"""HA's minute of patience takes a minute: the times that the picture shows are what a lab at its own pace shows."""
PROTECTED = ("sql-3", "shop-3", "cache-3")


def main() -> int:
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        sys.stderr.write(f"There is no browser: none of {', '.join(BROWSERS)} is on the PATH.\n")
        return 1
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for lab, taken in (("tutorial", _migration), ("tutorial", _join), ("healthy", _failure)):
            with demo(lab=lab, speed=4.0) as running:
                page = browser.new_page(viewport=SIZE, locale="en-GB", color_scheme="light")
                _open(running, page)
                taken(running, page)
                page.close()
        browser.close()
    return 0


def _open(running: Demo, page: Page) -> None:
    workspace = running.workspace
    page.goto(f"{workspace.page}#{workspace.people['olga']}/{workspace.channels['infra']}")
    page.locator("body:not(.loading)").wait_for()


def _migration(running: Demo, page: Page) -> None:
    """A status, and a migration that waits for its second person."""
    workspace = running.workspace
    workspace.say("olga", CHANNEL, "/xen pool status")
    _shown(running, page, "Shared storage")
    _take(page, "status")
    workspace.say("olga", CHANNEL, "/xen vm migrate web-1")
    _shown(running, page, "Waiting for approval")
    _take(page, "approval")


def _join(running: Demo, page: Page) -> None:
    """A host that cannot join: every reason at once, with the way out as a button."""
    running.workspace.say("olga", CHANNEL, "/xen host add xs3")
    _shown(running, page, "What stands in the way")
    _take(page, "join")


def _failure(running: Demo, page: Page) -> None:
    """A host whose power failed under high availability, and what became of its VMs."""
    with Witness(running, "healthy") as witness:
        lost = [vm for vm in PROTECTED if witness.host_of(vm) == "xs33"]
        running.lab.set_speed(HA_SPEED)
        running.lab.kill("xs33")
        _awaited(lambda: all(witness.host_of(vm) not in ("", "xs33") for vm in lost), "the restarts")
    running.workspace.say("olga", CHANNEL, "/xen ha timeline")
    _shown(running, page, "Away after")
    _take(page, "failure")


def _shown(running: Demo, page: Page, holds: str) -> None:
    """Wait until a message that holds the words is there and on the page."""

    def told() -> bool:
        messages = running.workspace.messages(CHANNEL, "olga")
        return any(holds in "\n".join(plain(each["blocks"])) for each in messages)

    _awaited(told, holds)
    page.get_by_text(holds).last.wait_for()


def _awaited(found: Callable[[], bool], what: str) -> None:
    """:raises TimeoutError: it was not so in time."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if found():
            return
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
