"""What a careful administrator looks at before a host joins, and the toolstack does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bot.model import Verdict
from bot.rules import join
from bot.rules.clocks import Interval
from tests.rules.joining import NEW, OLD, Pair, joined, member

GOOD = Interval(-0.2, 0.2)


@dataclass(frozen=True)
class Case:
    check: str
    verdict: Verdict
    told: str
    change: Callable[[Pair], object]
    release: str = OLD


def _sixteen(pair: Pair) -> None:
    for number in range(15):
        pair.pool.another_host(number)


def _cabled_otherwise(pair: Pair) -> None:
    """eth1 leads to another network there."""
    ref = pair.own.copied("network", "other", pair.own.network("eth1"), bridge="xenbr7")
    pair.own.pif("eth1")["network"] = ref


def _renamed_nic(pair: Pair) -> None:
    pair.own.pif("eth1")["device"] = "eth2"


def _managed_over_another(pair: Pair) -> None:
    pair.own.pif("eth0")["management"] = False
    pair.own.pif("eth1")["management"] = True


def _same_iqn(pair: Pair) -> None:
    """6.x keeps it in other_config."""
    pair.own.host["other_config"]["iscsi_iqn"] = pair.pool.host["other_config"]["iscsi_iqn"]


def _same_iqn_in_its_field(pair: Pair) -> None:
    pair.own.host["iscsi_iqn"] = pair.pool.host["iscsi_iqn"]


def _copied_installation(pair: Pair) -> None:
    sr = next(row for row in pair.own.objects["SR"].values() if row["type"] == "lvm")
    sr["uuid"] = next(row for row in pair.pool.objects["SR"].values() if row["type"] == "lvm")["uuid"]


def _namesakes(pair: Pair) -> None:
    pair.own.guest(name="web-1")
    pair.pool.guest(name="web-1")
    pair.own.host["name_label"] = pair.pool.host["name_label"]


def _switched_on(pair: Pair) -> None:
    config = {"power_on_ip": "10.0.9.9", "power_on_user": "root", "power_on_password_secret": "5ec7e7"}
    pair.own.host.update(power_on_mode="DRAC", power_on_config=config)


def _hashes(own: str, pool: str) -> Callable[[Pair], object]:
    def change(pair: Pair) -> None:
        pair.own.host["last_update_hash"] = own
        pair.pool.host["last_update_hash"] = pool

    return change


def _bonded(mode: str) -> Callable[[Pair], object]:
    """eth0 and eth1 of the coordinator are one."""

    def change(pair: Pair) -> None:
        ref = pair.pool.copied("PIF", "bond0", pair.pool.pif("eth1"), device="bond0", bond_master_of=["OpaqueRef:bond"])
        bond = {"uuid": "2d7f6a6c-6f0c-4c4e-a8a5-9f6f1f1b2c3d", "master": ref, "mode": mode}
        pair.pool.objects.setdefault("Bond", {})["OpaqueRef:bond"] = bond
        for device in ("eth0", "eth1"):
            pair.pool.pif(device)["bond_slave_of"] = "OpaqueRef:bond"

    return change


def _states(pair: Pair) -> None:
    pair.own.host["latest_synced_updates_applied"] = "no"
    pair.pool.host["latest_synced_updates_applied"] = "yes"


CASES = (
    Case("join.size", Verdict.BLOCK, "16 already", _sixteen),
    Case("join.paused", Verdict.BLOCK, "asleep", lambda pair: pair.own.guest("Paused", "asleep")),
    Case("join.uuids", Verdict.BLOCK, "Local storage", _copied_installation),
    Case("join.iqn", Verdict.BLOCK, "xs1", _same_iqn),
    Case("join.iqn", Verdict.BLOCK, "iqn.", _same_iqn_in_its_field, NEW),
    Case("join.update-level", Verdict.WARN, "aaaaaaaa…", _hashes("a" * 40, "b" * 40), NEW),
    Case("join.update-level", Verdict.WARN, "unknown on the host", _hashes("", "b" * 40), NEW),
    Case("join.update-level", Verdict.WARN, "no on the host", _states, NEW),
    Case("join.parts", Verdict.WARN, "xen", lambda pair: pair.own.version.update(xen="4.17.5-12"), NEW),
    Case("join.enabled", Verdict.WARN, "disabled", lambda pair: pair.own.host.update(enabled=False)),
    Case("join.static-address", Verdict.WARN, "DHCP",
         lambda pair: pair.own.pif("eth0").update(ip_configuration_mode="DHCP")),
    Case("join.nics", Verdict.WARN, "eth1 is on xenbr7, in the pool on xenbr1", _cabled_otherwise),
    Case("join.nics", Verdict.WARN, "it has no eth1; eth2 exists only there", _renamed_nic),
    Case("join.nics", Verdict.WARN, "managed over eth1, the coordinator over eth0", _managed_over_another),
    Case("join.lacp", Verdict.WARN, "LACP: bond0 of eth0 and eth1", _bonded("lacp")),
    Case("join.mtu", Verdict.WARN, "eth1: 9000, in the pool 1500",
         lambda pair: pair.own.network("eth1").update(MTU=9000)),
    Case("join.multipathing", Verdict.WARN, "off there, and on in the pool",
         lambda pair: pair.pool.host["other_config"].update(multipathing="true")),
    Case("join.multipathing", Verdict.WARN, "on there, and off in the pool",
         lambda pair: pair.own.host.update(multipathing=True), NEW),
    Case("join.settings", Verdict.WARN, "how it is switched on (through its Dell DRAC at 10.0.9.9)", _switched_on),
    Case("join.settings", Verdict.WARN, "its 2 tags edge and “rack 4”",
         lambda pair: pair.own.host.update(tags=["rack 4", "edge"]), NEW),
    Case("join.settings", Verdict.WARN, "where it logs to (10.0.0.5)",
         lambda pair: pair.own.host.update(logging={"syslog_destination": "10.0.0.5"}), NEW),
    Case("join.names", Verdict.WARN, "web-1", _namesakes),
)  # fmt: skip


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{case.check} {number} in {case.release}" for number, case in enumerate(CASES)]
)
def test_it_is_told_with_what_was_seen(case: Case) -> None:
    pair = Pair.of(case.release)
    before = {row.id: row for row in join.rows(pair.sides(), GOOD)}
    assert case.check not in before or not before[case.check].against
    case.change(pair)
    (row,) = [row for row in join.rows(pair.sides(), GOOD) if row.id == case.check]
    finding = row.finding()
    assert (finding.verdict, finding.code) == (case.verdict, "")
    assert case.told in finding.evidence
    assert finding.remedy


@pytest.mark.parametrize("case", [case for case in CASES if case.check in ("join.iqn", "join.nics", "join.mtu")][:3],
                         ids=lambda case: case.check)  # fmt: skip
def test_the_toolstack_would_not_have_noticed(case: Case) -> None:
    pair = Pair.of(case.release)
    case.change(pair)
    assert joined(pair) == ""


@pytest.mark.parametrize(
    ("apart", "verdict"),
    [
        (Interval(-0.2, 0.3), Verdict.PASS),
        (Interval(-1.0, 60.0), Verdict.PASS),  # nothing is proved
        (Interval(2.5, 2.7), Verdict.WARN),
        (Interval(-290.0, -289.0), Verdict.WARN),
        (Interval(300.5, 301.0), Verdict.BLOCK),
        (Interval(-400.0, -399.0), Verdict.BLOCK),
        (Interval(3.0, 1.0), Verdict.WARN),  # stepped while it was read
        (None, Verdict.WARN),
    ],
)
def test_clocks_are_judged_by_what_is_proved(apart: Interval | None, verdict: Verdict) -> None:
    sides = Pair.of(OLD).sides()
    (row,) = [row for row in join.rows(sides, apart, "the host did not answer") if row.id == "join.clock"]
    assert row.finding().verdict is verdict
    assert bool(row.unknown) is (apart is None)


def test_bits_that_the_pool_s_mask_leaves_out_do_not_count() -> None:
    """pool.other_config:cpuid_feature_mask, as 6.x compares; the sandbox joins it, too."""
    pair = Pair.of(OLD)
    shown = pair.own.host["cpu_info"]["features"].split("-")
    shown[0] = f"{int(shown[0], 16) ^ 1 << 12:08x}"
    pair.own.host["cpu_info"]["features"] = "-".join(shown)
    assert [row.id for row in join.toolstack(pair.sides()) if row.blocks] == ["cpu.features"]
    pair.pool.pool["other_config"] = {
        **pair.pool.pool["other_config"],
        "cpuid_feature_mask": "ffffefff-ffffffff-ffffffff-ffffffff",
    }
    assert [row.id for row in join.toolstack(pair.sides()) if row.blocks] == []
    assert joined(pair) == ""


def test_other_bonds_want_nothing_of_the_switch() -> None:
    pair = Pair.of(NEW)
    _bonded("balance-slb")(pair)
    (row,) = [row for row in join.rows(pair.sides(), GOOD) if row.id == "join.lacp"]
    assert row.finding().verdict is Verdict.PASS


def test_what_is_set_on_the_host_can_be_set_again_and_no_secret_is_told() -> None:
    pair = Pair.of(NEW)
    _switched_on(pair)
    pair.own.host.update(tags=["rack 4", "a", "b", "c"], logging={"syslog_destination": "10.0.0.5"})
    (row,) = [row for row in join.rows(pair.sides(), GOOD) if row.id == "join.settings"]
    uuid = pair.own.host["uuid"]
    assert row.against.count(", nor ") == 2
    assert row.remedy.removeprefix("Set it again when it is in the pool: ").split("; ") == [
        f"xe host-set-power-on-mode host={uuid} power-on-mode=DRAC power-on-config:power_on_ip=10.0.9.9"
        " power-on-config:power_on_password_secret=… power-on-config:power_on_user=root",
        f"xe host-param-add uuid={uuid} param-name=tags param-key=a",
        f"xe host-param-add uuid={uuid} param-name=tags param-key=b",
        f"xe host-param-add uuid={uuid} param-name=tags param-key=c",
        "…",
        f"xe host-param-set uuid={uuid} logging:syslog_destination=10.0.0.5",
        f"xe host-syslog-reconfigure host-uuid={uuid}",
    ]
    assert "5ec7e7" not in row.against + row.remedy


@pytest.mark.parametrize("release", [OLD, NEW])
def test_what_is_told_as_lost_is_lost_in_the_pool(release: str) -> None:
    pair = Pair.of(release)
    _switched_on(pair)
    pair.own.host.update(tags=["edge"], logging={"syslog_destination": "10.0.0.5"})
    assert member(pair, "tags", "power_on_mode", "power_on_config", "logging") == [[], "", {}, {}]
