"""Joining: storage that is shared already, licences, logins and certificates."""

from __future__ import annotations

from bot.inventory import SR, Certificate
from bot.rules.join.side import Row, Side, Sides
from bot.text import joined, quoted


def shared_storage(sides: Sides) -> Row:
    srs = sides.own.inventory.shared_srs
    return Row(
        id="join.shared-storage",
        code="JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS",
        title="the host has no shared storage of its own",
        subject=sides.own.host.id,
        against=f"it has {joined(sr.name for sr in srs)}" if srs else "",
        remedy=f"On {quoted(sides.own.name)}: " + _forget(srs),
    )


def _forget(srs: tuple[SR, ...]) -> str:
    commands = [
        part
        for sr in srs[:3]
        for part in (*(f"xe pbd-unplug uuid={pbd.uuid}" for pbd in sr.pbds), f"xe sr-forget uuid={sr.uuid}")
    ]
    return "; ".join(commands) + " (what is on them is kept)"


def external_auth(sides: Sides) -> Row:
    here, there = (_auth(side) for side in (sides.own, sides.pool))
    return Row(
        id="join.external-auth",
        code="POOL_JOINING_EXTERNAL_AUTH_MISMATCH",
        title="both authenticate people in the same directory, or in none",
        subject=sides.own.host.id,
        against=f"{_told(sides.own)} on the host, {_told(sides.pool)} in the pool" if here != there else "",
        remedy="Take the host out of its own directory: xe pool-disable-external-auth; into the pool's:"
        " xe pool-enable-external-auth auth-type=AD service-name=DOMAIN config:user=… config:pass=…",
    )


def _auth(side: Side) -> tuple[str, str]:
    return side.host.text("external_auth_type"), side.host.text("external_auth_service_name").casefold()


def _told(side: Side) -> str:
    kind, service = side.host.text("external_auth_type"), side.host.text("external_auth_service_name")
    return f"{quoted(kind)} {quoted(service)}".strip() if kind else "no directory"


def editions(sides: Sides) -> Row:
    here = sides.own.host.text("edition")
    there = sorted({host.text("edition") for host in sides.pool.inventory.hosts})
    return Row(
        id="join.edition",
        code="LICENSE_HOST_POOL_MISMATCH",
        title="both have the same licence edition",
        subject=sides.own.host.id,
        against=f"{quoted(here or 'none')} on the host, {joined(each or 'none' for each in there)} in the pool"
        if there != [here]
        else "",
        remedy=f"On {quoted(sides.own.name)}: xe host-apply-edition edition={there[0] or '…'}",
    )


def tls_verification(sides: Sides) -> Row | None:
    if not sides.own.inventory.pool.has("tls_verification_enabled"):
        return None
    here, there = (side.inventory.pool.flag("tls_verification_enabled") for side in (sides.own, sides.pool))
    return Row(
        id="join.tls",
        code="POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH",
        title="certificates are verified on both, or on neither",
        subject=sides.own.host.id,
        against=f"they are {_verified(here)} on the host, and {_verified(there)} in the pool" if here != there else "",
        remedy=f"On {quoted((sides.own if there else sides.pool).name)}: xe pool-enable-tls-verification"
        " (there is no way back)",
    )


def _verified(on: bool) -> str:
    return "verified" if on else "not verified"


def ca_certificates(sides: Sides) -> Row | None:
    """The field that tells them from others came with the check (1.294, 1.320)."""
    here, there = (_authorities(side) for side in (sides.own, sides.pool))
    if not sides.own.inventory.pool.has("tls_verification_enabled"):
        return None
    clashes = sorted(name for name in here.keys() & there.keys() if here[name] != there[name])
    return Row(
        id="join.authorities",
        code="POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT",
        title="no certificate authority has two certificates",
        subject=sides.own.host.id,
        against=f"different certificates under one name: {joined(clashes)}" if clashes else "",
        remedy=f"On {quoted(sides.own.name)}: xe pool-uninstall-ca-certificate name=… for the wrong one",
    )


def _authorities(side: Side) -> dict[str, str]:
    """By name. Those that are trusted for some purposes only (26.13) have none: another check is about them."""
    return {
        each.text("name"): each.text("fingerprint_sha256") or each.text("fingerprint")
        for each in side.inventory.all(Certificate)
        if each.text("type") == "ca" and each.text("name")
    }


def trusted_certificates(sides: Sides) -> Row | None:
    """Both may trust one certificate for the same purposes, or for purposes that have nothing in common."""
    if sides.own.toolstack() < (26, 13):
        return None
    here, there = (_trusted(side) for side in (sides.own, sides.pool))
    both = [(here[each], there[each]) for each in sorted(here.keys() & there.keys())]
    clashes = [(mine, theirs) for mine, theirs in both if _overlap(_purposes(mine), _purposes(theirs))]
    told = joined(
        f"{mine.uuid} for {joined(sorted(_purposes(mine)))} (the pool: {joined(sorted(_purposes(theirs)))})"
        for mine, theirs in clashes
    )
    first = clashes[0][0].uuid if clashes else ""
    return Row(
        id="join.trusted",
        code="POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT",
        title="no certificate is trusted for other purposes than in the pool",
        subject=sides.own.host.id,
        against=f"the host trusts {told}" if clashes else "",
        remedy=f"On {quoted(sides.own.name)}: xe pool-uninstall-trusted-certificate certificate-uuid={first}",
    )


def _trusted(side: Side) -> dict[str, Certificate]:
    """By fingerprint."""
    return {
        each.text("fingerprint_sha256"): each
        for each in side.inventory.all(Certificate)
        if each.text("type") in ("ca", "pinned") and not each.text("name")
    }


def _purposes(certificate: Certificate) -> set[str]:
    return {*certificate.refs("purpose")}


def _overlap(here: set[str], there: set[str]) -> bool:
    return bool(here & there) and here != there
