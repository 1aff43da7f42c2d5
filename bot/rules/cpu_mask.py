"""Masking a host's CPU features, as 5.6 to 6.5 can: hide what other hosts do not have, from the next boot on.

host.cpu_info tells what the processor has (`physical_features`), what is shown now (`features`) and after the next
boot (`features_after_reboot`), and how much can be hidden (`maskable`): `full` any of the four words, `base` only the
first two, `no` nothing.
"""

from __future__ import annotations

from bot.inventory import Host, Inventory
from bot.lookup import spelling
from bot.rules import cpu, cpu_features, versions
from bot.rules.check import Check
from bot.text import joined, quoted

POOL_MASK = "cpuid_feature_mask"
"""Key of pool.other_config: bits that do not count when a host joins."""
_WORDS = 4
_REACH = {"full": _WORDS, "base": 2, "no": 0}
_MOST = 12


def exists(host: Host) -> bool:
    """Has the host's version the calls? Removed in 7.0."""
    return versions.before(host, 7, 0)


def target(pool: Inventory) -> str:
    """The features that a host must show to be like the pool's: its coordinator's. "" when they are not known."""
    return pool.pool.coordinator.cpu_info.get("features", "") if pool.pool.coordinator else ""


def counted(features: str, pool: Inventory) -> tuple[int, ...]:
    """The words of a feature string as far as they count when a host joins this pool."""
    mask = cpu.words(pool.pool.other_config.get(POOL_MASK, ""))
    return tuple(
        word & (mask[index] if index < len(mask) else 0xFFFFFFFF) for index, word in enumerate(cpu.words(features))
    )


def waits_for_boot(host: Host, wanted: str) -> bool:
    """Is it masked so already, and only not booted since?"""
    info = host.cpu_info
    return info.get("features") != wanted and info.get("features_after_reboot") == wanted


def checks(host: Host, wanted: str, pool: Inventory) -> tuple[Check, ...]:
    """Can the host's CPU be made to show the wanted features (four words)? In the toolstack's order."""
    info, name = host.cpu_info, quoted(host.name)
    restricted = _restricted(host)
    reach = _REACH.get(info.get("maskable", "no"), 0)
    physical, asked = cpu.words(info.get("physical_features", "")), cpu.words(wanted)
    whole = len(asked) == len(physical) == _WORDS
    lacks = cpu_features.lacking(wanted, info.get("physical_features", ""))
    bits = any(want & ~have for want, have in zip(asked, physical, strict=False)) if whole else True
    fixed = [n + 1 for n in range(reach, _WORDS) if whole and asked[n] != physical[n]]
    model = info.get("modelname", "its CPU")
    coordinator = pool.pool.coordinator
    instead = spelling(coordinator, pool) if coordinator else ""
    return (
        Check(
            "mask.licence",
            "FEATURE_RESTRICTED",
            not restricted,
            f"the licence of {name} allows masking",
            "it restricts the feature “cpu_masking”" if restricted else "",
            f"Give it a licence that has it: xe host-apply-edition host-uuid={host.uuid} edition=…",
        ),
        Check(
            "mask.known",
            "INVALID_FEATURE_STRING",
            whole,
            "the features of both are known",
            "" if whole else "one of them shows no four words of features",
            "Look at cpu_info of both: xe host-param-get uuid=HOST param-name=cpu_info",
        ),
        Check(
            "mask.maskable",
            "INVALID_FEATURE_STRING" if reach else "CPU_FEATURE_MASKING_NOT_SUPPORTED",
            not fixed,
            f"the CPU of {name} can hide what has to be hidden",
            f"{model} can hide {_can(reach)}, and word {joined(map(str, fixed))} would have to change" if fixed else "",
            "It can only join by force; its VMs then move only to hosts that have their features.",
        ),
        Check(
            "mask.subset",
            "INVALID_FEATURE_STRING",
            not (whole and bits),
            f"the CPU of {name} has every feature of the pool's",
            f"{model} lacks {joined(lacks, limit=_MOST) or 'bits without a name'}; a mask hides features, it adds none"
            if whole and bits
            else "",
            f"Mask the hosts of the pool to what {name} has instead (one after the other, {instead} last), "
            "or join it by force.",
        ),
    )


def _restricted(host: Host) -> bool:
    return host.mapping("license_params").get("restrict_cpu_masking") == "true"


def _can(reach: int) -> str:
    return "nothing" if not reach else f"only words 1 to {reach}"
