"""Hosts: hiding features of the CPU, as XenServer 5.6 to 6.5 could.

Source: xapi of 6.2 and the library that it reads the CPU with (xen-api-libs, cpuid). Later releases have removed the
calls.
"""

from __future__ import annotations

import re

from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.registry import call
from sandbox.xapi.rules.cpu import words

_SOURCE = "xapi 6.2's source"
_LENGTH = 32
"""Hexadecimal digits: four words."""
_MADE_BY = {
    "GenuineIntel": "CPU does not have FlexMigration",
    "AuthenticAMD": "CPU does not have Extended Migration Technology",
}


@call("host.set_cpu_features", source=_SOURCE)
def set_cpu_features(context: Context, host: str, features: str) -> None:
    """Takes effect at the next boot; how much can be hidden depends on the CPU."""
    context.require_live(host)
    row = context.get("host", host)
    if row["license_params"].get("restrict_cpu_masking") == "true":
        raise Failure("FEATURE_RESTRICTED")
    wanted, info = _read(features), row["cpu_info"]
    physical = words(info.get("physical_features", info.get("features", "")))
    maskable = info.get("maskable", "no")
    if maskable == "no":
        text = _MADE_BY.get(info.get("vendor", ""), "Unknown CPU manufacturer")
        raise Failure("CPU_FEATURE_MASKING_NOT_SUPPORTED", text)
    hidden = all(want & ~have == 0 for want, have in zip(wanted, physical, strict=True))
    if not hidden or (maskable == "base" and wanted[2:] != physical[2:]):
        more = " (only base features can be masked)" if maskable == "base" else ""
        raise Failure("INVALID_FEATURE_STRING", f"CPU features cannot be masked to obtain given features{more}")
    context.db.set_key("host", host, "cpu_info", "features_after_reboot", "-".join(f"{w:08x}" for w in wanted))


def _read(features: str) -> list[int]:
    """Four words; spaces and dashes may stand anywhere. Raises Failure INVALID_FEATURE_STRING."""
    digits = re.sub("[ -]", "", features.lower())
    if re.search("[^0-9a-f]", digits):
        raise Failure("INVALID_FEATURE_STRING", "String contains illegal character")
    if len(digits) != _LENGTH:
        raise Failure("INVALID_FEATURE_STRING", "String is not of the right length")
    return [int(digits[at : at + 8], 16) for at in range(0, _LENGTH, 8)]


@call("host.reset_cpu_features", source=_SOURCE)
def reset_cpu_features(context: Context, host: str) -> None:
    """Nothing is hidden from the next boot on."""
    context.require_live(host)
    info = context.get("host", host)["cpu_info"]
    context.db.set_key("host", host, "cpu_info", "features_after_reboot", info.get("physical_features", ""))
