"""From a method's name and wire values to an answer, in xapi's order of checks.

Emergency mode; number of arguments; session; unknown or removed method; argument types; role; asynchronous mode; the
call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sandbox.xapi import accounts, calls, generic, marshal, registry, tasks
from sandbox.xapi.context import Context
from sandbox.xapi.failure import Failure, HostDown, ocaml_failure
from sandbox.xapi.model import Message, Model
from sandbox.xapi.values import NULL, Time

if TYPE_CHECKING:
    from sandbox.xapi.estate import Estate
    from sandbox.xapi.hosts import Host

calls.load()

_BEGIN = 1.0
"""Seconds, really, that an asynchronous call waits for its thread to begin."""
_ASYNC = ("Async.", "InternalAsync.")
# Classes whose calls never make a task (xapi's data model): asked for asynchronously, they answer with a reference of
# nothing, and nobody learns what became of them.
_NO_TASKS = ("event", "task")

# What reads the database alone: a member asks its coordinator for it.
_READS = frozenset(
    {"field_getter", "get_record", "get_all", "get_all_records", "get_by_uuid", "get_by_label", "get_all_where"}
    | {"get_all_records_where"}
)

Work = Callable[[Context], Any]


def answer(estate: Estate, host: Host, method: str, params: Sequence[Any], originator: str) -> Any:
    """Raises Failure as xapi would; HostDown when the host goes down before it has answered."""
    if method == "system.listMethods":
        return list_methods(host.pool.model)
    with host.pool.db.lock:
        _still_there(host)
        try:
            result = _answer(estate, host, method, list(params), originator)
        except (Failure, HostDown):
            _still_there(host)
            raise
        except Exception as bug:
            raise _internal(estate, bug) from bug
        _still_there(host)
        return result


def _internal(estate: Estate, bug: Exception) -> Failure:
    """The sandbox's own mistake, kept for the tests to see."""
    estate.bugs.append(bug)
    return Failure("INTERNAL_ERROR", f"{type(bug).__name__}: {bug}")


def list_methods(model: Model) -> list[str]:
    return [f"{cls.name}.{name}" for cls in model.classes.values() for name in cls.messages]


def is_simulated(message: Message) -> bool:
    """Is there behaviour behind a call that the release has?"""
    return message.wire_name in registry.HANDLERS or generic.behaviour(message) is not None


def _still_there(host: Host) -> None:
    if not host.alive:
        raise HostDown(host.uuid)


def _answer(estate: Estate, host: Host, method: str, params: list[Any], originator: str) -> Any:
    prefix = next((p for p in _ASYNC if method.startswith(p)), "")
    name = method.removeprefix(prefix)
    known = host.pool.model.message(name)
    wire_name = known.wire_name if known else name
    handler = registry.HANDLERS.get(wire_name)
    if host.in_emergency(estate.time.now()) and not (handler and handler.emergency):
        raise Failure(*host.emergency_reason)
    if known is None:
        return _unknown(host, name, params)
    _count(known, params)
    anywhere = bool(handler and handler.anywhere) or known.implicit in _READS
    session = check_session(host, params[0], anywhere) if known.needs_session else NULL
    if known.implicit in _READS and not host.pool.coordinator.alive:
        raise HostDown(host.uuid)  # the member's toolstack starts anew when the database does not answer
    if known.removed:
        raise Failure("MESSAGE_REMOVED")
    arguments = _arguments(known, params[1:] if known.needs_session else params, host.pool.model)
    accounts.check(host.pool, session, wire_name)
    if prefix and not known.asynchronous:
        raise Failure("Fault", f"No async mode for this operation (rpc: {wire_name})")
    work = _work(known, arguments)
    context = Context(estate, host.pool, host, session, originator, wire_name)
    makes_task = known.asynchronous and known.cls not in _NO_TASKS
    if makes_task:
        context.task = tasks.create(context.db, prefix + wire_name, host.ref, context.now())
        context.pool.tasks[context.task.ref] = context.task
    if prefix:
        begun = threading.Event()
        threading.Thread(target=_in_task, args=(context, known, work, begun), daemon=True).start()
        # Answer when the work waits for the first time or is done, so that a client sees its effects in order.
        context.db.changed.wait_for(begun.is_set, _BEGIN)
        return context.task_ref
    try:
        return work(context)
    finally:
        if context.task:
            context.pool.tasks.pop(context.task.ref, None)
            if context.task.there:
                context.db.destroy("task", context.task.ref)


def _unknown(host: Host, name: str, params: list[Any]) -> Any:
    if name.startswith("system.isAlive:") and params:
        return params[0]
    if params:
        check_session(host, params[0], anywhere=False)
    raise Failure("MESSAGE_METHOD_UNKNOWN", name)


def _count(message: Message, params: list[Any]) -> None:
    given = len(params) - (1 if message.needs_session else 0)
    optional = any(p.optional for p in message.params)
    if given < message.required or (given > message.required and not optional):
        raise Failure("MESSAGE_PARAMETER_COUNT_MISMATCH", message.wire_name, message.required, given)


def check_session(host: Host, given: Any, anywhere: bool) -> str:
    """The session's reference, which must be this host's own or the pool's; of a member's own sessions `anywhere` says
    whether they suffice.

    :raises Failure: SESSION_INVALID; HOST_IS_SLAVE when a member is asked for something that only its coordinator does.
    """
    if not isinstance(given, str):
        raise ocaml_failure(f"Expected string, got '{marshal.show(given)}'")
    if given in host.local_sessions:
        if anywhere or host.is_coordinator:
            return given
        raise Failure("HOST_IS_SLAVE", host.pool.coordinator.address)
    row = host.pool.db.find("session", given) if host.pool.coordinator.alive else None
    if row is None and host.is_coordinator:
        raise Failure("SESSION_INVALID", given)
    if not host.is_coordinator:
        raise Failure(*(("HOST_IS_SLAVE", host.pool.coordinator.address) if row else ("SESSION_INVALID", given)))
    return given


def _arguments(message: Message, given: list[Any], model: Model) -> list[Any]:
    if message.implicit == "create":
        return [marshal.read(message.params[0].type, given[0], model)]
    out = []
    for index, param in enumerate(message.params):
        if index < len(given):
            out.append(marshal.read(param.type, given[index], model))
        else:
            default = param.default
            out.append(Time.parse(default) if param.type.kind == "datetime" else default)
    return out


def _work(message: Message, arguments: list[Any]) -> Work:
    handler = registry.HANDLERS.get(message.wire_name)
    if handler:
        function = handler.function
        return lambda context: function(context, *arguments)
    plain = generic.behaviour(message)
    if plain:
        return lambda context: plain(context, *arguments)

    def refuse(context: Context) -> Any:
        raise Failure("NOT_IMPLEMENTED", context.method)

    return refuse


def _in_task(context: Context, message: Message, work: Work, begun: threading.Event) -> None:
    with context.db.lock:
        begun.set()
        context.db.changed.notify_all()
        try:
            result = tasks.encode(message.result, work(context))
        except HostDown:
            return  # with its coordinator's toolstack the task is gone
        except Failure as failure:
            _end(context, failure)
        except Exception as bug:  # noqa: BLE001 - a task must end, as in xapi: with INTERNAL_ERROR
            _end(context, _internal(context.estate, bug))
        else:
            _end(context, result)
        finally:
            if context.task is not None:
                context.pool.tasks.pop(context.task.ref, None)


def _end(context: Context, outcome: str | Failure) -> None:
    if context.task is None:
        return
    if isinstance(outcome, Failure):
        context.task.fail(context.now(), outcome)
    else:
        context.task.succeed(context.now(), outcome)
