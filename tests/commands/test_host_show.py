"""`host show`: what a host's network interfaces are said to be."""

from __future__ import annotations

from bot.model import Level, Table
from tests.commands.world import Made, world


def test_a_nic_without_a_link_is_told_from_one_that_is_up() -> None:
    def unlike(made: Made) -> None:
        host = made.ref("host", "xs2")
        first, second, *_ = sorted(
            (row for row in made.objects["PIF"].values() if row["host"] == host and row["physical"]),
            key=lambda row: str(row["device"]),
        )
        made.objects["PIF_metrics"][second["metrics"]]["carrier"] = False
        assert first["management"]

    with world(change=unlike) as found:
        (nics,) = (part for part in found.report("host show xs2").parts if getattr(part, "heading", "") == "NICs")
        assert isinstance(nics, Table)
        links = {row[0].text: (row[-1].text, row[-1].level) for row in nics.rows}
    assert links["eth0 (management)"] == ("up", Level.OK)
    assert links["eth1"] == ("no link", Level.WARN)
