"""Calls that the toolstack makes by itself: a task, no session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.xapi import registry, tasks
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure
from sandbox.xapi.values import NULL

if TYPE_CHECKING:
    from sandbox.xapi.pool import Pool


def run(pool: Pool, method: str, *params: Any) -> Any:
    """Run a call as the coordinator, with the pool's lock held; it shows as `Async.<method>`, also when it is over.

    Raises Failure as the call does.
    """
    context, task = _begin(pool, method, f"Async.{method}")
    message = pool.model.message(method)
    assert message is not None, method
    try:
        result = registry.HANDLERS[method].function(context, *params)
    except Failure as failure:
        task.fail(pool.now(), failure)
        raise
    else:
        task.succeed(pool.now(), tasks.encode(message.result, result))
        return result
    finally:
        pool.tasks.pop(task.ref, None)


def run_in_passing(pool: Pool, method: str, *params: Any) -> None:
    """As `run`, but its task is gone when it is over."""
    context, _ = _begin(pool, method, method)
    try:
        registry.HANDLERS[method].function(context, *params)
    finally:
        context.end()


def _begin(pool: Pool, method: str, label: str) -> tuple[Context, tasks.Task]:
    host = pool.coordinator
    task = tasks.create(pool.db, label, host.ref, pool.now())
    pool.tasks[task.ref] = task
    return Context(pool.estate, pool, host, NULL, "", method, task), task
