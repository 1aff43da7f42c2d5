"""Joining: what of the host's networks would not fit into the pool."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bot.inventory import PIF, Host, Network
from bot.rules import network
from bot.rules.join.side import Row, Side, Sides
from bot.text import joined, quoted


def cluster_network(sides: Sides) -> Row | None:
    """A cluster that takes new hosts in by itself puts them on its own network (25.8)."""
    if sides.own.toolstack() < (25, 8):
        return None
    clusters, members = sides.pool.records("Cluster"), sides.pool.records("Cluster_host")
    row = Row(
        id="join.cluster-network",
        code="POOL_JOINING_HOST_MUST_HAVE_ONLY_ONE_IP_ON_CLUSTERING_NETWORK",
        title="the host could be in the pool's cluster",
        subject=sides.own.host.id,
        unknown="the pool's clusters could not be read" if clusters is None or members is None else "",
        remedy="Give the host exactly one address on the clustering network.",
    )
    if not clusters or not members or not any(each.get("pool_auto_join") for each in clusters.values()):
        return row
    refs = (str(each.get("PIF", "")) for each in members.values() if each.get("host") == sides.pool.host.ref)
    pif = next((found for ref in refs if (found := sides.pool.inventory.get(PIF, ref)) is not None), None)
    if pif is None:
        return row
    if pif.number("VLAN", network.UNTAGGED) != network.UNTAGGED and not pif.is_management:
        return Row(
            id=row.id,
            code="POOL_JOINING_POOL_CANNOT_ENABLE_CLUSTERING_ON_VLAN_NETWORK",
            title=row.title,
            subject=row.subject,
            against=f"clustering of the pool is on VLAN {pif.number('VLAN')}, which no joining host has yet",
            remedy="Move clustering of the pool to a network without a tag, or to the management network.",
        )
    bridges = {bridge(each) for each in (pif.bonding.members if pif.bonding else (pif,))}
    same = [each for each in sides.own.host.pifs if each.text("IP") and bridge(each) in bridges]
    if len(same) == 1:
        return row
    told = joined(each.device for each in same) if same else "no interface of it"
    return Row(
        id=row.id,
        code=row.code,
        title=row.title,
        subject=row.subject,
        against=f"{told} has an address on the clustering network ({joined(sorted(bridges))})",
        remedy=row.remedy,
    )


def bridge(pif: PIF) -> str:
    """By its bridge a network of one host is matched with one of the pool."""
    return pif.network.text("bridge") if pif.network is not None else ""


_Kind = tuple[str, str, Callable[[Host], list[str]]]


def _devices(host: Host, field: str) -> list[str]:
    return [pif.device for pif in host.pifs if pif.refs(field)]


def _vlans(host: Host) -> list[str]:
    tagged = (pif for pif in host.pifs if pif.number("VLAN", network.UNTAGGED) >= 0 and not pif.is_management)
    return [f"{pif.device} with tag {pif.number('VLAN')}" for pif in tagged]


_VIRTUAL: tuple[_Kind, ...] = (
    ("POOL_JOINING_HOST_HAS_BONDS", "bonds", lambda host: _devices(host, "bond_master_of")),
    ("POOL_JOINING_HOST_HAS_TUNNELS", "tunnels", lambda host: _devices(host, "tunnel_access_PIF_of")),
    ("POOL_JOINING_HOST_HAS_NETWORK_SRIOVS", "SR-IOV networks", lambda host: _devices(host, "sriov_logical_PIF_of")),
    ("POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS", "VLANs", _vlans),
)
_PLAIN = "Remove them from the host; the pool's own bonds and VLANs are made on it when it has joined."


def virtual(sides: Sides) -> Iterator[Row]:
    """Up to 6.5 only the management interface must be a NIC, in 7.x every interface; since 8.0 each kind has its
    code, and a VLAN may carry the management.
    """
    host = sides.own.host
    if sides.own.since(8, 0):
        for code, kind, found in _VIRTUAL:
            names = found(host)
            yield Row(
                id=f"join.{kind.replace(' ', '-').lower()}",
                code=code,
                title=f"the host has no {kind} of its own",
                subject=host.id,
                against=f"it has {joined(names)}" if names else "",
                remedy=_PLAIN,
            )
    elif sides.own.since(7, 1):
        names = [pif.device for pif in host.pifs if not pif.flag("physical")]
        yield Row(
            id="join.physical",
            code="POOL_JOINING_HOST_MUST_ONLY_HAVE_PHYSICAL_PIFS",
            title="the host has only plain NICs",
            subject=host.id,
            against=f"not {joined(names)}: bonds, VLANs or tunnels" if names else "",
            remedy=_PLAIN,
        )
    else:
        yield from _physical_management(sides)


def _physical_management(sides: Sides) -> Iterator[Row]:
    found = network.management(sides.own.host)
    if found is None:
        return  # that is told as such
    yield Row(
        id="join.physical-management",
        code="POOL_JOINING_HOST_MUST_HAVE_PHYSICAL_MANAGEMENT_NIC",
        title="the host is managed over a plain NIC",
        subject=sides.own.host.id,
        against="" if found.flag("physical") else f"it is managed over {found.device}, which is none",
        remedy=f"On {quoted(sides.own.name)}: move the management to a NIC, xe host-management-reconfigure pif-uuid=…",
    )


def management_vlan(sides: Sides) -> Row | None:
    if not sides.own.since(8, 0):
        return None
    here, there = (_tag(side) for side in (sides.own, sides.pool))
    return Row(
        id="join.management-vlan",
        code="POOL_JOINING_HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH",
        title="both are managed over the same VLAN",
        subject=sides.own.host.id,
        against=f"{_tagged(here)} on the host, {_tagged(there)} in the pool" if here != there else "",
        remedy="Give the host's management interface the pool's tag, on its console.",
    )


def _tag(side: Side) -> int:
    found = network.management(side.host)
    return found.number("VLAN", network.UNTAGGED) if found is not None else network.UNTAGGED


def _tagged(tag: int) -> str:
    return "no tag" if tag == network.UNTAGGED else f"tag {tag}"


def backend(sides: Sides) -> Row:
    here, there = sides.own.software("network_backend"), sides.pool.software("network_backend")
    return Row(
        id="join.network-backend",
        code="OPERATION_NOT_ALLOWED",
        title="both use the same network backend",
        subject=sides.own.host.id,
        against=f"{quoted(here)} on the host, {quoted(there)} in the pool" if here != there else "",
        remedy=f"On {quoted(sides.own.name)}: xe-switch-network-backend {there or 'openvswitch'}, then reboot it.",
    )


def controller(sides: Sides) -> Row:
    here, there = _controllers(sides.own), _controllers(sides.pool)
    unknown = here is None or there is None
    asked = bool(here) and sides.own.software("network_backend") == "openvswitch"
    differs = asked and not unknown and here != there
    return Row(
        id="join.sdn-controller",
        code="OPERATION_NOT_ALLOWED",
        title="the host has the pool's SDN controller, or none",
        subject=sides.own.host.id,
        against=f"{_told(here)} on the host, {_told(there)} in the pool" if differs else "",
        unknown="the SDN controllers could not be read" if unknown else "",
        remedy="Give the host the pool's controller, or none: xe sdn-controller-forget uuid=…;"
        " xe sdn-controller-introduce address=…",
    )


def _controllers(side: Side) -> tuple[str, ...] | None:
    """Since 7.2 objects of their own, before that an address in the pool's record."""
    found = side.records("SDN_controller")
    if found is None:
        return None
    if found:
        return tuple(
            sorted(f"{each.get('protocol')} {each.get('address')}:{each.get('port')}" for each in found.values())
        )
    return tuple(filter(None, (side.inventory.pool.text("vswitch_controller"),)))


def _told(controllers: tuple[str, ...] | None) -> str:
    return joined(controllers) if controllers else "none"


def address_type(sides: Sides) -> Row:
    here, there = (_type(side) for side in (sides.own, sides.pool))
    return Row(
        id="join.address-type",
        code="OPERATION_NOT_ALLOWED",
        title="both are managed over the same kind of address",
        subject=sides.own.host.id,
        against=f"{here} on the host, {there} in the pool" if here != there else "",
        remedy="Set the host's management interface to the pool's kind: xe pif-set-primary-address-type"
        f" uuid={_management_uuid(sides.own)} primary_address_type={there}",
    )


def _management_uuid(side: Side) -> str:
    found = network.management(side.host)
    return found.uuid if found is not None else "…"


def _type(side: Side) -> str:
    found = network.management(side.host)
    return (found.text("primary_address_type") if found is not None else "") or "IPv4"


def nbd(sides: Sides) -> Row | None:
    if not sides.own.since(8, 2):
        return None
    here, there = (_purposes(side) for side in (sides.own, sides.pool))
    return Row(
        id="join.nbd",
        code="OPERATION_NOT_ALLOWED",
        title="NBD is offered either with TLS or without, not both",
        subject=sides.own.host.id,
        against=f"the host's networks are for {_listed(here)}, the pool's for {_listed(there)}"
        if {"nbd", "insecure_nbd"} <= here | there
        else "",
        remedy="Take the purpose off the host's networks: xe network-param-remove uuid=… param-name=purpose"
        " param-key=…",
    )


def _purposes(side: Side) -> set[str]:
    found = {purpose for each in side.inventory.all(Network) for purpose in each.refs("purpose")}
    return found & {"nbd", "insecure_nbd"}


def _listed(purposes: set[str]) -> str:
    return joined(sorted(purposes)) if purposes else "neither"
