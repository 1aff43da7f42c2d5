"""Which operations SRs and VDIs allow (xapi's source, August 2026, held against xapi 26.9.0 as recorded)."""

from __future__ import annotations

from sandbox.xapi.rules import Error
from sandbox.xapi.rules.device_operations import Verdicts
from sandbox.xapi.store import Database
from sandbox.xapi.values import Row

SR_OPERATIONS = (
    "scan", "destroy", "forget", "plug", "unplug", "vdi_create", "vdi_destroy", "vdi_resize", "vdi_clone",
    "vdi_snapshot", "vdi_mirror", "vdi_enable_cbt", "vdi_disable_cbt", "vdi_data_destroy",
    "vdi_list_changed_blocks", "vdi_set_on_boot", "vdi_introduce", "update", "pbd_create", "pbd_destroy",
)  # fmt: skip

_SR_NEEDS = {
    "vdi_create": "VDI_CREATE",
    "vdi_destroy": "VDI_DELETE",
    "vdi_resize": "VDI_RESIZE",
    "vdi_introduce": "VDI_INTRODUCE",
    "vdi_mirror": "VDI_MIRROR",
    "vdi_enable_cbt": "VDI_CONFIG_CBT",
    "vdi_disable_cbt": "VDI_CONFIG_CBT",
    "vdi_data_destroy": "VDI_CONFIG_CBT",
    "vdi_list_changed_blocks": "VDI_CONFIG_CBT",
    "vdi_set_on_boot": "VDI_RESET_ON_BOOT",
    "update": "SR_UPDATE",
    "vdi_snapshot": "VDI_SNAPSHOT",
}

# The operations that xapi lists; newer ones are left out there, so that older servers can read the field.
VDI_LISTED = ("snapshot", "copy", "clone", "resize", "resize_online", "destroy", "update", "forget", "generate_config")
_VDI_NEEDS = {
    "snapshot": "VDI_SNAPSHOT",
    "destroy": "VDI_DELETE",
    "resize": "VDI_RESIZE",
    "update": "VDI_UPDATE",
    "resize_online": "VDI_RESIZE_ONLINE",
    "generate_config": "VDI_GENERATE_CONFIG",
    "clone": "VDI_CLONE",
    "mirror": "VDI_MIRROR",
    "enable_cbt": "VDI_CONFIG_CBT",
    "disable_cbt": "VDI_CONFIG_CBT",
    "data_destroy": "VDI_CONFIG_CBT",
    "list_changed_blocks": "VDI_CONFIG_CBT",
    "set_on_boot": "VDI_RESET_ON_BOOT",
}
_VDI_LIVE = (
    "snapshot", "resize_online", "blocked", "clone", "mirror", "enable_cbt", "disable_cbt", "data_destroy",
)  # fmt: skip
_HA_TYPES = ("ha_statefile", "redo_log")


def driver_features(db: Database, sr_type: str) -> set[str]:
    """What the storage driver of a type can do. Releases before 6.2 call them capabilities."""
    for sm in db.rows("SM").values():
        if sm["type"] == sr_type:
            return set(sm.get("features") or sm.get("capabilities", ()))
    return set()


def sr_verdicts(db: Database, ref: str) -> Verdicts:
    sr = db.get("SR", ref)
    out = Verdicts(SR_OPERATIONS)
    features = driver_features(db, sr["type"])
    if sr.get("is_tools_sr"):
        features -= {"VDI_CREATE", "VDI_DELETE"}
    out.forbid([op for op, needed in _SR_NEEDS.items() if needed not in features], "SR_OPERATION_NOT_SUPPORTED", ref)
    pbds = [db.get("PBD", pbd) for pbd in sr["PBDs"]]
    if any(p["currently_attached"] for p in pbds):
        out.forbid(("destroy", "forget"), "SR_HAS_PBD", ref)
    if not pbds:
        out.forbid(("destroy",), "SR_HAS_NO_PBDS", ref)
    if out["destroy"] is None and any(_holds_data(db.get("VDI", vdi)) for vdi in sr["VDIs"]):
        out.forbid(("destroy",), "SR_NOT_EMPTY")
    current = list(sr["current_operations"].items())
    if current:
        rest = [op for op in SR_OPERATIONS if op != "plug"]
        out.forbid(rest, "OTHER_OPERATION_IN_PROGRESS", "SR", ref, current[0][1], current[0][0])
        exclusive = next(((t, n) for t, n in current if n != "plug"), None)
        if exclusive:
            out.forbid(("plug",), "OTHER_OPERATION_IN_PROGRESS", "SR", ref, exclusive[1], exclusive[0])
    return out


def _holds_data(vdi: Row) -> bool:
    return bool(vdi["managed"]) and vdi["type"] != "rrd"


class VdiOperations:
    """The checks for one VDI; its records are looked up once."""

    def __init__(self, db: Database, ref: str) -> None:
        self.db, self.ref = db, ref
        self.vdi = db.get("VDI", ref)
        self.sr_ref = self.vdi["SR"]
        self.sr = db.get("SR", self.sr_ref)
        self.features = driver_features(db, self.sr["type"])
        vbds = [db.get("VBD", vbd) for vbd in self.vdi["VBDs"]]
        self.active = [v for v in vbds if v["currently_attached"]]
        self.busy = [v for v in vbds if v["current_operations"]]
        pool = next(iter(db.rows("pool").values()))
        self.ha_enabled = pool["ha_enabled"]
        self.ha_volume = self.vdi["type"] in _HA_TYPES

    def allowed(self) -> list[str]:
        return [op for op in VDI_LISTED if self.error(op) is None]

    def error(self, op: str) -> Error | None:
        return self._in_progress() or self._attached(op) or self._driver(op) or self._own(op)

    def _in_progress(self) -> Error | None:
        for task, name in self.vdi["current_operations"].items():
            if name != "copy":
                return ["OTHER_OPERATION_IN_PROGRESS", "VDI", self.ref, name, task]
        return None

    def _attached(self, op: str) -> Error | None:
        plugged = any(self.db.get("PBD", p)["currently_attached"] for p in self.sr["PBDs"])
        if op == "resize" and not plugged:
            return ["SR_HAS_NO_PBDS", self.sr_ref]
        in_use = self.active if op != "copy" else [v for v in self.active if v["mode"] == "RW"]
        if op not in _VDI_LIVE and in_use:
            return ["VDI_IN_USE", self.ref, op]
        if self.busy and op != "data_destroy":
            task, name = next(iter(self.busy[0]["current_operations"].items()))
            return ["OTHER_OPERATION_IN_PROGRESS", "VDI", self.ref, name, task]
        return None

    def _driver(self, op: str) -> Error | None:
        needed = _VDI_NEEDS.get(op)
        if needed and needed not in self.features:
            return ["SR_OPERATION_NOT_SUPPORTED", self.sr_ref]
        return None

    def _own(self, op: str) -> Error | None:
        if op in ("destroy", "data_destroy", "forget", "resize", "resize_online"):
            return self._losing(op)
        if op == "snapshot" and self.vdi["sharable"]:
            return ["VDI_IS_SHARABLE", self.ref]
        if op in ("snapshot", "copy") and self.vdi.get("on_boot") == "reset":
            return ["VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION"]
        if op == "snapshot" and "copy" in self.vdi["current_operations"].values():
            return ["OPERATION_NOT_ALLOWED", "Snapshot operation not allowed during copy."]
        if op == "copy" and self.ha_volume:
            text = "VDI containing HA statefile or redo log cannot be copied (check the VDI's allowed operations)."
            return ["OPERATION_NOT_ALLOWED", text]
        return None

    def _losing(self, op: str) -> Error | None:
        if op == "data_destroy":
            if not self.vdi.get("is_a_snapshot"):
                return ["OPERATION_NOT_ALLOWED", "VDI is not a snapshot: " + self.ref]
            if not self.vdi.get("cbt_enabled"):
                return ["VDI_NO_CBT_METADATA", self.ref]
        if op in ("destroy", "data_destroy"):
            if self.sr["type"] == "udev":
                return ["VDI_IS_A_PHYSICAL_DEVICE", self.ref]
            if self.sr.get("is_tools_sr"):
                return ["SR_OPERATION_NOT_SUPPORTED", self.sr_ref]
        if op not in ("resize", "resize_online") and self.vdi["type"] == "rrd":
            return ["VDI_HAS_RRDS", self.ref]
        return ["HA_IS_ENABLED"] if self.ha_enabled and self.ha_volume else None
