"""Tasks: what an asynchronous call leaves behind, and what a synchronous one shows while it runs.

Written in xapi's order: on success allowed_operations, finished, progress, result, status; on failure progress,
error_info, finished, status (xapi 26.9 as recorded).
"""

from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from sandbox.xapi.failure import Failure
from sandbox.xapi.model import Type
from sandbox.xapi.store import Database
from sandbox.xapi.values import EPOCH, NULL, Time

FINISHED = ("success", "failure", "cancelled")


@dataclass
class Task:
    """A running call. `cancelling` is what `task.cancel` sets and the work looks at."""

    db: Database
    ref: str
    cancelling: bool = False

    @property
    def there(self) -> bool:
        return self.db.find("task", self.ref) is not None

    def write(self, **values: Any) -> None:
        """Nothing happens when somebody destroyed the record meanwhile."""
        if self.there:
            self.db.write("task", self.ref, **values)

    def cancellable(self) -> None:
        self.write(allowed_operations=["cancel"])

    def count_cancel_points(self, number: int) -> None:
        """A debugging aid of xapi that clients see: how often the work could have been stopped."""
        if self.there:
            self.db.set_key("task", self.ref, "other_config", "debug_info:cancel_points_seen", str(number))

    def stop_if_cancelled(self) -> None:
        """Raises Failure TASK_CANCELLED when somebody asked for it."""
        if self.cancelling:
            raise Failure("TASK_CANCELLED", self.ref)

    def succeed(self, finished: Time, result: str) -> None:
        row = self.db.find("task", self.ref)
        if row is None or row["status"] != "pending":
            return
        self.write(allowed_operations=[])
        self.write(finished=finished)
        self.write(progress=1.0)
        self.write(result=result)
        self.write(status="success")
        self.sweep()

    def fail(self, finished: Time, failure: Failure) -> None:
        row = self.db.find("task", self.ref)
        if row is None or row["status"] in FINISHED:
            return
        cancelled = failure.code == "TASK_CANCELLED" and failure.description[1:] == [self.ref]
        self.write(progress=1.0)
        if not cancelled:
            self.write(error_info=failure.description, backtrace=_BACKTRACE)
        self.write(finished=finished)
        self.write(allowed_operations=[])
        self.write(status="cancelled" if cancelled else "failure")
        self.sweep()

    def sweep(self) -> None:
        """A record that its client destroyed while it was pending goes when it is done."""
        row = self.db.find("task", self.ref)
        if row is not None and "destroy" in row["current_operations"].values():
            self.db.destroy("task", self.ref)


_BACKTRACE = "(((process xapi)(filename sandbox)(line 0)))"


def create(db: Database, label: str, host: str, now: Time, description: str = "", parent: str = NULL) -> Task:
    ref = db.create(
        "task",
        {
            "name_label": label,
            "name_description": description,
            "created": now,
            "finished": Time(EPOCH),
            "status": "pending",
            "resident_on": host,
            "progress": 0.0,
            "type": "<none/>",
            "result": "",
            "backtrace": "()",
            "subtask_of": parent,
        },
    )
    return Task(db, ref)


def encode(type_: Type, value: Any) -> str:
    """A result as `task.result` holds it: one XML-RPC value; nothing for a call without result."""
    if type_.kind == "void":
        return "<value></value>"
    return f"<value>{_inner(type_, value)}</value>"


def _inner(type_: Type, value: Any) -> str:
    if isinstance(value, bool):
        return f"<boolean>{int(value)}</boolean>"
    if isinstance(value, Time):
        return f"<dateTime.iso8601>{value}</dateTime.iso8601>"
    if isinstance(value, float):
        return f"<double>{value!r}</double>"
    if isinstance(value, list):
        return "<array><data>" + "".join(encode(type_.of[0], v) for v in value) + "</data></array>"
    if isinstance(value, dict):
        member = type_.of[1] if type_.kind == "map" else Type("string")
        pairs = (f"<member><name>{escape(str(k))}</name>{encode(member, v)}</member>" for k, v in value.items())
        return "<struct>" + "".join(pairs) + "</struct>"
    return escape(str(value))
