"""What several tests change in the tutorial's pool before it starts."""

from __future__ import annotations

from dataclasses import replace

from sandbox.xapi.lab import load
from sandbox.xapi.world import Lab
from tests.commands.world import Made


def host_dead(made: Made) -> None:
    """As the coordinator believes of xs2."""
    made.host_metrics("xs2")["live"] = False


def host_disabled(made: Made) -> None:
    made.row("host", "xs2")["enabled"] = False


def guest_says_no(made: Made) -> None:
    """web-1's own tools do not let it be suspended or moved."""
    metrics = made.row("VM", "web-1")["guest_metrics"]
    made.objects["VM_guest_metrics"][metrics]["other"]["data-cant-suspend-reason"] = "a backup runs"


def pci(made: Made) -> None:
    made.row("VM", "web-1")["attached_PCIs"] = ["OpaqueRef:pci"]


def other_cpu(made: Made) -> None:
    """web-1 was started on a CPU of another make."""
    made.row("VM", "web-1")["last_boot_CPU_flags"] = {"vendor": "GenuineIntel", "features": "ffffffff-ffffffff"}


def storage_declared() -> Lab:
    """The tutorial's pool with storage that can be full; an open lab's cannot."""
    return replace(load("tutorial"), storage=load("tutorial-start").storage)
