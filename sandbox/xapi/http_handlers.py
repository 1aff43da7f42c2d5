"""What a host takes and gives by HTTP beside XenAPI's calls: whom it lets in, and what becomes of the client's task.

A client may name a task of its own (`task_id`) and watches that rather than the answer, so a request that ends ends it:
with success, or with what was wrong (xapi's `Xapi_http.with_context`). Only the database's dump is simulated; the other
addresses are refused, on record in the task too, so that nobody waits for ever.
"""

from __future__ import annotations

import base64
import contextlib
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.xapi import database_file
from sandbox.xapi.dispatch import check_session
from sandbox.xapi.failure import Failure, HostDown
from sandbox.xapi.http_messages import Request
from sandbox.xapi.registry import difference
from sandbox.xapi.tasks import Task

if TYPE_CHECKING:
    from sandbox.xapi.hosts import Host

# xapi's table of actions (`datamodel.ml`, 26.17). A longer path belongs to the longest of these that it begins with.
_ADDRESSES = {
    "GET": """/audit_log /blob /console /export /export_metadata /export_raw_vdi /host_backup /host_logs_download
        /host_rrd /host_rrds /pool/xmldbdump /rrd_updates /services /sr_rrd /sync_config_files /system-status /update/
        /updates /vm_rrd /vm_rrds /vncsnapshot /wlb_diagnostics /wlb_report""",
    "PUT": """/blob /bundle /host_restore /import /import_metadata /import_raw_vdi /messages /pool/xmldbdump
        /pool_patch_upload /rrd /services""",
    "CONNECT": "/console /remotecmd",
}
_KNOWN = {method: tuple(sorted(paths.split(), key=len, reverse=True)) for method, paths in _ADDRESSES.items()}

difference(
    "HTTP handlers",
    "Only GET /pool/xmldbdump is simulated: exports, imports, statistics (RRDs), logs and consoles are HTTP 500 with "
    "NOT_IMPLEMENTED and the address, and a task that was named fails with it. There is no web page.",
    "No disks, no measured figures and no screens are behind the lab.",
)
difference(
    "HTTP handlers",
    "A member answers HTTP 500 with HOST_IS_SLAVE; of the roles nothing is asked.",
    "What a member answers was not seen; only root exists.",
)


@dataclass(frozen=True)
class Visit:
    """Who asks for what: a session, or a user's name and password; "" for what is not there."""

    method: str
    path: str
    session: str
    user: str
    password: str
    task: str


def visit_of(request: Request) -> Visit:
    """`session_id` and `task_id` stand in a cookie or in the query; the cookie goes before."""
    given = dict(urllib.parse.parse_qsl(request.query))
    for cookie in request.headers.get("cookie", "").split(";"):
        name, _, value = cookie.strip().partition("=")
        given[name] = urllib.parse.unquote(value)
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    user = password = ""
    if kind.lower() == "basic":
        with contextlib.suppress(ValueError):
            user, _, password = base64.b64decode(token, validate=True).decode().partition(":")
    return Visit(request.method, request.path, given.get("session_id", ""), user, password, given.get("task_id", ""))


def serve(host: Host, visit: Visit) -> bytes | None:
    """The file that was asked for; None where nothing is.

    :raises Failure: SESSION_AUTHENTICATION_FAILED (which is HTTP 401), HOST_IS_SLAVE, NOT_IMPLEMENTED.
    :raises HostDown: the host went down before it could answer.
    """
    if not host.alive:
        raise HostDown(host.uuid)
    address = next((path for path in _KNOWN.get(visit.method, ()) if visit.path.startswith(path)), None)
    if address is None:
        return None
    with host.pool.db.lock:
        task = Task(host.pool.db, visit.task)
        try:
            _let_in(host, visit)
            if (visit.method, address) != ("GET", database_file.PATH):
                raise Failure("NOT_IMPLEMENTED", f"{visit.method} {address}")
            content = database_file.dump(host.pool)
        except Failure as failure:
            task.fail(host.pool.now(), failure)
            raise
        task.succeed(host.pool.now(), "")
        return content


def _let_in(host: Host, visit: Visit) -> None:
    """A session goes before a name. Raises Failure SESSION_AUTHENTICATION_FAILED, HOST_IS_SLAVE."""
    estate = host.pool.estate
    if visit.session:
        try:
            check_session(host, visit.session, anywhere=False)
        except Failure as failure:
            if failure.code != "SESSION_INVALID":
                raise
            raise Failure("SESSION_AUTHENTICATION_FAILED") from failure
    elif (visit.user, visit.password) != (estate.username, estate.password):
        raise Failure("SESSION_AUTHENTICATION_FAILED")
    elif not host.is_coordinator:
        raise Failure("HOST_IS_SLAVE", host.pool.coordinator.address)
