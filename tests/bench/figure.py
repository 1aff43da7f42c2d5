"""A figure, and how one is taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Figure:
    """One row of the table. `value` has its unit; `note` says of what it is, in a few words."""

    group: str
    what: str
    value: str
    note: str = ""


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """How many seconds it took, and what came of it."""
    started = time.perf_counter()
    answer = work()
    return time.perf_counter() - started, answer


def computed(work: Callable[[], T]) -> tuple[float, T]:
    """How many seconds of this process's CPU it took, whatever else the machine is at; and what came of it."""
    started = time.process_time()
    answer = work()
    return time.process_time() - started, answer


def seconds(value: float) -> str:
    return f"{value * 1000:,.1f} ms" if value < 1 else f"{value:,.2f} s"


def size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} kB"


def rate(count: int, taken: float, of: str) -> str:
    return f"{count / taken:,.0f} {of}/s"
