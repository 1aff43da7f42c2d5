"""A bot that is told to end does, also before it waits for that, and whichever thread takes the signal."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 60

CHILD = """
import signal, sys, threading, time
release = threading.Event()
early = threading.Thread(target=release.wait, daemon=True)  # as a library's, from before: it blocks no signal
if {early}:
    early.start()
from bot.signals import until_stopped
with until_stopped() as stopped:
    print("begun", flush=True)
    if {late}:
        sys.stdin.readline()  # the signal has come by now, and nobody has waited for it
    stopped.wait()
print("ended well", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("late", [False, True], ids=["waiting", "not yet waiting"])
@pytest.mark.parametrize("early", [False, True], ids=["alone", "with a thread of a library's"])
def test_the_signal_ends_it_in_order(number: signal.Signals, late: bool, early: bool) -> None:
    code = CHILD.format(early=early, late=late)
    child = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "begun\n"
    child.send_signal(number)
    said, _ = child.communicate("\n", timeout=LIMIT_SECONDS)
    assert (child.returncode, said) == (0, "ended well\n")
