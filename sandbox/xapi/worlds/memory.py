"""What a VM needs of its host beyond its own memory."""

from __future__ import annotations

import math

from sandbox.xapi.model import release_key

_MIB = 1024**2
_PAGES_PER_MIB = 256
_PAGES_PER_VCPU_SINCE = "26.3.0"
_PAGES_PER_VCPU = 38


def overhead(release: str, static_max: int, *, vcpus: int, paravirtual: bool, shadow_multiplier: float = 1.0) -> int:
    """VM.memory_overhead in bytes for a VM of `static_max` bytes (xapi 26.9 and 6.1 as recorded).

    Shadow pages (one page for each MiB, twice, and 1 MiB for each vCPU, times the multiplier), 1 MiB that Xen takes,
    1 MiB more within a hardware-virtualised guest, and in current releases some pages for each vCPU.
    """
    pages = _PAGES_PER_MIB * vcpus + 2 * -(-static_max // _MIB)
    shadow = max(1, int(-(-pages // _PAGES_PER_MIB) * shadow_multiplier))
    extra = 1 if paravirtual else 2
    if release_key(release) >= release_key(_PAGES_PER_VCPU_SINCE):
        extra += math.ceil(_PAGES_PER_VCPU * vcpus / _PAGES_PER_MIB)
    return (shadow + extra) * _MIB
