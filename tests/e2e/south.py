"""A VM of the pool north that goes to the pool south: what is asked and sent, and where it is."""

from __future__ import annotations

from tests.e2e.conftest import Town

MOVE = "vm migrate web-7 to pool south in north"
SEND, RECEIVE = "Async.VM.migrate_send", "host.migrate_receive"


def where(place: Town, vm: str = "web-7", coordinators: tuple[str, str] = ("n1", "s1")) -> dict[str, str]:
    """By coordinator, the host on which a plain client sees the VM; "" where it does not run."""
    found = {}
    for host in coordinators:
        api = place.xenapi(host)
        for ref in api.VM.get_by_name_label(vm):
            if not api.VM.get_is_a_snapshot(ref):
                home = api.VM.get_resident_on(ref)
                found[host] = "" if "NULL" in home else str(api.host.get_name_label(home))
    return found
