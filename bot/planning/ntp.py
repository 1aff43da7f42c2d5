"""Plans and answers about what sets hosts' clocks, shared by `host ntp` and `pool ntp`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bot.errors import Refused, ToolstackRefusal, Unavailable
from bot.inventory import Host
from bot.model import (
    Cell,
    Expect,
    Finding,
    Level,
    Line,
    Lines,
    Object,
    ObjectId,
    Part,
    PoolTarget,
    Report,
    Step,
    Suggestion,
    Table,
    Value,
    Verdict,
)
from bot.ports import Context, PoolView
from bot.rules import ntp
from bot.rules.hosts import alive
from bot.text import joined, one_line, quoted

LIMIT_SECONDS = 120
SYNC_SECONDS = 300
"""How long a host may take to follow its new servers: chrony asks each several times first."""


def servers(typed: str) -> tuple[str, ...]:
    """The servers that were named, by spaces or commas, each once.

    :raises Refused: one is no address or host name.
    """
    found = tuple(dict.fromkeys(typed.replace(",", " ").split()))
    for each in found:
        if not ntp.is_server(each):
            raise Refused(
                f"{quoted(one_line(each, 80))} is no address or host name. Nothing was changed.",
                remedy="Name the servers one after the other: servers 10.0.0.1 ntp.example.org",
            )
    if not 1 <= len(found) <= ntp.MOST:
        raise Refused(f"Between 1 and {ntp.MOST} servers can be named, not {len(found)}. Nothing was changed.")
    return found


def set_already(host: Host, wanted: tuple[str, ...]) -> bool:
    return host.text(ntp.MODE) == ntp.CUSTOM and tuple(host.refs(ntp.SERVERS)) == wanted


def steps(hosts: Sequence[Host], wanted: tuple[str, ...], pool_uuid: str) -> Iterator[Step]:
    """First the servers, then the mode; then each host has to say that it follows one. If one does not, all go back."""
    for host in hosts:
        before = tuple(host.refs(ntp.SERVERS))
        if before != wanted:
            named = _call(host, pool_uuid, "host.set_ntp_custom_servers", ntp.SERVERS, wanted, joined(wanted))
            # An empty list is refused while it counts; then the mode is taken back first.
            back = _call(host, pool_uuid, "host.set_ntp_custom_servers", ntp.SERVERS, before, joined(before) or "none")
            yield _with_undo(named, back)
        mode = host.text(ntp.MODE)
        if mode != ntp.CUSTOM:
            chosen = _call(host, pool_uuid, "host.set_ntp_mode", ntp.MODE, ntp.CUSTOM, ntp.CUSTOM)
            yield _with_undo(chosen, _call(host, pool_uuid, "host.set_ntp_mode", ntp.MODE, mode, mode))
    for host in hosts:
        yield Step(
            title=f"Wait until {quoted(host.name)} follows one of them",
            target=PoolTarget(pool_uuid),
            expect=(Expect(object=host.id, field="ntp_synchronized", equals=Value(True)),),
            limit_seconds=SYNC_SECONDS,
        )


def _call(host: Host, pool_uuid: str, call: str, field: str, value: str | tuple[str, ...], told: str) -> Step:
    what = "the NTP servers" if field == ntp.SERVERS else "the NTP mode"
    return Step(
        title=f"Set {what} of {quoted(host.name)} to {told}",
        target=PoolTarget(pool_uuid),
        call=call,
        arguments=(Object(host.id), Value(value)),
        asynchronous=False,
        expect=(Expect(object=host.id, field=field, equals=Value(value)),),
        limit_seconds=LIMIT_SECONDS,
    )


def _with_undo(step: Step, back: Step) -> Step:
    return replace(step, undo=(back,))


def findings(hosts: Sequence[Host], wanted: tuple[str, ...], pool: ObjectId) -> Iterator[Finding]:
    for host in hosts:
        yield alive(host, "Look at the host itself first.").finding(host.id)
    enough = len(wanted) != 2
    yield Finding(
        id="ntp.servers",
        verdict=Verdict.PASS if enough else Verdict.WARN,
        subject=pool,
        title="a wrong server can be told from a right one" if len(wanted) > 2 else f"{len(wanted)} server(s)",
        evidence="" if enough else "of two that disagree nobody knows which is right",
        remedy="" if enough else "Name one, three or more.",
    )


# --- answers ----------------------------------------------------------------------------------------------------------


def shown(hosts: Sequence[Host], context: Context, title: str) -> Report:
    """What sets these hosts' clocks, as far as the pool knows."""
    told = [host for host in hosts if ntp.settable(host)]
    rows: list[tuple[Cell, ...]] = []
    for host in told:
        synchronised, status = _asked(host, context.pool)
        mode = host.text(ntp.MODE)
        mark = Level.WARN if mode == "Disabled" else Level.NONE
        lead = (Cell(host.name), Cell(ntp.MODES.get(mode, mode), mark), synchronised)
        rows += [(*lead, server, state) for server, state in status] or [(*lead, Cell("none"), Cell(""))]
    parts: list[Part] = []
    if rows:
        parts.append(Table(columns=("Host", "Set by", "In step", "Server", "State"), rows=tuple(rows)))
    older = [host for host in hosts if not ntp.settable(host)]
    if older:
        lines = tuple(Line(text=f"On {quoted(host.name)}: {ntp.look(host)}") for host in older)
        parts.append(Lines(heading="This version's pool does not know; the host itself does", lines=lines))
    return Report(
        title=title,
        parts=tuple(parts),
        suggestions=(Suggestion("Measure the clocks", f"audit run clock in {quoted(context.pool.name)}"),),
    )


def _asked(host: Host, pool: PoolView) -> tuple[Cell, list[tuple[Cell, Cell]]]:
    """What the host itself says; a host that does not answer is told as such."""
    try:
        follows = bool(pool.ask("host.get_ntp_synchronized", Object(host.id)))
        status: Mapping[str, str] = pool.ask("host.get_ntp_servers_status", Object(host.id))
    except (ToolstackRefusal, Unavailable) as error:
        configured = [(Cell(server), Cell("not known")) for server in host.refs(ntp.SERVERS)]
        return Cell(f"not known: {error.message}", Level.WARN), configured
    words = [(server, ntp.STATUS.get(state, (state, Level.NONE))) for server, state in sorted(status.items())]
    return (
        Cell("yes", Level.OK) if follows else Cell("no", Level.WARN),
        [(Cell(server), Cell(told, level)) for server, (told, level) in words],
    )


def by_hand(hosts: Sequence[Host], wanted: tuple[str, ...], title: str) -> Report:
    """Exactly what to type, where the pool cannot be told."""
    parts = tuple(
        Lines(
            heading=f"On {quoted(host.name)}, as root",
            lines=tuple(Line(text=line) for line in ntp.by_hand(host, wanted)),
        )
        for host in hosts
    )
    return Report(
        title=title,
        level=Level.INFO,
        summary="This version's pool cannot be told; nothing was changed. The last line shows whether it works.",
        parts=parts,
    )


def facts(hosts: Sequence[Host]) -> tuple[tuple[str, str], ...]:
    """What the decision rests on: how it is set now."""
    return tuple((f"{quoted(host.name)} is set by", _now(host)) for host in hosts)


def _now(host: Host) -> str:
    mode, own = host.text(ntp.MODE), host.refs(ntp.SERVERS)
    return f"{ntp.MODES.get(mode, mode)}: {joined(own)}" if mode == ntp.CUSTOM else ntp.MODES.get(mode, mode)


def back(host: Host, command: str) -> str:
    """How to take it back. :param command: of a host whose servers are its own, the command without them."""
    if host.text(ntp.MODE) == ntp.CUSTOM:
        return f"{command} servers {' '.join(host.refs(ntp.SERVERS))}"
    return f"xe host-param-set uuid={host.uuid} ntp-mode={host.text(ntp.MODE)}"
