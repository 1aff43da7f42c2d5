"""sqlite-utils without NumPy: imported here before the other modules of this room import it.

It takes NumPy where that is installed, to store NumPy's numbers. The bot stores none, and has NumPy for its charts
alone: at rest that would be 12 MB, at each start a quarter of a second of CPU, and a thread for each core.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _without(name: str) -> Iterator[None]:
    """Within the block an import of `name` fails, unless it has been imported before (docs.python.org: sys.modules)."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # Python takes it; its stubs know modules only
    try:
        yield
    finally:
        del sys.modules[name]


with _without("numpy"):
    import sqlite_utils  # noqa: F401 - for the effect: from here on it is there, without NumPy
