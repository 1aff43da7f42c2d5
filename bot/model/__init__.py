"""The values that travel through the bot: who asks, what was planned, what was decided, what came of it.

All are frozen. Texts are single plain lines (see :mod:`bot.text`); names are data. Every field of a :class:`Plan` and
of what it holds is marked :func:`bound` – part of what is approved, and of its digest – or :func:`free` – shown, but
may differ between approval and execution (measurements, wording).
"""

from bot.model.fields import bound, bound_fields, free, later
from bot.model.parts import (
    Argument,
    BotTarget,
    Connection,
    Finding,
    HostTarget,
    MapOf,
    MemberTarget,
    Object,
    ObjectId,
    ObjectMap,
    Objects,
    PoolTarget,
    ResultOf,
    Risk,
    Secret,
    Target,
    Value,
    Verdict,
)
from bot.model.people import BOT, Actor, Place
from bot.model.plan import Elsewhere, Expect, Plan, Step, Trace, Window, together
from bot.model.report import Attachment, Cell, Facts, Level, Line, Lines, Part, Report, Suggestion, Table
from bot.model.request import Ballot, CallRecord, CallState, Entry, Progress, Request, Requirement, Result, State, Vote

__all__ = [
    "BOT",
    "Actor",
    "Argument",
    "Attachment",
    "Ballot",
    "BotTarget",
    "CallRecord",
    "CallState",
    "Cell",
    "Connection",
    "Elsewhere",
    "Entry",
    "Expect",
    "Facts",
    "Finding",
    "HostTarget",
    "Level",
    "Line",
    "Lines",
    "MapOf",
    "MemberTarget",
    "Object",
    "ObjectId",
    "ObjectMap",
    "Objects",
    "Part",
    "Place",
    "Plan",
    "PoolTarget",
    "Progress",
    "Report",
    "Request",
    "Requirement",
    "Result",
    "ResultOf",
    "Risk",
    "Secret",
    "State",
    "Step",
    "Suggestion",
    "Table",
    "Target",
    "Trace",
    "Value",
    "Verdict",
    "Vote",
    "Window",
    "bound",
    "bound_fields",
    "free",
    "later",
    "together",
]
