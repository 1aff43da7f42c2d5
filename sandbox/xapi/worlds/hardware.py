"""Servers: their processors, and the host record with everything that comes with a freshly installed host."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.xapi.model import api_version
from sandbox.xapi.values import NULL
from sandbox.xapi.worlds.builder import GIB, MIB

if TYPE_CHECKING:
    from sandbox.xapi.world import Record
    from sandbox.xapi.worlds.builder import PoolBuilder
    from sandbox.xapi.worlds.products import Product


@dataclass(frozen=True)
class Cpu:
    """A processor model as host.cpu_info shows it."""

    vendor: str
    modelname: str
    family: int
    model: int
    stepping: int
    speed: float
    """MHz"""
    sockets: int
    threads: int
    """Logical processors of the whole host."""
    words_65: str = ""
    """Feature words in the order of 6.x: leaf 1 ECX, EDX, leaf 80000001 ECX, EDX."""
    words_hvm: str = ""
    words_pv: str = ""
    """Feature words in the order of 7.0 and later, which starts with leaf 1 EDX."""
    maskable: str = "full"
    """6.x: which words a mask can lower: no, base, full."""

    def info(self, pool: PoolBuilder) -> dict[str, str]:
        """host.cpu_info with the keys of the pool's release."""
        common = {
            "cpu_count": str(self.threads),
            "socket_count": str(self.sockets),
            "vendor": self.vendor,
            "speed": f"{self.speed:.3f}",
            "modelname": self.modelname,
            "family": str(self.family),
            "model": str(self.model),
            "stepping": str(self.stepping),
            "flags": _FLAGS,
        }
        if not pool.knows("pool", "cpu_info"):
            words = dict.fromkeys(("features", "features_after_reboot", "physical_features"), self.words_65)
            return {**common, **words, "maskable": self.maskable}
        return {**common, "threads_per_core": "2", "nr_nodes": str(self.sockets), **self.levels()}

    def levels(self) -> dict[str, str]:
        """The feature keys of 8.1 and later: what VMs get at boot, and the most the host can take in a migration."""
        return {
            "features_pv": self.words_pv,
            "features_hvm": self.words_hvm,
            "features_pv_host": self.words_pv,
            "features_hvm_host": self.words_hvm,
        }


_FLAGS = (
    "fpu de tsc msr pae mce cx8 apic sep mca cmov pat clflush acpi mmx fxsr sse sse2 ss ht syscall nx lm constant_tsc"
    " nonstop_tsc aperfmperf pni pclmulqdq est ssse3 cx16 sse4_1 sse4_2 popcnt aes avx f16c rdrand hypervisor lahf_lm"
)

IVY_BRIDGE = Cpu(
    "GenuineIntel",
    "Intel(R) Xeon(R) CPU E5-2630 v2 @ 2.60GHz",
    family=6,
    model=62,
    stepping=4,
    speed=2600.112,
    sockets=2,
    threads=24,
    words_65="77bee3ff-bfebfbff-00000001-2c100800",
)
HASWELL = Cpu(
    "GenuineIntel",
    "Intel(R) Xeon(R) CPU E5-2630 v3 @ 2.40GHz",
    family=6,
    model=63,
    stepping=2,
    speed=2400.086,
    sockets=2,
    threads=32,
    words_65="77fefbff-bfebfbff-00000021-2c100800",
)
CASCADE_LAKE = Cpu(
    "GenuineIntel",
    "Intel(R) Xeon(R) Gold 6226R CPU @ 2.90GHz",
    family=6,
    model=85,
    stepping=7,
    speed=2893.206,
    sockets=2,
    threads=32,
    words_hvm="1fcbfbff-f7fa3223-2c100800-00000121-0000000f-d19f07a9-00000804-00000100-00001000-bc000400"
    "-00000000-00000000-00000000-00000000-00000000-00000000-0000002b-00000000-00000000",
    words_pv="1fc9cbf5-f6f83203-28100800-00000121-00000007-d10f0328-00000800-00000000-00001000-ac000400"
    "-00000000-00000000-00000000-00000000-00000000-00000000-0000002b-00000000-00000000",
)


@dataclass(frozen=True)
class Server:
    """A host before it is told anything about networks and storage."""

    name: str
    address: str
    cpu: Cpu
    memory: int
    """Bytes, as host_metrics.memory_total."""
    maker: str = "Dell Inc."
    model: str = "PowerEdge R620"
    serial: str = ""
    up_days: float = 41
    """Days since boot."""
    dom0_memory: int = 4 * GIB
    dom0_vcpus: int = 8


def add_host(pool: PoolBuilder, product: Product, server: Server) -> str:
    """Make the host, its metrics, processors and control domain; return the host's reference."""
    cpu, key = server.cpu, server.name
    metrics = pool.add(
        "host_metrics",
        key,
        memory_total=server.memory,
        memory_free=server.memory,
        live=True,
        last_updated=pool.ago(minutes=1),
    )
    major, minor = api_version(product.release)
    started = pool.now.timestamp() - server.up_days * 86400
    host = pool.add(
        "host",
        key,
        name_label=server.name,
        name_description="Default install",
        hostname=server.name,
        address=server.address,
        metrics=metrics,
        enabled=True,
        API_version_major=major,
        API_version_minor=minor,
        API_version_vendor="XenSource",
        API_version_vendor_implementation={},
        software_version=dict(product.software_version),
        capabilities=list(product.capabilities),
        cpu_info=cpu.info(pool),
        sched_policy="credit",
        supported_bootloaders=["pygrub", "eliloader"],
        memory_overhead=math.ceil(server.memory * 0.008 / MIB) * MIB,
        edition=product.edition,
        license_params=_license(pool, product, cpu),
        license_server={"address": "localhost", "port": "27000"},
        bios_strings=_bios_strings(pool, server),
        chipset_info={"iommu": "true"},
        suspend_image_sr=NULL,
        crash_dump_sr=NULL,
        local_cache_sr=NULL,
        virtual_hardware_platform_versions=list(product.hardware_platforms),
        other_config={
            "agent_start_time": f"{started + 210:.0f}.",
            "boot_time": f"{started:.0f}.",
            "iscsi_iqn": _iqn(pool, key),
        },
        iscsi_iqn=_iqn(pool, key),
        ssl_legacy=False,
        ssh_auto_mode=False,
        ntp_mode="Factory",
        timezone="UTC",
        tls_verification_enabled=True,
    )
    _add_processors(pool, host, server)
    domain = _add_control_domain(pool, host, server)
    if pool.knows("host", "control_domain"):
        pool.record("host", host)["control_domain"] = domain
    _add_updates(pool, product, host, key)
    _add_certificate(pool, host, key)
    return host


def _bios_strings(pool: PoolBuilder, server: Server) -> dict[str, str]:
    return {
        "bios-vendor": server.maker,
        "bios-version": "2.5.4",
        "system-manufacturer": server.maker,
        "system-product-name": server.model,
        "system-serial-number": server.serial or f"S{pool.uuid('serial', server.name)[:7].upper()}",
        "system-version": "",
    }


def _add_processors(pool: PoolBuilder, host: str, server: Server) -> None:
    cpu = server.cpu
    for number in range(cpu.threads):
        pool.add(
            "host_cpu",
            f"{server.name}/{number}",
            host=host,
            number=number,
            vendor=cpu.vendor,
            speed=int(cpu.speed),
            modelname=cpu.modelname,
            family=cpu.family,
            model=cpu.model,
            stepping=str(cpu.stepping),
            flags=_FLAGS,
            features="" if pool.knows("pool", "cpu_info") else cpu.words_65,
        )


def _license(pool: PoolBuilder, product: Product, cpu: Cpu) -> dict[str, str]:
    return {
        "sku_type": product.edition,
        "version": product.software_version["product_version"],
        "expiry": str(pool.ago(days=-900)),
        "sockets": str(cpu.sockets),
        "grace": "no",
        **product.restrictions,
    }


def _iqn(pool: PoolBuilder, key: str) -> str:
    return f"iqn.2015-06.com.example:{pool.uuid('iqn', key)[:8]}"


def _add_control_domain(pool: PoolBuilder, host: str, server: Server) -> str:
    key = f"control domain of {server.name}"
    size = server.dom0_memory
    metrics = pool.add(
        "VM_metrics",
        key,
        memory_actual=size,
        VCPUs_number=server.dom0_vcpus,
        start_time=pool.ago(days=server.up_days),
        last_updated=pool.ago(days=server.up_days),
    )
    domain = pool.add(
        "VM",
        key,
        name_label=f"Control domain on host: {server.name}",
        name_description="The domain which manages physical devices and manages other domains",
        is_control_domain=True,
        power_state="Running",
        resident_on=host,
        affinity=host,
        domid=0,
        domain_type="pv",
        domarch="x64",
        metrics=metrics,
        user_version=1,
        actions_after_crash="destroy",
        actions_after_reboot="destroy",
        actions_after_shutdown="destroy",
        VCPUs_max=server.dom0_vcpus,
        VCPUs_at_startup=server.dom0_vcpus,
        memory_static_min=size // 2,
        memory_dynamic_min=size,
        memory_dynamic_max=size,
        memory_static_max=size,
        memory_target=size,
        last_boot_CPU_flags={},
    )
    for protocol in ("vt100", "rfb"):
        add_console(pool, f"{key}/{protocol}", domain, protocol, server.address)
    return domain


def add_console(pool: PoolBuilder, key: str, vm: str, protocol: str, address: str) -> None:
    """A running domain's console, served by the host with that address."""
    location = f"https://{address}/console?uuid={pool.uuid('console', key)}"
    pool.add("console", key, VM=vm, protocol=protocol, location=location)


def _add_updates(pool: PoolBuilder, product: Product, host: str, key: str) -> None:
    for number, update in enumerate(product.updates):
        patch = pool.ref("pool_patch", update.name)
        common = {
            "name_label": update.name,
            "name_description": update.description,
            "version": "1.0",
            "size": update.size,
        }
        if patch not in pool.objects.get("pool_patch", {}):
            guidance = list(update.guidance)
            pool.add("pool_patch", update.name, **common, pool_applied=True, after_apply_guidance=guidance)
        applied = pool.ago(days=200 - 40 * number)
        row = f"{key}/{update.name}"
        pool.add("host_patch", row, **common, host=host, pool_patch=patch, applied=True, timestamp_applied=applied)


def _add_certificate(pool: PoolBuilder, host: str, key: str) -> None:
    if not pool.knows("Certificate"):
        return
    for kind in ("host", "host_internal"):
        digest = (pool.uuid(kind, key) + pool.uuid(kind, key + "2")).replace("-", "").upper()
        fingerprint = ":".join(digest[i : i + 2] for i in range(0, 64, 2))
        pool.add(
            "Certificate",
            f"{key}/{kind}",
            type=kind,
            host=host,
            not_before=pool.ago(days=200),
            not_after=pool.ago(days=200 - 3650),
            fingerprint=fingerprint,
            fingerprint_sha256=fingerprint,
            fingerprint_sha1=fingerprint[:59],
        )


def settle_memory(pool: PoolBuilder) -> None:
    """Set each host's free memory to what its domains leave.  Raises ValueError if they need more than it has."""
    used: dict[str, int] = {}
    for vm in pool.objects.get("VM", {}).values():
        if vm["resident_on"] != NULL:
            used[vm["resident_on"]] = used.get(vm["resident_on"], 0) + vm["memory_target"] + vm["memory_overhead"]
    for ref, host in pool.objects["host"].items():
        metrics: Record = pool.record("host_metrics", host["metrics"])
        free = metrics["memory_total"] - host["memory_overhead"] - used.get(ref, 0)
        if free < 0:
            raise ValueError(f"{host['name_label']} has {-free} bytes too little memory for its domains")
        metrics["memory_free"] = free
