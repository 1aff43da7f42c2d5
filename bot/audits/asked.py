"""Which audit somebody means."""

from __future__ import annotations

from collections.abc import Sequence

from bot.errors import NotFound
from bot.findings import Audited
from bot.ports import Context
from bot.text import quoted

_NONE_YET = "No audit of it has been run yet."


def meant(context: Context) -> Sequence[str]:
    """The pools to tell about: all that may be seen here, or the one that was named."""
    return [pool.name for pool in context.pools]


def one_run(typed: str | None, context: Context) -> Audited:
    """The audit with this number, or the newest one of the pools that may be seen.

    :raises NotFound: there is none, or it is of a pool that cannot be seen here.
    """
    if typed is None:
        newest = context.audits.book.audit_runs(_of_default(context), kind=None, last=1)
        if not newest:
            raise NotFound(_NONE_YET, remedy="“audit run” runs one.")
        return newest[0]
    text = typed.lstrip("#")
    found = context.audits.book.audit_run(int(text)) if text.isdecimal() and len(text) < 10 else None
    if found is None or found.run.pool not in meant(context):
        raise NotFound(f"There is no audit {quoted(typed)} here.", remedy="“audit history” lists them.")
    return found


def before_newest(context: Context) -> Audited:
    """The last audit but one that could look, of the kind and pool of the newest.

    :raises NotFound: there are not two to compare.
    """
    newest = one_run(None, context)
    book = context.audits.book
    for each in book.audit_runs([newest.run.pool], kind=newest.run.kind, last=50):
        if each.run.number < newest.run.number and not each.run.failure:
            return each
    raise NotFound(
        f"The pool {quoted(newest.run.pool)} has been audited only once: there is nothing to compare.",
        remedy=f"“audit show {newest.run.number}” tells what was found.",
    )


def _of_default(context: Context) -> Sequence[str]:
    """The pool that is meant when nobody says, where there is one."""
    try:
        return [context.pool.name]
    except RuntimeError:
        return meant(context)
