"""Storage repositories (SRs), the hosts' connections to them (PBDs) and virtual disks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.xapi.storage.declared import Disk, Export, Lun, NfsServer, Storage, Target
from sandbox.xapi.values import NULL
from sandbox.xapi.worlds.builder import GIB, TIB

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.xapi.worlds.builder import PoolBuilder
    from sandbox.xapi.worlds.products import Product


def add_drivers(pool: PoolBuilder, product: Product) -> None:
    """The SM records: what the product's storage drivers can do."""
    for driver in product.drivers:
        pool.add(
            "SM",
            driver.type,
            type=driver.type,
            name_label=driver.name,
            name_description=f"SR plugin for {driver.name}",
            vendor="Citrix Systems Inc",
            copyright="(C) 2008 Citrix Systems Inc",
            version="1.0",
            required_api_version="1.0",
            configuration={},
            capabilities=list(driver.capabilities),
            features={name: 2 if name == "VDI_RESET_ON_BOOT" else 1 for name in driver.capabilities},
            driver_filename=f"/opt/xensource/sm/{driver.type.upper()}SR",
        )


def add_local_storage(pool: PoolBuilder, host_name: str) -> str:
    """What a host brings with it: the SR on its own disk, its DVD drive, its USB ports; return the disk's SR."""
    disk = f"/dev/disk/by-id/scsi-36{pool.uuid('disk', host_name).replace('-', '')[:31]}"
    local = add_sr(
        pool,
        f"local/{host_name}",
        "Local storage",
        type="lvm",
        shared=False,
        size=550 * GIB,
        sm_config={"allocation": "thick", "use_vhd": "true", "devserial": disk.rpartition("/")[2]},
        other_config={"i18n-key": "local-storage", "i18n-original-value-name_label": "Local storage"},
    )
    connect(pool, local, [host_name], {"device": f"{disk}-part3"})
    for kind, name, content, key in (
        ("cd", "DVD drives", "iso", "local-hotplug-cd"),
        ("block", "Removable storage", "disk", "local-hotplug-disk"),
    ):
        sr = add_sr(
            pool,
            f"{kind}/{host_name}",
            name,
            type="udev",
            content_type=content,
            description="Physical DVD drives" if kind == "cd" else "",
            shared=False,
            size=1_073_741_312 if kind == "cd" else 0,
            sm_config={"type": kind},
            other_config={"i18n-key": key, "i18n-original-value-name_label": name},
        )
        connect(pool, sr, [host_name], {"location": f"/dev/xapi/{kind}"})
    add_vdi(
        pool,
        pool.ref("SR", f"cd/{host_name}"),
        f"cd/{host_name}",
        "SCSI 3:0:0:0",
        size=1_073_741_312,
        location="/dev/xapi/cd/sr0",
        read_only=True,
    )
    return local


def add_tools_sr(pool: PoolBuilder, hosts: Iterable[str], *, iso: bool) -> str:
    """The SR of the guest tools that each pool has; `iso` for releases that still ship the image."""
    name = "XenServer Tools"
    sr = add_sr(
        pool,
        "tools",
        name,
        type="iso",
        content_type="iso",
        description=f"{name} ISOs",
        shared=True,
        size=-1,
        is_tools_sr=True,
        other_config={
            "xenserver_tools_sr": "true",
            "xensource_internal": "true",
            "i18n-key": "xenserver-tools",
            "i18n-original-value-name_label": name,
            "i18n-original-value-name_description": f"{name} ISOs",
        },
    )
    connect(pool, sr, hosts, {"location": "/opt/xensource/packages/iso", "legacy_mode": "true"})
    if iso:
        add_vdi(
            pool,
            sr,
            "tools",
            "xs-tools.iso",
            size=147_308_544,
            location="xs-tools.iso",
            read_only=True,
            is_tools_iso=True,
        )
    return sr


def add_nfs(pool: PoolBuilder, hosts: Iterable[str], *, name: str, server: str, path: str, size: int) -> str:
    description = f"NFS SR [{server}:{path}]"
    sr = add_sr(pool, f"nfs/{name}", name, type="nfs", description=description, shared=True, size=size)
    config = {"server": server, "serverpath": path}
    connect(pool, sr, hosts, {**config, "nfsversion": "3"} if pool.knows("host", "multipathing") else config)
    return sr


def add_iscsi(
    pool: PoolBuilder, hosts: Iterable[str], *, name: str, targets: str, iqn: str, size: int, paths: int
) -> str:
    """An LVM SR on an iSCSI LUN; `targets` as in device_config, `paths` to the LUN from each host (1: no multipath)."""
    scsi_id = f"36001405{pool.uuid('LUN', name).replace('-', '')[:25]}"
    sr = add_sr(
        pool,
        f"iscsi/{name}",
        name,
        type="lvmoiscsi",
        description=f"iSCSI SR [{targets} ({iqn}; LUN 0)]",
        shared=True,
        size=size,
        sm_config={"allocation": "thick", "use_vhd": "true", "multipathable": "true", "devserial": f"scsi-{scsi_id}"},
        other_config={"auto-scan": "false"},
    )
    config = {"target": targets, "targetIQN": iqn, "SCSIid": scsi_id, "port": "3260"}
    state = {"iscsi_sessions": str(paths)}
    if paths > 1:
        config["multihomed"] = "true"
        state |= {"multipathed": "true", f"mpath-{scsi_id}": f"[{paths}, {paths}]"}
    connect(pool, sr, hosts, config, state)
    return sr


def add_iso_library(pool: PoolBuilder, hosts: Iterable[str], *, location: str, isos: Iterable[str]) -> str:
    """An ISO SR: on NFS and shared when `location` is ``server:/path``, else a directory of the one host given."""
    shared = ":" in location
    names = list(hosts)
    key = "iso library" if shared else f"isos of {names[0]}"
    sr = add_sr(
        pool,
        key,
        "ISO library" if shared else f"ISOs on {names[0]}",
        type="iso",
        content_type="iso",
        description=f"NFS ISO library [{location}]" if shared else "Images kept on the host's own disk",
        shared=shared,
        size=400 * GIB if shared else 20 * GIB,
        other_config={"auto-scan": "true"},
    )
    config = {"location": location} if shared else {"location": location, "legacy_mode": "true"}
    connect(pool, sr, names, config)
    for iso in isos:
        add_vdi(pool, sr, f"{key}/{iso}", iso, size=4 * GIB, location=iso, read_only=True)
    return sr


def add_sr(
    pool: PoolBuilder,
    key: str,
    name: str,
    *,
    type: str,
    shared: bool,
    size: int,
    content_type: str = "user",
    description: str = "",
    **fields: object,
) -> str:
    return pool.add(
        "SR",
        key,
        name_label=name,
        name_description=description,
        type=type,
        content_type=content_type,
        shared=shared,
        physical_size=size,
        physical_utilisation=max(0, min(size, 4 * 1024**2)) if content_type == "user" else size,
        virtual_allocation=0,
        **fields,
    )


def connect(
    pool: PoolBuilder,
    sr: str,
    hosts: Iterable[str],
    device_config: dict[str, str],
    state: dict[str, str] | None = None,
) -> None:
    """Give each of the hosts (by name) a PBD to the SR."""
    for host in hosts:
        pool.add(
            "PBD",
            f"{sr}/{host}",
            SR=sr,
            host=pool.ref("host", host),
            device_config=dict(device_config),
            currently_attached=True,
            other_config=dict(state or {}),
        )


def add_vdi(
    pool: PoolBuilder,
    sr: str,
    key: str,
    name: str,
    *,
    size: int,
    used: float = 1.0,
    type: str = "user",
    **fields: object,
) -> str:
    """A disk of `size` bytes, of which the fraction `used` is written; the SR's figures grow with it."""
    repository = pool.record("SR", sr)
    thick = repository["type"].startswith("lvm")
    utilisation = size if thick else int(size * used)
    if repository["content_type"] == "user":
        repository["physical_utilisation"] += utilisation
        repository["virtual_allocation"] += size
    return pool.add(
        "VDI",
        key,
        **{
            "SR": sr,
            "name_label": name,
            "virtual_size": size,
            "physical_utilisation": utilisation,
            "type": type,
            "managed": True,
            "location": pool.uuid("VDI", key),
            "on_boot": "persist",
            "sm_config": {"vdi_type": "vhd"} if thick else {},
            "parent": NULL,
            **fields,
        },
    )


def filers(nfs: str, iscsi: tuple[str, ...], iqn: str, hosts: Iterable[str]) -> Storage:
    """What the labs' storage has besides what their pools use: room for new SRs of each kind.

    `iscsi` are the target's portals. The target `…:guarded` wants CHAP: user ``xen``, password ``let me in``.
    """
    exports = (
        Export("/srv/xen", 2 * TIB),
        Export("/srv/xen2", 4 * TIB, used=300 * GIB),
        Export("/srv/iso", 400 * GIB, images=("memtest86.iso", "rescue.iso")),
    )
    free = Lun(f"36001405{'f' * 22}001", 1 * TIB, 7, serial="f0000001")
    guarded = Lun(f"36001405{'f' * 22}002", 500 * GIB, 0, serial="f0000002")
    return Storage(
        nfs=(NfsServer(nfs, exports),),
        targets=(
            Target(iqn, iscsi, (free,)),
            Target(f"{iqn}:guarded", iscsi, (guarded,), chap_user="xen", chap_password="let me in"),
        ),
        disks=tuple(Disk("/dev/sdb", 900 * GIB, host) for host in hosts),
    )
