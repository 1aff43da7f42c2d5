"""Joining: what the toolstack does not look at, and a careful administrator does."""

from __future__ import annotations

from bot.inventory import SR, VM, Host
from bot.rules import network, storage
from bot.rules.clocks import GRAVE, NOTICEABLE, Interval, told
from bot.rules.join.networks import bridge
from bot.rules.join.side import Row, Sides
from bot.text import joined, plural, quoted

MOST_HOSTS = ((7, 0), 16, 64)
"""Supported hosts of a pool: before this version, and from it on."""
_MOST = 6


def size(sides: Sides) -> Row:
    since, before, after = MOST_HOSTS
    most, now = after if sides.own.since(*since) else before, len(sides.pool.inventory.hosts)
    return Row(
        id="join.size",
        code="",
        title=f"a pool of this version has at most {most} hosts",
        subject=sides.pool.inventory.pool.id,
        against=f"it has {now} already" if now >= most else "",
        remedy="Begin another pool.",
    )


def enabled(sides: Sides) -> Row:
    """A host that a person disabled stays so, also as a member."""
    host = sides.own.host
    return Row(
        id="join.enabled",
        code="",
        title="the host takes VMs",
        subject=host.id,
        against="" if host.enabled else "it is disabled, and joins so: no VM starts on it or moves to it",
        remedy=f"When it is in the pool: “host maintenance {quoted(host.name)} off in {quoted(sides.pool.name)}”.",
        advice=True,
    )


def static_address(sides: Sides) -> Row:
    found = network.management(sides.own.host)
    dynamic = found is not None and found.text("ip_configuration_mode") == "DHCP"
    return Row(
        id="join.static-address",
        code="",
        title="the management address is static",
        subject=sides.own.host.id,
        against="it comes by DHCP; if it ever changes, the pool loses the host" if dynamic else "",
        remedy=f"On {quoted(sides.own.name)}: xe pif-reconfigure-ip uuid={found.uuid if found else '…'} mode=static "
        f"IP={(found.text('IP') if found else '') or '…'} netmask=… gateway=…",
        advice=True,
    )


def clock(sides: Sides, apart: Interval | None, why_not: str = "") -> Row:
    """`apart` is how far the host's clock is ahead of the coordinator's; None with the reason when it was not read."""
    against = ""
    if apart is not None and apart.empty:
        against = "the clock was stepped while it was read"
    elif apart is not None and apart.at_least > NOTICEABLE:
        against = f"it is {told(apart)} against it"
    return Row(
        id="join.clock",
        code="",
        title="its clock agrees with the coordinator's",
        subject=sides.own.host.id,
        against=against,
        unknown=(why_not or "it was not read") if apart is None else "",
        remedy="Let it set its clock by the pool's NTP servers first (“chronyc sources”, before 8 “ntpq -p”)."
        if against
        else "",
        advice=apart is None or apart.at_least <= GRAVE,
    )


def nics(sides: Sides) -> Row:
    """The same NIC must lead to the same network: a host's networks become the pool's by the bridge's name."""
    theirs = {pif.device: pif for pif in network.nics(sides.pool.host)}
    ours = {pif.device: pif for pif in network.nics(sides.own.host)}
    found = [f"it has no {device}" for device in sorted(theirs.keys() - ours.keys())]
    found += [f"{device} exists only there" for device in sorted(ours.keys() - theirs.keys())]
    for device in sorted(theirs.keys() & ours.keys()):
        here, there = bridge(ours[device]), bridge(theirs[device])
        if here != there:
            found.append(f"{device} is on {here or 'no bridge'}, in the pool on {there or 'no bridge'}")
    manage = [_base(side.host) for side in (sides.own, sides.pool)]
    if manage[0] and manage[1] and manage[0] != manage[1]:
        found.append(f"it is managed over {manage[0]}, the coordinator over {manage[1]}")
    return Row(
        id="join.nics",
        code="",
        title="its NICs are in the coordinator's order",
        subject=sides.own.host.id,
        against="; ".join(found),
        remedy="Cable it alike, or put the NICs in order: “interface-rename” on its console.",
        advice=True,
    )


def _base(host: Host) -> str:
    """The first NIC below the management interface: of a bond the one that it is named after."""
    found = network.management(host)
    if found is None:
        return ""
    below = network.below(found)
    if below.bonding is None:
        return below.device
    return min((pif.device for pif in below.bonding.members), default="")


def aggregated(sides: Sides) -> Row:
    """The pool's bonds are made on the host as soon as it has joined; one that its switch does not take part in cuts it
    off.
    """
    bonds = [pif.bonding for pif in sides.pool.host.pifs if pif.bonding is not None and pif.bonding.mode == "lacp"]
    told = "; ".join(f"{quoted(bond.name)} of {joined(sorted(pif.device for pif in bond.members))}" for bond in bonds)
    return Row(
        id="join.lacp",
        code="",
        title="its switch ports need no aggregation",
        subject=sides.own.host.id,
        against=f"the pool bonds NICs with LACP: {told}" if bonds else "",
        remedy="Set its switch ports up for that before it joins: else it is cut off when the bond is made on it.",
        advice=True,
    )


def mtu(sides: Sides) -> Row:
    theirs = {bridge(pif): pif for pif in network.nics(sides.pool.host) if bridge(pif)}
    found = []
    for pif in network.nics(sides.own.host):
        other = theirs.get(bridge(pif))
        if other is None or pif.network is None or other.network is None:
            continue
        here, there = pif.network.number("MTU", 1500), other.network.number("MTU", 1500)
        if here != there:
            found.append(f"{pif.device}: {here}, in the pool {there}")
    return Row(
        id="join.mtu",
        code="",
        title="its networks have the pool's MTU",
        subject=sides.own.host.id,
        against="; ".join(found),
        remedy="It takes the pool's MTU over; see that its switch ports carry frames of that size.",
        advice=True,
    )


def multipathing(sides: Sides) -> Row:
    here, there = (storage.multipathing(side.host) for side in (sides.own, sides.pool))
    return Row(
        id="join.multipathing",
        code="",
        title="multipathing is set as in the pool",
        subject=sides.own.host.id,
        against=f"it is {'on' if here else 'off'} there, and {'on' if there else 'off'} in the pool"
        if here != there
        else "",
        remedy=_set_multipathing(sides.own.host, there),
        advice=True,
    )


def _set_multipathing(host: Host, on: bool) -> str:
    if host.has("multipathing"):
        return f"Before it joins: xe host-param-set uuid={host.uuid} multipathing={str(on).lower()}"
    kind = " other-config:multipathhandle=dmp" if on else ""
    return f"Before it joins: xe host-param-set uuid={host.uuid} other-config:multipathing={str(on).lower()}{kind}"


def iqn(sides: Sides) -> Row:
    name, own = initiator(sides.own.host), sides.own.host.uuid
    same = [each.name for each in sides.pool.inventory.hosts if name and initiator(each) == name and each.uuid != own]
    return Row(
        id="join.iqn",
        code="",
        title="no other host has its iSCSI name",
        subject=sides.own.host.id,
        against=f"{joined(same)} has {quoted(name)}, too: a target takes the two for one and cuts their sessions"
        if same
        else "",
        remedy=f"Give it a name of its own: xe host-param-set uuid={sides.own.host.uuid} "
        f"{'iscsi_iqn' if sides.own.host.has('iscsi_iqn') else 'other-config:iscsi_iqn'}=iqn.…",
    )


def initiator(host: Host) -> str:
    """host.iscsi_iqn since 7.5, other_config before."""
    return host.text("iscsi_iqn") or host.other_config.get("iscsi_iqn", "")


def uuids(sides: Sides) -> Row:
    """A host that was copied disk by disk brings another's identity along."""
    twice = [
        entity.name
        for kind in (Host, SR, VM)
        for entity in sides.own.inventory.all(kind)
        if not (isinstance(entity, VM) and entity.is_template)
        and sides.pool.inventory.by_uuid(kind, entity.uuid) is not None
    ]
    alike = sides.own.inventory.pool.uuid == sides.pool.inventory.pool.uuid
    return Row(
        id="join.uuids",
        code="",
        title="nothing of it is in the pool's database already",
        subject=sides.own.host.id,
        against=f"the same uuid in both: {joined(twice, limit=_MOST)}" if twice and not alike else "",
        remedy="If it was in the pool before: “host forget” there first. A copied installation must be installed anew.",
    )


def names(sides: Sides) -> Row:
    hosts = [sides.own.host.name] if sides.own.host.name in {host.name for host in sides.pool.inventory.hosts} else []
    taken = {vm.name for vm in sides.pool.inventory.guests}
    vms = sorted({vm.name for vm in sides.own.inventory.guests} & taken)
    addresses = [
        host.name for host in sides.pool.inventory.hosts if host.address and host.address == sides.own.host.address
    ]
    alike = sides.own.inventory.pool.uuid == sides.pool.inventory.pool.uuid
    told = [f"a host called {quoted(name)}" for name in hosts]
    told += [f"its address is that of {quoted(name)}" for name in addresses]
    told += [f"{plural(len(vms), 'VM')} with a name that is taken: {joined(vms, limit=_MOST)}"] if vms else []
    return Row(
        id="join.names",
        code="",
        title="its names are its own",
        subject=sides.own.host.id,
        against="" if alike else "; ".join(told),
        remedy="Nothing breaks, but people take one for the other: rename them.",
        advice=True,
    )


def default_storage(sides: Sides) -> Row:
    found = sides.pool.inventory.pool.default_sr
    local = found is not None and not found.shared
    return Row(
        id="join.default-storage",
        code="",
        title="the pool's default storage is shared",
        subject=sides.pool.inventory.pool.id,
        against=f"it is {quoted(found.name)}, which only one host has" if found is not None and local else "",
        remedy="Attach shared storage and make it the default: xe pool-param-set"
        f" uuid={sides.pool.inventory.pool.uuid} default-SR=…; till then new VMs and"
        " suspended ones land where only one host can start them.",
        advice=True,
    )
