"""Rules about cabling, bonds and addresses."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from bot.audits.rule import Found, listed, rule
from bot.inventory import PIF, Bond, Host, Inventory, Network
from bot.model import Level
from bot.rules import network as net
from bot.rules import storage
from bot.text import joined, plural, quoted

BOND_REMEDY = (
    "Bond it with a second NIC, on every host alike, the coordinator last: xe bond-create network-uuid=NETWORK"
    " pif-uuids=NIC,NIC"
)


@rule(
    "network.management-static",
    Level.WARN,
    title="Management addresses are static",
    why="Hosts know each other by address: one that DHCP changes falls out of the pool, and HA fences it.",
    source="XenServer's requirements for pools; XenAPI: PIF.ip_configuration_mode",
)
def management_static(inventory: Inventory) -> Iterator[Found]:
    for host in inventory.hosts:
        pif = net.management(host)
        if pif is not None and pif.text("ip_configuration_mode") == "DHCP":
            yield Found(
                subject=host.id,
                text=f"{quoted(host.name)} has its management address by DHCP",
                evidence=f"{pif.name}: {pif.text('IP') or host.address}",
                remedy=f"xe pif-reconfigure-ip uuid={pif.uuid} mode=static IP={pif.text('IP') or 'ADDRESS'}"
                f" netmask={pif.text('netmask') or 'NETMASK'} gateway={pif.text('gateway') or 'GATEWAY'}"
                f" DNS={pif.text('DNS') or 'SERVERS'}",
            )


@rule(
    "network.one-per-subnet",
    Level.WARN,
    title="A host has one address in a subnet",
    why="With two, traffic leaves by either interface whatever it was bound to: storage paths share one cable unseen.",
    source="XenServer's advice on networking; Linux answers ARP on any interface",
)
def one_per_subnet(inventory: Inventory) -> Iterator[Found]:
    for host in inventory.hosts:
        for subnet, pifs in net.crowded(host).items():
            yield Found(
                subject=host.id,
                about=str(subnet),
                text=f"{quoted(host.name)} has {plural(len(pifs), 'address', 'addresses')} in one subnet",
                evidence=f"{subnet}: {listed(pif.name + ' ' + pif.text('IP') for pif in pifs)}",
                remedy=f"Give each interface a subnet of its own: xe pif-reconfigure-ip uuid={pifs[-1].uuid}"
                " mode=static IP=ADDRESS netmask=NETMASK",
            )


@rule(
    "network.management-bonded",
    Level.WARN,
    title="Management runs on a bond",
    why="One cable, port or switch otherwise cuts a host off; with HA the host then fences itself.",
    source="XenServer's advice for HA; HA_NETWORK_BONDING_ERROR",
)
def management_bonded(inventory: Inventory) -> Iterator[Found]:
    for host in inventory.hosts:
        pif = net.management(host)
        if pif is None or net.on_bond(pif) or len(net.nics(host)) < 2:
            continue
        yield Found(
            subject=host.id,
            text=f"The management interface of {quoted(host.name)} is not bonded",
            evidence=f"{pif.name} is a single NIC; the host has {len(net.nics(host))}",
            remedy=BOND_REMEDY,
        )


@rule(
    "network.storage-bonded",
    Level.WARN,
    title="Storage runs on a bond or on two paths",
    why="One cable otherwise takes the storage away from a host, and with it every VM there.",
    source="XenServer's advice: bond for NFS, multipathing over two interfaces for iSCSI",
)
def storage_bonded(inventory: Inventory) -> Iterator[Found]:
    for host in inventory.hosts:
        single = [pif for pif in net.storage_interfaces(host) if not net.on_bond(pif)]
        if len(single) >= 2 and storage.multipathing(host):
            continue
        for pif in single:
            yield Found(
                subject=host.id,
                about=pif.device,
                text=f"The storage interface {quoted(pif.name)} of {quoted(host.name)} is a single cable",
                evidence=f"{pif.text('IP')} on {pif.name}; "
                + ("multipathing has no second interface" if storage.multipathing(host) else "multipathing is off"),
                remedy=BOND_REMEDY + ", or add a second storage interface and multipathing.",
            )


@rule(
    "network.bond-members",
    Level.WARN,
    title="All members of a bond have a link",
    why="A bond hides the loss of a member: the next one cuts the host off.",
    source="XenAPI: PIF_metrics.carrier of its members",
)
def bond_members(inventory: Inventory) -> Iterator[Found]:
    for host, bond in _bonds(inventory):
        down = [pif for pif in bond.members if pif.has_link is False]
        if down:
            dead = len(down) == len(bond.members)
            yield Found(
                subject=host.id,
                about=bond.name,
                text=f"{joined(pif.name for pif in down)} of {quoted(bond.name)} on {quoted(host.name)}"
                f" {'has' if len(down) == 1 else 'have'} no link",
                evidence=f"{len(bond.members) - len(down)} of {plural(len(bond.members), 'member')} up",
                remedy="Check the cable, the switch's port and the NIC.",
                level=Level.BAD if dead else None,
            )
        elif len(bond.members) == 1:
            yield Found(
                subject=host.id,
                about=bond.name,
                text=f"{quoted(bond.name)} on {quoted(host.name)} has only one member",
                evidence=joined(pif.name for pif in bond.members),
                remedy=BOND_REMEDY,
            )


@rule(
    "network.bond-mode",
    Level.WARN,
    title="Bonds of one network are alike on all hosts",
    why="Another mode on one host behaves differently at the switch: it works until that host is needed.",
    source="XenAPI: Bond.mode",
)
def bond_mode(inventory: Inventory) -> Iterator[Found]:
    by_network: dict[Network, list[tuple[Host, Bond]]] = defaultdict(list)
    for host, bond in _bonds(inventory):
        network = bond.interface.network if bond.interface is not None else None
        if network is not None:
            by_network[network].append((host, bond))
    for network, bonds in by_network.items():
        if len({(bond.mode, len(bond.members)) for _, bond in bonds}) > 1:
            yield Found(
                subject=network.id,
                text=f"The bonds of network {quoted(network.name)} are not alike",
                evidence=listed(f"{quoted(host.name)}: {bond.mode}, {len(bond.members)} NICs" for host, bond in bonds),
                remedy="Make them alike: xe bond-set-mode uuid=BOND mode=MODE",
            )


@rule(
    "network.link",
    Level.WARN,
    title="Cables that the pool uses have a link",
    why="A network that a host only seems to have lets VMs start there without reaching anything.",
    source="XenAPI: PIF_metrics.carrier; a NIC without a link on every host counts as unused",
)
def link(inventory: Inventory) -> Iterator[Found]:
    for host in inventory.hosts:
        for pif in net.nics(host):
            if pif.bond is not None or pif.has_link is not False:
                continue
            others = [each for each in _peers(pif) if each.has_link]
            if others or pif.is_management:
                yield Found(
                    subject=host.id,
                    about=pif.device,
                    text=f"{quoted(host.name)} has no link on {quoted(pif.name)}",
                    evidence=f"up on {joined(each.host.name for each in others if each.host)}"
                    if others
                    else "it is the management interface",
                    remedy="Check the cable, the switch's port and the NIC.",
                    level=Level.BAD if pif.is_management else None,
                )


@rule(
    "network.nics",
    Level.WARN,
    title="All hosts have the same number of NICs",
    why="Networks are mapped to NICs by position: a host with fewer cannot have all networks.",
    source="XenServer's requirements for pools; XenAPI: PIF.physical",
)
def nic_count(inventory: Inventory) -> Iterator[Found]:
    counts = {host: len(net.nics(host)) for host in inventory.hosts}
    usual = _usual(counts, inventory)
    for host, count in counts.items():
        if count != usual:
            yield Found(
                subject=host.id,
                text=f"{quoted(host.name)} has {plural(count, 'NIC')}, the others {usual}",
                evidence=joined(pif.name for pif in net.nics(host)) or "none",
                remedy="Fit the NIC, then on a host of the pool: xe pif-scan host-uuid=" + host.uuid,
            )


@rule(
    "network.speed",
    Level.WARN,
    title="NICs of one network run at the same speed, full duplex",
    why="A port that fell back to a lower speed slows storage and migration on one host, and only there.",
    source="XenAPI: PIF_metrics.speed and duplex",
)
def speed(inventory: Inventory) -> Iterator[Found]:
    for network in inventory.all(Network):
        told = {pif: (pif.metrics.speed, pif.metrics.flag("duplex")) for pif in _linked(network) if pif.metrics}
        if not told:
            continue
        best = max(told.values())
        for pif, (mbits, duplex) in told.items():
            host = pif.host
            if host is not None and (mbits < best[0] or not duplex):
                yield Found(
                    subject=host.id,
                    about=pif.device,
                    text=f"{quoted(pif.name)} of {quoted(host.name)} runs at {mbits} Mbit/s"
                    + ("" if duplex else ", half duplex")
                    + (f", others of its network at {best[0]}" if mbits < best[0] else ""),
                    evidence=f"network {quoted(network.name)}",
                    remedy="Check the cable and what the switch's port negotiates.",
                )


@rule(
    "network.mtu",
    Level.WARN,
    title="A network has one MTU on all hosts",
    why="Large frames are lost silently between hosts that disagree: storage and migration hang, small pings work.",
    source="XenAPI: PIF.MTU",
)
def mtu(inventory: Inventory) -> Iterator[Found]:
    for network in inventory.all(Network):
        told = {pif: pif.number("MTU") for pif in net.usable(network) if pif.number("MTU") > 0}
        if len(set(told.values())) > 1:
            yield Found(
                subject=network.id,
                text=f"The hosts use different MTUs on network {quoted(network.name)}",
                evidence=listed(f"{quoted(pif.host.name)}: {size}" for pif, size in told.items() if pif.host),
                remedy=f"xe network-param-set uuid={network.uuid} MTU=SIZE, then for each of its PIFs:"
                " xe pif-plug uuid=PIF",
            )


@rule(
    "network.everywhere",
    Level.WARN,
    title="Every network reaches every host",
    why="A VM on a network that a host lacks can neither move nor be restarted there.",
    source="XenAPI: PIF.network; VM_REQUIRES_NETWORK",
)
def everywhere(inventory: Inventory) -> Iterator[Found]:
    users = _users(inventory)
    for network in inventory.all(Network):
        missing = net.missing_on(network, inventory)
        if missing:
            vms = users.get(network.ref, [])
            yield Found(
                subject=network.id,
                text=f"Network {quoted(network.name)} is missing on {joined(host.name for host in missing)}",
                evidence=f"used by {joined(vms, limit=5)}" if vms else "no VM uses it",
                remedy="Give these hosts a NIC, bond or VLAN on it; a VLAN on every host: xe pool-vlan-create"
                f" network-uuid={network.uuid} pif-uuid=PIF vlan=TAG",
                level=None if vms else Level.INFO,
            )


@rule(
    "network.mapping",
    Level.WARN,
    title="A network is on the same NIC of every host",
    why="Cabling by position is what a joining host copies; an exception is a cable waiting to be pulled.",
    source="XenServer's requirements for pools; XenAPI: PIF.device",
)
def mapping(inventory: Inventory) -> Iterator[Found]:
    for network in inventory.all(Network):
        devices = {pif.host.name: pif.device for pif in network.pifs if pif.is_nic and pif.host is not None}
        if len(set(devices.values())) > 1:
            yield Found(
                subject=network.id,
                text=f"Network {quoted(network.name)} is on different NICs of the hosts",
                evidence=listed(f"{quoted(name)}: {device}" for name, device in devices.items()),
                remedy="Cable and map the odd host as the others are.",
            )


def _bonds(inventory: Inventory) -> Iterator[tuple[Host, Bond]]:
    for bond in inventory.all(Bond):
        host = bond.interface.host if bond.interface is not None else None
        if host is not None:
            yield host, bond


def _peers(pif: PIF) -> list[PIF]:
    """The NICs of other hosts on the same network."""
    network = pif.network
    return [each for each in network.pifs if each.is_nic and each != pif] if network is not None else []


def _linked(network: Network) -> list[PIF]:
    return [pif for pif in network.pifs if pif.is_nic and pif.has_link and pif.metrics and pif.metrics.speed > 0]


def _usual(counts: Mapping[Host, int], inventory: Inventory) -> int:
    """What most hosts have; the coordinator decides a tie."""
    coordinator = inventory.pool.coordinator
    often = Counter(counts.values())
    return max(often, key=lambda n: (often[n], coordinator is not None and counts.get(coordinator) == n), default=0)


def _users(inventory: Inventory) -> Mapping[str, list[str]]:
    """Network's reference → names of the guests on it."""
    found: dict[str, list[str]] = defaultdict(list)
    for vm in inventory.guests:
        for network in dict.fromkeys(vif.text("network") for vif in vm.vifs):
            found[network].append(vm.name)
    return found
