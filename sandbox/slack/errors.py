"""The two ways in which the workspace says no: to the app (Slack's error names) and to the page (plain words)."""

from typing import Any


class ApiError(Exception):
    """A Web API refusal: `{"ok": false, "error": name, …}` with HTTP 200, as Slack answers.

    `extra` holds whatever Slack adds to the answer (`needed`, `provided`, `errors`, `response_metadata`).
    """

    def __init__(self, name: str, **extra: Any) -> None:
        super().__init__(name)
        self.name = name
        self.extra = extra

    def answer(self) -> dict[str, Any]:
        return {"ok": False, "error": self.name, **self.extra}


def invalid_arguments(*messages: str) -> ApiError:
    """`invalid_arguments` with the reasons where Slack puts them (Slack docs: Web API, "Evaluating responses")."""
    return ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {text}" for text in messages]})


class RateLimited(Exception):
    """HTTP 429 with `Retry-After` in whole seconds (Slack docs: rate limits)."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"retry after {retry_after} s")
        self.retry_after = retry_after


class Refused(Exception):
    """What a person tried on the page cannot be done; `status` is the HTTP status, the text is shown to them."""

    def __init__(self, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.status = status
