"""Each reason why a host may not join, with its code, its releases and its place in the order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox_xapi.core.two_pools import MIDDLE, OLD, RAISED, Lab, answer
from tests.sandbox_xapi.core.world import Client, ref

STOCKHOLM = "stockholm"
Break = Callable[[Lab], Any]


def vlan(lab: Lab, host: str, tag: int, management: bool) -> None:
    side = lab.lone if host == "h3" else lab.pool
    label = f"vlan {tag} {host}"
    side.add("network", f"net {label}", bridge=f"xapi{tag}", managed=True)
    side.add("PIF", label, host=ref(host), network=ref(f"net {label}"), device="eth1", VLAN=tag, management=management,
             VLAN_master_of=ref(f"rec {label}"), IP="10.2.0.3" if management else "")  # fmt: skip
    side.add("VLAN", f"rec {label}", tagged_PIF=ref(f"eth1 {host}"), untagged_PIF=ref(label), tag=tag)
    if management:
        lab.row("PIF", f"eth0 {host}").update(management=False)


def patch(lab: Lab, host: str, name: str) -> None:
    side = lab.lone if host == "h3" else lab.pool
    side.add("pool_patch", f"{name} in {side.name}", name_label=name)
    side.objects["pool_patch"][ref(f"{name} in {side.name}")]["uuid"] = f"uuid-of-{name}"
    side.add("host_patch", f"{name} on {host}", host=ref(host), pool_patch=ref(f"{name} in {side.name}"), applied=True)


def update(lab: Lab, host: str, name: str, enforced: bool = True) -> None:
    side = lab.lone if host == "h3" else lab.pool
    side.add("pool_update", name, name_label=name, enforce_homogeneity=enforced, hosts=[ref(host)])
    lab.row("host", host)["updates"] = [ref(name)]


def cluster(lab: Lab, host: str, tag: int = -1) -> None:
    side = lab.lone if host == "h3" else lab.pool
    side.add("Cluster", f"cluster {host}", pool_auto_join=True)
    pif = ref(f"eth0 {host}") if tag == -1 else ref(f"vlan {tag} {host}")
    side.add("Cluster_host", f"member {host}", cluster=ref(f"cluster {host}"), host=ref(host), PIF=pif, enabled=True)


def certificate(lab: Lab, side: str, print_: str, **fields: Any) -> None:
    world = lab.lone if side == "lone" else lab.pool
    world.add("Certificate", f"{print_} {side}", fingerprint=print_, fingerprint_sha256=print_, **fields)


def ca(lab: Lab) -> None:
    for name in ("other.pem", "root.pem"):
        certificate(lab, "lone", f"aa {name}", type="ca", name=name)
        certificate(lab, "pool", f"bb {name}", type="ca", name=name)


def pinned(lab: Lab) -> None:
    certificate(lab, "lone", "cc", type="pinned", purpose=["licensing"])
    certificate(lab, "pool", "cc", type="pinned", purpose=["licensing", "ldaps"])


def trusted_apart(lab: Lab) -> None:
    """Others for the same purpose, one for the same purposes, one for purposes of its own; authorities without a
    name."""
    for side, purpose in (("lone", "licensing"), ("pool", "ldaps")):
        certificate(lab, side, "c1", type="pinned", purpose=[purpose])
        certificate(lab, side, "c2", type="ca", purpose=["licensing", "ldaps"])
        certificate(lab, side, f"of {side}", type="ca", purpose=["licensing"])


def small_licence(lab: Lab) -> None:
    lab.row("pool", "pool lone")["restrictions"] = {"restrict_pool_size": "true"}
    lab.pool.machine("h4", 4)


def clustered_vlan(lab: Lab) -> None:
    vlan(lab, "h1", 70, management=False)
    cluster(lab, "h1", 70)


def nbd(lab: Lab) -> None:
    lab.row("network", "eth0 lone")["purpose"] = ["nbd"]
    lab.row("network", "eth1 pool")["purpose"] = ["insecure_nbd"]


def set_in(cls: str, label: str, **fields: Any) -> Break:
    return lambda lab: lab.row(cls, label).update(fields)


def put(cls: str, label: str, field: str, **pairs: Any) -> Break:
    return lambda lab: lab.row(cls, label).update({field: {**lab.row(cls, label).get(field, {}), **pairs}})


JOIN = "POOL_JOINING_"
UPDATES = "Updates on local host h3 and pool host h1 differ"
PATCHES = "Patches applied differ: Remote has uuid-of-P1 -- Local has uuid-of-P1,uuid-of-P2"


# In the order of the toolstack of today: (id, release, how it breaks, the answer).
TODAY: list[tuple[str, Break, list[str]]] = [
    ("pool-size", small_licence, ["LICENCE_RESTRICTION", "Pool_size"]),
    ("no-management", set_in("PIF", "eth0 h3", management=False), ["HOST_STILL_BOOTING"]),
    ("ha-here", set_in("pool", "pool lone", ha_enabled=True), ["HA_IS_ENABLED"]),
    ("clustering", lambda lab: cluster(lab, "h3"), ["CLUSTERING_ENABLED", ref("member h3")]),
    ("cluster-vlan", clustered_vlan, [f"{JOIN}POOL_CANNOT_ENABLE_CLUSTERING_ON_VLAN_NETWORK", "70"]),
    ("ha-there", set_in("pool", "pool pool", ha_enabled=True), ["HA_IS_ENABLED"]),
    ("not-alone", lambda lab: lab.lone.machine("h5", 5), ["JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS"]),
    ("running", lambda lab: lab.lone.vm("busy", host="h3"), ["JOINING_HOST_CANNOT_HAVE_RUNNING_VMS"]),
    ("guidance-here", set_in("host", "h3", pending_guidances=["reboot_host"]),
     ["HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY", ref("h3")]),
    ("guidance-there", set_in("host", "h1", pending_guidances=["reboot_host"]),
     ["HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY", ref("h1")]),
    ("platform", put("host", "h3", "software_version", platform_version="3.3.0"), ["HOSTS_NOT_COMPATIBLE"]),
    ("toolstack", put("host", "h3", "software_version", xapi="26.8"),
     ["HOSTS_NOT_HOMOGENEOUS", "Software version differs"]),
    ("vendor", put("host", "h3", "cpu_info", vendor="AuthenticAMD"), ["HOSTS_NOT_HOMOGENEOUS", "CPUs differ"]),
    ("shared-sr", lambda lab: lab.lone.sr("own nfs", "nfs", ["h3"], shared=True),
     ["JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS"]),
    ("bond", lambda lab: lab.lone.add("Bond", "bond0 h3", master=ref("eth1 h3")), [f"{JOIN}HOST_HAS_BONDS"]),
    ("tunnel", lambda lab: lab.lone.add("tunnel", "tunnel h3", access_PIF=ref("eth1 h3")),
     [f"{JOIN}HOST_HAS_TUNNELS"]),
    ("sriov", lambda lab: lab.lone.add("network_sriov", "sriov h3", physical_PIF=ref("eth1 h3")),
     [f"{JOIN}HOST_HAS_NETWORK_SRIOVS"]),
    ("vlan", lambda lab: vlan(lab, "h3", 20, management=False), [f"{JOIN}HOST_HAS_NON_MANAGEMENT_VLANS"]),
    ("management-vlan", lambda lab: vlan(lab, "h3", 30, management=True),
     [f"{JOIN}HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH", "30", "-1"]),
    ("directory", set_in("host", "h3", external_auth_type="AD", external_auth_service_name="x.example"),
     [f"{JOIN}EXTERNAL_AUTH_MISMATCH"]),
    ("edition", set_in("host", "h3", edition="free"),
     ["LICENSE_HOST_POOL_MISMATCH", 'host edition = "free"', 'pool edition = "enterprise"']),
    ("backend", put("host", "h3", "software_version", network_backend="bridge"),
     ["OPERATION_NOT_ALLOWED", "Network backends differ"]),
    ("controller", lambda lab: lab.lone.add("SDN_controller", "sdn", address="10.1.0.8"),
     ["OPERATION_NOT_ALLOWED", "SDN controller differs"]),
    ("api", set_in("host", "h3", API_version_minor=20), [f"{JOIN}HOST_MUST_HAVE_SAME_API_VERSION", "2.20", "2.21"]),
    ("schema", put("host", "h1", "software_version", db_schema="5.901"),
     [f"{JOIN}HOST_MUST_HAVE_SAME_DB_SCHEMA", "", "5.901"]),
    ("updates", lambda lab: update(lab, "h3", "U1"),
     ["HOSTS_NOT_HOMOGENEOUS", UPDATES]),
    ("address-type", set_in("PIF", "eth0 h3", primary_address_type="IPv6"),
     ["OPERATION_NOT_ALLOWED", "Primary address type differs"]),
    ("nbd", nbd, ["OPERATION_NOT_ALLOWED", "Incompatible network purposes: nbd and insecure_nbd"]),
    ("tls", set_in("pool", "pool pool", tls_verification_enabled=True), [f"{JOIN}HOST_TLS_VERIFICATION_MISMATCH"]),
    ("ca", ca, [f"{JOIN}HOST_CA_CERTIFICATES_CONFLICT", "root.pem", "other.pem"]),
    ("pinned", pinned, [f"{JOIN}HOST_TRUSTED_CERTIFICATES_CONFLICT", ref("cc pool"), ref("cc lone")]),
    ("driver", lambda lab: lab.pool.add("SM", "gfs2 driver", type="gfs2"),
     [f"{JOIN}SM_FEATURES_INCOMPATIBLE", ref("gfs2 driver"), ""]),
    ("driver-features", put("SM", "nfs driver of pool", "features", VDI_CLONE=2),
     [f"{JOIN}SM_FEATURES_INCOMPATIBLE", ref("nfs driver of pool"), ref("nfs driver of lone")]),
]  # fmt: skip


def patches(lab: Lab) -> None:
    patch(lab, "h1", "P1")
    patch(lab, "h3", "P1")
    lab.lone.add("pool_patch", "P2 in lone", name_label="P2")
    lab.lone.objects["pool_patch"][ref("P2 in lone")]["uuid"] = "uuid-of-P2"
    lab.lone.add("host_patch", "P2 on h3", host=ref("h3"), pool_patch=ref("P2 in lone"), applied=True)


# What older releases did otherwise.
OTHERWISE: list[tuple[str, str, Break, list[str]]] = [
    ("6.5-pool-size", OLD, small_licence, []),
    ("7.1-pool-size", MIDDLE, small_licence, []),
    ("8.2-pool-size", STOCKHOLM, small_licence, ["LICENCE_RESTRICTION", "Pool_size"]),
    ("6.5-build", OLD, put("host", "h3", "software_version", build_number="9"),
     ["HOSTS_NOT_HOMOGENEOUS", "software version differs"]),
    ("7.1-build", MIDDLE, put("host", "h3", "software_version", build_number="9"), []),
    ("6.5-features", OLD, put("host", "h3", "cpu_info", features="1fcbfbff-f7fa3223-2d93fbff-00000522"),
     ["HOSTS_NOT_HOMOGENEOUS", "CPUs differ"]),
    ("7.1-features", MIDDLE, put("host", "h3", "cpu_info", features="1fcbfbff-f7fa3223-2d93fbff-00000522"), []),
    ("6.5-bond", OLD, lambda lab: lab.lone.add("Bond", "bond0 h3", master=ref("eth1 h3")), []),
    ("6.5-management", OLD, set_in("PIF", "eth0 h3", physical=False),
     [f"{JOIN}HOST_MUST_HAVE_PHYSICAL_MANAGEMENT_NIC"]),
    ("7.1-management", MIDDLE, lambda lab: vlan(lab, "h3", 20, management=False),
     [f"{JOIN}HOST_MUST_ONLY_HAVE_PHYSICAL_PIFS"]),
    ("6.5-patches", OLD, patches, ["HOSTS_NOT_HOMOGENEOUS", PATCHES]),
    ("7.3-free-update", "inverness", lambda lab: update(lab, "h3", "U1", enforced=False), []),
    ("7.1-update", MIDDLE, lambda lab: update(lab, "h3", "U1"), ["HOSTS_NOT_HOMOGENEOUS", UPDATES]),
    ("6.5-api", OLD, set_in("host", "h3", API_version_minor=20), []),
    ("8.2-guidance", STOCKHOLM, put("host", "h3", "other_config", note="none"), []),
    ("8.2-driver", STOCKHOLM, lambda lab: lab.pool.add("SM", "gfs2 driver", type="gfs2"), []),
]  # fmt: skip


def join(lab: Lab, method: str = "pool.join") -> list[str]:
    estate = lab.estate(speed=4000)
    try:
        client = Client(estate, "h3")
        return answer(lambda: client(method, "10.1.0.1", "root", "secret"))
    finally:
        estate.close()
        assert estate.bugs == []


def assert_same(want: list[str], have: list[str]) -> None:
    """`~text` is a text that holds the rest."""
    assert len(want) == len(have), have
    assert all(h == w or (w.startswith("~") and w[1:] in h) for w, h in zip(want, have, strict=True)), have


@pytest.mark.parametrize(("breaks", "want"), [c[1:] for c in TODAY], ids=[c[0] for c in TODAY])
def test_each_check_has_its_code(breaks: Break, want: list[str]) -> None:
    lab = Lab(RAISED)
    breaks(lab)
    assert_same(want, join(lab))


@pytest.mark.parametrize(("release", "breaks", "want"), [c[1:] for c in OTHERWISE], ids=[c[0] for c in OTHERWISE])
def test_older_releases_check_otherwise(release: str, breaks: Break, want: list[str]) -> None:
    lab = Lab(release)
    breaks(lab)
    assert_same(want, join(lab))


def test_certificates_that_both_can_trust_keep_nobody_out() -> None:
    lab = Lab("26.17.0")
    trusted_apart(lab)
    assert join(lab) == []


NOT_YET = {
    "24.0.0": ("cluster-vlan", "guidance-here", "guidance-there", "pinned", "driver", "driver-features"),
    STOCKHOLM: ("cluster-vlan", "guidance-here", "guidance-there", "tls", "ca", "pinned", "driver", "driver-features"),
    MIDDLE: ("pool-size", "clustering", "cluster-vlan", "bond", "tunnel", "sriov", "nbd", "tls", "ca", "driver"),
    OLD: ("pool-size", "clustering", "bond", "tunnel", "vlan", "management-vlan", "api", "schema", "updates", "driver"),
}
"""What a release lets pass, though today's does not."""


@pytest.mark.parametrize(("release", "name"), [(release, name) for release, names in NOT_YET.items() for name in names])
def test_a_check_begins_with_its_release(release: str, name: str) -> None:
    lab = Lab(release)
    next(c[1] for c in TODAY if c[0] == name)(lab)
    if name == "management-vlan":  # up to 6.5 the management address is on a NIC itself
        lab.row("PIF", "vlan 30 h3")["physical"] = True
    assert join(lab) == []


@pytest.mark.parametrize("number", range(len(TODAY) - 2), ids=[c[0] for c in TODAY[:-2]])  # the last two are one check
def test_the_first_of_two_that_fail_answers(number: int) -> None:
    lab = Lab(RAISED)
    TODAY[number][1](lab)
    TODAY[number + 1][1](lab)
    assert_same(TODAY[number][2], join(lab))


@pytest.mark.parametrize("name", ["toolstack", "vendor"])
def test_force_skips_versions_and_processors(name: str) -> None:
    lab = Lab(RAISED)
    next(c[1] for c in TODAY if c[0] == name)(lab)
    assert join(lab, "pool.join_force") == []


@pytest.mark.parametrize(
    ("breaks", "want"), [c[1:] for c in TODAY if c[0] not in ("toolstack", "vendor")],
    ids=[c[0] for c in TODAY if c[0] not in ("toolstack", "vendor")],
)  # fmt: skip
def test_force_skips_nothing_else(breaks: Break, want: list[str]) -> None:
    lab = Lab(RAISED)
    breaks(lab)
    assert_same(want, join(lab, "pool.join_force"))


def test_the_mask_of_the_pool_hides_a_difference() -> None:
    lab = Lab(OLD)
    lab.row("host", "h3")["cpu_info"]["features"] = "1fcbfbff-f7fa3223-2d93fbff-00000522"
    lab.row("pool", "pool pool")["other_config"] = {"cpuid_feature_mask": "ffffffff-ffffffff-ffffffff-fffffffe"}
    assert join(lab) == []


def test_a_busy_vm_of_the_joiner() -> None:
    estate = Lab(RAISED).estate(speed=4000)
    client = Client(estate, "h3")
    pool = estate.hosts[client.host].pool
    with pool.db.lock:
        pool.db.write("VM", ref("guest"), current_operations={"OpaqueRef:x": "clone"})
    want = ["JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS"]
    assert answer(lambda: client("pool.join", "10.1.0.1", "root", "secret")) == want
    estate.close()


@pytest.mark.parametrize("host", ["h3", "h1"])
def test_updates_under_way_on_either_side(host: str) -> None:
    estate = Lab(RAISED).estate(speed=4000)
    client = Client(estate, "h3")
    pool = next(h for h in estate.hosts.values() if h.name == host).pool
    with pool.db.lock:
        pool.db.write("pool", pool.ref, current_operations={"OpaqueRef:x": "apply_updates"})
    assert answer(lambda: client("pool.join", "10.1.0.1", "root", "secret")) == ["NOT_SUPPORTED_DURING_UPGRADE"]
    estate.close()


@pytest.mark.parametrize(
    ("params", "want"),
    [
        (("10.1.0.99", "root", "secret"), ["JOINING_HOST_CONNECTION_FAILED"]),
        (("10.1.0.2", "root", "secret"), ["HOST_IS_SLAVE", "10.1.0.1"]),
        (("10.1.0.1", "root", "wrong"), ["SESSION_AUTHENTICATION_FAILED", "root", "Authentication failure"]),
        (("10.1.0.3", "root", "secret"), ["OPERATION_NOT_ALLOWED", "Host cannot become slave of itself"]),
    ],
    ids=["nowhere", "member", "password", "itself"],
)
def test_where_and_as_whom(params: tuple[str, str, str], want: list[str]) -> None:
    estate = Lab(RAISED).estate(speed=4000)
    client = Client(estate, "h3")
    assert answer(lambda: client("pool.join", *params)) == want
    assert len(estate.pools) == 2
    estate.close()


def test_a_host_without_the_licence_does_not_even_ask() -> None:
    lab = Lab(RAISED)
    lab.row("pool", "pool lone")["restrictions"] = {"restrict_pooling": "true"}
    estate = lab.estate(speed=4000)
    client = Client(estate, "h3")
    assert answer(lambda: client("pool.join", "10.1.0.99", "root", "wrong")) == ["LICENCE_RESTRICTION"]
    estate.close()


def test_a_coordinator_is_part_of_its_pool() -> None:
    estate = Lab(RAISED).estate(speed=4000)
    own = answer(lambda: Client(estate, "h1")("pool.join", "10.1.0.1", "root", "secret"))
    assert own == ["OPERATION_NOT_ALLOWED", "Host is already part of a pool"]
    estate.close()
