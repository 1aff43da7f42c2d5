"""CPU features as XenAPI writes them: 32-bit words of eight hex digits, joined by dashes."""

from __future__ import annotations

from collections.abc import Mapping

from bot.inventory import VM, Host


def words(features: str) -> tuple[int, ...]:
    """The words of a feature string; empty when it is none."""
    try:
        return tuple(int(word, 16) for word in features.split("-")) if features else ()
    except ValueError:
        return ()


def within(needed: str, offered: str) -> bool:
    """Has `offered` every feature of `needed`? The shorter string is extended with zeros (xapi: cpuid comparison)."""
    have = words(offered)
    return all(word & ~(have[index] if index < len(have) else 0) == 0 for index, word in enumerate(words(needed)))


def accepted(cpu_info: Mapping[str, str], hvm: bool) -> str | None:
    """What a host accepts of a guest that arrives: features_hvm or features_pv since 7.0, `features` before. None when
    the host says nothing.
    """
    return cpu_info.get("features_hvm" if hvm else "features_pv", cpu_info.get("features"))


def is_hvm(vm: VM) -> bool:
    """By domain_type since 7.5, before that by HVM_boot_policy being set."""
    if vm.has("domain_type") and vm.text("domain_type") not in ("", "unspecified"):
        return vm.text("domain_type") != "pv"
    return bool(vm.text("HVM_boot_policy"))


def runs_on(vm: VM, host: Host) -> str:
    """Why a VM that has booted cannot go on running on this host's CPU, in words; "" when it can or has never
    booted.
    """
    booted = vm.mapping("last_boot_CPU_flags")
    if not booted.get("vendor") and not booted.get("features"):
        return ""
    vendor, own_vendor = booted.get("vendor", ""), host.cpu_info.get("vendor", "")
    if vendor and own_vendor and vendor != own_vendor:
        return f"it was started on a CPU of {vendor}, this one is of {own_vendor}"
    offered = accepted(host.cpu_info, is_hvm(vm))
    if booted.get("features") and offered is not None and not within(booted["features"], offered):
        return "it was started on a CPU with features that this host's CPU does not have"
    return ""
