"""VM.memory_overhead: figures that real toolstacks showed."""

import pytest

from sandbox.xapi.worlds import memory
from sandbox.xapi.worlds.builder import MIB


@pytest.mark.parametrize(
    ("release", "static_max", "vcpus", "paravirtual", "multiplier", "expected"),
    [
        ("tampa", 1024, 1, True, 1.0, 10),
        ("26.9.0", 1024, 1, True, 1.0, 11),
        ("26.9.0", 64, 1, True, 1.0, 4),
        ("26.9.0", 744, 8, True, 1.0, 17),
        ("26.9.0", 755.25, 2, True, 1.0, 10),
        ("26.9.0", 1024, 1, False, 1.0, 12),
        ("26.9.0", 1024, 2, False, 1.0, 13),
        ("26.9.0", 1024, 1, False, 4.0, 39),
        ("26.9.0", 512, 1, False, 4.0, 23),
        ("26.9.0", 4096, 1, False, 1.0, 36),
    ],
)
def test_overhead(
    release: str, static_max: float, vcpus: int, paravirtual: bool, multiplier: float, expected: int
) -> None:
    found = memory.overhead(
        release, int(static_max * MIB), vcpus=vcpus, paravirtual=paravirtual, shadow_multiplier=multiplier
    )
    assert found == expected * MIB
