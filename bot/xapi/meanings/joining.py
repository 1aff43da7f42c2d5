"""Why a host cannot join a pool."""

from __future__ import annotations

from collections.abc import Mapping

from bot.xapi.meanings.meaning import Meaning, entry

_ALL = "“host add HOST to POOL” lists everything that stands in the way, each with its remedy."
_SAME_VERSION = "Bring both to the same version and updates first."
_NETWORKS = "Take it away on the joining host; from the pool it gets what the other hosts have."

TABLE: Mapping[str, tuple[Meaning, ...]] = {
    "HOSTS_NOT_COMPATIBLE": entry("", "The hosts have different products or versions.", _SAME_VERSION),
    "HOSTS_NOT_HOMOGENEOUS": entry("reason", "The hosts differ: {reason}.", f"Bring them to the same state. {_ALL}"),
    "JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS": entry(
        "",
        "The joining host has shared storage of its own.",
        "Forget that storage on it first; the pool's storage comes with the pool.",
    ),
    "JOINING_HOST_CANNOT_HAVE_RUNNING_VMS": entry("", "VMs run on the joining host.", "Shut them down first."),
    "JOINING_HOST_CANNOT_HAVE_RUNNING_OR_SUSPENDED_VMS": entry(
        "", "VMs on the joining host run or are suspended.", "Shut them down first."
    ),
    "JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS": entry(
        "", "VMs of the joining host are busy.", "Wait until their operations have ended."
    ),
    "JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS": entry(
        "",
        "The joining host is the coordinator of other hosts.",
        "Take the others out of its pool first: a pool joins host by host.",
    ),
    "JOINING_HOST_CONNECTION_FAILED": entry(
        "",
        "The joining host lost its connection to the coordinator.",
        "Check the network between the two, then ask again.",
    ),
    "JOINING_HOST_SERVICE_FAILED": entry(
        "",
        "The joining host cannot talk to the coordinator's toolstack.",
        "Check that the joining host reaches the coordinator's management address, port 443.",
    ),
    "LICENSE_HOST_POOL_MISMATCH": entry(
        "reason", "The licences of host and pool differ ({reason}).", "Give the joining host the pool's edition first."
    ),
    "POOL_JOINING_EXTERNAL_AUTH_MISMATCH": entry(
        "",
        "Host and pool use different directories (Active Directory).",
        "Take the joining host into the pool's directory, or out of its own.",
    ),
    "POOL_JOINING_HOST_HAS_BONDS": entry("", "The joining host has bonds.", _NETWORKS),
    "POOL_JOINING_HOST_HAS_TUNNELS": entry("", "The joining host has tunnels.", _NETWORKS),
    "POOL_JOINING_HOST_HAS_NETWORK_SRIOVS": entry("", "The joining host has SR-IOV networks.", _NETWORKS),
    "POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS": entry(
        "", "The joining host has VLANs besides that of its management.", _NETWORKS
    ),
    "POOL_JOINING_HOST_MUST_ONLY_HAVE_PHYSICAL_PIFS": entry(
        "", "The joining host has bonds, VLANs or tunnels.", _NETWORKS
    ),
    "POOL_JOINING_HOST_MUST_HAVE_PHYSICAL_MANAGEMENT_NIC": entry(
        "",
        "The joining host's management is not on a plain NIC.",
        "Move it there, and take the bond or VLAN away; the pool's comes with the pool.",
    ),
    "POOL_JOINING_HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH": entry(
        "own theirs",
        "The joining host's management has the VLAN {own}, the pool's has {theirs} (-1: none).",
        "Move the host's management to the pool's VLAN.",
    ),
    "POOL_JOINING_HOST_MUST_HAVE_SAME_API_VERSION": entry(
        "own theirs", "The joining host speaks API {own}, the pool {theirs}.", _SAME_VERSION
    ),
    "POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA": entry(
        "own theirs", "The joining host's database has the schema {own}, the pool's {theirs}.", _SAME_VERSION
    ),
    "POOL_JOINING_HOST_MUST_HAVE_SAME_PRODUCT_VERSION": entry(
        "", "The joining host has another version than the pool.", _SAME_VERSION
    ),
    "POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH": entry(
        "",
        "Only one of host and pool checks certificates (TLS verification).",
        "Switch it on where it is off, which cannot be taken back: xe pool-enable-tls-verification",
    ),
    "POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT": entry(
        "names",
        "Host and pool have different authorities' certificates under the same name ({names}).",
        "Take the wrong one away: xe pool-uninstall-ca-certificate name=NAME",
    ),
    "POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT": entry(
        "",
        "Host and pool trust one certificate for purposes that overlap and are not the same.",
        "Take it away from the joining host; the join brings the pool's:"
        " xe pool-uninstall-trusted-certificate certificate-uuid=CERTIFICATE",
    ),
    "POOL_JOINING_MASTER_CERTIFICATE_NOT_IN_POOL_BUNDLE": entry(
        "",
        "The pool's own list of certificates lacks the coordinator's.",
        "Write it anew.",
        xe="pool-certificate-sync",
    ),
    "POOL_JOINING_POOL_BUNDLE_EMPTY_AFTER_IMPORT": entry(
        "",
        "The pool's list of certificates was empty on the joining host.",
        "Write it anew.",
        xe="pool-certificate-sync",
    ),
    "POOL_JOINING_POOL_CANNOT_ENABLE_CLUSTERING_ON_VLAN_NETWORK": entry(
        "vlan",
        "The pool's cluster runs on the VLAN {vlan}, which a joining host cannot take part in.",
        "Join it while the cluster is on a network without VLAN, or on the management network.",
    ),
    "POOL_JOINING_HOST_MUST_HAVE_ONLY_ONE_IP_ON_CLUSTERING_NETWORK": entry(
        "",
        "The joining host must have exactly one address on the network of the pool's cluster.",
        "Give it one there, and take others away.",
    ),
    "POOL_JOINING_SM_FEATURES_INCOMPATIBLE": entry(
        "",
        "A storage driver of the pool is missing on the joining host, or is older there.",
        "Install the same drivers in the same versions first.",
        xe="sm-list",
    ),
}
