"""What would cut hosts off their heartbeat is said before high availability is turned on, and keeps nobody from it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.model import Finding, Verdict
from tests.commands.world import Made, World, world

CHECKS = {
    "network.management-static",
    "network.management-bonded",
    "network.kept",
    "storage.multipath",
    "storage.paths",
    "clock.skew",
    "clock.unread",
}


def told(found: World, text: str = "ha enable") -> dict[str, list[Finding]]:
    plan = found.plan(f"{text} tolerate 0")
    assert not plan.blockers
    ours: dict[str, list[Finding]] = {}
    for finding in plan.findings:
        if finding.id.startswith(("network.", "storage.", "clock.")):
            ours.setdefault(finding.id, []).append(finding)
    return ours


def off(made: Made) -> None:
    made.pool["ha_enabled"] = False


def pif(made: Made, host: str, *, management: bool) -> dict[str, object]:
    return next(
        row
        for row in made.objects["PIF"].values()
        if row["host"] == made.ref("host", host) and row["management"] is management and row["IP"]
    )


def by_dhcp(made: Made) -> None:
    pif(made, "xs32", management=True)["ip_configuration_mode"] = "DHCP"


def loose(made: Made) -> None:
    pif(made, "xs32", management=False)["disallow_unplug"] = False


def one_path_only(made: Made) -> None:
    made.row("host", "xs32").update(multipathing=False)
    made.row("host", "xs32")["other_config"].pop("multipathing", None)


def path_lost(made: Made) -> None:
    sr = made.objects["VDI"][made.pool["ha_statefiles"][0]]["SR"]
    for row in made.objects["PBD"].values():
        if (row["SR"], row["host"]) == (sr, made.ref("host", "xs32")):
            row["other_config"] = {key: "[1, 2]" for key in row["other_config"] if key.startswith("mpath-")} | {
                "mpath-36000": "[1, 2]"
            }


def test_a_pool_in_which_all_is_well_is_told_so() -> None:
    with world("healthy", off) as found:
        ours = told(found)
        assert ours.keys() == CHECKS
        for id, findings in ours.items():
            assert [finding.verdict for finding in findings] == [Verdict.PASS], id


@pytest.mark.parametrize(
    ("change", "id", "evidence"),
    [
        (by_dhcp, "network.management-static", "xs32 has its management address by DHCP"),
        (loose, "network.kept", "of xs32"),
        (one_path_only, "storage.multipath", "Multipathing is off on xs32"),
        (path_lost, "storage.paths", "1 of 2 up"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
def test_each_weakness_is_told_with_what_was_seen(change: Callable[[Made], None], id: str, evidence: str) -> None:
    def changed(made: Made) -> None:
        off(made)
        change(made)

    with world("healthy", changed) as found:
        ours = told(found)
        (finding,) = ours[id]
        assert finding.verdict is Verdict.WARN
        assert finding.title.startswith("advised: ")
        assert evidence in finding.evidence
        assert finding.remedy
        assert {other for other, findings in ours.items() if findings[0].verdict is Verdict.WARN} == {id}


def test_a_clock_that_is_off_is_told_by_one_reading() -> None:
    with world("healthy", off) as found:
        found.lab.clock("xs32", offset=20.0)
        (finding,) = told(found)["clock.skew"]
        assert finding.verdict is Verdict.WARN
        assert finding.subject is not None
        assert finding.subject.name == "xs32"


def test_a_host_whose_clock_cannot_be_read_is_told() -> None:
    with world("healthy", off) as found:
        found.lab.kill("xs32")
        (finding,) = told(found)["clock.unread"]
        assert finding.verdict is Verdict.WARN


def test_nfs_has_no_paths_but_cables() -> None:
    with world() as found:
        ours = told(found, "ha enable on NFS storage")
        assert "storage.multipath" not in ours
        assert "network.storage-bonded" in ours
