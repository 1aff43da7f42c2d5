"""Is a pool's database possible?  What a test asks of every lab before it trusts one.

Each finding is a sentence that names the object.  A database read from an old dump may well have findings (references
to objects that were gone); a lab that we build may have none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

from sandbox.xapi.model import Model, Type, model
from sandbox.xapi.values import NULL
from sandbox.xapi.world import Objects, PoolWorld, Record
from sandbox.xapi.worlds.builder import derived_fields, stored_defaults

_TIME = re.compile(r"\d{8}T\d\d:\d\d:\d\dZ")
_NO_OBJECT = (NULL, "")


def problems(world: PoolWorld) -> list[str]:
    """Everything that is wrong with the database, in a stable order; empty for a sound one."""
    known = model(world.release)
    found: list[str] = []
    for rule in (_shape, _references, _relations):
        found += rule(known, world.objects)
    if found:
        return found
    for domain_rule in _DOMAIN_RULES:
        found += domain_rule(world.objects)
    return found


def _shape(known: Model, objects: Objects) -> Iterator[str]:
    """Classes, fields and types are those of the release; every stored field is there."""
    uuids: Counter[tuple[str, str]] = Counter()
    for cls, rows in objects.items():
        if cls not in known.classes:
            yield f"{known.release} has no class {cls}"
            continue
        fields = known.classes[cls].fields
        for ref, row in rows.items():
            where = f"{cls} {row.get('name_label') or ref}"
            uuids[cls, row.get("uuid", "")] += 1
            for name in row.keys() - fields.keys():
                yield f"{where}: {known.release} has no field {name}"
            for name in stored_defaults(known.release, cls).keys() - row.keys():
                yield f"{where}: the field {name} is missing"
            for name in row.keys() & fields.keys():
                if not fits(known, fields[name].type, row[name]):
                    yield f"{where}: {name} is not a {fields[name].type.kind}"
    for (cls, uuid), count in uuids.items():
        if count > 1 or not uuid:
            yield f"{count} objects of class {cls} have the uuid {uuid!r}"


def fits(known: Model, type_: Type, value: object) -> bool:
    """Is the JSON value one of that type, its enum values among those of the data model?"""
    match type_.kind:
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, float)
        case "datetime":
            return isinstance(value, str) and _TIME.fullmatch(value) is not None
        case "enum":
            return value in known.enums[type_.name]
        case "set":
            return isinstance(value, list) and all(fits(known, type_.of[0], member) for member in value)
        case "map":
            if not isinstance(value, dict):
                return False
            keys, values = type_.of  # JSON writes every key as a string
            return all(
                isinstance(key, str) and (keys.kind != "enum" or fits(known, keys, key)) and fits(known, values, member)
                for key, member in value.items()
            )
        case _:
            return isinstance(value, str)


def _references(known: Model, objects: Objects) -> Iterator[str]:
    """Every reference leads to an object of its class."""
    for cls, name, row, target, ref in references(known, objects):
        if ref not in objects.get(target, {}):
            yield f"{cls} {row.get('name_label') or row.get('uuid')}: {name} leads to no {target}"


def references(known: Model, objects: Objects) -> Iterator[tuple[str, str, Record, str, str]]:
    """(class, field, record, class referred to, reference) of every reference that is not null."""
    for cls, rows in objects.items():
        if cls not in known.classes:
            continue
        for name, field in known.classes[cls].fields.items():
            take = _reference_taker(field.type)
            if take is None:
                continue
            target, refs_of = take
            for row in rows.values():
                for ref in refs_of(row.get(name)):
                    if ref not in _NO_OBJECT:
                        yield cls, name, row, target, ref


def _reference_taker(type_: Type) -> tuple[str, Callable[[object], list[str]]] | None:
    if type_.kind == "ref":
        return type_.name, lambda value: [value] if isinstance(value, str) else []
    if type_.kind == "set" and type_.of[0].kind == "ref":
        return type_.of[0].name, lambda value: list(value) if isinstance(value, list) else []
    if type_.kind == "map" and type_.of[1].kind == "ref":
        return type_.of[1].name, lambda value: list(value.values()) if isinstance(value, dict) else []
    return None


def _relations(known: Model, objects: Objects) -> Iterator[str]:
    """Where the derived side of a relation is given, it says the same as the other side."""
    for name, count in relation_differences(known, objects).items():
        yield f"{name} of {count} objects differs from what the other side of the relation says"


def relation_differences(known: Model, objects: Objects) -> Counter[str]:
    """Number of objects whose derived side of a relation disagrees with the other side, by class.field."""
    derived = derived_fields(known.release)
    differing: Counter[str] = Counter()
    for cls, field, other, other_field in known.relations:
        if (other, other_field) not in derived:
            continue
        members: dict[str, list[str]] = {}
        for ref, row in objects.get(cls, {}).items():
            members.setdefault(row.get(field, NULL), []).append(ref)
        for ref, row in objects.get(other, {}).items():
            if other_field in row and sorted(row[other_field]) != sorted(members.get(ref, [])):
                differing[f"{other}.{other_field}"] += 1
    return differing


def _pool_record(objects: Objects) -> Iterator[str]:
    pools = list(objects.get("pool", {}).values())
    if len(pools) != 1:
        yield f"{len(pools)} pool records"
    elif pools[0]["master"] not in objects["host"]:
        yield "the pool has no coordinator"


def _hosts(objects: Objects) -> Iterator[str]:
    management = Counter(row["host"] for row in objects.get("PIF", {}).values() if row["management"])
    dom0 = Counter(row["resident_on"] for row in objects["VM"].values() if row["is_control_domain"])
    for ref, host in objects["host"].items():
        name = host["name_label"]
        if management[ref] != 1:
            yield f"{name} has {management[ref]} management interfaces"
        if dom0[ref] != 1:
            yield f"{name} has {dom0[ref]} control domains"
        metrics = objects["host_metrics"][host["metrics"]]
        here = [row for row in objects["VM"].values() if row["resident_on"] == ref]
        used = host["memory_overhead"] + sum(row["memory_target"] + row["memory_overhead"] for row in here)
        if metrics["memory_free"] != metrics["memory_total"] - used or metrics["memory_free"] < 0:
            yield f"{name}'s free memory is not what its domains leave"


def _interfaces(objects: Objects) -> Iterator[str]:
    pifs = objects.get("PIF", {})
    for key, count in Counter((row["host"], row["device"], row["VLAN"]) for row in pifs.values()).items():
        if count > 1:
            yield f"{objects['host'][key[0]]['name_label']} has {count} interfaces {key[1]}"
    for row in pifs.values():
        host = objects["host"][row["host"]]
        if row["management"] and row["ip_configuration_mode"] == "Static" and row["IP"] != host["address"]:
            yield f"{host['name_label']}'s address is not that of its management interface"
    macs = Counter(row["MAC"] for row in pifs.values() if row["physical"])
    macs += Counter(row["MAC"] for row in objects.get("VIF", {}).values() if not _of_snapshot(objects, row))
    for mac, count in macs.items():
        if count > 1:
            yield f"{count} interfaces have the MAC address {mac}"
    for bond in objects.get("Bond", {}).values():
        members = [row for row in pifs.values() if row["bond_slave_of"] != NULL]
        hosts = {row["host"] for row in members if objects["Bond"][row["bond_slave_of"]] is bond}
        if hosts != {pifs[bond["master"]]["host"]}:
            yield "a bond's members are not on the host of the bond"


def _of_snapshot(objects: Objects, row: Record) -> bool:
    return bool(objects["VM"][row["VM"]]["is_a_snapshot"])


def _storage(objects: Objects) -> Iterator[str]:
    srs = objects.get("SR", {})
    connected = Counter((row["SR"], row["host"]) for row in objects.get("PBD", {}).values())
    for (sr, host), count in connected.items():
        if count > 1:
            yield f"{objects['host'][host]['name_label']} has {count} PBDs for {srs[sr]['name_label']}"
    for ref, sr in srs.items():
        hosts = {host for repository, host in connected if repository == ref}
        if not sr["shared"] and len(hosts) > 1:
            yield f"the unshared SR {sr['name_label']} has {len(hosts)} PBDs"
        if sr["content_type"] == "user" and sr["physical_utilisation"] > sr["physical_size"]:
            yield f"{sr['name_label']} holds more than its size"


def _machines(objects: Objects) -> Iterator[str]:
    attached = {(row["SR"], row["host"]) for row in objects.get("PBD", {}).values() if row["currently_attached"]}
    reachable = {(row["network"], row["host"]) for row in objects.get("PIF", {}).values()}
    physical = {network for network, _ in reachable}
    for vm in objects["VM"].values():
        running = vm["power_state"] in ("Running", "Paused")
        if running != (vm["resident_on"] != NULL) or running != (vm["domid"] >= 0):
            yield f"{vm['name_label']} is {vm['power_state']}, but its host or domain says otherwise"
        if (vm["power_state"] == "Suspended") != (vm["suspend_VDI"] != NULL):
            yield f"{vm['name_label']} is {vm['power_state']}, but its suspend image says otherwise"
        if vm["is_a_snapshot"] and not vm["is_a_template"]:
            yield f"the snapshot {vm['name_label']} is not a template"
        limits = [vm[f"memory_{limit}"] for limit in ("static_min", "dynamic_min", "dynamic_max", "static_max")]
        if limits != sorted(limits):
            yield f"{vm['name_label']}'s memory limits are out of order"
    positions: Counter[tuple[str, str]] = Counter()
    for vbd in objects.get("VBD", {}).values():
        vm = objects["VM"][vbd["VM"]]
        positions[vm["uuid"], vbd["userdevice"]] += 1
        if vbd["empty"] != (vbd["VDI"] == NULL):
            yield f"a drive of {vm['name_label']} is both empty and full"
        if vbd["currently_attached"] != (vm["resident_on"] != NULL):
            yield f"a drive of {vm['name_label']} is not as attached as the VM is running"
        if vm["resident_on"] != NULL and not vbd["empty"]:
            sr = objects["VDI"][vbd["VDI"]]["SR"]
            if (sr, vm["resident_on"]) not in attached:
                yield f"{vm['name_label']} runs where its disk on {objects['SR'][sr]['name_label']} is not attached"
    for (uuid, position), count in positions.items():
        if count > 1:
            yield f"the VM {uuid} has {count} drives at position {position}"
    for vif in objects.get("VIF", {}).values():
        vm = objects["VM"][vif["VM"]]
        network = vif["network"]
        if vm["resident_on"] != NULL and network in physical and (network, vm["resident_on"]) not in reachable:
            yield f"{vm['name_label']} runs where its network is not"


def _alerts(objects: Objects) -> Iterator[str]:
    tables = {"Host": "host", "Pool": "pool"}
    for message in objects.get("message", {}).values():
        cls = str(message["cls"])
        rows = objects.get(tables.get(cls, cls), {})
        if message["obj_uuid"] not in {row["uuid"] for row in rows.values()}:
            yield f"the alert {message['name']} is about no object"
        if not 1 <= message["priority"] <= 5:
            yield f"the alert {message['name']} has the priority {message['priority']}"


_DOMAIN_RULES: tuple[Callable[[Objects], Iterator[str]], ...] = (
    _pool_record,
    _hosts,
    _interfaces,
    _storage,
    _machines,
    _alerts,
)
