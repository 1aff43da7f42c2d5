"""Typed, read-only views of the records, one for each of XenAPI's classes that the bot reads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from bot.inventory.details import (
    GuestMetrics,
    HostMetrics,
    HostPatch,
    Message,
    PIFMetrics,
    PoolPatch,
    PoolUpdate,
    Task,
)
from bot.inventory.entity import Entity


class Pool(Entity):
    cls = "pool"

    @property
    def name(self) -> str:
        """A pool of one host often has no name of its own: then the coordinator's."""
        coordinator = self.coordinator
        return self.text("name_label") or (coordinator.name if coordinator else "") or self.uuid

    @property
    def coordinator(self) -> Host | None:
        return self._inventory.get(Host, self.text("master"))

    @property
    def ha_enabled(self) -> bool:
        return self.flag("ha_enabled")

    @property
    def default_sr(self) -> SR | None:
        return self._inventory.get(SR, self.text("default_SR"))


class Host(Entity):
    cls = "host"

    @property
    def address(self) -> str:
        return self.text("address")

    @property
    def enabled(self) -> bool:
        return self.flag("enabled")

    @property
    def metrics(self) -> Entity | None:
        return self._inventory.get(HostMetrics, self.text("metrics"))

    @property
    def live(self) -> bool:
        """host_metrics.live: without HA it can be ten minutes behind (xapi's heartbeat limit). False when the host has
        no metrics: then `metrics` is None, and nothing is known.
        """
        metrics = self.metrics
        return metrics.flag("live") if metrics else False

    @property
    def memory_total(self) -> int:
        metrics = self.metrics
        return metrics.number("memory_total") if metrics else 0

    @property
    def memory_free(self) -> int:
        metrics = self.metrics
        return metrics.number("memory_free") if metrics else 0

    @property
    def is_coordinator(self) -> bool:
        return self._inventory.pool.text("master") == self.ref

    @cached_property
    def resident_vms(self) -> tuple[VM, ...]:
        """Guests whose domain is on this host, without the control domain."""
        return self._inventory.vms_by_host.get(self.ref, ())

    @property
    def pbds(self) -> tuple[PBD, ...]:
        return self._inventory.pbds_by_host.get(self.ref, ())

    @cached_property
    def pifs(self) -> tuple[PIF, ...]:
        """Its interfaces, by device."""
        return tuple(sorted(self._inventory.pifs_by_host.get(self.ref, ()), key=lambda pif: pif.device))

    @cached_property
    def patches(self) -> tuple[HostPatch, ...]:
        return self._inventory.patches_by_host.get(self.ref, ())

    @property
    def software_version(self) -> Mapping[str, str]:
        return self.mapping("software_version")

    @property
    def cpu_info(self) -> Mapping[str, str]:
        return self.mapping("cpu_info")


class VM(Entity):
    cls = "VM"

    @property
    def power_state(self) -> str:
        """`Halted`, `Paused`, `Running` or `Suspended`."""
        return self.text("power_state")

    @property
    def is_template(self) -> bool:
        return self.flag("is_a_template")

    @property
    def is_snapshot(self) -> bool:
        return self.flag("is_a_snapshot")

    @property
    def is_control_domain(self) -> bool:
        return self.flag("is_control_domain")

    @property
    def is_guest(self) -> bool:
        """A virtual machine as people mean it: neither template, snapshot nor control domain."""
        return not (self.is_template or self.is_snapshot or self.is_control_domain)

    @property
    def resident_on(self) -> Host | None:
        return self._inventory.get(Host, self.text("resident_on"))

    @property
    def affinity(self) -> Host | None:
        return self._inventory.get(Host, self.text("affinity"))

    @property
    def guest_metrics(self) -> Entity | None:
        return self._inventory.get(GuestMetrics, self.text("guest_metrics"))

    @property
    def vbds(self) -> tuple[VBD, ...]:
        return self._inventory.vbds_by_vm.get(self.ref, ())

    @property
    def disks(self) -> tuple[VDI, ...]:
        """Its disks, by position; no CDs."""
        held = sorted((vbd for vbd in self.vbds if not vbd.is_cd and not vbd.empty), key=lambda vbd: vbd.position)
        return tuple(dict.fromkeys(vbd.vdi for vbd in held if vbd.vdi is not None))

    @property
    def snapshots(self) -> tuple[VM, ...]:
        """Taken of it, oldest first (VM.snapshots since 5.5)."""
        taken = (self._inventory.get(VM, ref) for ref in self.refs("snapshots"))
        return tuple(sorted((vm for vm in taken if vm), key=lambda vm: (vm.text("snapshot_time"), vm.uuid)))

    @property
    def vifs(self) -> tuple[VIF, ...]:
        return self._inventory.vifs_by_vm.get(self.ref, ())


class SR(Entity):
    cls = "SR"

    @property
    def type(self) -> str:
        return self.text("type")

    @property
    def shared(self) -> bool:
        return self.flag("shared")

    @property
    def content_type(self) -> str:
        return self.text("content_type")

    @property
    def pbds(self) -> tuple[PBD, ...]:
        return self._inventory.pbds_by_sr.get(self.ref, ())

    @property
    def physical_size(self) -> int:
        return self.number("physical_size")

    @property
    def physical_utilisation(self) -> int:
        return self.number("physical_utilisation")

    @property
    def is_tools(self) -> bool:
        """The SR of the guest tools' ISO, which every host has by itself."""
        return self.flag("is_tools_sr") or self.other_config.get("xenserver_tools_sr") == "true"


class PBD(Entity):
    cls = "PBD"

    @property
    def host(self) -> Host | None:
        return self._inventory.get(Host, self.text("host"))

    @property
    def sr(self) -> SR | None:
        return self._inventory.get(SR, self.text("SR"))

    @property
    def attached(self) -> bool:
        return self.flag("currently_attached")


class VDI(Entity):
    cls = "VDI"

    @property
    def sr(self) -> SR | None:
        return self._inventory.get(SR, self.text("SR"))

    @property
    def vbds(self) -> tuple[VBD, ...]:
        return self._inventory.vbds_by_vdi.get(self.ref, ())

    @property
    def type(self) -> str:
        return self.text("type")

    @property
    def is_snapshot(self) -> bool:
        return self.flag("is_a_snapshot")

    @property
    def virtual_size(self) -> int:
        return self.number("virtual_size")


class VBD(Entity):
    cls = "VBD"

    @property
    def vm(self) -> VM | None:
        return self._inventory.get(VM, self.text("VM"))

    @property
    def vdi(self) -> VDI | None:
        return self._inventory.get(VDI, self.text("VDI"))

    @property
    def empty(self) -> bool:
        return self.flag("empty")

    @property
    def is_cd(self) -> bool:
        return self.text("type") == "CD"

    @property
    def position(self) -> tuple[int, str]:
        """To sort by: its userdevice, a number as a rule ("autodetect" until it is plugged)."""
        device = self.text("userdevice")
        return (int(device), device) if device.isdecimal() else (1 << 16, device)


class VIF(Entity):
    cls = "VIF"

    @property
    def network(self) -> Network | None:
        return self._inventory.get(Network, self.text("network"))


class Network(Entity):
    cls = "network"

    @property
    def pifs(self) -> tuple[PIF, ...]:
        return self._inventory.pifs_by_network.get(self.ref, ())


class PIF(Entity):
    """A host's interface: a NIC, a bond (its master), a VLAN or a tunnel."""

    cls = "PIF"

    @property
    def host(self) -> Host | None:
        return self._inventory.get(Host, self.text("host"))

    @property
    def network(self) -> Network | None:
        return self._inventory.get(Network, self.text("network"))

    @property
    def metrics(self) -> PIFMetrics | None:
        return self._inventory.get(PIFMetrics, self.text("metrics"))

    @property
    def name(self) -> str:
        return self.text("device") or self.uuid

    @property
    def device(self) -> str:
        return self.text("device")

    @property
    def is_nic(self) -> bool:
        """A physical NIC that the toolstack manages (PIF.managed since 6.1)."""
        return self.flag("physical") and self.flag("managed", default=True)

    @property
    def is_management(self) -> bool:
        return self.flag("management")

    @property
    def bond(self) -> Bond | None:
        """The bond that this interface is a member of."""
        return self._inventory.get(Bond, self.text("bond_slave_of"))

    @property
    def bonding(self) -> Bond | None:
        """The bond that this interface is."""
        return self._inventory.bonds_by_master.get(self.ref)

    @property
    def has_link(self) -> bool | None:
        """PIF_metrics.carrier; None when the pool does not say."""
        metrics = self.metrics
        return metrics.flag("carrier") if metrics is not None and metrics.has("carrier") else None


class Bond(Entity):
    cls = "Bond"

    @property
    def name(self) -> str:
        interface = self.interface
        return interface.name if interface is not None else self.uuid

    @property
    def interface(self) -> PIF | None:
        return self._inventory.get(PIF, self.text("master"))

    @property
    def members(self) -> tuple[PIF, ...]:
        return self._inventory.pifs_by_bond.get(self.ref, ())

    @property
    def mode(self) -> str:
        return self.text("mode")


class Certificate(Entity):
    """Since 8.2."""

    cls = "Certificate"

    @property
    def host(self) -> Host | None:
        return self._inventory.get(Host, self.text("host"))


#: The classes that an inventory holds; read in one go, so that a cold start costs the same number of calls for any
#: pool.
CLASSES: tuple[type[Entity], ...] = (
    Pool, Host, HostMetrics, VM, GuestMetrics, SR, PBD, VDI, VBD, VIF, Network, PIF, PIFMetrics, Bond,
    PoolPatch, HostPatch, PoolUpdate, Certificate, Task, Message,
)  # fmt: skip
