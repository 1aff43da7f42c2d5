"""How a fault meets a request of the app's: instead of its answer, after it, or in place of it."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]


async def under_faults(
    workspace: Workspace,
    request: web.Request,
    name: str,
    args: JSON,
    answer: Callable[[], Awaitable[web.Response]],
    rate_limited: str = "ratelimited",
) -> web.Response:
    """The answer, unless a fault waits for `name` (a method, or `response_url`).

    A request that is cut off before it is taken is not counted; all others are. `rate_limited`: the 429's error.
    """
    fault = workspace.faults.for_call(name)
    if fault is None:
        return await answer()
    if fault.what == "drop_before":
        return cut(request)
    if fault.what in ("rate_limit", "error_500", "not_json"):
        workspace.record.call(name, args, {"fault": fault.what})
        if fault.what == "rate_limit":
            return too_many(max(1, round(fault.seconds)), rate_limited)
        if fault.what == "error_500":
            return web.json_response({"ok": False, "error": "internal_error"}, status=500)
        page = "<!DOCTYPE html><html><body>Slack is having trouble</body></html>"
        return web.Response(text=page, content_type="text/html")
    response = await answer()
    if fault.what == "drop_after":
        return cut(request)
    await workspace.clock.sleep(fault.seconds)
    return response


def too_many(retry_after: int, error: str) -> web.Response:
    """HTTP 429 (Slack docs: rate limits)."""
    body = {"ok": False, "error": error}
    return web.json_response(body, status=429, headers={"Retry-After": str(retry_after)})


def cut(request: web.Request) -> web.Response:
    """Close the connection without an answer; what is returned never reaches anybody."""
    if request.transport:
        request.transport.close()
    return web.Response(status=500)
