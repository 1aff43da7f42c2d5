"""Tasks as objects: clients make their own, cancel and destroy any."""

from __future__ import annotations

from typing import Any

from sandbox.xapi import tasks
from sandbox.xapi.context import Context
from sandbox.xapi.registry import RECORDED, call, difference
from sandbox.xapi.store import new_ref

difference("task", "Finished tasks stay until their client destroys them.",
           "xapi reaps them after 65 minutes or beyond 200; a lab is not left alone that long.")  # fmt: skip


@call("task.create", source=RECORDED)
def create(context: Context, label: str, description: str) -> str:
    return tasks.create(context.db, label, context.host.ref, context.now(), description).ref


@call("task.destroy", source=RECORDED)
def destroy(context: Context, ref: str) -> None:
    """A pending task is only marked: its record goes when it is done."""
    if context.get("task", ref)["status"] in tasks.FINISHED:
        context.db.destroy("task", ref)
    else:
        context.db.set_key("task", ref, "current_operations", "task", "destroy")


@call("task.cancel", source=RECORDED)
def cancel(context: Context, ref: str) -> None:
    """Ask for it: the work looks now and then, and may still end well."""
    context.get("task", ref)
    dummy = f"DummyRef:|{new_ref().removeprefix('OpaqueRef:')}|task.cancel"
    context.db.write("task", ref, current_operations={dummy: "cancel"})
    running = context.pool.tasks.get(ref)
    if running is not None:
        running.cancelling = True
        context.db.changed.notify_all()


def _write_only(field: str) -> None:
    """Setters that only store: the fields of a task are read-only in the model, for clients' own tasks these set
    them all the same (also a finished one back to pending)."""

    @call(f"task.set_{field}", source=RECORDED)
    def setter(context: Context, ref: str, value: Any) -> None:
        context.db.write("task", ref, **{field: value})


for _field in ("status", "progress", "result", "error_info"):
    _write_only(_field)
