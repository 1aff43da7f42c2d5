"""Which calls are simulated: one decorated function each, with the source of its behaviour.

A function takes the context and the call's parameters in their order, already typed, and returns the result or raises
Failure. It runs while the pool's lock is held; waiting (`context.wait`, `context.work`) lets go of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Handler:
    """`emergency`: also answered by a member that has lost its coordinator. `anywhere`: runs on the host that was
    asked, also on a member (where any other call needs a session that members do not give)."""

    name: str
    function: Callable[..., Any]
    source: str
    emergency: bool = False
    anywhere: bool = False
    only: str = ""
    """What part of the call is simulated, in words; the rest is refused with NOT_IMPLEMENTED. "" is all of it."""


@dataclass(frozen=True)
class Difference:
    """Where the sandbox knowingly differs from the toolstack. `subject` is a call, a class or a topic."""

    subject: str
    what: str
    why: str


HANDLERS: dict[str, Handler] = {}
DIFFERENCES: list[Difference] = []

RECORDED = "xapi 26.9.0 as recorded"
READ = "xapi's source (August 2026)"
BOTH = "xapi's source (August 2026), held against xapi 26.9.0 as recorded"


def call(
    *names: str, source: str = READ, emergency: bool = False, anywhere: bool = False, only: str = ""
) -> Callable[[Function], Function]:
    """Register a function as the behaviour of the named calls."""

    def register(function: Function) -> Function:
        for name in names:
            if name in HANDLERS:
                raise ValueError(f"{name} is simulated twice")
            HANDLERS[name] = Handler(name, function, source, emergency, anywhere, only)
        return function

    return register


def difference(subject: str, what: str, why: str) -> None:
    DIFFERENCES.append(Difference(subject, what, why))


difference(
    "dispatch",
    "The session is checked before the arguments' types.",
    "So it was noted of xapi 26.9.0; its source reads the other way round.",
)
difference(
    "dispatch",
    "On a member, a local session opens the calls of an emergency and reads; others are HOST_IS_SLAVE.",
    "xapi runs them there without the pool's locks; no client should.",
)
difference(
    "time",
    "Durations are plausible, not measured; operations take the same time whatever the hardware.",
    "No hypervisor and no storage is behind the lab.",
)
difference(
    "task cancel",
    "A migration that is cancelled ends cancelled.",
    "In the recording nothing was copied, so the move was over before it could be stopped.",
)
difference(
    "VM.start",
    "HVM_shadow_multiplier stays as it was set.",
    "The recording's simulated hypervisor reported 1.0 after each start; a real one reports what it was given.",
)
