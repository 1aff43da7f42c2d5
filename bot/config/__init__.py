"""The configuration: one TOML file, checked as a whole. Secrets are named in it, never written."""

from bot.config.reading import line_of, load, parse
from bot.config.secret import ConfigError, secret
from bot.config.settings import Settings

__all__ = ["ConfigError", "Settings", "line_of", "load", "parse", "secret"]
