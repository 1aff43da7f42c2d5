"""The configuration: one TOML file, checked as a whole. Secrets are named in it, never written."""

from bot.config.consistency import Mistake
from bot.config.lines import line_of
from bot.config.reading import load, parse
from bot.config.secret import ConfigError, secret
from bot.config.settings import Settings

__all__ = ["ConfigError", "Mistake", "Settings", "line_of", "load", "parse", "secret"]
