"""Why a host may not join a pool: the toolstack's checks in its order, each with the releases that make it.

Source: xapi (August 2026) and its tags for 6.5, 7.1, 8.2 and 8.3. The first check that fails is the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.xapi.registry import difference
from sandbox.xapi.rules import Error, join_networks, join_software
from sandbox.xapi.rules.join_networks import shared_srs
from sandbox.xapi.rules.join_sides import Sides

if TYPE_CHECKING:
    from sandbox.xapi.values import Row

difference(
    "pool.join",
    "Editions must be equal: of several in the pool the first that differs is named, not the least.",
    "There is no licence daemon that ranks them.",
)
difference(
    "pool.join",
    "A check that came between two releases whose source was read is made from the later one on.",
    "Only some tags were read.",
)

_RESTRICTED_POOL_SIZE = 3


def error(sides: Sides, force: bool) -> Error | None:
    """The first reason against joining. `force` skips what pool.join_force skips."""
    for rule in RULES:
        known = sides.model.at_least(rule.since) and not (rule.until and sides.model.at_least(rule.until))
        if known and not (force and rule.forcible):
            found = rule.check(sides)
            if found:
                return found
    return None


def _pool_size(sides: Sides) -> Error | None:
    """The joiner's own licence is asked how many hosts the pool may have."""
    restricted = sides.joiner_pool.get("restrictions", {}).get("restrict_pool_size") == "true"
    full = len(sides.pool.rows("host")) >= _RESTRICTED_POOL_SIZE
    return ["LICENCE_RESTRICTION", "Pool_size"] if restricted and full else None


def _still_booting(sides: Sides) -> Error | None:
    return None if sides.management_pif(sides.joiner) else ["HOST_STILL_BOOTING"]


def _ha_here(sides: Sides) -> Error | None:
    return ["HA_IS_ENABLED"] if sides.joiner_pool["ha_enabled"] else None


def _ha_there(sides: Sides) -> Error | None:
    return ["HA_IS_ENABLED"] if sides.coordinator_pool["ha_enabled"] else None


def _clustering(sides: Sides) -> Error | None:
    members = sides.joiner.rows("Cluster_host").items()
    return next((["CLUSTERING_ENABLED", ref] for ref, row in members if row["enabled"]), None)


def _itself(sides: Sides) -> Error | None:
    if sides.joiner is not sides.pool:
        return None
    others = len(sides.joiner.rows("host")) > 1
    return [
        "OPERATION_NOT_ALLOWED",
        f"Host {'is already part of a pool' if others else 'cannot become slave of itself'}",
    ]


def _alone(sides: Sides) -> Error | None:
    return ["JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS"] if len(sides.joiner.rows("host")) > 1 else None


def _user_vms(sides: Sides) -> list[Row]:
    return [vm for vm in sides.joiner.rows("VM").values() if not vm["is_control_domain"]]


def _running_vms(sides: Sides) -> Error | None:
    running = any(vm["power_state"] == "Running" for vm in _user_vms(sides))
    return ["JOINING_HOST_CANNOT_HAVE_RUNNING_VMS"] if running else None


def _busy_vms(sides: Sides) -> Error | None:
    busy = any(vm["current_operations"] for vm in sides.joiner.rows("VM").values())
    return ["JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS"] if busy else None


def _guidances(sides: Sides) -> Error | None:
    for db in (sides.joiner, sides.pool):
        ref, row = sides.coordinator_of(db)
        if row.get("pending_guidances"):
            return ["HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY", ref]
    return None


def _shared_srs(sides: Sides) -> Error | None:
    return ["JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS"] if shared_srs(sides.joiner) else None


def _external_auth(sides: Sides) -> Error | None:
    def of(row: Row) -> tuple[str, str]:
        return row["external_auth_type"], row["external_auth_service_name"].lower()

    return None if of(sides.host) == of(sides.coordinator) else ["POOL_JOINING_EXTERNAL_AUTH_MISMATCH"]


def _editions(sides: Sides) -> Error | None:
    mine = sides.host.get("edition", "")
    theirs = sorted({row.get("edition", "") for row in sides.pool.rows("host").values()})
    if theirs == [mine]:
        return None
    other = next(each for each in theirs if each != mine)
    return ["LICENSE_HOST_POOL_MISMATCH", f'host edition = "{mine}"', f'pool edition = "{other}"']


def _tls_verification(sides: Sides) -> Error | None:
    same = sides.joiner_pool["tls_verification_enabled"] == sides.coordinator_pool["tls_verification_enabled"]
    return None if same else ["POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH"]


def _ca_certificates(sides: Sides) -> Error | None:
    """Authorities with a name, which is one certificate's; the names that clash come last first."""

    def of(rows: dict[str, Row]) -> dict[str, str]:
        field = "fingerprint_sha256" if sides.model.at_least("24.19.0") else "fingerprint"
        return {c["name"]: c[field] for c in rows.values() if c["type"] == "ca" and c["name"]}

    mine, theirs = of(sides.joiner.rows("Certificate")), of(sides.pool.rows("Certificate"))
    clashes = sorted((name for name in mine.keys() & theirs.keys() if mine[name] != theirs[name]), reverse=True)
    return ["POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT", *clashes] if clashes else None


def _trusted_certificates(sides: Sides) -> Error | None:
    """One certificate, trusted by both for purposes that overlap without being the same."""

    def of(rows: dict[str, Row]) -> dict[str, tuple[str, set[str]]]:
        found = [(ref, c) for ref, c in rows.items() if c["type"] in ("ca", "pinned") and not c["name"]]
        return {c["fingerprint_sha256"]: (ref, set(c["purpose"])) for ref, c in found}

    mine, theirs = of(sides.joiner.rows("Certificate")), of(sides.pool.rows("Certificate"))
    for fingerprint in sorted(mine.keys() & theirs.keys()):
        (here, ours), (there, known) = mine[fingerprint], theirs[fingerprint]
        if ours & known and ours != known:
            return ["POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT", there, here]
    return None


def _updating(sides: Sides) -> Error | None:
    for db in (sides.joiner, sides.pool):
        records = [*db.rows("pool").values(), *db.rows("host").values()]
        if any("apply_updates" in row["current_operations"].values() for row in records):
            return ["NOT_SUPPORTED_DURING_UPGRADE"]
    return None


@dataclass(frozen=True)
class Rule:
    """`since` and `until` are releases, the last not included; `forcible`: pool.join_force does not ask it."""

    check: Callable[[Sides], Error | None]
    since: str = "rio"
    until: str = ""
    forcible: bool = False


RULES = (
    Rule(_pool_size, since="naples"),
    Rule(_still_booting),
    Rule(_ha_here),
    Rule(_clustering, since="lima"),
    Rule(join_networks.cluster_network, since="25.8.0"),
    Rule(_ha_there),
    Rule(_itself),
    Rule(_alone),
    Rule(_running_vms),
    Rule(_busy_vms),
    Rule(_guidances, since="25.6.0"),
    Rule(join_software.product),
    Rule(join_software.homogeneous_6, until="dundee", forcible=True),
    Rule(join_software.homogeneous, since="dundee", forcible=True),
    Rule(_shared_srs),
    Rule(join_networks.physical_management, until="ely"),
    Rule(join_networks.only_physical, since="ely", until="naples"),
    Rule(join_networks.bonds_and_vlans, since="naples"),
    Rule(join_networks.management_vlan, since="naples"),
    Rule(_external_auth),
    Rule(_editions),
    Rule(join_networks.backend),
    Rule(join_software.api_version, since="dundee"),
    Rule(join_software.db_schema, since="dundee"),
    Rule(join_software.patches, until="ely"),
    Rule(join_software.updates, since="ely"),
    Rule(join_networks.address_type),
    Rule(join_networks.nbd_purposes, since="stockholm"),
    Rule(_tls_verification, since="1.297.0"),
    Rule(_ca_certificates, since="1.320.0"),
    Rule(_trusted_certificates, since="26.13.0"),
    Rule(_updating, since="24.19.0"),
    Rule(join_software.storage_drivers, since="24.37.0"),
)
