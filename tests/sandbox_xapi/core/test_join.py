"""What joining a pool does to both databases and to the host, also where it fails on the way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.xapi.estate import Estate
from sandbox.xapi.failure import Failure, HostDown
from sandbox.xapi.values import NULL
from sandbox.xapi.worlds.check import problems
from tests.sandbox_xapi.core.two_pools import JOIN, MIDDLE, Lab, answer, joined, record
from tests.sandbox_xapi.core.world import FEATURES, Client, ident, login_answer, ref, sound
from tests.waiting import eventually

WEAKER = "1fcbfbff-f7fa3223-2d93fbff-00000121"


@pytest.fixture
def estate(lab: Lab) -> Iterator[Estate]:
    yield from sound(lab.estate())


def host_named(estate: Estate, name: str) -> Any:
    return next(h for h in estate.hosts.values() if h.name == name)


def test_the_pool_knows_the_host_before_it_is_usable(lab: Lab) -> None:
    estate = lab.estate(speed=40)
    joiner = Client(estate, "h3")
    task = joiner("Async.pool.join", *JOIN[1:])
    eventually(lambda: joiner("task.get_status", task) == "success")
    client = Client(estate, "h1")
    host = record(client, "host", "h3")
    assert (host["enabled"], client("host_metrics.get_live", host["metrics"])) == (False, False)
    assert host["ref"] != ref("h3"), "references are a database's own"
    assert answer(lambda: joiner(*JOIN)) == ["OPERATION_NOT_ALLOWED", "Host is already part of a pool"]
    eventually(lambda: login_answer(estate, "h3") == ["off"])
    eventually(lambda: login_answer(estate, "h3") == ["HOST_IS_SLAVE", "10.1.0.1"])
    assert answer(lambda: joiner("host.get_all")) == ["SESSION_INVALID", joiner.session], "its own pool is gone"
    eventually(lambda: bool(record(client, "host", "h3")["enabled"]))
    assert client("host_metrics.get_live", host["metrics"])
    estate.close()
    assert estate.bugs == []


def test_what_the_pool_is_not_told_of_it(lab: Lab) -> None:
    lab.row("host", "h3").update(
        tags=["rack 4"], power_on_mode="wake-on-lan", power_on_config={"a": "b"}, logging={"syslog_destination": "log"},
        crash_dump_sr=ref("local h3"), suspend_image_sr=NULL, other_config={"note": "kept"}, name_description="kept",
    )  # fmt: skip
    estate = lab.estate()
    client = joined(estate)
    host = record(client, "host", "h3")
    assert (host["other_config"]["note"], host["name_description"]) == ("kept", "kept")
    assert (host["tags"], host["power_on_mode"], host["power_on_config"], host["logging"]) == ([], "", {}, {})
    local = record(client, "SR", "local h3")["ref"]
    assert (host["crash_dump_sr"], host["suspend_image_sr"]) == (local, local)
    estate.close()


def test_what_the_pool_has_of_it(estate: Estate) -> None:
    client = joined(estate)
    host = record(client, "host", "h3")
    local, own = record(client, "SR", "local h3"), record(client, "PBD", "local h3 on h3")
    assert (local["shared"], local["PBDs"], own["host"]) == (False, [own["ref"]], host["ref"])
    assert own["currently_attached"]
    guest, disk = record(client, "VM", "guest"), record(client, "VDI", "guest disk")
    assert disk["SR"] == local["ref"]
    assert [client("VBD.get_VDI", vbd) for vbd in guest["VBDs"]] == [disk["ref"]]
    assert [client("VIF.get_network", vif) for vif in guest["VIFs"]] == [ref("eth0 pool")], "one network for a bridge"
    nic = record(client, "PIF", "eth1 h3")
    assert (nic["host"], nic["network"]) == (host["ref"], ref("eth1 pool"))
    assert len(client("network.get_all")) == 2
    assert record(client, "VM", "dom0 h3")["resident_on"] == host["ref"]
    assert [vm["name_label"] for vm in client("VM.get_all_records").values()].count("base") == 1
    assert len(client("SM.get_all")) == 3
    assert len(client("pool.get_all")) == 1
    assert client("task.get_all") == [], "what a host does when it starts leaves none"
    assert len(estate.pools) == 1
    assert all(problems(world) == [] for world in estate.dump())


def test_shared_storage_reaches_it(estate: Estate) -> None:
    client = joined(estate)
    host = record(client, "host", "h3")["ref"]
    mine = {p["SR"]: p for p in client("PBD.get_all_records").values() if p["host"] == host}
    assert mine[ref("nfs")]["device_config"] == {"server": "10.1.0.9", "serverpath": "/xen"}
    assert mine[ref("nfs")]["currently_attached"]
    assert mine[ref("tools pool")]["currently_attached"]
    client("VM.start_on", record(client, "VM", "guest")["ref"], host, False, False)


@pytest.mark.parametrize("opt_out", [True, False])
def test_a_pool_may_keep_storage_to_itself(lab: Lab, opt_out: bool) -> None:
    lab.row("pool", "pool pool")["other_config"] = {"sync_create_pbds": "nosync"} if opt_out else {}
    estate = lab.estate()
    client = joined(estate)
    assert len(client("SR.get_PBDs", ref("nfs"))) == (2 if opt_out else 3)
    estate.close()


def test_an_inner_network_gets_a_bridge_of_its_own(lab: Lab) -> None:
    lab.pool.add("network", "inner", name_label="inner", bridge="xapi0", managed=True)
    lab.lone.add("network", "inner of h3", name_label="inner", bridge="xapi0", managed=True)
    lab.lone.guest("router", sr="local h3", network="inner of h3")
    estate = lab.estate()
    client = joined(estate)
    (vif,) = record(client, "VM", "router")["VIFs"]
    network = client("network.get_record", client("VIF.get_network", vif))
    assert (network["name_label"], network["bridge"]) == ("inner", "xapi1")
    estate.close()


def test_a_drive_loses_its_disc_and_a_suspended_vm_keeps_its_image(lab: Lab) -> None:
    lab.lone.sr("isos", "iso", ["h3"], shared=False)
    lab.lone.guest("asleep", sr="local h3")
    lab.lone.add("VDI", "image", SR=ref("local h3"), type="suspend", virtual_size=1, managed=True)
    lab.row("VM", "asleep").update(power_state="Suspended", suspend_VDI=ref("image"))
    estate = lab.estate()
    client = joined(estate)
    asleep = record(client, "VM", "asleep")
    assert asleep["power_state"] == "Suspended"
    assert asleep["suspend_VDI"] == record(client, "VDI", "image")["ref"]
    estate.close()


def test_a_member_copies_bonds_and_vlans(lab: Lab) -> None:
    lab.pool.add("network", "bonded", bridge="xapi5", managed=True)
    for name in ("h1", "h2"):
        lab.pool.add("PIF", f"bond0 {name}", host=ref(name), network=ref("bonded"), device="bond0", VLAN=-1,
                     management=True, physical=False, currently_attached=True)  # fmt: skip
        for device in ("eth0", "eth1"):
            lab.row("PIF", f"{device} {name}").update(bond_slave_of=ref(f"bond {name}"), management=False)
        lab.pool.add(
            "Bond", f"bond {name}", master=ref(f"bond0 {name}"), primary_slave=ref(f"eth0 {name}"), mode="lacp"
        )
        lab.pool.add("network", "tagged", bridge="xapi6", managed=True)
        lab.pool.add("PIF", f"tag {name}", host=ref(name), network=ref("tagged"), device="bond0", VLAN=44,
                     VLAN_master_of=ref(f"vlan {name}"), physical=False)  # fmt: skip
        lab.pool.add("VLAN", f"vlan {name}", tagged_PIF=ref(f"bond0 {name}"), untagged_PIF=ref(f"tag {name}"), tag=44)
    estate = lab.estate()
    client = joined(estate)
    host = record(client, "host", "h3")
    pifs = {(p["device"], p["VLAN"]): p for p in (client("PIF.get_record", r) for r in host["PIFs"])}
    bond = pifs["bond0", -1]
    assert (bond["management"], bond["IP"], bond["network"]) == (True, "10.1.0.3", ref("bonded"))
    assert not pifs["eth0", -1]["management"]
    assert client("Bond.get_mode", bond["bond_master_of"][0]) == "lacp"
    assert len(client("Bond.get_slaves", bond["bond_master_of"][0])) == 2
    assert pifs["bond0", 44]["network"] == ref("tagged")
    assert client("VLAN.get_tag", pifs["bond0", 44]["VLAN_master_of"]) == 44
    estate.close()
    assert estate.bugs == []


@pytest.mark.parametrize(("lender", "config"), [("eth0", {}), ("eth1", {"sync_vlans": "nosync"})])
def test_a_copied_bond_has_the_address_of_the_same_nic(lab: Lab, lender: str, config: dict[str, str]) -> None:
    """Without the management on it; VLANs stay away where the host says so."""
    for number, network in enumerate(("storage", "bonded", "tagged"), 6):
        lab.pool.add("network", network, bridge=f"xapi{number}", managed=True)
    for side, name in ((lab.pool, "h1"), (lab.pool, "h2"), (lab.lone, "h3")):
        network = ref("storage") if side is lab.pool else ref("eth0 lone")
        side.add("PIF", f"mgmt {name}", host=ref(name), network=network, device="eth9", physical=True, VLAN=-1,
                 management=True, IP=lab.row("PIF", f"eth0 {name}")["IP"], ip_configuration_mode="Static",
                 MAC=f"00:16:3e:09:00:{name[1:]:0>2}")  # fmt: skip
        for device in ("eth0", "eth1"):
            lab.row("PIF", f"{device} {name}")["management"] = False
    for name in ("h1", "h2"):
        lab.pool.add("PIF", f"bond0 {name}", host=ref(name), network=ref("bonded"), device="bond0", VLAN=-1,
                     physical=False, MAC=lab.row("PIF", f"{lender} {name}")["MAC"])  # fmt: skip
        for device in ("eth0", "eth1"):
            lab.row("PIF", f"{device} {name}")["bond_slave_of"] = ref(f"bond {name}")
        lab.pool.add("Bond", f"bond {name}", master=ref(f"bond0 {name}"), primary_slave=ref(f"{lender} {name}"))
        lab.pool.add("PIF", f"tag {name}", host=ref(name), network=ref("tagged"), device="bond0", VLAN=44,
                     VLAN_master_of=ref(f"vlan {name}"), physical=False)  # fmt: skip
        lab.pool.add("VLAN", f"vlan {name}", tagged_PIF=ref(f"bond0 {name}"), untagged_PIF=ref(f"tag {name}"), tag=44)
    lab.row("host", "h3")["other_config"] = config
    estate = lab.estate()
    client = joined(estate)
    found = [client("PIF.get_record", pif) for pif in record(client, "host", "h3")["PIFs"]]
    address = {pif["device"]: pif["MAC"] for pif in found if pif["VLAN"] == -1}
    assert address["bond0"] == address[lender]
    assert [pif["VLAN"] for pif in found if pif["VLAN"] != -1] == ([] if config else [44])
    estate.close()


def test_storage_that_does_not_come_is_told_and_the_host_is_enabled_all_the_same(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sandbox.xapi import dispatch_internal

    real = dispatch_internal.run_in_passing

    def unplugged(pool: Any, method: str, *params: Any) -> Any:
        if method == "PBD.plug" and pool.db.value("PBD", params[0], "SR") == ref("nfs"):
            raise Failure("SR_BACKEND_FAILURE_73", "", "NFS mount error", "")
        return real(pool, method, *params)

    monkeypatch.setattr(dispatch_internal, "run_in_passing", unplugged)
    estate = lab.estate()
    client = joined(estate)
    alerts = [m for m in client("message.get_all_records").values() if m["name"] == "PBD_PLUG_FAILED_ON_SERVER_START"]
    assert [(m["priority"], m["cls"], m["obj_uuid"]) for m in alerts] == [(3, "Host", ident("h3"))]
    host = record(client, "host", "h3")["ref"]
    found = [p for p in client("PBD.get_all_records").values() if (p["SR"], p["host"]) == (ref("nfs"), host)]
    assert [p["currently_attached"] for p in found] == [False]
    estate.close()


def test_the_level_falls_with_a_weaker_host_and_rises_when_it_goes(lab: Lab) -> None:
    lab.row("host", "h3")["cpu_info"] |= {"features_hvm": WEAKER, "features_pv": WEAKER, "cpu_count": "4"}
    estate = lab.estate()
    client = joined(estate)
    level = client("pool.get_cpu_info", ref("pool pool"))
    assert (level["features_hvm"], level["cpu_count"], level["socket_count"]) == (WEAKER, "20", "3")
    client("pool.eject", record(client, "host", "h3")["ref"])
    level = client("pool.get_cpu_info", ref("pool pool"))
    assert (level["features_hvm"], level["cpu_count"], level["socket_count"]) == (FEATURES, "16", "2")
    estate.close()


def test_7_1_tells_of_a_changed_level(lab: Lab) -> None:
    lab.release = MIDDLE
    lab.row("host", "h3")["cpu_info"] |= {"features_hvm": WEAKER, "features_pv": WEAKER}
    estate = lab.estate()
    client = joined(estate)
    names = {(m["name"], m["priority"], m["cls"]) for m in client("message.get_all_records").values()}
    assert ("POOL_CPU_FEATURES_DOWN", 5, "Pool") in names
    estate.close()


def test_a_vm_that_booted_before_cannot_move_to_the_weaker_host(lab: Lab) -> None:
    lab.row("host", "h3")["cpu_info"] |= {"features_hvm": WEAKER, "features_pv": WEAKER}
    lab.pool.guest("early", host="h1", sr="nfs", network="eth0 pool")
    estate = lab.estate()
    client = joined(estate)
    host = record(client, "host", "h3")["ref"]
    assert answer(lambda: client("VM.pool_migrate", ref("early"), host, {}))[:3] == [
        "VM_INCOMPATIBLE_WITH_THIS_HOST", ref("early"), host]  # fmt: skip
    client("VM.clean_reboot", ref("early"))
    client("VM.pool_migrate", ref("early"), host, {})
    assert client("VM.get_resident_on", ref("early")) == host
    estate.close()


def test_events_tell_the_pool_of_the_new_host(estate: Estate) -> None:
    client = Client(estate, "h1")
    token = client("event.from", ["host"], "", 0.0)["token"]
    Client(estate, "h3")(*JOIN)
    (event,) = [e for e in client("event.from", ["host"], token, 5.0)["events"] if e["operation"] == "add"]
    assert event["snapshot"]["name_label"] == "h3"


def test_who_listens_at_the_joiner_hears_no_more(lab: Lab) -> None:
    estate = lab.estate(speed=40)
    joiner = Client(estate, "h3")
    ended: list[BaseException] = []

    def listen() -> None:
        try:
            joiner("event.from", ["nothing"], "", 300.0)
        except (HostDown, Failure) as error:
            ended.append(error)

    listener = threading.Thread(target=listen)
    listener.start()
    Client(estate, "h3")(*JOIN)
    listener.join(20)
    assert [type(error) for error in ended] == [HostDown]
    estate.close()


def test_a_host_that_loses_power_on_the_way_comes_up_as_a_member(lab: Lab) -> None:
    estate = lab.estate(speed=100)
    Client(estate, "h3")(*JOIN)
    estate.kill(ident("h3"))
    client = Client(estate, "h1")
    assert not record(client, "host", "h3")["enabled"]
    estate.start(ident("h3"))
    eventually(lambda: bool(record(client, "host", "h3")["enabled"]))
    assert login_answer(estate, "h3") == ["HOST_IS_SLAVE", "10.1.0.1"]
    estate.close()


def test_two_hosts_that_join_each_other_do_not_wait_for_ever(lab: Lab) -> None:
    lab.pool = type(lab.pool)("pool", {"h1": 1})
    estate = lab.estate(speed=4000)
    here, there = Client(estate, "h1"), Client(estate, "h3")
    answers: list[list[str]] = []

    def one(client: Client, address: str) -> None:
        try:
            answers.append(answer(lambda: client("pool.join", address, "root", "secret")))
        except HostDown:
            answers.append(["down"])

    threads = [threading.Thread(target=one, args=a) for a in ((here, "10.1.0.3"), (there, "10.1.0.1"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(answers) == 2
    estate.close()


def test_a_member_has_secrets_of_its_own(lab: Lab) -> None:
    lab.pool.add("secret", "chap", value="s3cret")
    for host in ("h1", "h2"):
        lab.row("PBD", f"nfs on {host}")["device_config"]["chappassword_secret"] = ident("chap")
    estate = lab.estate()
    client = joined(estate)
    host = record(client, "host", "h3")["ref"]
    (mine,) = [p for p in client("PBD.get_all_records").values() if (p["SR"], p["host"]) == (ref("nfs"), host)]
    secret = mine["device_config"]["chappassword_secret"]
    assert secret != ident("chap")
    assert client("secret.get_value", client("secret.get_by_uuid", secret)) == "s3cret"
    estate.close()


def test_a_vm_that_starts_on_the_way_keeps_the_host_out(lab: Lab) -> None:
    estate = lab.estate(speed=20)
    joiner = Client(estate, "h3")
    task = joiner("Async.pool.join", *JOIN[1:])
    eventually(lambda: joiner("task.get_progress", task) > 0.2)
    joiner("VM.start", ref("guest"), False, False)
    eventually(lambda: joiner("task.get_status", task) == "failure")
    on_the_way = {"JOINING_HOST_CANNOT_HAVE_RUNNING_VMS", "JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS"}
    assert joiner("task.get_error_info", task)[0] in on_the_way
    assert len(Client(estate, "h1")("host.get_all")) == 2
    estate.close()


def test_a_host_that_is_forgotten_while_it_joins_finds_no_place(lab: Lab) -> None:
    estate = lab.estate(speed=40)
    Client(estate, "h3")(*JOIN)
    estate.kill(ident("h3"))
    client = Client(estate, "h1")
    client("host.destroy", record(client, "host", "h3")["ref"])
    estate.start(ident("h3"))
    assert login_answer(estate, "h3") == ["HOST_UNKNOWN_TO_MASTER", ident("h3")]
    estate.close()
    assert estate.bugs == []
