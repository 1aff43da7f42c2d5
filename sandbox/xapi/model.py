"""XenAPI's data model as one release of the toolstack knew it.

The table is `data/model.json` (made by `tools/derive_model.py`). `model("cream")` is the view that XenServer 6.5 SP1
had: only its classes, fields, messages and parameters.
"""

import functools
import json
import re
from dataclasses import dataclass
from importlib import resources
from typing import Any

from sandbox.xapi.values import EPOCH, NULL, Time

# The product stream named in releases ends with 8.2 (xapi 1.249); later ones are xapi versions. These product names
# mean the xapi version that this table was recorded from or that shipped with them.
_NAMED_VERSIONS = {"nile-preview": "23.18.0", "nile": "26.9.0", "orinoco": "26.17.0"}
_LAST_NAMED = "stockholm_psr"


@dataclass(frozen=True)
class Type:
    """A XenAPI type. `kind` is string, int, float, bool, datetime, ref, enum, set, map, record, option or void;
    `name` the class or enum; `of` the member types (one for set and option, key and value for map)."""

    kind: str
    name: str = ""
    of: tuple["Type", ...] = ()

    def zero(self) -> Any:
        """What the database holds for a field that says no default."""
        zeros: dict[str, Any] = {"int": 0, "float": 0.0, "bool": False, "ref": NULL, "datetime": Time(EPOCH)}
        if self.kind == "set":
            return []
        if self.kind in ("map", "record"):
            return {}
        if self.kind == "enum":
            return _table()["enums"][self.name][0]
        return zeros.get(self.kind, "")


@dataclass(frozen=True)
class Field:
    """A field of a class. `kind` is RW, RO_constructor or RO_dynamic; `column` its name in `where` filters."""

    name: str
    type: Type
    kind: str
    default: Any
    column: str


@dataclass(frozen=True)
class Param:
    name: str
    type: Type
    optional: bool
    default: Any


@dataclass(frozen=True)
class Message:
    """A call. `implicit` says which generic call it is ("" for one with behaviour of its own)."""

    cls: str
    name: str
    params: tuple[Param, ...]
    result: Type
    role: str
    asynchronous: bool
    removed: bool
    needs_session: bool
    implicit: str

    @property
    def wire_name(self) -> str:
        return f"{self.cls}.{self.name}"

    @property
    def required(self) -> int:
        return sum(not p.optional for p in self.params)


@dataclass(frozen=True)
class Class:
    name: str
    fields: dict[str, Field]
    messages: dict[str, Message]
    in_database: bool
    has_events: bool
    create: dict[str, bool]
    """Fields of the constructor's record in its order, and whether each is required."""


@dataclass(frozen=True)
class Model:
    release: str
    classes: dict[str, Class]
    enums: dict[str, tuple[str, ...]]
    relations: tuple[tuple[str, str, str, str], ...]
    """(class, field, other class, other field): the other side is derived where the first is a single reference."""

    def message(self, wire_name: str) -> Message | None:
        """The call of that name; `VM_start` is the old spelling of `VM.start` that xapi still takes."""
        cls, _, name = wire_name.partition(".")
        if not name:
            for candidate in self.classes.values():
                if wire_name.startswith(candidate.name + "_"):
                    found = candidate.messages.get(wire_name[len(candidate.name) + 1 :])
                    if found:
                        return found
            return None
        known = self.classes.get(cls)
        return known.messages.get(name) if known else None

    def at_least(self, release: str) -> bool:
        """Is this that release or a later one?"""
        return release_key(self.release) >= release_key(release)

    def knows(self, wire_name: str) -> bool:
        """Is that call there, and not removed?"""
        found = self.message(wire_name)
        return found is not None and not found.removed


_MAP = re.compile(r"\((.+) -> (.+)\) map")


@functools.cache
def parse_type(text: str) -> Type:
    """`VM ref set`, `(string -> enum vm_operations) map`, `enum vm_power_state`, … as the table writes them."""
    if text == "secretstring":
        return Type("string")
    if found := _MAP.fullmatch(text):
        return Type("map", of=(parse_type(found[1]), parse_type(found[2])))
    for suffix in ("set", "option"):
        if text.endswith(" " + suffix):
            return Type(suffix, of=(parse_type(text.removesuffix(" " + suffix)),))
    if text.startswith("enum "):
        return Type("enum", text.removeprefix("enum "))
    for suffix in ("ref", "record"):
        if text.endswith(" " + suffix):
            return Type(suffix, text.removesuffix(" " + suffix))
    return Type(text)


@functools.cache
def _table() -> dict[str, Any]:
    text = resources.files("sandbox.xapi").joinpath("data/model.json").read_text()
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def release_names() -> dict[str, str]:
    """Code name of each release → the product's name."""
    return {code: product for code, _, product in _table()["releases"]}


def api_version(release: str) -> tuple[int, int]:
    """(major, minor) of the API as that release states it in `host.API_version_*`."""
    wanted = release_key(release)
    best = max((release_key(code), api) for code, api, _ in _table()["releases"] if release_key(code) <= wanted)
    major, minor = best[1].split(".")
    return int(major), int(minor)


@functools.cache
def release_key(release: str) -> tuple[int, ...]:
    """A key that sorts releases by age. Raises ValueError for a name that is neither a release nor a version."""
    names = [code for code, _, _ in _table()["releases"]]
    release = _NAMED_VERSIONS.get(release, release)
    if release in names:
        return (0, names.index(release))
    unreleased = release.endswith("-next")
    try:
        parts = tuple(int(p) for p in release.removesuffix("-next").split("."))
    except ValueError:
        raise ValueError(f"unknown release: {release}") from None
    if parts < (1, 250):  # the 8.2 branch stayed at 1.249
        return (0, names.index(_LAST_NAMED))
    return (1, *parts, *([1] if unreleased else []))


@functools.cache
def model(release: str) -> Model:
    """The data model as `release` (a code name such as "cream", or a xapi version such as "26.9.0") knew it."""
    table, key = _table(), release_key(release)

    def there(since: str) -> bool:
        return release_key(since) <= key

    classes = {name: _class(name, raw, there) for name, raw in table["classes"].items() if there(raw["since"])}
    relations = tuple(
        (a, b, c, d)
        for a, b, c, d in table["relations"]
        if a in classes and c in classes and b in classes[a].fields and d in classes[c].fields
    )
    enums = {name: tuple(values) for name, values in table["enums"].items()}
    return Model(release, classes, enums, relations)


def _class(name: str, raw: dict[str, Any], there: Any) -> Class:
    fields = {f: _field(f, v) for f, v in raw["fields"].items() if there(v["since"])}
    messages: dict[str, Message] = {}
    for field, v in raw["fields"].items():
        if v.get("getter") and field in fields:
            getter = {
                "role": "read-only",
                "params": [{"name": "self", "type": f"{name} ref"}],
                "result": v["type"],
                "implicit": "field_getter",
            }
            messages["get_" + field] = _message(name, "get_" + field, getter, there)
    for call, v in raw["messages"].items():
        if there(v["since"]):
            messages[call] = _message(name, call, v, there)
    if raw.get("database") and "get_all_records" in messages:
        # Hidden calls that every stored class has; the dump of the data model leaves them out.
        for call, result in (
            ("get_all_where", f"{name} ref set"),
            ("get_all_records_where", f"({name} ref -> {name} record) map"),
        ):
            like = {
                "role": "read-only",
                "params": [{"name": "expr", "type": "string"}],
                "result": result,
                "implicit": call,
            }
            messages[call] = _message(name, call, like, there)
    return Class(
        name,
        fields,
        messages,
        raw.get("database", False),
        raw.get("events", False),
        {f: required for f, required in raw.get("create", {}).items() if f in fields},
    )


def _field(name: str, raw: dict[str, Any]) -> Field:
    type_ = parse_type(raw["type"])
    default = raw.get("default", type_.zero())
    if type_.kind == "float":
        default = float(default)
    if type_.kind == "datetime":
        default = Time.parse(default) if default else Time(EPOCH)
    if type_.kind == "ref" and default == "":
        default = NULL
    column = name
    if raw.get("namespaced"):
        prefix = next(p for p in ("API_version", *_PREFIXES) if name.startswith(p + "_"))
        column = f"{prefix}__{name[len(prefix) + 1 :]}"
    return Field(name, type_, raw["kind"], default, column)


_PREFIXES = ("name", "memory", "VCPUs", "actions", "PV", "HVM", "qos", "io")


def _message(cls: str, name: str, raw: dict[str, Any], there: Any) -> Message:
    removed = raw.get("removed", [])
    return Message(
        cls=cls,
        name=name,
        params=tuple(
            Param(p["name"], parse_type(p["type"]), "default" in p, p.get("default"))
            for p in raw.get("params", ())
            if there(p.get("since", "rio"))
        ),
        result=parse_type(raw.get("result", "void")),
        role=raw["role"],
        asynchronous=raw.get("async", False),
        removed=bool(removed) and there(removed[0]) and not (len(removed) > 1 and there(removed[1])),
        needs_session=raw.get("session", True),
        implicit=raw.get("implicit", ""),
    )
