"""What leaving a pool does to both databases and to the host."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.xapi.estate import Estate
from sandbox.xapi.failure import Failure
from sandbox.xapi.worlds.check import problems
from tests.sandbox_xapi.core.two_pools import OLD, Lab, answer, joined, record
from tests.sandbox_xapi.core.world import Client, ident, login_answer, ref, sound
from tests.waiting import eventually


@pytest.fixture
def estate(lab: Lab) -> Iterator[Estate]:
    yield from sound(lab.estate())


def test_the_coordinator_cannot_be_ejected_nor_anybody_under_ha(estate: Estate) -> None:
    client = Client(estate, "h1")
    assert answer(lambda: client("pool.eject", ref("h1"))) == ["INTERNAL_ERROR", "Xapi_pool.Cannot_eject_master"]
    client("pool.enable_ha", [ref("nfs")], {})
    assert answer(lambda: client("pool.eject", ref("h2"))) == ["HA_IS_ENABLED"]
    assert answer(lambda: client("pool.eject", ref("h1"))) == ["INTERNAL_ERROR", "Xapi_pool.Cannot_eject_master"]


def test_a_host_with_guests_or_one_that_is_missed_is_not_ejected(lab: Lab) -> None:
    lab.pool.guest("busy", host="h2", sr="nfs", network="eth0 pool")
    estate = lab.estate(speed=4000)
    client = Client(estate, "h1")
    assert answer(lambda: client("pool.eject", ref("h2"))) == ["OPERATION_NOT_ALLOWED", "VM resident on host"]
    estate.kill(ident("h2"))
    eventually(lambda: not client("host_metrics.get_live", ref("h2 metrics")))
    assert answer(lambda: client("pool.eject", ref("h2"))) == ["HOST_OFFLINE", ref("h2")]
    estate.close()


def test_an_ejected_host_takes_its_local_disk_with_it(lab: Lab) -> None:
    lab.pool.guest("left", sr="local h2", network="eth0 pool")
    estate = lab.estate()
    client = Client(estate, "h1")
    client("pool.eject", ref("h2"))
    for cls, label in (("host", "h2"), ("SR", "local h2"), ("PBD", "nfs on h2"), ("VDI", "left disk"),
                       ("PIF", "eth0 h2"), ("VM", "dom0 h2"), ("host_metrics", "h2 metrics")):  # fmt: skip
        with pytest.raises(Failure) as gone:
            client(f"{cls}.get_by_uuid", ident(label))
        assert gone.value.description == ["UUID_INVALID", cls, ident(label)]
    assert client("VM.get_VBDs", ref("left")) == [], "the VM stays, without its disk"
    assert client("pool.get_current_operations", ref("pool pool")) == {}
    eventually(lambda: login_answer(estate, "h2") == [])
    own = Client(estate, "h2")
    eventually(lambda: bool(record(own, "host", "h2")["enabled"]))
    (pool,) = own("pool.get_all_records").values()
    assert (pool["name_label"], pool["master"]) == ("", record(own, "host", "h2")["ref"])
    local = [sr for sr in own("SR.get_all_records").values() if sr["type"] == "lvm"]
    assert [(sr["VDIs"], sr["uuid"] == ident("local h2")) for sr in local] == [([], False)]
    addresses = {p["device"]: (p["management"], p["IP"]) for p in own("PIF.get_all_records").values()}
    assert addresses == {"eth0": (True, "10.1.0.2"), "eth1": (False, "")}
    assert [vm["name_label"] for vm in own("VM.get_all_records").values() if vm["is_a_template"]] == ["base"]
    assert all(problems(world) == [] for world in estate.dump())
    estate.close()
    assert estate.bugs == []


@pytest.mark.parametrize("on", ["bond", "vlan", "vlan on a bond"])
def test_an_ejected_host_keeps_its_management_address(lab: Lab, on: str) -> None:
    """On the NIC that lent the bond its address; on the same VLAN."""
    carrier, address = ref("eth0 h2"), {"IP": "10.1.0.2", "netmask": "255.255.255.0", "ip_configuration_mode": "Static"}
    nobody = dict.fromkeys(address, "") | {"ip_configuration_mode": "None"}
    for number, network in enumerate(("bonded", "tagged"), 6):
        lab.pool.add("network", network, bridge=f"xapi{number}", managed=True)
    lab.row("PIF", "eth0 h2").update(management=False, **nobody)
    if "bond" in on:
        carrier = ref("bond0 h2")
        lab.pool.add("PIF", "bond0 h2", host=ref("h2"), network=ref("bonded"), device="bond0", VLAN=-1, physical=False,
                     **(address if on == "bond" else {}), management=on == "bond")  # fmt: skip
        for device in ("eth0", "eth1"):
            lab.row("PIF", f"{device} h2")["bond_slave_of"] = ref("bond h2")
        lab.pool.add("Bond", "bond h2", master=carrier, primary_slave=ref("eth1 h2"))
    if "vlan" in on:
        lab.pool.add("PIF", "tag h2", host=ref("h2"), network=ref("tagged"), device="bond0", VLAN=44, management=True,
                     VLAN_master_of=ref("vlan h2"), physical=False, **address)  # fmt: skip
        lab.pool.add("VLAN", "vlan h2", tagged_PIF=carrier, untagged_PIF=ref("tag h2"), tag=44)
    estate = lab.estate()
    Client(estate, "h1")("pool.eject", ref("h2"))
    eventually(lambda: login_answer(estate, "h2") == [])
    own = Client(estate, "h2")
    pifs = own("PIF.get_all_records").values()
    (led,) = [pif for pif in pifs if pif["management"]]
    nic, tag = "eth1" if "bond" in on else "eth0", 44 if "vlan" in on else -1
    assert (led["device"], led["VLAN"], led["IP"]) == (nic, tag, "10.1.0.2")
    assert {pif["IP"] for pif in pifs if not pif["management"]} == {""}
    assert {pif["device"] for pif in pifs} == {"eth0", "eth1"}
    if "vlan" in on:
        vlan = own("VLAN.get_record", led["VLAN_master_of"])
        assert (vlan["tag"], own("PIF.get_device", vlan["tagged_PIF"])) == (tag, nic)
    estate.close()
    assert estate.bugs == []


def test_what_was_ejected_may_join_again(lab: Lab) -> None:
    lab.release = OLD
    estate = lab.estate()
    client = Client(estate, "h1")
    client("pool.eject", ref("h2"))
    eventually(lambda: login_answer(estate, "h2") == [])
    own = Client(estate, "h2")
    eventually(lambda: bool(record(own, "host", "h2")["enabled"]))
    client = joined(estate, "h2")
    assert len(client("host.get_all")) == 2
    assert len(client("SR.get_PBDs", ref("nfs"))) == 2
    estate.close()
    assert estate.bugs == []
