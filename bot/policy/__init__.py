"""Who may do what: pure functions from the rules and a person's standing to a decision."""

from bot.policy.book import Book
from bot.policy.decide import (
    check_typed_name,
    decided,
    held,
    may_read,
    may_settle,
    may_vote,
    may_withdraw,
    name_to_type,
    needs_code,
    requirement,
    to_remind,
)
from bot.policy.joint import subjects
from bot.policy.lint import Oddity, oddities
from bot.policy.rules import EVERYONE, Freeze, Match, Rule, Rules, Subject, Terms
from bot.policy.windows import Window
from bot.policy.words import Names

__all__ = [
    "EVERYONE",
    "Book",
    "Freeze",
    "Match",
    "Names",
    "Oddity",
    "Rule",
    "Rules",
    "Subject",
    "Terms",
    "Window",
    "check_typed_name",
    "decided",
    "held",
    "may_read",
    "may_settle",
    "may_vote",
    "may_withdraw",
    "name_to_type",
    "needs_code",
    "oddities",
    "requirement",
    "subjects",
    "to_remind",
]
