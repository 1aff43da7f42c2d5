"""Disks on their way to other storage: what is asked, what is changed before, and where they are afterwards."""

from __future__ import annotations

from tests.commands.world import NULL, Made, World

TO_ISCSI = "to iSCSI storage"


def local(found: World, host: str) -> str:
    """The uuid of a host's own storage, which is called alike on every host."""
    inventory = found.view.inventory()
    (home,) = [each for each in inventory.hosts if each.name == host]
    return next(pbd.sr.uuid for pbd in home.pbds if pbd.sr is not None and pbd.sr.name == "Local storage")


def asked(found: World, text: str) -> str:
    """`@xs2` stands for that host's local storage."""
    words = text.split()
    return " ".join(local(found, word[1:]) if word.startswith("@") else word for word in words)


def storage_of(found: World, vm: str, position: str) -> str:
    """As a plain client sees it."""
    api = found.api
    for vbd in api.VM.get_VBDs(found.ref("VM", vm)):
        if api.VBD.get_userdevice(vbd) == position:
            return str(api.SR.get_name_label(api.VDI.get_SR(api.VBD.get_VDI(vbd))))
    raise AssertionError(position)


def blocked(made: Made) -> None:
    made.row("VM", "web-1")["blocked_operations"]["migrate_send"] = "the owner says no"


def tracked(made: Made) -> None:
    made.row("VDI", "shop-2 disk 0")["cbt_enabled"] = True


def reset(made: Made) -> None:
    made.row("VDI", "web-1 disk 0")["on_boot"] = "reset"


def encrypted(made: Made) -> None:
    made.row("VDI", "web-1 disk 0")["sm_config"]["key_hash"] = "…"


def unlicensed(made: Made) -> None:
    made.row("host", "xs2")["license_params"] = {"restrict_storage_xen_motion": "true"}


def without(made: Made, kind: str, *features: str) -> None:
    row = next(row for row in made.objects["SM"].values() if row["type"] == kind)
    row["features"] = {name: at for name, at in row["features"].items() if name not in features}
    row["capabilities"] = [name for name in row["capabilities"] if name not in features]


def source_cannot(made: Made) -> None:
    without(made, "nfs", "VDI_MIRROR")


def target_cannot(made: Made) -> None:
    without(made, "lvmoiscsi", "VDI_SNAPSHOT")


def full(made: Made) -> None:
    row = made.row("SR", "NFS storage")
    row["physical_utilisation"] = row["physical_size"] - (10 << 30)


def orphaned(made: Made) -> None:
    """db-1's snapshot has a copy of a disk that is gone, and there is no default storage."""
    row = made.row("VM", "before the 5.6 upgrade")
    vbd = next(vbd for vbd in made.objects["VBD"].values() if made.objects["VM"].get(vbd["VM"]) is row)
    made.objects["VDI"][vbd["VDI"]]["snapshot_of"] = NULL
    made.pool["default_SR"] = NULL
