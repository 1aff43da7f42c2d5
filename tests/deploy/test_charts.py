"""Charts can be drawn where nothing can be written but what the unit and the image give."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
ALONE = ("unshare", "--user", "--map-root-user", "--mount", "--propagation", "private")
LIMIT_SECONDS = 120
DRAWN = """
import sys
from datetime import UTC, datetime
from bot.audits import charts
from bot.findings import Offset
from bot.model import ObjectId
one = Offset(host=ObjectId("host", "u", "xs1"), at=datetime.now(UTC), low=0.1, high=0.2, readings=9, round_trip=0.01,
             true_low=None, true_high=None)
sys.stdout.buffer.write(charts.clocks([one]))
"""


def drawn(writable: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A chart, drawn where only `writable` can be written."""
    script = f'mount -t tmpfs tmpfs "{writable}" && mount -o remount,bind,ro / && exec "$@"'
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MPL", "XDG_"))}
    return subprocess.run(
        [*ALONE, "sh", "-c", script, "sh", sys.executable, "-c", DRAWN],
        capture_output=True,
        timeout=LIMIT_SECONDS,
        check=False,
        env={**kept, "HOME": "/nonexistent", "TMPDIR": "/nonexistent", **environment},
    )


@pytest.fixture(autouse=True)
def alone() -> None:
    try:
        subprocess.run([*ALONE, "true"], capture_output=True, timeout=LIMIT_SECONDS, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no mounts of one's own can be had here")


def test_with_a_place_for_its_fonts_a_chart_is_drawn_without_a_word(tmp_path: Path) -> None:
    done = drawn(tmp_path, MPLCONFIGDIR=str(tmp_path))
    assert done.stdout.startswith(b"\x89PNG"), done.stderr.decode()
    assert done.stderr == b""


def test_without_one_it_is_not(tmp_path: Path) -> None:
    """Else the test above would show nothing."""
    assert drawn(tmp_path).returncode != 0


def test_the_unit_s_place_is_the_one_that_systemd_makes() -> None:
    unit = (DEPLOY / "xenia.service").read_text(encoding="utf-8")
    (made,) = re.findall(r"^CacheDirectory=(.+)$", unit, re.MULTILINE)
    (place,) = re.findall(r"MPLCONFIGDIR=(\S+)", unit)
    assert place == f"/var/cache/{made}"


def test_the_image_s_place_is_the_one_that_compose_makes() -> None:
    (place,) = re.findall(r"MPLCONFIGDIR=(\S+)", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))
    compose = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert f"tmpfs:\n      - {place}\n" in compose
