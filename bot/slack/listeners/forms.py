"""Forms: opened at once, filled when the pools have answered, and carried out when they are sent."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import TimeoutError as Late
from typing import Any

from slack_bolt import Ack, App

from bot.answers import Form
from bot.errors import UserError
from bot.slack.api import Refused, SlackFailure
from bot.slack.listeners.office import Office
from bot.slack.origin import Errand, Origin
from bot.slack.render import answer as rendered
from bot.slack.render import forms, ids
from bot.slack.render.forms import View

_log = logging.getLogger(__name__)

_OPTIONS_SECONDS = 2.3
"""Slack waits three seconds for options, there and back."""

Body = dict[str, Any]


def register(app: App, office: Office) -> None:
    """Options while somebody types, and forms that are sent."""

    @app.options(ids.PICK)
    def options(ack: Ack, body: Body) -> None:
        ack(options=_options(office, body))

    @app.view(ids.FORM_VIEW)
    def sent(ack: Ack, body: Body) -> None:
        ack()
        errand = Errand.read(body["view"]["private_metadata"])
        origin, values = errand.origin(body), typed_values(body["view"]["state"]["values"])

        def carry_out() -> None:
            answer = office.desk.submit(errand.command, values, office.ask(origin, errand.text or errand.command))
            office.tell(origin, answer, errand.command)

        office.later(office.workers.slow_of(origin.user), origin, carry_out)


def open_form(office: Office, origin: Origin, form: Form, trigger: str, text: str) -> None:
    """Open the form while the trigger lives, then have it filled."""
    metadata = Errand.of(origin, command=form.command, text=text).metadata()
    try:
        opened = office.api.call("views.open", trigger_id=trigger, view=forms.loading(form, metadata))["view"]
    except SlackFailure as failure:
        if isinstance(failure, Refused) and failure.code == "exchanged_trigger_id":
            return  # the same payload was delivered twice, and its form is open
        _log.warning("a form could not be opened: %s", failure)
        office.replies.send(origin, rendered.incomplete(form, text))
        return

    def fill() -> None:
        try:
            view = forms.filled(office.desk.fill(form, office.ask(origin, text)), metadata)
        except UserError as error:
            view = forms.saying(form.title, error.message, *error.evidence, *filter(None, [error.remedy]))
        except Exception:
            update(office, opened, forms.saying(form.title, "That went wrong inside the bot; see the message."))
            raise
        update(office, opened, view)

    office.workers.slow_of(origin.user).submit(office.guarded(origin, fill))


def update(office: Office, opened: Mapping[str, Any], view: View) -> None:
    """Replace what a modal shows. That it was closed meanwhile is no failure."""
    try:
        office.api.call("views.update", view_id=opened["id"], view=view)
    except Refused as refused:
        if refused.code != "not_found":
            _log.error("a form could not be filled: %s", refused)
    except SlackFailure as failure:
        _log.warning("a form may not have been filled: %s", failure)


def typed_values(state: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, str]:
    """What is in a view's fields, by field name; empty ones are left out, a ticked flag is `yes`."""
    made = {}
    for name, elements in state.items():
        for element in elements.values():
            picked = element.get("selected_option") or {}
            value = element.get("value") or picked.get("value") or ("yes" if element.get("selected_options") else "")
            if value.strip():
                made[name] = value
    return made


def _options(office: Office, body: Body) -> list[dict[str, Any]]:
    """What can be picked. This answer cannot be sent ahead: whatever is not known in time is not offered."""
    errand = Errand.read(body["view"]["private_metadata"])
    origin, field = errand.origin(body), body["block_id"]
    values = typed_values((body["view"].get("state") or {}).get("values") or {})

    def look_up() -> list[dict[str, Any]]:
        ask = office.ask(origin, errand.text or errand.command)
        return forms.options(office.desk.options(errand.command, field, body.get("value") or "", values, ask))

    waiting = office.workers.lookups.submit(look_up)
    try:
        return waiting.result(_OPTIONS_SECONDS)
    except Late:
        waiting.cancel()
        _log.warning("options for %s of %r took too long", field, errand.command)
    except UserError as error:
        _log.info("no options for %s of %r: %s", field, errand.command, error)
    except Exception:  # noqa: BLE001 - no options are an answer too
        _log.exception("options for %s of %r", field, errand.command)
    return []
