"""The limits that the configuration sets, and what the rules make of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.audits import compatibility
from bot.config.audits import AuditsSection
from bot.findings import Drift
from bot.model import Level
from bot.rules.limits import Known, Limits
from tests.audits.mutations import MUTATIONS
from tests.audits.worlds import NOW, World

DAY = timedelta(days=1)


def found(known: Known, mutation: str = "") -> dict[str, Drift]:
    world = World("healthy")
    for each in MUTATIONS:
        if each.name == mutation:
            each.break_it(world)
    return {drift.rule: drift for drift in compatibility.audit(world.inventory(), known)}


@pytest.mark.parametrize(
    ("mutation", "rule", "limits"),
    [
        ("young snapshot", "vm.snapshots", Limits(snapshot_age=20 * DAY)),
        ("certificate for 31 days", "certificate.expiry", Limits(expiry_warning=40 * DAY)),
        ("licence for 31 days", "licence.expiry", Limits(expiry_warning=40 * DAY)),
        ("", "storage.full", Limits(storage_warning=0.01)),
    ],
)
def test_a_limit_decides(mutation: str, rule: str, limits: Limits) -> None:
    assert found(Known(), mutation) == {}
    assert found(Known(limits=limits), mutation).keys() == {rule}


@pytest.mark.parametrize(
    ("mutation", "rule", "limits"),
    [
        ("certificate", "certificate.expiry", Limits(expiry_grave=21 * DAY)),
        ("", "storage.full", Limits(storage_warning=0.01, storage_grave=0.02)),
    ],
)
def test_a_limit_decides_what_is_grave(mutation: str, rule: str, limits: Limits) -> None:
    assert found(Known(limits=limits), mutation)[rule].level is Level.BAD


def test_a_wider_limit_silences() -> None:
    assert found(Known(limits=Limits(snapshot_age=90 * DAY)), "old snapshot") == {}
    assert found(Known(limits=Limits(expiry_warning=DAY)), "certificate") == {}


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (None, "has never been backed up"),
        (timedelta(days=7, minutes=1), "last backed up 7 days ago"),
        (timedelta(days=7), ""),
        (timedelta(0), ""),
    ],
    ids=["never", "old", "just in time", "now"],
)
def test_a_pool_without_a_young_backup_is_found(ago: timedelta | None, text: str) -> None:
    at = None if ago is None else NOW - ago
    drifts = found(Known(backups_kept=True, backup_at=at))
    assert drifts.keys() == ({"backup.database"} if text else set())
    if text:
        assert text in drifts["backup.database"].text
        assert drifts["backup.database"].evidence


def test_where_no_backups_are_made_none_is_missed() -> None:
    assert found(Known(backups_kept=False)) == {}


def test_the_configuration_s_defaults_are_the_rules_own() -> None:
    assert AuditsSection().limits() == Limits()


Change = Callable[[Limits], object]


@pytest.mark.parametrize(
    ("setting", "value", "read", "wanted"),
    [
        ("snapshot_days", 3, lambda limits: limits.snapshot_age, 3 * DAY),
        ("storage_percent", 75, lambda limits: limits.storage_warning, 0.75),
        ("storage_grave_percent", 80, lambda limits: limits.storage_grave, 0.8),
        ("backup_days", 2, lambda limits: limits.backup_age, 2 * DAY),
        ("expiry_days", 60, lambda limits: limits.expiry_warning, 60 * DAY),
        ("expiry_grave_days", 14, lambda limits: limits.expiry_grave, 14 * DAY),
        ("clock_seconds", 0.5, lambda limits: limits.clock_seconds, 0.5),
    ],
)
def test_each_setting_sets_its_limit(setting: str, value: float, read: Change, wanted: object) -> None:
    assert read(AuditsSection(**{setting: value}).limits()) == wanted  # type: ignore[arg-type]


@pytest.mark.parametrize("server", ["", "127.0.0.1:0", "name:port", "[::1]:99999"])
def test_a_server_s_name_that_is_none_is_a_mistake(server: str) -> None:
    with pytest.raises(ValueError, match="is no server"):
        AuditsSection(ntp_servers=(server,))
