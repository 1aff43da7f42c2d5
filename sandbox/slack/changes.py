"""What changed, numbered, for the page's long poll and for tests that wait instead of sleeping."""

import asyncio
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    seq: int
    what: str  # a channel's id, "views", "workspace"
    audience: str | None  # the one person who can see it, or everybody


class Changes:
    """The last changes in order; older ones are forgotten, and a reader that far behind is told everything changed."""

    KEPT = 5000

    def __init__(self) -> None:
        self.seq = 0
        self._kept: deque[Change] = deque(maxlen=self.KEPT)
        self._news = asyncio.Event()

    def note(self, what: str, audience: str | None = None) -> None:
        self.seq += 1
        self._kept.append(Change(self.seq, what, audience))
        self._news.set()
        self._news = asyncio.Event()

    def since(self, seq: int, person_id: str | None) -> list[str]:
        """What this person could see changing after `seq`, each once, in order of the last change."""
        oldest = self._kept[0].seq if self._kept else self.seq + 1
        if seq < oldest - 1:
            return ["everything"]
        seen = [one.what for one in self._kept if one.seq > seq and one.audience in (None, person_id)]
        return list(dict.fromkeys(reversed(seen)))[::-1]

    async def wait(self, seconds: float) -> None:
        """Until the next change, at most `seconds` of real time."""
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return
