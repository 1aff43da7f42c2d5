"""XenAPI's times: `20261123T03:00:00Z`, always UTC."""

from __future__ import annotations

from datetime import UTC, datetime

_FORMS = ("%Y%m%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%SZ", "%Y%m%dT%H:%M:%S")


def moment(text: str) -> datetime | None:
    """The time that a record holds; None when it is none, or the epoch, with which XenAPI says “never”."""
    for form in _FORMS:
        try:
            found = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return found if found.timestamp() > 0 else None
    return None


def shown(text: str) -> str:
    """`2026-11-23 03:00 UTC`; what it is, if it is no time."""
    found = moment(text)
    return found.strftime("%Y-%m-%d %H:%M UTC") if found else text
