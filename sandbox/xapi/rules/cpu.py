"""CPU feature words: may a VM that booted on one CPU run on another host? (xapi's source, August 2026)."""

from __future__ import annotations

from sandbox.xapi.rules import Error
from sandbox.xapi.rules.memory import domain_type
from sandbox.xapi.store import Database
from sandbox.xapi.values import Row

_OTHER_VENDOR = "VM last booted on a host which had a CPU from a different vendor."
_LOST_FEATURES = "VM last booted on a CPU with features this host's CPU does not have."
_NO_KEYS = "Host does not have new leveling feature keys - not comparing VM's flags"


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split("-") if word]


def is_subset(small: str, large: str) -> bool:
    """Every bit of `small` is in `large`; the shorter is extended with zeroes."""
    a, b = words(small), words(large)
    b += [0] * (len(a) - len(b))
    return all(x & ~y == 0 for x, y in zip(a, b, strict=False))


def level(feature_strings: list[str]) -> str:
    """The bits that all have, as a string of the longest's length."""
    lists = [words(f) for f in feature_strings if f]
    if not lists:
        return ""
    length = max(len(x) for x in lists)
    common = [0xFFFFFFFF] * length
    for found in lists:
        padded = found + [0] * (length - len(found))
        common = [a & b for a, b in zip(common, padded, strict=True)]
    return "-".join(f"{word:08x}" for word in common)


def pool_features(db: Database, kind: str) -> str:
    """What a VM of a domain type gets at boot: the pool's level, or the host's own before 7.0."""
    info = next(iter(db.rows("pool").values())).get("cpu_info", {})
    side = "hvm" if kind != "pv" else "pv"
    return str(info.get(f"features_{side}_host", info.get(f"features_{side}", "")))


def boot_flags(db: Database, vm: Row, host: str) -> dict[str, str]:
    """`VM.last_boot_CPU_flags` after a start on `host`."""
    info = db.get("host", host)["cpu_info"]
    features = pool_features(db, domain_type(db, vm)) or info.get("features", "")
    return {"vendor": info.get("vendor", ""), "features": features}


def incompatibility(db: Database, ref: str, host: str, there: Database | None = None) -> Error | None:
    """Only for a VM that is not halted. `there` is the host's database where that is another pool's."""
    vm = db.get("VM", ref)
    if vm["power_state"] == "Halted":
        return None
    info = (there or db).get("host", host)["cpu_info"]
    side = "features_pv" if domain_type(db, vm) == "pv" else "features_hvm"
    available = info.get(side, info.get("features"))
    flags = vm["last_boot_CPU_flags"]
    reason = ""
    if available is None or "vendor" not in info:
        reason = _NO_KEYS
    elif "vendor" in flags and flags["vendor"] != info["vendor"]:
        reason = _OTHER_VENDOR
    elif "features" in flags and not is_subset(flags["features"], available):
        reason = _LOST_FEATURES
    return ["VM_INCOMPATIBLE_WITH_THIS_HOST", ref, host, reason] if reason else None
