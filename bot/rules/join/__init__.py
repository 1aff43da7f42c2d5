"""May this host join that pool? Every reason at once, each with the code that the toolstack would answer."""

from bot.rules.join.processors import can_be_masked, mask_command
from bot.rules.join.side import MORE, Row, Side, Sides
from bot.rules.join.table import rows, toolstack

__all__ = ["MORE", "Row", "Side", "Sides", "can_be_masked", "mask_command", "rows", "toolstack"]
