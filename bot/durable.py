"""That what was written survives a loss of power (fsync(2))."""

from __future__ import annotations

import os
from pathlib import Path


def on_disk(path: Path) -> None:
    """Wait until it is on the disk: a file's content, or the names in a directory. :raises OSError: it cannot be."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
