"""Joining: what is set on a host and its pool is not told of. The member begins without it (xapi's source, August
2026: `pool.join` creates the host's record anew from some of its fields)."""

from __future__ import annotations

import shlex

from bot.inventory import Host
from bot.rules import host_power
from bot.rules.join.side import Row, Sides
from bot.text import joined, one_line, plural

_MOST = 3
_SHOWN = frozenset({"power_on_ip", "power_on_user"})
"""What of power_on_config is no secret."""
_DESTINATION = "syslog_destination"


def settings(sides: Sides) -> Row:
    host = sides.own.host
    found = [part for part in (_power(host), _tags(host), _logging(host)) if part is not None]
    lines = "; ".join(line for _, line in found)
    return Row(
        id="join.settings",
        code="",
        title="nothing that is set on it gets lost",
        subject=host.id,
        against=f"the pool is not told {', nor '.join(what for what, _ in found)}" if found else "",
        remedy=f"Set it again when it is in the pool: {lines}",
        advice=True,
    )


def _power(host: Host) -> tuple[str, str] | None:
    """Values that may be secret are left for people to fill in: a secret of the host's own database stays there."""
    mode, config = host_power.mode(host), host.mapping("power_on_config")
    if mode == host_power.OFF and not config:
        return None
    line = f"xe host-set-power-on-mode host={host.uuid} power-on-mode={_word(mode)}"
    for key, value in sorted(config.items()):
        line += f" power-on-config:{_word(key)}={_word(value) if key in _SHOWN else '…'}"
    return f"how it is switched on ({host_power.how(host) or 'power_on_config, without a power_on_mode'})", line


def _tags(host: Host) -> tuple[str, str] | None:
    tags = sorted(host.refs("tags"))
    if not tags:
        return None
    lines = [f"xe host-param-add uuid={host.uuid} param-name=tags param-key={_word(tag)}" for tag in tags[:_MOST]]
    return f"its {plural(len(tags), 'tag')} {joined(tags)}", "; ".join(lines + ["…"] * (len(tags) > _MOST))


def _logging(host: Host) -> tuple[str, str] | None:
    """host.logging: the syslog server, and where single parts of the toolstack log to."""
    logging = host.mapping("logging")
    if not logging:
        return None
    line = f"xe host-param-set uuid={host.uuid}"
    line += "".join(f" logging:{_word(key)}={_word(value)}" for key, value in sorted(logging.items()))
    where = logging.get(_DESTINATION)
    told = joined([where] if where else sorted(logging))
    return f"where it logs to ({told})", f"{line}; xe host-syslog-reconfigure host-uuid={host.uuid}"


def _word(text: str) -> str:
    """One word of a shell's line."""
    return shlex.quote(one_line(text))
