"""The pool's database as a file that its coordinator serves: what `xe pool-dump-database` fetches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.xapi.dispatch import check_session
from sandbox.xapi.failure import Failure, HostDown
from sandbox.xapi.registry import difference
from sandbox.xapi.worlds.export import to_xml

if TYPE_CHECKING:
    from sandbox.xapi.hosts import Host

PATH = "/pool/xmldbdump"

difference(
    "GET /pool/xmldbdump",
    "Sessions and tasks are not in it. A wrong session is HTTP 401, and a member answers HTTP 500 with HOST_IS_SLAVE.",
    "They would be gone after a restore; the refusals were not seen.",
)
difference("PUT /pool/xmldbdump", "A restore is refused with HTTP 403.", "It would end the lab's hosts as they are.")


def dump(host: Host, session: str, user: str, password: str) -> bytes:
    """The database in the dump's own XML. Raises Failure SESSION_INVALID, SESSION_AUTHENTICATION_FAILED,
    HOST_IS_SLAVE; HostDown."""
    estate = host.pool.estate
    if not host.alive:
        raise HostDown(host.uuid)
    with host.pool.db.lock:
        if user or not session:
            if (user, password) != (estate.username, estate.password):
                raise Failure("SESSION_AUTHENTICATION_FAILED", user, "Authentication failure")
            if not host.is_coordinator:
                raise Failure("HOST_IS_SLAVE", host.pool.coordinator.address)
        else:
            check_session(host, session, anywhere=False)
        world, generation = host.pool.world(), host.pool.db.generation
    return f"<?xml version='1.0'?>{to_xml(world, generation)}".encode()
