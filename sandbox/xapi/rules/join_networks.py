"""What joining asks of networks and shared storage."""

from __future__ import annotations

from sandbox.xapi.rules import Error
from sandbox.xapi.rules.join_sides import Sides, is_tools_sr
from sandbox.xapi.store import Database
from sandbox.xapi.values import Row


def shared_srs(db: Database) -> list[str]:
    return [ref for ref, sr in db.rows("SR").items() if sr["shared"] and not is_tools_sr(sr)]


def cluster_network(sides: Sides) -> Error | None:
    """Of a pool whose cluster takes new hosts in by itself."""
    member = next(iter(sides.pool.rows("Cluster_host").values()), None)
    if member is None or not sides.pool.value("Cluster", member["cluster"], "pool_auto_join"):
        return None
    pif = sides.pool.find("PIF", member["PIF"])
    if pif is None:
        return None
    if pif["VLAN"] > 0 and not pif["management"]:
        return ["POOL_JOINING_POOL_CANNOT_ENABLE_CLUSTERING_ON_VLAN_NETWORK", str(pif["VLAN"])]
    bonded = [ref for bond in pif["bond_master_of"] for ref in sides.pool.value("Bond", bond, "slaves")]
    carriers = [sides.pool.get("PIF", ref) for ref in bonded] or [pif]
    bridges = {_bridge(sides.pool, each) for each in carriers}
    here = [p for p in sides.joiner.rows("PIF").values() if _bridge(sides.joiner, p) in bridges and p["IP"]]
    return None if len(here) == 1 else ["POOL_JOINING_HOST_MUST_HAVE_ONLY_ONE_IP_ON_CLUSTERING_NETWORK"]


def _bridge(db: Database, pif: Row) -> str:
    return str((db.find("network", pif["network"]) or {}).get("bridge", ""))


def physical_management(sides: Sides) -> Error | None:
    pif = sides.management_pif(sides.joiner)
    return None if pif and pif["physical"] else ["POOL_JOINING_HOST_MUST_HAVE_PHYSICAL_MANAGEMENT_NIC"]


def only_physical(sides: Sides) -> Error | None:
    virtual = any(not pif["physical"] for pif in sides.joiner.rows("PIF").values())
    return ["POOL_JOINING_HOST_MUST_ONLY_HAVE_PHYSICAL_PIFS"] if virtual else None


def bonds_and_vlans(sides: Sides) -> Error | None:
    db = sides.joiner
    if db.rows("Bond"):
        return ["POOL_JOINING_HOST_HAS_BONDS"]
    if db.rows("tunnel"):
        return ["POOL_JOINING_HOST_HAS_TUNNELS"]
    if db.rows("network_sriov"):
        return ["POOL_JOINING_HOST_HAS_NETWORK_SRIOVS"]
    carried = (db.find("PIF", vlan["untagged_PIF"]) for vlan in db.rows("VLAN").values())
    if any(pif is None or not pif["management"] for pif in carried):
        return ["POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS"]
    return None


def management_vlan(sides: Sides) -> Error | None:
    mine, theirs = (sides.management_pif(db) for db in (sides.joiner, sides.pool))
    here, there = (pif["VLAN"] if pif else -1 for pif in (mine, theirs))
    if here == there:
        return None
    return ["POOL_JOINING_HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH", str(here), str(there)]


def backend(sides: Sides) -> Error | None:
    """bridge or openvswitch, and for the latter what controls it."""
    mine, theirs = (row["software_version"].get("network_backend", "") for row in (sides.host, sides.coordinator))
    if mine != theirs:
        return ["OPERATION_NOT_ALLOWED", "Network backends differ"]

    return _controller(sides) if mine == "openvswitch" else None


def _controller(sides: Sides) -> Error | None:
    """A host without one may join any pool. From 7.2 on it is an object, before an address in the pool's record."""
    if "SDN_controller" not in sides.joiner.tables:
        mine, theirs = (pool.get("vswitch_controller", "") for pool in (sides.joiner_pool, sides.coordinator_pool))
        return None if mine in ("", theirs) else ["OPERATION_NOT_ALLOWED", "vswitch controller address differs"]

    def first(db: Database) -> tuple[object, ...] | None:
        known = next(iter(db.rows("SDN_controller").values()), None)
        return (known["protocol"], known["address"], known["port"]) if known else None

    here, there = first(sides.joiner), first(sides.pool)
    return None if here in (None, there) else ["OPERATION_NOT_ALLOWED", "SDN controller differs"]


def address_type(sides: Sides) -> Error | None:
    mine, theirs = (sides.management_pif(db) or {} for db in (sides.joiner, sides.pool))
    same = mine.get("primary_address_type", "") == theirs.get("primary_address_type", "")
    return None if same else ["OPERATION_NOT_ALLOWED", "Primary address type differs"]


def nbd_purposes(sides: Sides) -> Error | None:
    """The first purpose of each side that is about NBD: with TLS or without."""

    def first(db: Database) -> str | None:
        purposes = (purpose for network in db.rows("network").values() for purpose in network["purpose"])
        return next((purpose for purpose in purposes if purpose in ("nbd", "insecure_nbd")), None)

    mine, theirs = first(sides.joiner), first(sides.pool)
    if mine is None or theirs is None or mine == theirs:
        return None
    return ["OPERATION_NOT_ALLOWED", "Incompatible network purposes: nbd and insecure_nbd"]
