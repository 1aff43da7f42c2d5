"""Every check of joining: that it fails when it should, with the toolstack's own code, and that it is the first to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from bot.model import Verdict
from bot.rules import join
from tests.rules.joining import NEW, NEWEST, OLD, SEVEN, Change, Pair, joined


@dataclass(frozen=True)
class Case:
    """One thing that is wrong: the check that tells it, and the code of pool.join ("": it does not look)."""

    check: str
    code: str
    change: Change
    releases: tuple[str, ...] = (OLD, SEVEN, NEW)


def _restrict(key: str, side: str) -> Change:
    def change(pair: Pair) -> None:
        half = getattr(pair, side)
        half.pool["restrictions"] = {**half.pool["restrictions"], key: "true"}
        half.host["license_params"] = {**half.host["license_params"], key: "true"}

    return change


def _full_under_free_licence(pair: Pair) -> None:
    _restrict("restrict_pool_size", "own")(pair)
    pair.pool.another_host(1)
    pair.pool.another_host(2)


def _clustered(pair: Pair) -> None:
    pair.own.rows("Cluster")["OpaqueRef:cluster"] = _cluster()
    pair.own.rows("Cluster_host")["OpaqueRef:member"] = _cluster_host(pair.own, "eth0")


def _cluster() -> dict[str, Any]:
    return {"uuid": "00000000-0000-4000-8000-00000000c001", "cluster_stack": "corosync", "pool_auto_join": True,
            "cluster_token": "", "token_timeout": 20.0, "token_timeout_coefficient": 1.0}  # fmt: skip


def _cluster_host(half: Any, device: str) -> dict[str, Any]:
    pif = next(ref for ref, row in half.objects["PIF"].items() if row["device"] == device)
    return {"uuid": "00000000-0000-4000-8000-00000000c002", "cluster": "OpaqueRef:cluster", "host": half.host_ref,
            "enabled": True, "PIF": pif, "joined": True}  # fmt: skip


def _cluster_on_storage_network(pair: Pair) -> None:
    """The pool's cluster lives on eth1, where the joining host has no address."""
    pair.pool.rows("Cluster")["OpaqueRef:cluster"] = _cluster()
    pair.pool.rows("Cluster_host")["OpaqueRef:member"] = _cluster_host(pair.pool, "eth1")


def _cluster_on_vlan(pair: Pair) -> None:
    _cluster_on_storage_network(pair)
    pair.pool.pif("eth1")["VLAN"] = 7


def _busy(pair: Pair) -> None:
    pair.own.guest()["current_operations"] = {"OpaqueRef:task": "copy"}


def _bond(pair: Pair) -> None:
    ref = pair.own.copied("PIF", "bond", pair.own.pif("eth1"), device="bond0", physical=False, MAC="02:00:00:00:00:99")
    pair.own.rows("Bond")["OpaqueRef:bond-1"] = {"uuid": "00000000-0000-4000-8000-00000000b001", "master": ref,
                                                 "primary_slave": ref, "mode": "active-backup"}  # fmt: skip
    pair.own.objects["PIF"][ref]["bond_master_of"] = ["OpaqueRef:bond-1"]


def _vlan(pair: Pair) -> None:
    tagged = pair.own.copied("PIF", "vlan", pair.own.pif("eth1"), VLAN=12, physical=False, MAC="02:00:00:00:00:98")
    under = next(ref for ref, row in pair.own.objects["PIF"].items() if row["device"] == "eth1" and row["VLAN"] == -1)
    pair.own.rows("VLAN")["OpaqueRef:vlan-1"] = {"uuid": "00000000-0000-4000-8000-00000000b002", "tag": 12,
                                                 "untagged_PIF": tagged, "tagged_PIF": under}  # fmt: skip
    pair.own.objects["PIF"][tagged]["VLAN_master_of"] = "OpaqueRef:vlan-1"


def _tunnel(pair: Pair) -> None:
    access = pair.own.copied("PIF", "tunnel", pair.own.pif("eth1"), device="tunnel0", physical=False,
                             MAC="02:00:00:00:00:97")  # fmt: skip
    under = next(ref for ref, row in pair.own.objects["PIF"].items() if row["device"] == "eth1")
    pair.own.rows("tunnel")["OpaqueRef:tunnel-1"] = {"uuid": "00000000-0000-4000-8000-00000000b003",
                                                     "access_PIF": access, "transport_PIF": under}  # fmt: skip
    pair.own.objects["PIF"][access]["tunnel_access_PIF_of"] = ["OpaqueRef:tunnel-1"]


def _management_over(field: str, value: object) -> Change:
    def change(pair: Pair) -> None:
        pair.own.pif("eth0")[field] = value

    return change


def _shared(pair: Pair) -> None:
    local = next(row for row in pair.own.objects["SR"].values() if row["type"] in ("lvm", "ext"))
    pair.own.copied("SR", "shared", local, name_label="NFS", type="nfs", shared=True)


def _version(side: str, **keys: str) -> Change:
    return lambda pair: getattr(pair, side).version.update(keys)


def _without_linux_pack(pair: Pair) -> None:
    del pair.own.version["xs:linux"]


def _patch_too_few(pair: Pair) -> None:
    rows = pair.own.rows("host_patch")
    del rows[next(iter(rows))]


def _update_too_many(pair: Pair) -> None:
    ref = "OpaqueRef:update"
    pair.own.rows("pool_update")[ref] = {"uuid": "00000000-0000-4000-8000-00000000d001", "name_label": "XS71E001",
                                         "enforce_homogeneity": True}  # fmt: skip
    pair.own.host["updates"] = [ref]


def _purposes(pair: Pair) -> None:
    pair.own.network("eth1")["purpose"] = ["insecure_nbd"]
    pair.pool.network("eth1")["purpose"] = ["nbd"]


def _certificates(pair: Pair) -> None:
    for half, digest in ((pair.own, "AA"), (pair.pool, "BB")):
        like = next(iter(half.objects["Certificate"].values()))
        half.copied("Certificate", "ca", like, type="ca", name="root.pem", host="OpaqueRef:NULL", fingerprint=digest)


def _trusted(*purposes: tuple[str, ...]) -> Change:
    """One certificate is trusted for these purposes: of the host, of the pool."""

    def change(pair: Pair) -> None:
        for half, known in zip((pair.own, pair.pool), purposes, strict=True):
            like = next(iter(half.objects["Certificate"].values()))
            half.copied("Certificate", "trusted", like, type="pinned", name="", host="OpaqueRef:NULL",
                        fingerprint_sha256="CC", purpose=list(known))  # fmt: skip

    return change


def _no_nfs(pair: Pair) -> None:
    rows = pair.own.objects["SM"]
    del rows[next(ref for ref, row in rows.items() if row["type"] == "nfs")]


def _older_nfs(pair: Pair) -> None:
    for half, version in ((pair.own, 1), (pair.pool, 2)):
        row = next(row for row in half.objects["SM"].values() if row["type"] == "nfs")
        row["features"] = {**row["features"], "VDI_MIRROR": version}


def _flip(pair: Pair) -> None:
    pair.own.pool["tls_verification_enabled"] = not pair.pool.pool["tls_verification_enabled"]


def _features(word: int, bits: int) -> Change:
    def change(pair: Pair) -> None:
        info = pair.own.host["cpu_info"]
        words = info["features"].split("-")
        words[word] = f"{int(words[word], 16) ^ bits:08x}"
        info["features"] = info["features_after_reboot"] = info["physical_features"] = "-".join(words)

    return change


def _set(side: str, what: str, **fields: object) -> Change:
    return lambda pair: getattr(getattr(pair, side), what).update(fields)


CASES = (
    Case("join.licence", "LICENCE_RESTRICTION", _restrict("restrict_pooling", "own")),
    Case("join.licensed-size", "LICENCE_RESTRICTION", _full_under_free_licence, (NEW,)),
    Case("join.booted", "HOST_STILL_BOOTING", _management_over("management", False)),
    Case("join.own-ha", "HA_IS_ENABLED", _set("own", "pool", ha_enabled=True)),
    Case("join.clustering", "CLUSTERING_ENABLED", _clustered, (NEW,)),
    Case("join.cluster-network", "POOL_JOINING_HOST_MUST_HAVE_ONLY_ONE_IP_ON_CLUSTERING_NETWORK",
         _cluster_on_storage_network, (NEW,)),
    Case("join.cluster-network", "POOL_JOINING_POOL_CANNOT_ENABLE_CLUSTERING_ON_VLAN_NETWORK",
         _cluster_on_vlan, (NEW,)),
    Case("join.pool-ha", "HA_IS_ENABLED", _set("pool", "pool", ha_enabled=True)),
    Case("join.alone", "JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS", lambda pair: pair.own.another_host(1)),
    Case("join.running", "JOINING_HOST_CANNOT_HAVE_RUNNING_VMS", lambda pair: _guest(pair, "Running")),
    Case("join.busy", "JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS", _busy),
    Case("join.guidance", "HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY",
         _set("own", "host", pending_guidances=["reboot_host"]), (NEW,)),
    Case("join.guidance", "HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY",
         _set("pool", "host", pending_guidances=["restart_toolstack"]), (NEW,)),
    Case("join.product", "HOSTS_NOT_COMPATIBLE", _version("own", platform_version="1.8.0")),
    Case("join.product", "HOSTS_NOT_COMPATIBLE", _version("own", product_brand="XCP-ng")),
    Case("join.build", "HOSTS_NOT_HOMOGENEOUS", _version("own", build_number="70446c"), (OLD,)),
    Case("join.build", "HOSTS_NOT_HOMOGENEOUS", _version("own", git_id="1a2b3c")),
    Case("cpu.vendor", "HOSTS_NOT_HOMOGENEOUS", lambda pair: pair.own.host["cpu_info"].update(vendor="AuthenticAMD")),
    Case("cpu.features", "HOSTS_NOT_HOMOGENEOUS", _features(0, 1 << 12), (OLD,)),
    Case("join.shared-storage", "JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS", _shared),
    Case("join.physical-management", "POOL_JOINING_HOST_MUST_HAVE_PHYSICAL_MANAGEMENT_NIC",
         _management_over("physical", False), (OLD,)),
    Case("join.physical", "POOL_JOINING_HOST_MUST_ONLY_HAVE_PHYSICAL_PIFS", _vlan, (SEVEN,)),
    Case("join.bonds", "POOL_JOINING_HOST_HAS_BONDS", _bond, (NEW,)),
    Case("join.tunnels", "POOL_JOINING_HOST_HAS_TUNNELS", _tunnel, (NEW,)),
    Case("join.vlans", "POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS", _vlan, (NEW,)),
    Case("join.management-vlan", "POOL_JOINING_HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH",
         lambda pair: pair.pool.pif("eth0").update(VLAN=9), (NEW,)),
    Case("join.external-auth", "POOL_JOINING_EXTERNAL_AUTH_MISMATCH",
         _set("pool", "host", external_auth_type="AD", external_auth_service_name="corp.example")),
    Case("join.edition", "LICENSE_HOST_POOL_MISMATCH", _set("own", "host", edition="per-socket")),
    Case("join.network-backend", "OPERATION_NOT_ALLOWED", _version("own", network_backend="bridge")),
    Case("join.sdn-controller", "OPERATION_NOT_ALLOWED",
         _set("own", "pool", vswitch_controller="10.0.0.9"), (OLD, SEVEN)),
    Case("join.build", "HOSTS_NOT_HOMOGENEOUS", _without_linux_pack, (OLD,)),
    Case("join.api", "POOL_JOINING_HOST_MUST_HAVE_SAME_API_VERSION",
         _set("own", "host", API_version_minor=1), (SEVEN, NEW)),
    Case("join.schema", "POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA", _version("own", db_schema="5.77"), (SEVEN, NEW)),
    Case("join.updates", "HOSTS_NOT_HOMOGENEOUS", _patch_too_few, (OLD,)),
    Case("join.updates", "HOSTS_NOT_HOMOGENEOUS", _update_too_many, (SEVEN,)),
    Case("join.address-type", "OPERATION_NOT_ALLOWED", _management_over("primary_address_type", "IPv6")),
    Case("join.nbd", "OPERATION_NOT_ALLOWED", _purposes, (NEW,)),
    Case("join.tls", "POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH", _flip, (NEW,)),
    Case("join.authorities", "POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT", _certificates, (NEW,)),
    Case("join.trusted", "POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT",
         _trusted(("licensing",), ("licensing", "ldaps")), (NEWEST,)),
    Case("join.updating", "NOT_SUPPORTED_DURING_UPGRADE",
         _set("pool", "pool", current_operations={"OpaqueRef:t": "apply_updates"}), (NEW,)),
    Case("join.drivers", "POOL_JOINING_SM_FEATURES_INCOMPATIBLE", _no_nfs, (NEW,)),
    Case("join.drivers", "POOL_JOINING_SM_FEATURES_INCOMPATIBLE", _older_nfs, (NEW,)),
)  # fmt: skip


def _guest(pair: Pair, state: str) -> None:
    pair.own.guest(state)


EACH = [
    pytest.param(case, release, id=f"{case.check} {number} in {release}")
    for number, case in enumerate(CASES)
    for release in case.releases
]


@pytest.mark.parametrize("release", [OLD, SEVEN, NEW, NEWEST])
def test_two_equal_hosts_can_be_joined(release: str) -> None:
    pair = Pair.of(release)
    against = [row.finding() for row in join.toolstack(pair.sides()) if row.blocks or row.unknown]
    assert against == []
    assert joined(pair) == ""


def _pool_controlled(pair: Pair) -> None:
    pair.pool.pool["vswitch_controller"] = "10.0.0.9"


def _pool_restricted(pair: Pair) -> None:
    _restrict("restrict_pool_size", "pool")(pair)
    pair.pool.another_host(1)
    pair.pool.another_host(2)


def _left_cluster(pair: Pair) -> None:
    _clustered(pair)
    pair.own.rows("Cluster_host")["OpaqueRef:member"]["enabled"] = False


def _cluster_on_bond(pair: Pair) -> None:
    """The bond's own network is nowhere else; the host has an address on that of one of its members."""
    member = next(ref for ref, row in pair.pool.objects["PIF"].items() if row["device"] == "eth0")
    ref = pair.pool.copied("PIF", "bond", pair.pool.pif("eth0"), device="bond0", physical=False, management=False,
                           network="OpaqueRef:bonded", IP="10.0.7.1", MAC="02:00:00:00:00:96")  # fmt: skip
    pair.pool.copied("network", "bonded", pair.pool.network("eth0"), bridge="xapi9", name_label="bonded")
    pair.pool.rows("Bond")["OpaqueRef:bond-9"] = {"uuid": "00000000-0000-4000-8000-00000000b009", "master": ref,
                                                  "primary_slave": member, "mode": "active-backup"}  # fmt: skip
    pair.pool.objects["PIF"][member]["bond_slave_of"] = "OpaqueRef:bond-9"
    pair.pool.rows("Cluster")["OpaqueRef:cluster"] = _cluster()
    pair.pool.rows("Cluster_host")["OpaqueRef:member"] = {**_cluster_host(pair.pool, "eth0"), "PIF": ref}


@pytest.mark.parametrize(
    ("change", "release"),
    [
        pytest.param(_pool_controlled, OLD, id="a controller of the pool alone"),
        pytest.param(_pool_restricted, NEW, id="the pool's licence alone"),
        pytest.param(_left_cluster, NEW, id="a cluster that it has left"),
        pytest.param(_cluster_on_bond, NEW, id="a cluster on a bond"),
        pytest.param(_version("own", platform_name="other"), OLD, id="a platform's name below a brand"),
    ],
)
def test_what_the_toolstack_lets_pass_is_not_forecast(change: Change, release: str) -> None:
    pair = Pair.of(release)
    change(pair)
    assert [row.finding() for row in join.toolstack(pair.sides()) if row.blocks or row.unknown] == []
    assert joined(pair) == ""


@pytest.mark.parametrize("purposes", [("licensing", "licensing"), ("licensing", "ldaps")], ids="-".join)
def test_a_certificate_that_both_can_trust_keeps_nobody_out(purposes: tuple[str, str]) -> None:
    pair = Pair.of(NEWEST)
    _trusted(*((each,) for each in purposes))(pair)
    for half, digest in ((pair.own, "AA"), (pair.pool, "BB")):
        like = next(iter(half.objects["Certificate"].values()))
        half.copied("Certificate", "nameless", like, type="ca", name="", host="OpaqueRef:NULL", purpose=["licensing"],
                    fingerprint=digest, fingerprint_sha256=digest)  # fmt: skip
    assert [row.id for row in join.toolstack(pair.sides()) if row.blocks] == []
    assert joined(pair) == ""


@pytest.mark.parametrize(("case", "release"), EACH)
def test_each_check_is_forecast_with_the_code_that_the_toolstack_answers(case: Case, release: str) -> None:
    pair = Pair.of(release)
    case.change(pair)
    blocking = [row for row in join.toolstack(pair.sides()) if row.blocks]
    assert [(row.id, row.code) for row in blocking] == [(case.check, case.code)]
    finding = blocking[0].finding()
    assert finding.verdict is Verdict.BLOCK
    assert finding.evidence
    assert finding.remedy
    assert joined(pair) == case.code


def _ten(pair: Pair) -> None:
    """Ten things at once, in the toolstack's order."""
    pair.own.pool["ha_enabled"] = True
    pair.pool.pool["ha_enabled"] = True
    pair.own.another_host(1)
    pair.own.guest("Running", "a")
    pair.own.guest("Running", "b")
    pair.own.guest(name="c")["current_operations"] = {"OpaqueRef:task": "copy"}
    pair.own.version.update(platform_version="1.8.0", git_id="1a2b3c", network_backend="bridge")
    pair.own.host["cpu_info"]["features"] = "00000001-00000001-00000001-00000001"
    _shared(pair)
    pair.own.host.update(edition="per-socket", external_auth_type="AD", external_auth_service_name="corp.example")
    _patch_too_few(pair)


TEN = (
    ("join.own-ha", "HA_IS_ENABLED"),
    ("join.pool-ha", "HA_IS_ENABLED"),
    ("join.alone", "JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS"),
    ("join.running", "JOINING_HOST_CANNOT_HAVE_RUNNING_VMS"),
    ("join.busy", "JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS"),
    ("join.product", "HOSTS_NOT_COMPATIBLE"),
    ("join.build", "HOSTS_NOT_HOMOGENEOUS"),
    ("cpu.features", "HOSTS_NOT_HOMOGENEOUS"),
    ("join.shared-storage", "JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS"),
    ("join.external-auth", "POOL_JOINING_EXTERNAL_AUTH_MISMATCH"),
    ("join.edition", "LICENSE_HOST_POOL_MISMATCH"),
    ("join.network-backend", "OPERATION_NOT_ALLOWED"),
    ("join.updates", "HOSTS_NOT_HOMOGENEOUS"),
)


def test_many_reasons_are_told_at_once_in_the_toolstack_s_order() -> None:
    pair = Pair.of(OLD)
    _ten(pair)
    blocking = [row for row in join.toolstack(pair.sides()) if row.blocks]
    assert tuple((row.id, row.code) for row in blocking) == TEN
    assert "2 VMs: a and b" in next(row.against for row in blocking if row.id == "join.running")
    assert joined(pair) == TEN[0][1]


def test_taken_away_one_by_one_each_next_reason_is_the_toolstack_s_answer() -> None:
    """What is told second is what would be met second."""
    pair = Pair.of(OLD)
    _ten(pair)
    pair.own.pool["ha_enabled"] = pair.pool.pool["ha_enabled"] = False
    told = [row.code for row in join.toolstack(pair.sides()) if row.blocks]
    assert joined(pair) == told[0] == "JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS"
    del pair.own.objects["host"]["OpaqueRef:more-1"]
    for row in pair.own.objects["VM"].values():
        if row["name_label"] in ("a", "b"):
            row.update(power_state="Halted", resident_on="OpaqueRef:NULL", domid=-1)
    told = [row.code for row in join.toolstack(pair.sides()) if row.blocks]
    assert joined(pair) == told[0] == "JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS"


def test_force_skips_the_cpu_and_the_build_and_nothing_else() -> None:
    pair = Pair.of(OLD)
    _features(0, 1 << 12)(pair)
    pair.own.version["git_id"] = "1a2b3c"
    rows = [row for row in join.toolstack(pair.sides()) if row.blocks]
    assert [row.finding(force=True).verdict for row in rows] == [Verdict.WARN, Verdict.WARN]
    assert joined(pair, force=True) == ""
    _patch_too_few(pair)
    rows = [row for row in join.toolstack(pair.sides()) if row.blocks]
    assert [row.finding(force=True).code for row in rows] == ["", "", "HOSTS_NOT_HOMOGENEOUS"]
    assert joined(pair, force=True) == "HOSTS_NOT_HOMOGENEOUS"


def test_another_vendor_is_refused_even_where_force_would_not_ask() -> None:
    pair = Pair.of(NEW)
    pair.own.host["cpu_info"]["vendor"] = "AuthenticAMD"
    (row,) = [row for row in join.toolstack(pair.sides()) if row.blocks]
    told = row.finding(force=True)
    assert (told.verdict, told.code) == (Verdict.BLOCK, "")
    assert joined(pair, force=True) == ""


def test_what_cannot_be_told_is_said_so_and_blocks_nothing() -> None:
    """Classes that could not be read, and a rule whose first version is not known."""
    sides = Pair.of(NEW).sides()
    blind = join.Sides(pool=join.Side(sides.pool.inventory, "lab"), own=join.Side(sides.own.inventory, "xs2"))
    unknown = {row.id for row in join.toolstack(blind) if row.unknown}
    assert unknown == {"join.clustering", "join.cluster-network", "join.sdn-controller", "join.drivers"}
    assert {row.finding().verdict for row in join.toolstack(blind) if row.unknown} == {Verdict.WARN}
    pair = Pair.of(NEW)
    pair.own.version["xapi_build"] = pair.pool.version["xapi_build"] = "25.2.0"
    pair.own.host["pending_guidances"] = ["reboot_host"]
    (row,) = [row for row in join.toolstack(pair.sides()) if row.id == "join.guidance"]
    assert (row.blocks, bool(row.unknown)) == (False, True)
