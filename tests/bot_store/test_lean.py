"""What is only needed for charts is not there before the first chart."""

from __future__ import annotations

import json
import subprocess
import sys

LOOK = """
import json, os, sys
import bot.cli
before = ("numpy" in sys.modules, "sqlite_utils" in sys.modules, len(os.listdir("/proc/self/task")))
import numpy
print(json.dumps([*before, float(numpy.float64(1.5))]))
"""


def test_the_program_starts_without_numpy_and_can_have_it_later() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == [False, True, 1, 1.5]
