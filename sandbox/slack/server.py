"""One aiohttp application on one port: Web API, Socket Mode, response URLs, uploads, the page and its operations."""

from pathlib import Path
from urllib.parse import parse_qs

from aiohttp import web

from sandbox.slack.control import Control, routes
from sandbox.slack.errors import ApiError
from sandbox.slack.outage import under_faults
from sandbox.slack.reading import read_json
from sandbox.slack.replies import use_response_url
from sandbox.slack.web_api import WebApi
from sandbox.slack.workspace import Workspace

PAGE = Path(__file__).with_name("page")
LARGEST_BODY = 64 << 20

# What a response URL answers with (slack_sdk.webhook; statuses of used_url and expired_url are inferred).
RESPONSE_URL_STATUS = {"no_service": 404, "used_url": 404, "expired_url": 404, "channel_not_found": 404}


def application(workspace: Workspace, control: Control) -> web.Application:
    app = web.Application(client_max_size=LARGEST_BODY)
    api = WebApi(workspace)
    other = _Other(workspace)
    app.add_routes(
        [
            web.post("/api/{method}", api.handle),
            web.get("/api/{method}", api.handle),
            web.get("/link/", workspace.socket_mode.handle),
            web.post("/{kind:commands|actions|app}/{team}/{number}/{secret}", other.response_url),
            web.post("/upload/v1/{secret}", other.upload),
            web.get("/files-pri/{file}/{name}", other.private_file),
            web.get("/sandbox/files/{file}", other.page_file),
            *routes(control),
            web.get("/", other.index),
        ]
    )
    if PAGE.is_dir():
        app.router.add_static("/page/", PAGE, follow_symlinks=False)
    return app


class _Other:
    """The handlers that are neither the Web API nor the page's operations."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    async def response_url(self, request: web.Request) -> web.Response:
        """A JSON POST without a token (or a form with `payload`); answers in plain text."""
        text = (await request.read()).decode(errors="replace")
        if request.content_type == "application/x-www-form-urlencoded":
            text = parse_qs(text).get("payload", [""])[0]
        try:
            payload = read_json(text)
        except ValueError:
            payload = None
        shown = payload if isinstance(payload, dict) else {}

        async def answer() -> web.Response:
            word, status = "ok", 200
            try:
                use_response_url(self.workspace, request.path, payload)
            except ApiError as error:
                word, status = error.name, RESPONSE_URL_STATUS.get(error.name, 400)
            self.workspace.record.call("response_url", shown, word)
            return web.Response(status=status, text=word)

        return await under_faults(self.workspace, request, "response_url", shown, answer, "rate_limited")

    async def upload(self, request: web.Request) -> web.Response:
        """The bytes of a file, raw or as a form's `file`; the URL itself is the permission."""
        one = self.workspace.files.by_secret(request.match_info["secret"])
        if one is None or one.complete:
            return web.Response(status=404, text="not found")
        if request.content_type == "multipart/form-data":
            form = await request.post()
            part = next((value for value in form.values() if isinstance(value, web.FileField)), None)
            content = part.file.read() if part else b""
        else:
            content = await request.read()
        if len(content) != one.length:
            return web.Response(status=400, text=f"got {len(content)} bytes where {one.length} were announced")
        one.content = content
        return web.Response(text=f"OK - {one.length}")

    async def private_file(self, request: web.Request) -> web.Response:
        """url_private: for the app's own token only."""
        if request.headers.get("Authorization") != f"Bearer {self.workspace.settings.bot_token}":
            return web.Response(status=401, text="not authorized")
        return await self.page_file(request)

    async def page_file(self, request: web.Request) -> web.Response:
        one = self.workspace.files.find(request.match_info["file"])
        if one is None or not one.complete or one.content is None:
            return web.Response(status=404, text="not found")
        kind = one.mimetype if one.mimetype.startswith("image/") and "svg" not in one.mimetype else "text/plain"
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
        return web.Response(body=one.content, content_type=kind, headers=headers)

    async def index(self, _: web.Request) -> web.StreamResponse:
        if not (PAGE / "index.html").is_file():
            return web.Response(status=404, text="this installation has no page")
        return web.FileResponse(PAGE / "index.html")
