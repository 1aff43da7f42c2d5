"""The toolstack's own command line, as far as the bot's texts speak of it: which commands there are, what they take.

From xapi's table of commands (`cli_frontend.ml`), those of 6.5 for what newer versions no longer have. Facts only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

#: Name: what must be given; what may be given; `host`, `vm`: it selects by uuid= or by name (host=, vm=) as well.
_TABLE = """
bond-create: network-uuid pif-uuids; mac mode properties
bond-set-mode: uuid mode
cluster-pool-destroy: cluster-uuid
host-apply-edition: edition; host-uuid license-server-address license-server-port
host-apply-updates: hash; ; host
host-disable: ; auto-enable; host
host-emergency-ha-disable: ; force soft
host-enable: ; ; host
host-management-reconfigure: pif-uuid
host-reboot: ; ; host
host-refresh-server-certificate: host
host-reset-cpu-features: ; uuid
host-reset-server-certificate: ; ; host
host-server-certificate-install: certificate private-key; certificate-chain; host
host-set-power-on-mode: power-on-mode; power-on-config; host
host-syslog-reconfigure: host-uuid
message-destroy: ; uuid uuids
patch-apply: uuid host-uuid
pbd-create: host-uuid sr-uuid; device-config
pbd-plug: uuid
pbd-unplug: uuid
pif-plug: uuid
pif-reconfigure-ip: uuid mode; IP netmask gateway DNS
pif-scan: host-uuid
pif-set-primary-address-type: uuid primary_address_type
pool-apply-edition: edition; uuid license-server-address license-server-port
pool-certificate-sync:
pool-disable-external-auth: ; uuid config
pool-disable-redo-log:
pool-dump-database: file-name
pool-eject: host-uuid
pool-emergency-transition-to-master: ; force
pool-enable-external-auth: auth-type service-name; uuid config
pool-enable-tls-verification:
pool-ha-disable:
pool-ha-enable: ; heartbeat-sr-uuids ha-config
pool-install-ca-certificate: filename
pool-recover-slaves:
pool-restore-database: file-name; dry-run
pool-secret-rotate:
pool-uninstall-ca-certificate: name; force
pool-uninstall-trusted-certificate: certificate-uuid; uuid
pool-vlan-create: pif-uuid vlan network-uuid
sdn-controller-forget: uuid
sdn-controller-introduce: ; address protocol tcp-port
snapshot-destroy: ; uuid snapshot-uuid
snapshot-revert: ; uuid snapshot-uuid
snapshot-uninstall: ; uuid snapshot-uuid force
sr-forget: uuid
sr-scan: uuid
task-cancel: uuid
update-apply: uuid; ; host
vdi-copy: uuid; sr-uuid base-vdi-uuid into-vdi-uuid
vdi-disable-cbt: uuid
vdi-pool-migrate: uuid sr-uuid; dest-img-format
vm-cd-insert: cd-name; ; vm
vm-copy: new-name-label; new-name-description sr-uuid; vm
vm-memory-dynamic-range-set: min max; ; vm
vm-memory-limits-set: static-min static-max dynamic-min dynamic-max; ; vm
vm-migrate: ; live host host-uuid remote-master remote-username remote-password remote-network force copy compress \
vif vdi; vm
vm-shutdown: ; force; vm
vm-snapshot: new-name-label; new-name-description ignore-vdi-uuids; vm
vm-start: ; force on paused; vm
vm-uninstall: ; force; vm
vm-unpause: ; ; vm
"""
#: Class: fields that can be set or read one by one, those that the bot's texts name.
_FIELDS: Mapping[str, frozenset[str]] = {
    name: frozenset(fields.split())
    for name, fields in {
        "host": "name-label multipathing other-config ntp-mode cpu_info iscsi_iqn logging",
        "network": "MTU purpose",
        "pif": "disallow-unplug",
        "pool": "default-SR suspend-image-SR crash-dump-SR",
        "vdi": "on-boot",
        "vm": "ha-restart-priority blocked-operations VCPUs-max VCPUs-at-startup PV-bootloader snapshot-schedule"
        " has-vendor-device other-config platform",
    }.items()
}
_LISTED = {
    "certificate",
    "host",
    "network",
    "patch",
    "pbd",
    "pif",
    "pool",
    "sm",
    "snapshot",
    "sr",
    "subject",
    "task",
} | {
    "update",
    "vbd",
    "vdi",
    "vm",
}
_LINE = re.compile(r"\bxe (?P<name>[a-z]+(?:-[a-z]+)+)(?P<given>(?:[ \n]+[\w-]+(?::[\w-]+)?=(?:[\w…./:-]*))*)")
_KEY = re.compile(r"([\w-]+)(?::[\w-]+)?=")


@dataclass(frozen=True)
class Takes:
    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    selects: str = ""


def _table() -> Mapping[str, Takes]:
    table = {}
    for line in _TABLE.strip().splitlines():
        name, _, rest = line.partition(":")
        required, optional, selects = (*(part.strip() for part in rest.split(";")), "", "")[:3]
        table[name] = Takes(frozenset(required.split()), frozenset(optional.split()), selects)
    return table


COMMANDS = _table()


def lines(text: str) -> Iterator[tuple[str, frozenset[str]]]:
    """The lines of a text: (command, keys of its parameters)."""
    for found in _LINE.finditer(text):
        yield found["name"], frozenset(_KEY.findall(found["given"]))


def problem(name: str, given: frozenset[str], *, whole: bool = True) -> str:
    """Why a line cannot be typed; "" if it can. Not `whole`: its name alone is mentioned."""
    cls, _, verb = name.partition("-")
    if verb == "list" and cls in _LISTED:
        return ""
    if verb in ("param-get", "param-set", "param-remove", "param-add") and cls in _FIELDS:
        return _of_a_field(_FIELDS[cls], verb, given)
    takes = COMMANDS.get(name)
    if takes is None:
        return f"xe {name}: there is no such command"
    selectors = {"uuid", takes.selects} if takes.selects else set()
    if surplus := given - takes.required - takes.optional - selectors:
        return f"xe {name}: does not take {sorted(surplus)}"
    if whole and (missing := takes.required - given):
        return f"xe {name}: lacks {sorted(missing)}"
    if whole and selectors and not (given & (selectors - takes.required)):
        return f"xe {name}: does not say which {takes.selects}"
    return ""


def _of_a_field(fields: frozenset[str], verb: str, given: frozenset[str]) -> str:
    if "uuid" not in given:
        return f"{verb}: lacks the uuid"
    if verb != "param-set":
        return "" if {"param-name"} <= given <= {"uuid", "param-name", "param-key"} else f"{verb}: takes a param-name"
    surplus = given - {"uuid"} - fields
    return f"{verb}: there is no field {sorted(surplus)}" if surplus else ""
