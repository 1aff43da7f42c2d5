"""What the two products that the labs are made of look like from inside: versions, drivers, licences.

XenServer 6.5 SP1 (``cream``) is the tutorial's; the other labs run a toolstack of the XenServer 8 stream (26.9.0).
Which keys exist in which release is xapi's; version numbers and sizes are made up in its manner.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_COMMON_VDI = ("VDI_CREATE", "VDI_DELETE", "VDI_ATTACH", "VDI_DETACH", "VDI_CLONE", "VDI_SNAPSHOT", "VDI_RESIZE")
_SHARED_FILES = ("SR_PROBE", "SR_UPDATE", *_COMMON_VDI, "VDI_UPDATE", "VDI_MIRROR", "VDI_RESET_ON_BOOT", "ATOMIC_PAUSE")
_SHARED_LUNS = (*_SHARED_FILES, "SR_METADATA", "VDI_ACTIVATE", "VDI_DEACTIVATE")


@dataclass(frozen=True)
class Driver:
    """A storage driver: the SM record of an SR type."""

    type: str
    name: str
    capabilities: tuple[str, ...]


_DRIVERS = (
    Driver("ext", "Local EXT3 VHD", _SHARED_FILES),
    Driver("lvm", "Local VHD on LVM", (*_SHARED_FILES, "VDI_ACTIVATE", "VDI_DEACTIVATE")),
    Driver("nfs", "NFS VHD", (*_SHARED_FILES, "SR_CACHING", "VDI_GENERATE_CONFIG")),
    Driver("lvmoiscsi", "LVHD over iSCSI", (*_SHARED_LUNS, "VDI_GENERATE_CONFIG")),
    Driver("lvmohba", "LVHD over FC", (*_SHARED_LUNS, "VDI_GENERATE_CONFIG")),
    Driver("iso", "ISO", ("VDI_CREATE", "VDI_DELETE", "VDI_ATTACH", "VDI_DETACH", "SR_SCAN", "SR_ATTACH", "SR_DETACH")),
    Driver("udev", "udev", ("SR_UPDATE", "VDI_INTRODUCE", "VDI_ATTACH", "VDI_DETACH", "VDI_UPDATE")),
)

_XEN_CAPABILITIES = ("xen-3.0-x86_64", "xen-3.0-x86_32p", "hvm-3.0-x86_32", "hvm-3.0-x86_32p", "hvm-3.0-x86_64")


@dataclass(frozen=True)
class Update:
    """A hotfix or service pack of the 6.x kind: a pool_patch, applied on hosts as host_patch."""

    name: str
    description: str
    size: int
    guidance: tuple[str, ...]


@dataclass(frozen=True)
class Product:
    """A product version as every host that runs it shows it."""

    release: str
    software_version: dict[str, str]
    edition: str
    unlicensed: tuple[str, ...]
    """Features that the edition lacks, as in ``restrict_<feature>``."""
    features: tuple[str, ...]
    """All features that this release's licence speaks of."""
    tools: tuple[int, int, int, int]
    """The guest tools that match: major, minor, micro, build."""
    drivers: tuple[Driver, ...] = _DRIVERS
    capabilities: tuple[str, ...] = _XEN_CAPABILITIES
    hardware_platforms: tuple[int, ...] = (0, 1)
    updates: tuple[Update, ...] = field(default=())

    @property
    def restrictions(self) -> dict[str, str]:
        """The licence's restrictions as host.license_params and pool.restrictions hold them."""
        restricted = {f"restrict_{name}": str(name in self.unlicensed).lower() for name in self.features}
        return {"enable_xha": "true", "platform_filter": "false", "regular_nag_dialog": "false", **restricted}


_FEATURES_65 = (
    "ad checkpoint connection cpu_masking dmc dr email_alerting equalogic export_resource_data gpu"
    " guest_agent_auto_update historical_performance hotfix_apply integrated_gpu_passthrough intellicache lab marathon"
    " netapp pool_attached_storage pooling qos rbac read_caching stage storage_xen_motion storagelink"
    " storagelink_site_recovery vgpu vif_locking vlan vm_memory_introspection vmpr vswitch_controller"
    " web_selfservice web_selfservice_manager wlb"
)
_FEATURES_8 = (
    "ad cbt certificate_verification checkpoint cluster_address connection corosync cpu_masking dmc dr email_alerting"
    " equalogic gpu guest_agent_auto_update guest_ip_setting historical_performance igmp_snooping"
    " integrated_gpu_passthrough intellicache internal_repo_access live_patching marathon nested_virt netapp"
    " network_sriov pci_device_for_auto_update pool_attached_storage pool_secret_rotation pool_size pooling pvs_proxy"
    " qos rbac rpu set_vcpus_number_live storage_xen_motion updates usb_passthrough vgpu vif_locking vlan"
    " vm_appliance_start vm_groups vm_start vmpr vmss vss vtpm wlb xen_motion zstd_export"
)

XENSERVER_65_SP1 = Product(
    release="cream",
    software_version={
        "product_version": "6.5.0",
        "product_version_text": "6.5",
        "product_version_text_short": "6.5",
        "platform_name": "XCP",
        "platform_version": "1.9.0",
        "product_brand": "XenServer",
        "build_number": "90233c",
        "hostname": "builder-1",
        "date": "2014-12-12",
        "dbv": "2015.0101",
        "xapi": "1.3",
        "xen": "4.4.1-xs90192",
        "linux": "3.10.0+2",
        "xencenter_min": "2.3",
        "xencenter_max": "2.4",
        "network_backend": "openvswitch",
        "package-linux": "installed",
        "xcp:main": "Base Pack, version 1.9.0, build 90233c",
        "xs:main": "XenServer Pack, version 6.5.0, build 90233c",
        "xs:linux": "Linux Pack, version 6.5.0, build 90233c",
        "xs:xenserver-transfer-vm": "XenServer Transfer VM, version 6.5.0, build 90158c",
    },
    edition="free",
    unlicensed=("wlb", "vgpu", "read_caching", "intellicache", "export_resource_data"),
    features=tuple(_FEATURES_65.split()),
    tools=(6, 5, 0, 1423),
    updates=(
        Update("XS65ESP1", "Public Availability: XenServer 6.5 Service Pack 1", 98_304_512, ("restartHost",)),
        Update("XS65ESP1002", "Public Availability: security fixes", 11_296_342, ("restartHost",)),
        Update("XS65ESP1004", "Public Availability: fixes to the toolstack", 5_771_926, ("restartXAPI",)),
    ),
)

XENSERVER_8 = Product(
    release="26.9.0",
    software_version={
        "product_version": "8.4.0",
        "product_version_text": "8",
        "product_version_text_short": "8",
        "platform_name": "XCP",
        "platform_version": "3.4.0",
        "product_brand": "XenServer",
        "build_number": "8.4.0",
        "git_id": "0",
        "hostname": "localhost",
        "date": "20260412T08:14:03Z",
        "dbv": "0.0.1",
        "xapi": "26.9",
        "xapi_build": "26.9.0",
        "xen": "4.17.5-13",
        "linux": "4.19.0+1",
        "xencenter_min": "2.21",
        "xencenter_max": "2.21",
        "network_backend": "openvswitch",
        "db_schema": "5.901",
    },
    edition="enterprise-per-socket",
    unlicensed=(),
    features=tuple(_FEATURES_8.split()),
    tools=(9, 4, 1, 146),
    hardware_platforms=(0, 1, 2),
)
