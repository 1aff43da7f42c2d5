"""Rules about what runs out or is unacknowledged: certificates, licences, alerts; and who keeps the time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bot.audits.rule import Found, limited, rule
from bot.findings import worst
from bot.inventory import Certificate, Inventory, Message
from bot.model import Level
from bot.rules import alert_words
from bot.rules import alerts as alert_rules
from bot.rules.limits import Known
from bot.rules.times import moment, shown
from bot.text import plural, quoted


def _left(inventory: Inventory, until: datetime) -> timedelta:
    return until - datetime.fromtimestamp(inventory.read_at, UTC)


def _running_out(left: timedelta) -> str:
    if left < timedelta(0):
        return f"ran out {plural(-left // timedelta(days=1), 'day')} ago"
    days = left // timedelta(days=1)
    return f"runs out in {plural(days, 'day')}" if days else "runs out today"


@limited(
    "certificate.expiry",
    Level.WARN,
    title="Certificates are valid for a good while",
    why="Hosts that check certificates stop talking to a host whose own has run out; the pool breaks at that minute.",
    source="XenAPI: Certificate.not_after (8.2 and later); audits.expiry_days and audits.expiry_grave_days",
)
def certificates(inventory: Inventory, known: Known) -> Iterator[Found]:
    for certificate in inventory.all(Certificate):
        until = moment(certificate.text("not_after"))
        if until is None or _left(inventory, until) > known.limits.expiry_warning:
            continue
        left, host = _left(inventory, until), certificate.host
        kind = certificate.text("type")
        whose = f"of {quoted(host.name)}" if host is not None else f"{quoted(certificate.text('name'))} of the pool"
        yield Found(
            subject=host.id if host is not None else inventory.pool.id,
            about=f"{kind} {certificate.text('name')}".strip(),
            text=f"The {kind.replace('_', ' ') or 'host'} certificate {whose} {_running_out(left)}",
            evidence=f"valid until {until:%Y-%m-%d %H:%M} UTC",
            remedy=_renewal(kind, host.uuid if host is not None else ""),
            level=Level.BAD if left < known.limits.expiry_grave else None,
        )


def _renewal(kind: str, host_uuid: str) -> str:
    if kind == "host_internal":
        return f"xe host-refresh-server-certificate host={host_uuid}"
    if kind == "host":
        own = f"xe host-reset-server-certificate host={host_uuid}"
        given = f"xe host-server-certificate-install host={host_uuid} certificate=FILE private-key=FILE"
        return f"{given}; or one that the host makes itself: {own}"
    return "xe certificate-list shows it; install the authority's new one: xe pool-install-ca-certificate filename=FILE"


@rule(
    "tls.verification",
    Level.WARN,
    title="Hosts check each other's certificates",
    why="Without it anybody on the management network can pose as a host and read the pool's secret.",
    source="XenAPI: pool.tls_verification_enabled (8.3 and XenServer 8)",
)
def tls(inventory: Inventory) -> Iterator[Found]:
    pool = inventory.pool
    if pool.has("tls_verification_enabled") and not pool.flag("tls_verification_enabled"):
        yield Found(
            subject=pool.id,
            text="The hosts do not check each other's certificates",
            evidence="pool.tls_verification_enabled is false",
            remedy="xe pool-enable-tls-verification (one way; not while HA is on)",
        )


@limited(
    "licence.expiry",
    Level.WARN,
    title="Licences are valid for a good while",
    why="When it has run out, features stop and no VM can be started on some versions.",
    source="XenAPI: host.license_params expiry; audits.expiry_days",
)
def licence(inventory: Inventory, known: Known) -> Iterator[Found]:
    for host in inventory.hosts:
        until = moment(host.mapping("license_params").get("expiry", ""))
        if until is None or _left(inventory, until) > known.limits.expiry_warning:
            continue
        left = _left(inventory, until)
        yield Found(
            subject=host.id,
            text=f"The licence of {quoted(host.name)} {_running_out(left)}",
            evidence=f"edition {host.text('edition') or 'unknown'}, valid until {until:%Y-%m-%d}",
            remedy=f"Renew it, or choose an edition that is licensed: xe host-apply-edition host-uuid={host.uuid}"
            " edition=EDITION",
            level=Level.BAD if left < timedelta(0) else None,
        )


@rule(
    "alerts.open",
    Level.WARN,
    title="No alert waits for somebody",
    why="The pool said that something happened, and nobody has said that it is dealt with.",
    source="XenAPI: message; by priority on the version's scale, failed logins whatever their priority",
    urgent=True,
)
def alerts(inventory: Inventory) -> Iterator[Found]:
    """Alerts of one kind about one object are one finding, with their number and the newest one's time."""
    counted: dict[tuple[str, str], list[tuple[Level, Message]]] = defaultdict(list)
    for level, message in alert_rules.open_alerts(inventory):
        counted[message.name, message.about_uuid].append((level, message))
    for (name, about), graded in counted.items():
        subject = inventory.any_by_uuid(about)
        whom = f" about {quoted(subject.name)}" if subject is not None else ""
        times = f", {len(graded)} times" if len(graded) > 1 else ""
        newest = max((message for _, message in graded), key=lambda message: message.text("timestamp"))
        yield Found(
            subject=subject.id if subject is not None else inventory.pool.id,
            about=name if subject is not None else f"{name} {about}",
            text=f"Alert{whom}: {alert_words.words(newest)}{times} ({shown(newest.text('timestamp'))})",
            evidence=f"{name}, priority {newest.priority}",
            remedy=f"Once dealt with: xe message-destroy uuid={newest.uuid}" if len(graded) == 1 else "",
            level=worst(level for level, _ in graded),
        )


@rule(
    "clock.ntp",
    Level.WARN,
    title="Every host keeps its time by NTP",
    why="Clocks that wander apart break certificates, joins and the order of logs; HA suffers.",
    source="XenAPI: host.ntp_mode (26.0 and later)",
)
def ntp(inventory: Inventory) -> Iterator[Found]:
    for host in inventory.hosts:
        if host.text("ntp_mode") == "Disabled":
            yield Found(
                subject=host.id,
                text=f"{quoted(host.name)} does not keep its time by NTP",
                evidence="ntp_mode is Disabled",
                remedy="On that host: xsconsole, “Network and Management Interface”, turns NTP on.",
            )
