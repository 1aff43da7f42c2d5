"""A member makes its networks like its coordinator's: bonds and VLANs, by NIC position (xapi's source, August 2026)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.xapi.registry import difference
from sandbox.xapi.values import NULL, Row

if TYPE_CHECKING:
    from sandbox.xapi.hosts import Host
    from sandbox.xapi.pool import Pool
    from sandbox.xapi.store import Database

_IP = ("ip_configuration_mode", "IP", "netmask", "gateway", "DNS")
_NO_IP = {"ip_configuration_mode": "None", "IP": "", "netmask": "", "gateway": "", "DNS": ""}

difference("pool.join", "A member does not copy its coordinator's tunnels and SR-IOV networks.", "No lab has any.")


def copy_networks(pool: Pool, host: Host) -> None:
    """Bonds first, so that VLANs find the bond that carries them."""
    db, coordinator = pool.db, pool.coordinator_ref
    for row in list(db.rows("Bond").values()):
        master = db.find("PIF", row["master"])
        if master is not None and master["host"] == coordinator:
            _copy_bond(db, host.ref, row, master)
    if db.value("host", host.ref, "other_config").get("sync_vlans") == "nosync":
        return
    for row in list(db.rows("VLAN").values()):
        tagged, untagged = db.find("PIF", row["tagged_PIF"]), db.find("PIF", row["untagged_PIF"])
        if tagged is not None and untagged is not None and untagged["host"] == coordinator:
            _copy_vlan(db, host.ref, row, tagged, untagged)


def _pif_on(db: Database, host: str, network: str) -> str | None:
    return next((r for r, p in db.rows("PIF").items() if p["host"] == host and p["network"] == network), None)


def _copy_bond(db: Database, host: str, bond: Row, master: Row) -> None:
    if _pif_on(db, host, master["network"]):
        return
    slaves = [db.get("PIF", pif) for pif in bond["slaves"]]
    devices = {pif["device"] for pif in slaves}
    mine = {r: p for r, p in db.rows("PIF").items() if p["host"] == host and p["physical"] and p["device"] in devices}
    lead = next((pif["device"] for pif in slaves if pif["MAC"] == master["MAC"]), "")
    free = (ref for ref, pif in mine.items() if pif["bond_slave_of"] == NULL)
    members = sorted(free, key=lambda ref: (mine[ref]["device"] != lead, str(mine[ref]["device"])))
    if not members:
        return
    # The management's NIC lends its address, else the one at the place of that which lends it on the coordinator.
    first = next((r for r in members if mine[r]["management"]), members[0])
    copied = {f: mine[first][f] for f in ("MAC", "management", "disallow_unplug", *_IP)}
    pif = _virtual(db, host, master, {"device": master["device"], "VLAN": -1, **copied})
    row = {"master": pif, "primary_slave": first} | {f: bond[f] for f in ("mode", "properties") if f in bond}
    ref = db.create("Bond", {**row, "links_up": len(members), "auto_update_mac": bond.get("auto_update_mac", True)})
    for member in members:
        changes = {"bond_slave_of": ref, "currently_attached": False, "management": False, "disallow_unplug": False}
        db.write("PIF", member, **changes, **_NO_IP)


def _copy_vlan(db: Database, host: str, vlan: Row, tagged: Row, untagged: Row) -> None:
    carrier = _pif_on(db, host, tagged["network"])
    if carrier is None or _pif_on(db, host, untagged["network"]):
        return
    row = db.get("PIF", carrier)
    pif = _virtual(db, host, untagged, {"device": row["device"], "VLAN": vlan["tag"], "MAC": row["MAC"]})
    ref = db.create("VLAN", {"tagged_PIF": carrier, "untagged_PIF": pif, "tag": vlan["tag"]})
    db.write("PIF", pif, VLAN_master_of=ref)


def _virtual(db: Database, host: str, like: Row, fields: dict[str, Any]) -> str:
    """A PIF of the host on the network of the coordinator's `like`."""
    metrics = db.create("PIF_metrics", {"carrier": True, "pci_bus_path": "N/A"})
    common = {"host": host, "network": like["network"], "MTU": like["MTU"], "metrics": metrics, "physical": False}
    shown = {"currently_attached": True, "managed": True, "properties": like.get("properties", {})}
    return db.create("PIF", {**common, **shown, **fields})
