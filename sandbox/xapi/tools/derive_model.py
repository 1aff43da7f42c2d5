"""Make `data/model.json` from a full dump of XenAPI's data model.

    python -m sandbox.xapi.tools.derive_model DUMP.json

The packaged table keeps what a server needs to type and route a call (names, types, defaults, when something came
and went, roles) and drops every description. What follows from a field (its getter) is not written down.
"""

import argparse
import json
import pathlib
from typing import Any

TARGET = pathlib.Path(__file__).parents[1] / "data" / "model.json"

# xapi's database columns keep the name spaces that the wire names lost: `name_label` is the column `name__label`.
# Read from the declarations of the data model; `where` filters and database dumps use the column's name.
NAMESPACES = {
    "VM": ("name", "memory", "VCPUs", "actions", "PV", "HVM"),
    "VM_metrics": ("memory", "VCPUs"),
    "host": ("name", "memory", "API_version"),
    "host_metrics": ("memory",),
    "VBD": ("qos",),
    "VIF": ("qos",),
    "VBD_metrics": ("io",),
    "VIF_metrics": ("io",),
    "PIF_metrics": ("io",),
    "pool": (),
}
DEFAULT_NAMESPACES = ("name",)


def namespaced(cls: str, field: str) -> bool:
    prefix = next((p for p in NAMESPACES.get(cls, DEFAULT_NAMESPACES) if field.startswith(p + "_")), None)
    return prefix is not None and (prefix != "name" or field in ("name_label", "name_description"))


def since(thing: dict[str, Any], key: str) -> str:
    """The first release that had it, also if it was only a prototype then."""
    lifecycle = thing.get("lifecycle")
    return str(lifecycle[0].split(":", 1)[1] if lifecycle else thing[key])


def gone(thing: dict[str, Any]) -> list[str]:
    """[release that removed it] or [removed, brought back]; empty when it is still there."""
    steps = [s.split(":", 1) for s in thing.get("lifecycle", ())]
    places = [i for i, (state, _) in enumerate(steps) if state == "removed"]
    if not places:
        return []
    back = [release for state, release in steps[places[0] + 1 :] if state == "published"]
    return [steps[places[0]][1], *back[:1]]


def compact_field(field: dict[str, Any], column: bool) -> dict[str, Any]:
    out: dict[str, Any] = {
        "type": field["type"],
        "kind": field["qualifier"],
        "since": since(field, "introduced_in_release"),
    }
    if "default" in field:
        out["default"] = field["default"]
    if column:
        out["namespaced"] = True
    return out


def compact_message(message: dict[str, Any]) -> dict[str, Any]:
    defaults, introduced = message.get("param_defaults", {}), message.get("param_introduced", {})
    params: list[dict[str, Any]] = []
    for name, type_ in message["params"]:
        param: dict[str, Any] = {"name": name, "type": type_}
        if name in defaults:
            param["default"] = defaults[name]
        if name in introduced:
            param["since"] = introduced[name]
        params.append(param)
    out: dict[str, Any] = {"since": since(message, "introduced"), "role": message["roles"]}
    if params:
        out["params"] = params
    if message["result"] != "void":
        out["result"] = message["result"]
    if message["async"]:
        out["async"] = True
    if message.get("implicit"):
        out["implicit"] = message["implicit"]
    if message.get("session") is False:
        out["session"] = False
    if removed := gone(message):
        out["removed"] = removed
    return out


def getter(cls: str, field: dict[str, Any]) -> dict[str, Any]:
    """The getter that a field has unless the dump says otherwise."""
    return {
        "since": field["since"],
        "role": "read-only",
        "params": [{"name": "self", "type": f"{cls} ref"}],
        "result": field["type"],
        "implicit": "field_getter",
    }


def compact_class(name: str, cls: dict[str, Any]) -> dict[str, Any]:
    fields = {f: compact_field(v, namespaced(name, f)) for f, v in cls["fields"].items()}
    messages = {m: compact_message(v) for m, v in cls["messages"].items()}
    implied = {f for f, v in fields.items() if messages.get(f"get_{f}") == getter(name, v)}
    for field in implied:
        fields[field]["getter"] = True
        del messages[f"get_{field}"]
    out: dict[str, Any] = {"since": cls["introduced"], "fields": fields, "messages": messages}
    if cls["in_database"]:
        out["database"] = True
    if cls["gen_events"]:
        out["events"] = True
    if "create_record" in cls:
        out["create"] = {f: v["required"] for f, v in cls["create_record"].items()}
    return out


def derive(dump: dict[str, Any]) -> dict[str, Any]:
    return {
        "releases": [[code, r["api"], r["product"]] for code, r in dump["_meta"]["release_names"].items()],
        "enums": dump["enums"],
        "relations": dump["relations"],
        "classes": {name: compact_class(name, cls) for name, cls in dump["classes"].items()},
    }


def render(table: dict[str, Any]) -> str:
    """JSON with one member of a class a line, so that a change of the model reads as a change of lines."""

    def flat(value: object) -> str:
        return json.dumps(value, separators=(",", ":"))

    def block(members: dict[str, Any], indent: str) -> str:
        inner = ",\n".join(f"{indent} {flat(k)}:{flat(v)}" for k, v in members.items())
        return "{\n" + inner + "\n" + indent + "}" if members else "{}"

    lines = ["{", f'"releases":{flat(table["releases"])},', f'"relations":{flat(table["relations"])},']
    lines.append(f'"enums":{block(table["enums"], "")},')
    classes = []
    for name, cls in table["classes"].items():
        head = "".join(f"{flat(k)}:{flat(v)}," for k, v in cls.items() if k not in ("fields", "messages"))
        body = f'"fields":{block(cls["fields"], " ")},"messages":{block(cls["messages"], " ")}'
        classes.append(f"{flat(name)}:{{{head}{body}}}")
    lines.append('"classes":{\n' + ",\n".join(classes) + "}}")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dump", type=pathlib.Path)
    args = parser.parse_args()
    TARGET.write_text(render(derive(json.loads(args.dump.read_text()))))


if __name__ == "__main__":
    main()
