"""What is different between two configurations, setting by setting."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bot.config.settings import Settings


def content(settings: Settings) -> str:
    """The configuration as JSON, always the same for the same settings. Secrets are only named in it."""
    return json.dumps(settings.model_dump(mode="python"), default=_plain, sort_keys=True, separators=(",", ":"))


def changes(before: str, now: str) -> tuple[str, ...]:
    """`policy.approvals.disruptive: 1 → 0`, one for each setting that differs between two :func:`content`."""
    old, new = dict(_flat(json.loads(before))), dict(_flat(json.loads(now)))
    return tuple(
        f"{name}: {_told(old, name)} → {_told(new, name)}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def _flat(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _told(settings: Mapping[str, Any], name: str) -> str:
    return json.dumps(settings[name], ensure_ascii=False) if name in settings else "not set"


def _plain(value: object) -> object:
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)
