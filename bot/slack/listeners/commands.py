"""Commands: typed after the slash command, said to the bot, or behind a button."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from slack_bolt import Ack, App

from bot.answers import Form
from bot.errors import ParseError
from bot.slack import origin as origins
from bot.slack.listeners.forms import open_form
from bot.slack.listeners.office import Office
from bot.slack.origin import Origin
from bot.slack.render import ids

Body = dict[str, Any]


def register(app: App, office: Office, command: str) -> None:
    """`/xen …`, mentions, direct messages, and buttons that run a command or open its form."""

    @app.command(command)
    def typed(ack: Ack, body: Body) -> None:
        ack()
        _command(office, origins.slash(body), body.get("text") or "", body["trigger_id"])

    @app.action(re.compile(rf"^({ids.RUN.pattern}|{ids.FORM.pattern})$"))
    def pressed(ack: Ack, body: Body) -> None:
        ack()
        _command(office, origins.press(body), body["actions"][0].get("value") or "", body["trigger_id"])

    @app.event("app_mention")
    def mentioned(body: Body) -> None:
        _said(office, body)

    @app.event("message")
    def message(body: Body) -> None:
        if body["event"].get("channel_type") == "im":
            _said(office, body)

    @app.event(re.compile("."))
    def anything_else() -> None:
        """Nothing to do; but without a listener Slack would send it again."""


def _command(office: Office, origin: Origin, text: str, trigger: str) -> None:
    """Open the form of an incomplete command at once (a trigger lives three seconds); anything else takes its time."""

    def route() -> None:
        form = _form(office, text)
        if form:
            open_form(office, origin, form, trigger, text)
        else:
            mine = office.workers.slow_of(origin.user)
            workers = mine if office.desk.needs_pools(text) else office.workers.own
            workers.submit(office.guarded(origin, lambda: office.answer(origin, text)))

    office.later(office.workers.quick, origin, route)


def _form(office: Office, text: str) -> Form | None:
    try:
        return office.desk.form(text) if text.strip() else None
    except ParseError:
        return None  # the answer will say the same, and where the mistake is


def _said(office: Office, body: Body) -> None:
    """A message to the bot. Nothing can be opened from one: an incomplete command is answered with a button."""
    event = body["event"]
    if _is_said(event):
        origin, text = origins.event(body), origins.spoken_command(event.get("text") or "")
        office.later(office.workers.slow_of(origin.user), origin, lambda: office.answer(origin, text))


def _is_said(event: Mapping[str, Any]) -> bool:
    """A person said it now: no edit, deletion or joining (those have a subtype or are marked edited), no bot."""
    said = event.get("subtype") in (None, "file_share", "thread_broadcast")
    return bool(said and event.get("user") and not event.get("bot_id") and not event.get("edited"))
