"""What the bot does by itself: drawing, storing, verifying."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from bot.model import State
from bot.slack.render import card, details
from bot.store import SqliteStore
from tests.bench.figure import Figure, rate, seconds, timed
from tests.bot_slack import samples
from tests.bot_store.helpers import KEY, START, HandClock, entry, opened

DRAWN = 5
REQUESTS = 200


def figures() -> Iterator[Figure]:
    yield from _drawing()
    yield from _storing()


def _drawing() -> Iterator[Figure]:
    biggest = samples.request("web-1 " * 20, 300)
    for what, draw in (("card", lambda: card.message(biggest)), ("details", lambda: details.modal(biggest))):
        took = min(timed(draw)[0] for _ in range(DRAWN))
        yield Figure("drawing", f"the biggest {what}", seconds(took), f"300 of each thing; best of {DRAWN}")


def _storing() -> Iterator[Figure]:
    """Each transition is one transaction on the disk, with its row of the ledger and the card that is due."""
    group = "store"
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "xenia.sqlite3", clock=HandClock(), ledger_key=KEY)
        try:
            took, requests = timed(lambda: [opened(store) for _ in range(REQUESTS)])
            yield Figure(group, "requests opened", rate(REQUESTS, took, "requests"))
            ways = ((State.WAITING, State.APPROVED), (State.APPROVED, State.RUNNING), (State.RUNNING, State.SUCCEEDED))

            def walk() -> int:
                return sum(
                    store.move(request.id, source, target, entry(str(target)), at=START)
                    for request in requests
                    for source, target in ways
                )

            took, moved = timed(walk)
            assert moved == REQUESTS * len(ways)
            yield Figure(group, "transitions", rate(moved, took, "transitions"), "each a transaction of its own")
            took, found = timed(store.verify)
            assert found.ok
            yield Figure(group, "ledger verified", rate(found.rows, took, "rows"), f"{found.rows} rows")
        finally:
            store.close()
