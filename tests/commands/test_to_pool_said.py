"""Moves to another pool: what has to be said, what makes no sense together, and whose names are meant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.errors import Denied, NotFound, ParseError, Refused
from bot.forms import Forms
from bot.model import Place
from bot.scope import Scopes
from tests.commands.two_pools import GIB, asked, disabled, two_pools
from tests.commands.world import HERE, NULL, OLGA, REGISTRY, Made, World, refused, world


@pytest.fixture(scope="module")
def pools() -> Any:
    with world(two_pools(), all_pools=True) as found:
        yield found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("web-7 to pool north", "is in north already"),
        ("web-7 to n2 to pool south", "n2 is in north"),
        ("web-7 to pool south network Backup", "has its namesake"),
    ],
)
def test_what_makes_no_sense_together_is_refused(pools: World, text: str, words: str) -> None:
    told = refused(pools, f"vm migrate {text} in north")
    assert words in told.message
    assert told.remedy


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("web-7 to pool sout", "no pool called"),
        ("web-7 to pool south host n1", "no host called n1"),
        ("web-7 to pool south storage NFS north", "no storage repository called"),
        ("web-7 to pool south network DMZ", "no network called DMZ"),
    ],
)
def test_names_after_the_pool_are_names_of_that_pool(pools: World, text: str, words: str) -> None:
    with pytest.raises(Exception, match=words):
        asked(pools, text)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("web-7 to pool south host quite-another", "“host list in south” shows what there is."),
        ("web-7 to pool south storage quite-another", "“pool status in south” shows what there is."),
        ("web-7 to pool south network quite-another", "On a host of south: xe network-list"),
        ("web-7 to quite-another", "“host list” shows what there is."),
    ],
)
def test_where_to_look_for_a_name_is_the_pool_that_lacks_it(pools: World, text: str, remedy: str) -> None:
    with pytest.raises(ParseError) as error:
        asked(pools, text)
    assert error.value.remedy == remedy


def test_a_pool_that_cannot_be_named_here_cannot_be_gone_to(pools: World) -> None:
    limited = replace(pools.resolver, scopes=Scopes(channel_pools={"C0NORTH": ("north",)}))
    place = Place(kind="slack", team="T0", channel="C0NORTH")
    command, parsed = REGISTRY.parse("vm migrate web-7 to pool south in north")
    with pytest.raises((Denied, NotFound)) as here:
        limited.resolve(command, parsed, OLGA, place)
    own, asked_for = REGISTRY.parse("vm list in south")
    with pytest.raises((Denied, NotFound)) as same:
        limited.resolve(own, asked_for, OLGA, place)
    assert here.value.message == same.value.message


def test_without_shared_default_storage_where_to_has_to_be_said() -> None:
    def none(_: Made, south: Made) -> None:
        south.pool["default_SR"] = NULL

    def own(_: Made, south: Made) -> None:
        south.pool["default_SR"] = south.ref("SR", "Local storage")

    def full(_: Made, south: Made) -> None:
        row = south.row("SR", "NFS south")
        row["physical_utilisation"] = row["physical_size"] - GIB

    for change, words in ((none, "no default storage"), (own, "one host's own"), (full, "no room")):
        with world(two_pools(change), all_pools=True) as found:
            told = refused(found, "vm migrate web-7 to pool south in north")
            assert words in told.message
            assert any("NFS south" in line for line in told.evidence)


def test_no_host_that_fits_is_refused_with_each_one_s_reasons() -> None:
    def full(north: Made, south: Made) -> None:
        north.memory("sql-7", 250)
        disabled(north, south)

    with world(two_pools(full), all_pools=True) as found:
        told = refused(found, "vm migrate sql-7 to pool south in north")
        assert [line.split()[0] for line in told.evidence] == ["s1", "s2"]


def test_a_form_offers_what_the_other_pool_has(pools: World) -> None:
    command = REGISTRY["vm migrate"]
    forms = Forms(pools=pools.pools, scopes=Scopes())
    labels = {each.name: each.label for each in forms.of(*REGISTRY.parse("vm migrate")).fields}
    assert labels["host"] == "Host (to …)"
    assert labels["destination"] == "Another pool (to pool …)"
    assert (labels["member"], labels["network"]) == ("Host there (host …)", "Network there (network …)")

    def offered(field: str, **values: str) -> list[str]:
        return [each.label for each in forms.options(command, field, "", {"pool": "north", **values}, HERE, OLGA)]

    assert offered("destination") == ["north", "south"]
    assert offered("member", destination="south") == ["s1", "s2"]
    assert offered("host", destination="south") == ["n1", "n2"]
    assert "Backup" in offered("network", destination="south")
    assert "DMZ" not in offered("network", destination="south")
    text = forms.text(command, {"vm": "web-7", "destination": "south", "member": "s1", "pool": "north"})
    assert pools.plan(text).title == "move web-7 from pool north to pool south"
    with pytest.raises(Refused, match="belongs to “to pool …”"):
        forms.text(command, {"vm": "web-7", "member": "s1", "pool": "north"})
