"""The pool databases beside the checkout; without them the tests that need them skip."""

from pathlib import Path

import pytest

POOLS = Path(__file__).resolve().parents[4] / "shared" / "pools"
DUMPS = sorted(POOLS.glob("*.xml"))
SHOWN_BY_26_9 = sorted(POOLS.glob("as-xapi-26.9-shows-them/*.json"))

needs_pools = pytest.mark.skipif(not DUMPS, reason="needs the real pool databases beside the checkout (shared/pools)")
