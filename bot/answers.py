"""What the engine is asked, and what it answers: values between the engine and whatever faces people (Slack, the
terminal).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bot.errors import Choice, ParseError, UserError
from bot.model import Actor, Ballot, Place, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A command as somebody typed it (or pressed a button that types it)."""

    text: str
    actor: Actor
    place: Place
    delivery_key: str = ""
    """What is equal when the same delivery comes twice (a trigger or envelope id); "" where that cannot happen."""
    cannot_post: str = ""
    """Why the bot cannot post in this place, in words for the person; "" when it can."""
    code: str = field(default="", repr=False)
    """The person's one-time code, where it is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteAsk:
    """A press of Approve or Reject. `digest` is of the plan on the message that was pressed."""

    request_id: str
    ballot: Ballot
    digest: str
    actor: Actor
    place: Place
    reason: str = ""
    typed: str = ""
    """The object's name, where the policy wants it typed."""
    code: str = field(default="", repr=False)
    """The person's one-time code, where it is needed."""
    delivery_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One argument of a command, to be filled in. `object_class` names what can be picked ("VM", "host", "pool", …), ""
    for text.
    """

    name: str
    label: str
    object_class: str
    required: bool
    flag: bool = False
    value: str = ""
    """What is already known: typed, or the label of what was picked."""
    hint: str = ""
    """How it is written, with an example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A command whose arguments are incomplete."""

    command: str
    title: str
    summary: str
    fields: tuple[FormField, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A report, for the person who asked. `refused`: it says why a change cannot be made."""

    report: Report
    refused: bool = False
    kind: Literal["shown"] = "shown"


@dataclass(frozen=True, slots=True)
class Opened:
    """A request was opened (or, with `existing`, one that asks the same was already open); its card is on its way to
    `place`.
    """

    request_id: str
    place: Place
    title: str
    existing: bool = False
    elsewhere: str = ""
    """Why the card is not where the person asked, in words."""
    then: str = ""
    """What the person still has to do, as a sentence; "" when others have to."""
    kind: Literal["opened"] = "opened"


@dataclass(frozen=True, slots=True)
class Voted:
    """A vote was taken; `text` says what it changed."""

    text: str
    kind: Literal["voted"] = "voted"


@dataclass(frozen=True, slots=True)
class NeedsForm:
    form: Form
    kind: Literal["form"] = "form"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error for people: see :class:`bot.errors.UserError`. For a mistake in the text, `text`, `start` and `end` show
    the place.
    """

    error: str
    message: str
    remedy: str = ""
    evidence: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    text: str = ""
    start: int = 0
    end: int = 0
    kind: Literal["problem"] = "problem"

    @classmethod
    def of(cls, error: UserError) -> Problem:
        place = (error.text, error.start, error.end) if isinstance(error, ParseError) else ("", 0, 0)
        return cls(
            error=error.kind,
            message=error.message,
            remedy=error.remedy,
            evidence=error.evidence,
            choices=error.choices,
            text=place[0],
            start=place[1],
            end=place[2],
        )


@dataclass(frozen=True, slots=True)
class Bug:
    """A defect of the bot: the person gets a reference, the log has the traceback under it."""

    reference: str
    kind: Literal["bug"] = "bug"


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same delivery came again; it was answered the first time. Nothing is to be shown."""

    kind: Literal["repeated"] = "repeated"


Answer = Shown | Opened | Voted | NeedsForm | Problem | Bug | Repeated
