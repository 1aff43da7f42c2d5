"""The templates that a product installs with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.xapi.worlds import memory
from sandbox.xapi.worlds.builder import GIB, MIB

if TYPE_CHECKING:
    from sandbox.xapi.worlds.builder import PoolBuilder

OTHER = "Other install media"


@dataclass(frozen=True)
class Template:
    """A default template: memory and disk it asks for, and how an installation starts."""

    name: str
    memory: int
    disk: int
    distro: str = ""
    """What the installer is like (``debianlike``); "" for systems that install themselves from a CD."""
    paravirtual: bool = False
    uefi: bool = False

    @property
    def description(self) -> str:
        if self.name == OTHER:
            return "Use this template to install, from its own media, a system that has no template here."
        return f"Use this template to install {self.name}."


TEMPLATES_65 = (
    Template("CentOS 6 (64-bit)", GIB, 8 * GIB, "rhlike", paravirtual=True),
    Template("CentOS 7", GIB, 10 * GIB, "rhlike"),
    Template("CoreOS", 2 * GIB, 5 * GIB),
    Template("Debian Wheezy 7.0 (64-bit)", 256 * MIB, 8 * GIB, "debianlike", paravirtual=True),
    Template("Oracle Linux 7", GIB, 10 * GIB, "rhlike"),
    Template("Red Hat Enterprise Linux 6 (64-bit)", GIB, 8 * GIB, "rhlike", paravirtual=True),
    Template("Red Hat Enterprise Linux 7", GIB, 10 * GIB, "rhlike"),
    Template("SUSE Linux Enterprise Server 12 (64-bit)", GIB, 8 * GIB, "sleslike", paravirtual=True),
    Template("Ubuntu Trusty Tahr 14.04", 512 * MIB, 8 * GIB, "debianlike", paravirtual=True),
    Template("Windows 7 (64-bit)", 2 * GIB, 24 * GIB),
    Template("Windows 8 (64-bit)", 2 * GIB, 24 * GIB),
    Template("Windows Server 2008 R2 (64-bit)", 2 * GIB, 24 * GIB),
    Template("Windows Server 2012 R2 (64-bit)", 2 * GIB, 32 * GIB),
    Template(OTHER, 256 * MIB, 0),
)
TEMPLATES_8 = (
    Template("Debian Bookworm 12", 2 * GIB, 10 * GIB),
    Template("Rocky Linux 9", 2 * GIB, 10 * GIB, uefi=True),
    Template("Red Hat Enterprise Linux 9", 2 * GIB, 10 * GIB, uefi=True),
    Template("SUSE Linux Enterprise 15 (64-bit)", GIB, 8 * GIB),
    Template("Ubuntu Jammy Jellyfish 22.04", 2 * GIB, 10 * GIB),
    Template("Windows 11", 4 * GIB, 64 * GIB, uefi=True),
    Template("Windows Server 2019 (64-bit)", 2 * GIB, 32 * GIB),
    Template("Windows Server 2022 (64-bit)", 2 * GIB, 32 * GIB, uefi=True),
    Template(OTHER, 256 * MIB, 0),
)


def add_templates(pool: PoolBuilder) -> None:
    """The default templates of the pool's product."""
    for template in TEMPLATES_8 if pool.knows("VM", "is_default_template") else TEMPLATES_65:
        _add(pool, template)


def _add(pool: PoolBuilder, template: Template) -> None:
    key = f"template {template.name}"
    metrics = pool.add("VM_metrics", key)
    linux = bool(template.distro)
    other_config = {"default_template": "true", "mac_seed": pool.uuid("mac_seed", key)}
    if template.disk:
        other_config["disks"] = (
            f'<provision><disk device="0" size="{template.disk}" sr="" bootable="true" type="system"/></provision>'
        )
    if linux:
        other_config |= {
            "linux_template": "true",
            "install-methods": "cdrom,nfs,http,ftp",
            "install-distro": template.distro,
            "install-arch": "x86_64",
        }
    pool.add(
        "VM",
        key,
        name_label=template.name,
        name_description=template.description,
        is_a_template=True,
        is_default_template=True,
        reference_label=template.name.lower().replace(" ", "-"),
        power_state="Halted",
        user_version=1,
        domid=-1,
        metrics=metrics,
        domain_type="pv" if template.paravirtual else "hvm",
        VCPUs_max=1,
        VCPUs_at_startup=1,
        memory_static_min=template.memory // 2,
        memory_dynamic_min=template.memory,
        memory_dynamic_max=template.memory,
        memory_static_max=template.memory,
        memory_overhead=memory.overhead(pool.release, template.memory, vcpus=1, paravirtual=template.paravirtual),
        **boot_fields(paravirtual=template.paravirtual, installed=False, uefi=template.uefi),
        recommendations=_recommendations(),
        other_config=other_config,
    )


def boot_fields(*, paravirtual: bool, installed: bool, uefi: bool = False) -> dict[str, object]:
    """How a VM boots and what happens when it ends."""
    actions = {
        "actions_after_shutdown": "destroy",
        "actions_after_reboot": "restart",
        "actions_after_crash": "restart",
    }
    if paravirtual:
        return {
            **actions,
            "PV_bootloader": "pygrub" if installed else "eliloader",
            "PV_args": "console=hvc0",
            "platform": {"acpi": "1", "apic": "true", "nx": "false", "pae": "true", "viridian": "true"},
        }
    return {
        **actions,
        "HVM_boot_policy": "BIOS order",
        "HVM_boot_params": {"order": "cdn", **({"firmware": "uefi"} if uefi else {})},
        "HVM_shadow_multiplier": 1.0,
        "platform": {"acpi": "1", "apic": "true", "nx": "true", "pae": "true", "viridian": "true"},
    }


def _recommendations() -> str:
    return (
        '<restrictions><restriction field="memory-static-max" max="137438953472"/>'
        '<restriction field="vcpus-max" max="16"/><restriction property="number-of-vbds" max="16"/>'
        '<restriction property="number-of-vifs" max="7"/></restrictions>'
    )
