"""The `xenia` command line, a module for each of its commands."""

from bot.cli.program import main

__all__ = ["main"]
