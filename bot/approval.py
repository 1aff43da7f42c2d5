"""The states of a request and the one table that says which may follow which. Pure: who decides, and when, is the
engine's.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.model import State

S = State


@dataclass(frozen=True, slots=True)
class Transition:
    """One permitted change of state and what causes it."""

    frm: State
    to: State
    cause: str


TRANSITIONS: tuple[Transition, ...] = (
    Transition(S.ASKED, S.WAITING, "the policy wants approval"),
    Transition(S.ASKED, S.APPROVED, "the policy allows it"),
    Transition(S.WAITING, S.APPROVED, "enough people approved"),
    Transition(S.WAITING, S.REJECTED, "somebody rejected"),
    Transition(S.WAITING, S.EXPIRED, "nobody decided in time"),
    Transition(S.WAITING, S.WITHDRAWN, "the requester took it back"),
    Transition(S.APPROVED, S.RUNNING, "planned again, and the same"),
    Transition(S.APPROVED, S.STALE, "planned again, and something else"),
    Transition(S.APPROVED, S.QUEUED, "something else holds what it touches, or the pool is away"),
    Transition(S.APPROVED, S.WAITING, "an approval does not count any more"),
    Transition(S.APPROVED, S.WITHDRAWN, "the requester took it back"),
    Transition(S.APPROVED, S.EXPIRED, "nothing ran it in time, or who asked may not any more"),
    Transition(S.APPROVED, S.FAILED, "the bot itself failed, before anything was sent"),
    Transition(S.QUEUED, S.FAILED, "the bot itself failed, before anything was sent"),
    Transition(S.QUEUED, S.RUNNING, "planned again, and the same"),
    Transition(S.QUEUED, S.STALE, "planned again, and something else"),
    Transition(S.QUEUED, S.WAITING, "an approval does not count any more"),
    Transition(S.QUEUED, S.EXPIRED, "waited too long, or who asked may not any more"),
    Transition(S.QUEUED, S.WITHDRAWN, "the requester took it back"),
    Transition(S.RUNNING, S.SUCCEEDED, "done, and verified"),
    Transition(S.RUNNING, S.FAILED, "a call was refused"),
    Transition(S.RUNNING, S.UNKNOWN, "the outcome cannot be found"),
    Transition(S.RUNNING, S.CANCELLING, "somebody cancelled"),
    Transition(S.RUNNING, S.CANCELLED, "cancelled from outside"),
    Transition(S.RUNNING, S.UNDOING, "a later call was refused"),
    Transition(S.CANCELLING, S.CANCELLED, "the pool cancelled it"),
    Transition(S.CANCELLING, S.SUCCEEDED, "it was done before the cancel came"),
    Transition(S.CANCELLING, S.FAILED, "a call was refused"),
    Transition(S.CANCELLING, S.UNKNOWN, "the outcome cannot be found"),
    Transition(S.CANCELLING, S.UNDOING, "cancelled after a first call"),
    Transition(S.UNDOING, S.FAILED, "what was done is undone, or said"),
    Transition(S.UNDOING, S.CANCELLED, "cancelled, and what was done is undone"),
    Transition(S.UNDOING, S.UNKNOWN, "the outcome cannot be found"),
    Transition(S.WAITING, S.UNKNOWN, "the database was restored from a copy"),
    Transition(S.APPROVED, S.UNKNOWN, "the database was restored from a copy"),
    Transition(S.QUEUED, S.UNKNOWN, "the database was restored from a copy"),
    Transition(S.UNKNOWN, S.SUCCEEDED, "a person settled it, with evidence"),
    Transition(S.UNKNOWN, S.FAILED, "a person settled it, with evidence"),
)

_ALLOWED = frozenset((each.frm, each.to) for each in TRANSITIONS)

END_STATES = frozenset({S.SUCCEEDED, S.FAILED, S.CANCELLED, S.REJECTED, S.EXPIRED, S.WITHDRAWN, S.STALE})
"""Nothing follows these by itself. UNKNOWN is not among them: a person must settle it."""

ACTIVE_STATES = (S.RUNNING, S.CANCELLING, S.UNDOING)
"""A call with effect may be on its way."""
HOLDING_STATES = (*ACTIVE_STATES, S.UNKNOWN)
"""What the request touches stays locked, however old its lease: the pool may still be at it."""


def check(frm: State, to: State) -> None:
    """:raises ValueError: the table has no such transition (a bug, never a person's doing)."""
    if (frm, to) not in _ALLOWED:
        raise ValueError(f"a request cannot go from {frm} to {to}")


def followers(state: State) -> tuple[State, ...]:
    return tuple(each.to for each in TRANSITIONS if each.frm is state)


def diagram() -> str:
    """The table as a Mermaid state diagram, for the documentation. A cause holds neither `:` nor `;`: a label ends
    there.
    """
    lines = ["stateDiagram-v2", f"    [*] --> {_node(S.ASKED)}"]
    lines += [f'    state "{state.said}" as {_node(state)}' for state in State]
    lines += [f"    {_node(each.frm)} --> {_node(each.to)}: {each.cause}" for each in TRANSITIONS]
    lines += [f"    {_node(state)} --> [*]" for state in State if state in END_STATES]
    return "\n".join(lines) + "\n"


def _node(state: State) -> str:
    return state.name.lower()
