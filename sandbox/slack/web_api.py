"""The HTTP side of the Web API: tokens, encodings, rate limits, faults, headers. What a method does is in `methods`."""

from contextlib import suppress
from typing import Any

from aiohttp import web

from sandbox.slack.errors import ApiError, RateLimited
from sandbox.slack.methods import METHODS, Call, Method
from sandbox.slack.methods.registry import TokenKind
from sandbox.slack.outage import too_many, under_faults
from sandbox.slack.reading import read_json
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]


class WebApi:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """POST (or GET) /api/{method}."""
        name = request.match_info["method"]
        args: JSON = {}
        warning: str | None = None
        unread: ApiError | None = None
        try:
            args, warning = await read_arguments(request)
        except ApiError as error:
            unread = error
        shown = _without_token(args)

        async def answer() -> web.Response:
            try:
                if unread:
                    raise unread
                result = {"ok": True, **self._run(name, args, request.headers.get("Authorization", ""))}
                response = web.json_response(_with_warning(result, warning))
            except ApiError as error:
                result = error.answer()
                response = web.json_response(_with_warning(result, warning))
            except RateLimited as error:
                result = {"ok": False, "error": "ratelimited"}
                response = too_many(error.retry_after, "ratelimited")
            self.workspace.record.call(name, shown, result)
            return response

        response = await under_faults(self.workspace, request, name, shown, answer)
        self._scope_headers(name, args, request.headers.get("Authorization", ""), response)
        return response

    def _run(self, name: str, args: JSON, authorization: str) -> JSON:
        method = METHODS.get(name)
        if method is None:
            raise ApiError("unknown_method")
        kind: TokenKind = "bot"
        if method.token != "none":
            kind = self._token_kind(args, authorization)
            if kind != method.token:
                raise ApiError("not_allowed_token_type")
        call = Call(self.workspace, name, _without_token(args), kind)
        call.need_scope(*method.scopes)
        self.workspace.rates.call(name, method.tier)
        return method.run(call)

    def _token_kind(self, args: JSON, authorization: str) -> TokenKind:
        """Raises not_authed (none given), invalid_auth (unknown)."""
        token = authorization.removeprefix("Bearer ").strip() or str(args.get("token") or "")
        if not token:
            raise ApiError("not_authed")
        if token == self.workspace.settings.bot_token:
            return "bot"
        if token == self.workspace.settings.app_token:
            return "app"
        raise ApiError("invalid_auth")

    def _scope_headers(self, name: str, args: JSON, authorization: str, response: web.Response) -> None:
        """What the token may do (slack_bolt reads it from auth.test's answer) and what the method asks for."""
        settings = self.workspace.settings
        with suppress(ApiError):
            kind = self._token_kind(args, authorization)
            response.headers["x-oauth-scopes"] = ",".join(settings.scopes if kind == "bot" else settings.app_scopes)
        method: Method | None = METHODS.get(name)
        if method and method.scopes:
            response.headers["x-accepted-oauth-scopes"] = ",".join(method.scopes)


async def read_arguments(request: web.Request) -> tuple[JSON, str | None]:
    """The arguments and Slack's warning about the charset, from JSON, a form, or the query.

    Raises: invalid_json, json_not_object, invalid_form_data, invalid_post_type.
    """
    args: JSON = dict(request.query)
    kind = request.content_type
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        try:
            form = await request.post()
        except (ValueError, web.HTTPException):
            raise ApiError("invalid_form_data") from None
        fields = {key: one for key, one in form.items() if isinstance(one, str)}
        return args | fields, "superfluous_charset" if form and request.charset else None
    body = await request.read()
    if not body:
        return args, None
    if kind == "application/json":
        try:
            given = read_json(body)
        except ValueError:
            raise ApiError("invalid_json") from None
        if not isinstance(given, dict):
            raise ApiError("json_not_object")
        return args | given, None if request.charset else "missing_charset"
    raise ApiError("invalid_post_type")


def _with_warning(answer: JSON, warning: str | None) -> JSON:
    if warning and "warning" not in answer:
        metadata = {**answer.get("response_metadata", {}), "warnings": [warning]}
        return {**answer, "warning": warning, "response_metadata": metadata}
    return answer


def _without_token(args: JSON) -> JSON:
    return {key: value for key, value in args.items() if key != "token"}
