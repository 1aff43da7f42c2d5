"""The Web API, a module per family; importing this package registers every method."""

from sandbox.slack.methods import apps, chat, conversations, files, marks, users, views
from sandbox.slack.methods.registry import METHODS, Call, Method

__all__ = ["METHODS", "Call", "Method", "apps", "chat", "conversations", "files", "marks", "users", "views"]
