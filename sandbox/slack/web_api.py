"""The HTTP side of the Web API: tokens, encodings, rate limits, faults, headers. What a method does is in `methods`."""

import json
from typing import Any

from aiohttp import web

from sandbox.slack.errors import ApiError, RateLimited
from sandbox.slack.faults import Fault
from sandbox.slack.methods import METHODS, Call, Method
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]


class WebApi:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """POST (or GET) /api/{method}."""
        name = request.match_info["method"]
        fault = self.workspace.faults.for_call(name)
        if fault and fault.what == "drop_before":
            return _drop(request)
        args: JSON = {}
        warning = None
        try:
            args, warning = await read_arguments(request)
            if fault and (broken := _broken(fault)):
                raise broken
            result = self._run(name, args, request.headers.get("Authorization", ""))
            response = web.json_response(_with_warning({"ok": True, **result}, warning))
        except ApiError as error:
            result = error.answer()
            response = web.json_response(_with_warning(result, warning))
        except RateLimited as error:
            result = {"ok": False, "error": "ratelimited"}
            response = web.json_response(result, status=429, headers={"Retry-After": str(error.retry_after)})
        except _Outage as outage:
            result = {"fault": outage.what}
            response = web.Response(status=outage.status, text=outage.body, content_type=outage.content_type)
        self.workspace.record.call(name, _without_token(args), result)
        if fault and fault.what == "drop_after":
            return _drop(request)
        if fault and fault.what == "delay":
            await self.workspace.clock.sleep(fault.seconds)
        self._scope_headers(name, response)
        return response

    def _run(self, name: str, args: JSON, authorization: str) -> JSON:
        method = METHODS.get(name)
        if method is None:
            raise ApiError("unknown_method")
        kind = self._token_kind(args, authorization)
        if kind != method.token:
            raise ApiError("not_allowed_token_type")
        call = Call(self.workspace, name, _without_token(args), method.token)
        call.need_scope(*method.scopes)
        self.workspace.rates.call(name, method.tier)
        return method.run(call)

    def _token_kind(self, args: JSON, authorization: str) -> str:
        """Raises not_authed (none given), invalid_auth (unknown)."""
        token = authorization.removeprefix("Bearer ").strip() or str(args.get("token") or "")
        if not token:
            raise ApiError("not_authed")
        if token == self.workspace.settings.bot_token:
            return "bot"
        if token == self.workspace.settings.app_token:
            return "app"
        raise ApiError("invalid_auth")

    def _scope_headers(self, name: str, response: web.Response) -> None:
        """slack_bolt reads x-oauth-scopes of auth.test."""
        method: Method | None = METHODS.get(name)
        response.headers["x-oauth-scopes"] = ",".join(self.workspace.settings.scopes)
        if method and method.scopes:
            response.headers["x-accepted-oauth-scopes"] = ",".join(method.scopes)


async def read_arguments(request: web.Request) -> tuple[JSON, str | None]:
    """The arguments and Slack's warning about the charset, from JSON, a form, or the query.

    Raises: invalid_json, json_not_object, invalid_form_data, invalid_post_type.
    """
    args: JSON = dict(request.query)
    body = await request.read()
    if not body:
        return args, None
    kind = request.content_type
    if kind == "application/json":
        try:
            given = json.loads(body)
        except ValueError:
            raise ApiError("invalid_json") from None
        if not isinstance(given, dict):
            raise ApiError("json_not_object")
        return args | given, None if request.charset else "missing_charset"
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        try:
            form = await request.post()
        except (ValueError, web.HTTPException):
            raise ApiError("invalid_form_data") from None
        fields = {key: one for key, one in form.items() if isinstance(one, str)}
        return args | fields, "superfluous_charset" if request.charset else None
    raise ApiError("invalid_post_type")


class _Outage(Exception):
    """An answer that is not the Web API's own."""

    def __init__(self, what: str, status: int, content_type: str, body: str) -> None:
        super().__init__(what)
        self.what, self.status, self.content_type, self.body = what, status, content_type, body


def _broken(fault: Fault) -> Exception | None:
    """The exception for a fault that keeps the call from being done."""
    if fault.what == "rate_limit":
        return RateLimited(max(1, round(fault.seconds)))
    if fault.what == "error_500":
        return _Outage("error_500", 500, "application/json", '{"ok":false,"error":"internal_error"}')
    if fault.what == "not_json":
        return _Outage("not_json", 200, "text/html", "<!DOCTYPE html><html><body>Slack is having trouble</body></html>")
    return None


def _drop(request: web.Request) -> web.Response:
    """Close the connection without an answer; what is returned never reaches anybody."""
    if request.transport:
        request.transport.close()
    return web.Response(status=500)


def _with_warning(answer: JSON, warning: str | None) -> JSON:
    if warning and "warning" not in answer:
        metadata = {**answer.get("response_metadata", {}), "warnings": [warning]}
        return {**answer, "warning": warning, "response_metadata": metadata}
    return answer


def _without_token(args: JSON) -> JSON:
    return {key: value for key, value in args.items() if key != "token"}
