"""Which operation a VM allows now, and why not another: checks in xapi's order (source read August 2026, held
against the allowed_operations and the refusals of xapi 26.9.0 as recorded)."""

from __future__ import annotations

from sandbox.xapi.model import Model
from sandbox.xapi.rules import Error
from sandbox.xapi.store import Database
from sandbox.xapi.values import NULL, Row

HALTED, PAUSED, RUNNING, SUSPENDED = "Halted", "Paused", "Running", "Suspended"

_STATES: dict[str, tuple[str, ...]] = {
    "import": (),
    **dict.fromkeys(("changing_VCPUs", "changing_static_range", "changing_memory_limits"), (HALTED,)),
    **dict.fromkeys(
        ("changing_shadow_memory", "changing_NVRAM", "make_into_template", "provision", "start", "start_on",
         "create_vtpm", "clone", "copy"),
        (HALTED,),
    ),
    "unpause": (PAUSED,),
    **dict.fromkeys(("csvm", "resume", "resume_on"), (SUSPENDED,)),
    **dict.fromkeys(
        ("awaiting_memory_live", "call_plugin", "clean_reboot", "clean_shutdown", "changing_memory_live",
         "changing_shadow_memory_live", "changing_VCPUs_live", "data_source_op", "pause", "pool_migrate",
         "send_sysrq", "send_trigger", "snapshot_with_quiesce", "sysprep", "suspend"),
        (RUNNING,),
    ),
    "changing_dynamic_range": (HALTED, RUNNING),
    **dict.fromkeys(("create_template", "destroy", "export"), (HALTED, SUSPENDED)),
    "hard_reboot": (PAUSED, RUNNING),
    **dict.fromkeys(
        ("checkpoint", "get_boot_record", "shutdown", "hard_shutdown"), (PAUSED, SUSPENDED, RUNNING)
    ),
    "migrate_send": (HALTED, SUSPENDED, RUNNING),
    **dict.fromkeys(
        ("assert_operation_valid", "metadata_export", "power_state_reset", "revert", "reverting", "snapshot",
         "update_allowed_operations", "query_services"),
        (HALTED, PAUSED, SUSPENDED, RUNNING),
    ),
}  # fmt: skip

# Never shown in allowed_operations.
_UNLISTED = frozenset(
    ("create_template", "power_state_reset", "csvm", "get_boot_record", "send_sysrq", "send_trigger",
     "query_services", "shutdown", "call_plugin", "changing_memory_live", "awaiting_memory_live",
     "changing_memory_limits", "changing_shadow_memory_live", "changing_VCPUs", "assert_operation_valid",
     "data_source_op", "update_allowed_operations", "import", "reverting")
)  # fmt: skip

_ON_TEMPLATES = frozenset(
    ("changing_dynamic_range", "changing_static_range", "changing_memory_limits", "changing_shadow_memory",
     "changing_VCPUs", "changing_NVRAM", "clone", "copy", "export", "metadata_export", "provision")
)  # fmt: skip
_ON_SNAPSHOTS = frozenset(("revert", "clone", "copy", "export", "destroy", "hard_shutdown", "metadata_export"))
_ON_CONTROL_DOMAINS = frozenset(
    ("data_source_op", "changing_memory_live", "awaiting_memory_live", "metadata_export", "changing_dynamic_range",
     "changing_memory_limits", "changing_static_range", "start", "start_on", "changing_VCPUs", "destroy")
)  # fmt: skip
_LEAVES_HOST = frozenset(("suspend", "checkpoint", "pool_migrate", "migrate_send"))

# Which call an operation came with, where the names differ: a release without the call lacks the operation.
_CAME_WITH = {
    "create_vtpm": "VTPM.create",
    "changing_NVRAM": "VM.set_NVRAM",
    "changing_static_range": "VM.set_memory_static_range",
    "changing_dynamic_range": "VM.set_memory_dynamic_range",
    "changing_shadow_memory": "VM.set_HVM_shadow_multiplier",
    "changing_VCPUs_live": "VM.set_VCPUs_number_live",
    "make_into_template": "VM.set_is_a_template",
    "metadata_export": "VM.snapshot",
    "export": "VM.clone",
}


def listed(model: Model) -> list[str]:
    """The operations that allowed_operations can hold in a release."""
    return [
        op for op in model.enums["vm_operations"] if op not in _UNLISTED and model.knows(_CAME_WITH.get(op, f"VM.{op}"))
    ]


def true(pairs: Row, key: str) -> bool:
    return str(pairs.get(key, "")).lower() in ("1", "true")


def has_pv_drivers(guest_metrics: Row | None) -> bool:
    """xapi believes the version numbers: a major and a minor one that are numbers."""
    version = guest_metrics["PV_drivers_version"] if guest_metrics else {}
    try:
        int(version["major"]), int(version["minor"]), int(version.get("micro", -1)), int(version.get("build", -1))
    except (KeyError, ValueError):
        return False
    return True


class VmOperations:
    """The checks for one VM; its records are looked up once."""

    def __init__(self, db: Database, ref: str) -> None:
        self.db, self.ref = db, ref
        self.vm = db.get("VM", ref)
        self.metrics = db.find("VM_metrics", self.vm["metrics"])
        self.guest_metrics = db.find("VM_guest_metrics", self.vm["guest_metrics"])
        host = db.find("host", self.vm["resident_on"])
        self.is_dom0 = self.vm["is_control_domain"] and host is not None and host.get("control_domain", ref) == ref

    def allowed(self) -> list[str]:
        return [op for op in _listed_cached(self.db.model) if self.error(op, strict=True) is None]

    def error(self, op: str, strict: bool) -> Error | None:
        """The first reason against an operation. `strict` also asks for the guest's help, as allowed_operations
        does; a call that is really made is not strict."""
        return (
            self._blocked(op)
            or self._power_state(op)
            or self._concurrent(op)
            or self._template(op)
            or self._mobile(op, strict)
            or self._control_domain(op)
            or self._guest_support(op, strict)
            or self._attachments(op)
        )

    def states(self, op: str) -> tuple[str, ...]:
        found = _STATES.get(op, (HALTED, PAUSED, SUSPENDED, RUNNING))
        changing = ("changing_VCPUs", "changing_static_range", "changing_memory_limits")
        if op in changing and self.vm["is_control_domain"]:
            return (*found, RUNNING)
        if op in ("clone", "copy") and self.vm.get("is_a_snapshot"):
            return (*found, SUSPENDED)
        return found

    def _blocked(self, op: str) -> Error | None:
        reason = self.vm.get("blocked_operations", {}).get(op)
        return None if reason is None else ["OPERATION_BLOCKED", self.ref, reason]

    def _power_state(self, op: str) -> Error | None:
        states, actual = self.states(op), self.vm["power_state"]
        if actual in states:
            return None
        return ["VM_BAD_POWER_STATE", self.ref, ", ".join(states).lower(), actual.lower()]

    def _concurrent(self, op: str) -> Error | None:
        current = self.vm["current_operations"]
        if not current or _side_by_side(op, list(current.values())):
            return None
        names, refs = list(current.values()), list(current)
        if len(current) == 1:
            return ["OTHER_OPERATION_IN_PROGRESS", "VM", self.ref, names[0], refs[0]]
        return ["OTHER_OPERATION_IN_PROGRESS", "VM", self.ref, f"{{{','.join(names)}}}", f"{{{','.join(refs)}}}"]

    def _template(self, op: str) -> Error | None:
        is_snapshot = self.vm.get("is_a_snapshot", False)
        if self.vm["is_a_template"] and not is_snapshot:
            default = self.vm.get("is_default_template") or true(self.vm["other_config"], "default_template")
            mortal = op in ("destroy", "migrate_send") and not default
            if op not in _ON_TEMPLATES and not mortal:
                return ["VM_IS_TEMPLATE", self.ref, op]
        if is_snapshot and op not in _ON_SNAPSHOTS:
            return ["VM_IS_SNAPSHOT", self.ref, op]
        if op == "provision" and not self.vm["is_a_template"]:
            return ["PROVISION_ONLY_ALLOWED_ON_TEMPLATE"]
        if op == "revert" and not is_snapshot:
            return ["REVERT_ONLY_ALLOWED_ON_SNAPSHOT"]
        return None

    def _platform(self, key: str, metric: str) -> bool:
        if self.metrics is not None and metric in self.metrics:
            return bool(self.metrics[metric])
        return true(self.vm["platform"], key)

    def _mobile(self, op: str, strict: bool) -> Error | None:
        if not strict or (op not in _LEAVES_HOST and op != "changing_dynamic_range"):
            return None
        if not self.db.model.at_least("ely"):
            return None
        nested = self._platform("nested-virt", "nested_virt")
        if op == "changing_dynamic_range":
            return ["VM_IS_USING_NESTED_VIRT", self.ref] if nested else None
        if nested or self._platform("nomigrate", "nomigrate"):
            return ["VM_IS_IMMOBILE", self.ref]
        return None

    def _control_domain(self, op: str) -> Error | None:
        if op in ("changing_VCPUs", "destroy") and self.is_dom0:
            return ["OPERATION_NOT_ALLOWED", "This operation is not allowed on dom0"]
        if self.vm["is_control_domain"] and op not in _ON_CONTROL_DOMAINS:
            return ["OPERATION_NOT_ALLOWED", "This operation is not allowed on a control domain"]
        return None

    def _guest_support(self, op: str, strict: bool) -> Error | None:
        live = self.vm["power_state"] in (RUNNING, PAUSED)
        other = self.guest_metrics["other"] if self.guest_metrics else {}

        def lacks(*features: str) -> bool:
            return all(other.get(f) != "1" for f in features)

        domain_type = (self.metrics or {}).get("current_domain_type", "unspecified")
        if "current_domain_type" not in (self.metrics or {}) and live:
            # Before 7.5 a VM booted PV unless it had an HVM boot policy.
            domain_type = "hvm" if self.vm["HVM_boot_policy"] else "pv"
        helpful = not live or domain_type in ("pv", "pv_in_pvh", "pvh") or has_pv_drivers(self.guest_metrics)
        if op in _LEAVES_HOST and live:
            if "data-cant-suspend-reason" in other:
                return ["VM_NON_SUSPENDABLE", self.ref, other["data-cant-suspend-reason"]]
            return self._unhelpful() if not helpful and strict and lacks("feature-suspend") else None
        if helpful:
            return None
        if op == "clean_shutdown" and strict and lacks("feature-shutdown", "feature-poweroff"):
            return self._unhelpful()
        if op == "clean_reboot" and strict and lacks("feature-shutdown", "feature-reboot"):
            return self._unhelpful()
        if op == "changing_VCPUs_live" and lacks("feature-vcpu-hotplug"):
            return self._unhelpful()
        return None

    def _unhelpful(self) -> Error:
        return ["VM_LACKS_FEATURE" if self.db.model.at_least("dundee") else "VM_MISSING_PV_DRIVERS", self.ref]

    def _attachments(self, op: str) -> Error | None:
        if op == "snapshot_with_quiesce":
            return ["VM_SNAPSHOT_WITH_QUIESCE_NOT_SUPPORTED", self.ref]
        if op in ("checkpoint", "snapshot", "suspend", "pool_migrate") and self._resets_on_boot(op):
            return ["VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION"]
        if op in _LEAVES_HOST and self.vm.get("attached_PCIs"):
            return ["VM_HAS_PCI_ATTACHED", self.ref]
        if (
            op in _LEAVES_HOST
            and self.vm.get("VGPUs")
            and not (
                (op == "migrate_send" and self.vm["power_state"] == HALTED)
                or (op == "checkpoint" and self.vm["power_state"] == SUSPENDED)
            )
        ):
            return ["VM_HAS_VGPU", self.ref]
        if (op in _LEAVES_HOST or op == "snapshot") and self.vm.get("VUSBs"):
            return ["VM_HAS_VUSBS", self.ref]
        if op == "make_into_template":
            return self._belongs_elsewhere()
        if op == "query_services" and not true(self.vm["other_config"], "is_system_domain"):
            return ["NOT_SYSTEM_DOMAIN", self.ref]
        if op == "create_vtpm" and self.vm.get("VTPMs"):
            return ["VTPM_MAX_AMOUNT_REACHED", str(len(self.vm["VTPMs"]))]
        return None

    def _resets_on_boot(self, op: str) -> bool:
        for vbd in self.vm["VBDs"]:
            vdi = self.db.find("VDI", self.db.get("VBD", vbd)["VDI"])
            config = vdi["sm_config"] if vdi else {}
            if config.get("on_boot") == "reset" and (op != "pool_migrate" or true(config, "caching")):
                return True
        return False

    def _belongs_elsewhere(self) -> Error | None:
        for field, cls, code in (
            ("appliance", "VM_appliance", "VM_IS_PART_OF_AN_APPLIANCE"),
            ("protection_policy", "VMPP", "VM_ASSIGNED_TO_PROTECTION_POLICY"),
            ("snapshot_schedule", "VMSS", "VM_ASSIGNED_TO_SNAPSHOT_SCHEDULE"),
        ):
            owner = self.vm.get(field, NULL)
            if self.db.find(cls, owner) is not None:
                return [code, self.ref, owner]
        return None


def _side_by_side(op: str, current: list[str]) -> bool:
    """May `op` begin while the others run? (The power state is another question.)"""
    for harmless in (("clone", "copy", "export"), ("snapshot", "checkpoint"), ("get_boot_record",)):
        if op in harmless and all(c in harmless for c in current):
            return True
    if op == "hard_shutdown":
        return op not in current
    if op == "hard_reboot":
        return not {"hard_shutdown", "hard_reboot"} & set(current)
    return (current, op) in (
        (["snapshot_with_quiesce"], "snapshot"),
        (["migrate_send"], "metadata_export"),
        (["migrate_send"], "clean_shutdown"),
        (["migrate_send"], "clean_reboot"),
    )


_LISTED: dict[str, list[str]] = {}


def _listed_cached(model: Model) -> list[str]:
    if model.release not in _LISTED:
        _LISTED[model.release] = listed(model)
    return _LISTED[model.release]
