"""Worlds as JSON files: what a running sandbox hands out, and plain databases of one pool.

Our own form is ``{"xenia-world": 1, "name", "username", "password", "flaws", "pools", "storage"}``, each pool being
``{"release", "objects", "notes"}``; ``storage`` may be left out.
A plain ``{class: {ref: record}}`` is one pool of the release that its coordinator's software names.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.xapi.model import model
from sandbox.xapi.storage import declared
from sandbox.xapi.world import PASSWORD, Lab, LabError, Objects, PoolWorld
from sandbox.xapi.worlds import releases
from sandbox.xapi.worlds.check import fits

if TYPE_CHECKING:
    from pathlib import Path

MARK = "xenia-world"
VERSION = 1


def to_json(lab_: Lab) -> dict[str, Any]:
    """The lab in our own form; :func:`from_json` gives an equal lab."""
    storage = {} if lab_.storage is None else {"storage": declared.to_json(lab_.storage)}
    return {
        MARK: VERSION,
        "name": lab_.name,
        "username": lab_.username,
        "password": lab_.password,
        "flaws": list(lab_.flaws),
        "pools": [{"release": pool.release, "notes": list(pool.notes), "objects": pool.objects} for pool in lab_.pools],
        **storage,
    }


def save(lab_: Lab, path: Path) -> None:
    """Write the lab to a file that :func:`lab` reads.  Raises OSError."""
    path.write_text(json.dumps(to_json(lab_), ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def lab(path: Path) -> Lab:
    """The lab of a world file.  Raises LabError, naming the file and what is wrong in it."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise LabError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise LabError(f"{path}: not JSON") from error
    try:
        return from_json(content, name=path.name)
    except LabError as error:
        raise LabError(f"{path}: {error}") from error


def from_json(content: object, *, name: str = "world") -> Lab:
    """A lab from either form; `name` is that of a plain database's lab.  Raises LabError for anything else."""
    if not isinstance(content, dict):
        raise LabError("a world is a JSON object")
    if MARK not in content:
        objects = _objects(content)
        release = _release(objects)
        return Lab(name, (PoolWorld(release, _typed(objects, release)),))
    if content[MARK] != VERSION:
        raise LabError(f"a world of version {content[MARK]}, but only version {VERSION} can be read")
    pools = content.get("pools")
    if not isinstance(pools, list) or not pools:
        raise LabError("a world without pools")
    return Lab(
        _text(content, "name", name),
        tuple(_pool(pool) for pool in pools),
        _text(content, "username", "root"),
        _text(content, "password", PASSWORD),
        _texts(content, "flaws"),
        _storage(content),
    )


def _storage(content: dict[str, Any]) -> declared.Storage | None:
    if "storage" not in content:
        return None
    try:
        return declared.from_json(content["storage"])
    except ValueError as error:
        raise LabError(str(error)) from error


def _pool(content: object) -> PoolWorld:
    if not isinstance(content, dict):
        raise LabError("a pool that is not a JSON object")
    objects = _objects(content.get("objects"))
    release = _text(content, "release", "") or _release(objects)
    return PoolWorld(release, _typed(objects, release), _texts(content, "notes"))


def _objects(content: object) -> Objects:
    if not isinstance(content, dict):
        raise LabError("a pool without objects")
    for cls, rows in content.items():
        if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
            raise LabError(f"{cls} is not a table of records")
    for needed in ("pool", "host"):
        if not content.get(needed):
            raise LabError(f"a pool without {needed}")
    return content


def _release(objects: Objects) -> str:
    pool = next(iter(objects["pool"].values()))
    coordinator = objects["host"].get(pool.get("master", ""))
    if coordinator is None:
        raise LabError("a pool without its coordinator")
    release = releases.of_software(coordinator.get("software_version", {}))
    if release is None:
        raise LabError("a pool whose coordinator does not say which version it runs")
    return release


def _typed(objects: Objects, release: str) -> Objects:
    """The objects, if every class and field is one of that release and of its type.  Raises LabError."""
    try:
        known = model(release)
    except ValueError as error:
        raise LabError(str(error)) from error
    for cls, rows in objects.items():
        if cls not in known.classes:
            raise LabError(f"{release} has no class {cls}")
        fields = known.classes[cls].fields
        for ref, row in rows.items():
            for name, value in row.items():
                if name not in fields:
                    raise LabError(f"{release} has no field {cls}.{name}")
                if not fits(known, fields[name].type, value):
                    raise LabError(f"{cls}.{name} of {ref} is not a {fields[name].type.kind}")
    return objects


def _text(content: dict[str, Any], key: str, default: str) -> str:
    value = content.get(key, default)
    if not isinstance(value, str):
        raise LabError(f"{key} is not a text")
    return value


def _texts(content: dict[str, Any], key: str) -> tuple[str, ...]:
    values = content.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise LabError(f"{key} is not a list of texts")
    return tuple(values)
