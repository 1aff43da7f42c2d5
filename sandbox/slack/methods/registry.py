"""How a Web API method is declared, and how it reads its arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from sandbox.slack.directory import Channel
from sandbox.slack.errors import ApiError, invalid_arguments
from sandbox.slack.limits import Tier
from sandbox.slack.reading import read_json
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]
TokenKind = Literal["bot", "app"]
Wanted = Literal["bot", "app", "none"]
T = TypeVar("T")


@dataclass
class Call:
    """One call: its arguments as they came (JSON values, or text from a form), without the token."""

    workspace: Workspace
    method: str
    args: JSON
    token: TokenKind = "bot"

    def text(self, name: str) -> str | None:
        value = self.args.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool | dict | list):
            raise invalid_arguments(f"must provide a string [json-pointer:/{name}]")
        return str(value)

    def need(self, name: str) -> str:
        """Raises invalid_arguments when it is missing."""
        value = self.text(name)
        if value is None:
            raise invalid_arguments(f"missing required field: {name}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.args.get(name)
        return default if value is None else value in (True, 1, "1", "true", "True")

    def number(self, name: str, default: int) -> int:
        value = self.text(name)
        try:
            return default if value is None else int(value)
        except ValueError:
            raise invalid_arguments(f"must provide an integer [json-pointer:/{name}]") from None

    def names(self, name: str) -> list[str]:
        """A list: comma-joined in forms, an array in JSON."""
        value = self.args.get(name)
        if isinstance(value, list):
            return [str(one) for one in value]
        return [one.strip() for one in str(value or "").split(",") if one.strip()]

    def structure(self, name: str) -> Any:
        """JSON as such or as text. Raises invalid_arguments when it cannot be read or is missing."""
        value = self.args.get(name)
        if value is None or value == "":
            raise invalid_arguments(f"missing required field: {name}")
        if isinstance(value, str):
            try:
                return read_json(value)
            except ValueError:
                raise invalid_arguments(f"invalid JSON [json-pointer:/{name}]") from None
        return value

    def need_scope(self, *either: str) -> None:
        """Raises missing_scope with needed and provided, unless the app has one of them."""
        scopes = self.workspace.settings.scopes if self.token == "bot" else self.workspace.settings.app_scopes
        if either and not set(either) & set(scopes):
            raise ApiError("missing_scope", needed=either[0], provided=",".join(scopes))

    def channel(self, word: str, *, scope: str | None = None) -> Channel:
        """A conversation that the app can know of. `scope` is the ending of its family's scope (`read`, `history`).

        Raises: channel_not_found (unknown, or private and without the bot), missing_scope.
        """
        channel = self.workspace.directory.channels.get(word)
        if channel is None or (channel.is_private and not self.workspace.is_member(channel)):
            raise ApiError("channel_not_found")
        if scope:
            self.need_scope(f"{channel.scope_word}:{scope}")
        return channel


@dataclass(frozen=True)
class Method:
    name: str
    run: Callable[[Call], JSON]
    tier: Tier
    scopes: tuple[str, ...]
    token: Wanted


METHODS: dict[str, Method] = {}


def method(
    name: str, tier: Tier, *scopes: str, takes: Wanted = "bot"
) -> Callable[[Callable[[Call], JSON]], Callable[[Call], JSON]]:
    """Declare a method: its tier, the scopes of which one is needed, and the kind of token it takes."""

    def declare(run: Callable[[Call], JSON]) -> Callable[[Call], JSON]:
        METHODS[name] = Method(name, run, tier, scopes, takes)
        return run

    return declare


def page(items: list[T], call: Call, *, default: int, most: int) -> tuple[list[T], JSON]:
    """One page and its `response_metadata`; the cursor says where the next one starts. Raises invalid_cursor."""
    limit = call.number("limit", default)
    if not 1 <= limit <= most:
        raise ApiError("invalid_limit") if limit < 1 else invalid_arguments(f"limit is at most {most}")
    start = 0
    if cursor := call.text("cursor"):
        head, _, number = cursor.partition(":")
        if head != "next" or not number.isdigit() or int(number) > len(items):
            raise ApiError("invalid_cursor")
        start = int(number)
    more = start + limit < len(items)
    return items[start : start + limit], {"next_cursor": f"next:{start + limit}" if more else ""}
