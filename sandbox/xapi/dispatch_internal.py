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
    """Run a call as the coordinator, with the pool's lock held; it shows as `Async.<method>` while it runs.

    Raises Failure as the call does.
    """
    host = pool.coordinator
    task = tasks.create(pool.db, f"Async.{method}", host.ref, pool.now())
    pool.tasks[task.ref] = task
    context = Context(pool.estate, pool, host, NULL, "", method, task)
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
