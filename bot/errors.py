"""Errors for people. Whatever else is raised is a bug and is shown as a reference id with its traceback in the log.

Every message is one plain line (see :mod:`bot.text`): what is wrong, in the words of the person who reads it. The
remedy says what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that the person may have meant: a label to show, and the command text that picks it."""

    label: str
    command: str


class UserError(Exception):
    """A refusal in plain words. `evidence` are further lines that show why; `choices` are offered as buttons."""

    kind: ClassVar[str] = "error"

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        evidence: tuple[str, ...] = (),
        choices: tuple[Choice, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.evidence = evidence
        self.choices = choices


class ParseError(UserError):
    """The text is not a command. `text` is what was read and `start`–`end` the characters (of `text`) where it went
    wrong.
    """

    kind = "parse"

    def __init__(
        self, message: str, *, text: str, start: int, end: int, remedy: str = "", choices: tuple[Choice, ...] = ()
    ) -> None:
        super().__init__(message, remedy=remedy, choices=choices)
        self.text = text
        self.start = start
        self.end = max(end, start)


class NotFound(UserError):
    """A name that no object has here."""

    kind = "not found"


class Ambiguous(UserError):
    """A name that several objects have; `choices` tell them apart."""

    kind = "ambiguous"


class Refused(UserError):
    """The thing asked for cannot be done as things are (a check that failed, a state that forbids it)."""

    kind = "refused"


class Denied(UserError):
    """The policy does not let this person do this, here, now."""

    kind = "denied"


class Unavailable(UserError):
    """Something that the answer needs (a pool, Slack, the disk) cannot be reached. Nothing was changed."""

    kind = "unavailable"


class ToolstackRefusal(Refused):
    """XenAPI answered with a failure: the call was taken and refused. `code` and `params` are XenAPI's error array;
    params never reach a person unresolved.
    """

    kind = "toolstack"

    def __init__(
        self, message: str, *, code: str, params: tuple[str, ...] = (), remedy: str = "", evidence: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, remedy=remedy, evidence=evidence)
        self.code = code
        self.params = params


class OutcomeUnknown(UserError):
    """A call with effect may or may not have been taken. It is never sent again; the outcome is found by looking, or by
    a person.
    """

    kind = "unknown"
