"""What belongs to a pool as a whole: its record, its processor level, its alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.xapi.values import NULL
from sandbox.xapi.worlds.hardware import settle_memory

if TYPE_CHECKING:
    from sandbox.xapi.world import PoolWorld
    from sandbox.xapi.worlds.builder import PoolBuilder
    from sandbox.xapi.worlds.products import Product


def add_pool(
    pool: PoolBuilder,
    product: Product,
    label: str,
    *,
    coordinator: str,
    default_sr: str = NULL,
    description: str = "",
    **fields: object,
) -> str:
    """The pool record; a host that stands alone is the coordinator of a pool whose label is empty.

    Hosts keep suspended VMs and crash dumps where the pool does.
    """
    other_config = {"memory-ratio-hvm": "0.25", "memory-ratio-pv": "0.25"}
    if not pool.knows("pool", "cpu_info"):
        other_config["cpuid_feature_mask"] = "ffffff7f-ffffffff-ffffffff-ffffffff"
    for host in pool.objects["host"].values():
        host["suspend_image_sr"] = host["crash_dump_sr"] = default_sr
    return pool.add(
        "pool",
        "pool",
        **{
            "name_label": label,
            "name_description": description,
            "master": pool.ref("host", coordinator),
            "default_SR": default_sr,
            "suspend_image_SR": default_sr,
            "crash_dump_SR": default_sr,
            "restrictions": product.restrictions,
            "other_config": other_config,
            "cpu_info": _cpu_level(pool),
            "redo_log_vdi": NULL,
            "tls_verification_enabled": True,
            "ha_cluster_stack": "xhad",
            **fields,
        },
    )


def _cpu_level(pool: PoolBuilder) -> dict[str, str]:
    infos = [host["cpu_info"] for host in pool.objects["host"].values()]
    level = {
        "vendor": infos[0]["vendor"],
        "socket_count": str(sum(int(info["socket_count"]) for info in infos)),
        "cpu_count": str(sum(int(info["cpu_count"]) for info in infos)),
    }
    for key in ("features_pv_host", "features_hvm_host"):  # since xapi 23.16 only these
        if key in infos[0]:
            level[key] = _common_words([info[key] for info in infos])
    return level


def _common_words(levels: list[str]) -> str:
    """The features that all levels have: the bitwise AND, word by word."""
    columns = zip(*(level.split("-") for level in levels), strict=True)
    common = []
    for words in columns:
        both = 0xFFFFFFFF
        for word in words:
            both &= int(word, 16)
        common.append(f"{both:08x}")
    return "-".join(common)


def add_repository(pool: PoolBuilder, digest: str, *, up_to_date: bool) -> str:
    """The channel that a pool of XenServer 8 takes its updates from; `digest` is that of what it has synchronised."""
    return pool.add(
        "Repository",
        "normal",
        name_label="Normal",
        name_description="Updates of the normal channel",
        binary_url="https://repo.example.com/xs8/normal",
        source_url="https://repo-src.example.com/xs8/normal",
        update=True,
        hash=digest,
        up_to_date=up_to_date,
        origin="remote",
        certificate="",
    )


def add_message(
    pool: PoolBuilder,
    name: str,
    priority: int,
    cls: str,
    about: str,
    *,
    body: str = "",
    days: float = 0,
    hours: float = 0,
) -> None:
    """An alert about the object `about` (a reference); `priority` as since 6.1: 1 critical … 5 information."""
    table = {"Host": "host", "Pool": "pool"}.get(cls, cls)
    number = len(pool.objects.get("message", {}))
    pool.add(
        "message",
        f"{number} {name}",
        name=name,
        priority=priority,
        cls=cls,
        obj_uuid=pool.record(table, about)["uuid"],
        timestamp=pool.ago(days=days, hours=hours),
        body=body,
    )


def finish(pool: PoolBuilder) -> PoolWorld:
    """Work out what follows from the rest and hand the pool over."""
    settle_memory(pool)
    return pool.world()
