"""/sandbox/*: what the page and scripts use: see and do what a person would, and cause what fate can."""

import math
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sandbox.slack import acts
from sandbox.slack.acts.who import acting, where
from sandbox.slack.errors import Refused
from sandbox.slack.shown import message_page
from sandbox.slack.socket_mode import REASONS
from sandbox.slack.workspace import Workspace

JSON = dict[str, Any]
LONGEST_POLL = 25.0
FARTHEST_SECONDS = 366 * 86_400.0


class Control:
    """The JSON operations; HTTP is only in `routes`, so that tests and the demo call the same methods."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def overview(self) -> JSON:
        """GET /sandbox/workspace."""
        settings, directory = self.workspace.settings, self.workspace.directory
        return {
            "team": {"id": settings.team_id, "name": settings.team_name},
            "home_tab": settings.switches.home_tab,
            "people": [one.page() for one in directory.people.values() if not one.is_bot],
            "channels": [one.page() for one in directory.channels.values()],
            "commands": [
                {"command": one.command, "description": one.description, "usage_hint": one.usage_hint}
                for one in settings.commands
            ],
            "groups": [
                {"id": one.id, "handle": one.handle, "name": one.name, "users": list(one.users)}
                for one in directory.groups.values()
            ],
            "bot": {"user_id": settings.bot_user_id, "name": settings.bot_real_name},
            "connections": self.workspace.socket_mode.connections,
            "delivery": "http" if self.workspace.http else "socket_mode",
        }

    def messages(self, channel: str, as_: str | None = None, thread_ts: str | None = None) -> list[JSON]:
        """The channel without its threads' replies, or one thread with its parent; as one person sees it."""
        person = acting(self.workspace, as_) if as_ else None
        place = where(self.workspace, channel, person, reading=True)
        viewer = person.id if person else None
        found = [one for one in self.workspace.messages.of(place.id) if one.visible_to(viewer)]
        if thread_ts:
            found = [one for one in found if thread_ts in (one.ts, one.thread_ts)]
        else:
            found = [one for one in found if not one.in_thread or one.broadcast]
        return [message_page(self.workspace.messages, one, viewer) for one in found]

    def views(self, as_: str) -> JSON:
        """The open modals, the one on top last, with what is written under their fields; and the Home."""
        person = acting(self.workspace, as_)
        settings = self.workspace.settings
        home = self.workspace.views.homes.get(person.id)
        stack = [
            {"id": view.id, "view": view.api(settings), "errors": view.errors, "trouble": view.trouble}
            for view in self.workspace.views.stack(person.id)
        ]
        return {"views": stack, "home": {"id": home.id, "view": home.api(settings)} if home else None}

    async def changes(self, since: int, as_: str | None, seconds: float = LONGEST_POLL) -> JSON:
        """What changed after `since`; waits up to `seconds` for something."""
        person = acting(self.workspace, as_).id if as_ else None
        log = self.workspace.changes
        if since == log.seq:
            await log.wait(min(seconds, LONGEST_POLL))
        return {"seq": log.seq, "changed": log.since(since, person) if since <= log.seq else ["everything"]}

    def hints(self, text: str) -> list[JSON]:
        """A workspace knows its commands by name, description and usage hint, and nothing of their grammar."""
        name = text.split(maxsplit=1)[0] if text.strip() else ""
        if not name.startswith("/"):
            return []
        return [
            {
                "insert": one.command + " ",
                "label": f"{one.command} {one.usage_hint}".strip(),
                "description": one.description,
            }
            for one in self.workspace.settings.commands
            if one.command.startswith(name)
        ]

    async def fault(self, body: JSON) -> JSON:
        """Cause one of `faults`; answers with what still waits to happen."""
        what = str(body.get("what") or "")
        if what == "disconnect":
            reason = str(body.get("reason") or "refresh_requested")
            if reason not in REASONS:
                raise Refused(f"the reasons are {', '.join(REASONS)}")
            return {"ok": True, "connections": await self.workspace.socket_mode.disconnect(reason)}
        if what == "release":
            self.workspace.delivery.release()
        elif what == "clear":
            self.workspace.faults.clear()
            self.workspace.delivery.release()
        else:
            method = str(body["method"]) if body.get("method") else None
            self.workspace.faults.add(what, method, int(_number(body, "count", 1)), _number(body, "seconds", 1))
        return {"ok": True, "waiting": self.workspace.faults.waiting()}

    def calls(self) -> JSON:
        return dict(self.workspace.record.calls)

    def deliveries(self) -> JSON:
        return dict(self.workspace.record.deliveries)

    def advance(self, seconds: float) -> JSON:
        """Let time pass in the workspace."""
        if not 0 <= seconds <= FARTHEST_SECONDS:
            raise Refused("time runs forward, by at most a year at once")
        self.workspace.clock.advance(seconds)
        return {"ok": True}


def routes(control: Control) -> list[web.RouteDef]:
    """The HTTP routes over a Control. Refusals are 4xx `{"error": plain words}`."""
    workspace = control.workspace

    def get(path: str, answer: Callable[[web.Request], JSON]) -> web.RouteDef:
        async def handler(request: web.Request) -> web.Response:
            return web.json_response(answer(request))

        return web.get(path, _refusing(handler))

    def post(path: str, act: Callable[[JSON], Awaitable[JSON]]) -> web.RouteDef:
        async def handler(request: web.Request) -> web.Response:
            return web.json_response(await act(await _body(request)))

        return web.post(path, _refusing(handler))

    async def say(body: JSON) -> JSON:
        as_, channel, text = _texts(body, "as", "channel", "text")
        thread_ts = str(body["thread_ts"]) if body.get("thread_ts") else None
        return await acts.say(workspace, as_, channel, text, thread_ts)

    async def home(body: JSON) -> JSON:
        return acts.open_home(workspace, _texts(body, "as")[0], str(body.get("tab") or "home"))

    async def person(body: JSON) -> JSON:
        return acts.change_person(workspace, body)

    async def clock(body: JSON) -> JSON:
        return control.advance(_number(body, "advance", 0))

    async def changes(request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        if not since.isdigit():
            raise Refused("since is a number")
        return web.json_response(await control.changes(int(since), request.query.get("as")))

    def messages(request: web.Request) -> JSON:
        query = request.query
        return {"messages": control.messages(query.get("channel", ""), query.get("as"), query.get("thread_ts"))}

    return [
        get("/sandbox/workspace", lambda _: control.overview()),
        get("/sandbox/messages", messages),
        get("/sandbox/views", lambda request: control.views(request.query.get("as", ""))),
        get("/sandbox/hints", lambda request: {"hints": control.hints(request.query.get("text", ""))}),
        get("/sandbox/calls", lambda _: control.calls()),
        get("/sandbox/deliveries", lambda _: control.deliveries()),
        web.get("/sandbox/changes", _refusing(changes)),
        post("/sandbox/say", say),
        post("/sandbox/press", lambda body: acts.press(workspace, body)),
        post("/sandbox/options", lambda body: acts.options(workspace, body)),
        post("/sandbox/submit", lambda body: acts.submit(workspace, body)),
        post("/sandbox/close", lambda body: acts.close(workspace, body)),
        post("/sandbox/home", home),
        post("/sandbox/fault", control.fault),
        post("/sandbox/person", person),
        post("/sandbox/clock", clock),
    ]


def _refusing(
    handler: Callable[[web.Request], Awaitable[web.Response]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def wrapped(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except Refused as refusal:
            return web.json_response({"error": str(refusal)}, status=refusal.status)

    return wrapped


async def _body(request: web.Request) -> JSON:
    try:
        body = await request.json()
    except ValueError:
        raise Refused("the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused("the body is not an object")
    return body


def _number(body: JSON, name: str, default: float) -> float:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Refused(f"{name} is a number")
    return value


def _texts(body: JSON, *names: str) -> list[str]:
    missing = [name for name in names if not isinstance(body.get(name), str) or not body[name]]
    if missing:
        raise Refused(f"missing: {', '.join(missing)}")
    return [body[name] for name in names]
