"""Approve, Reject and Details. The buttons only name a request and a plan: who may vote, and whether it still counts,
is the engine's to say.
"""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt import Ack, App

from bot.answers import Problem, VoteAsk
from bot.errors import UserError
from bot.model import Ballot, State
from bot.slack.api import Refused, SlackFailure
from bot.slack.listeners.forms import typed_values
from bot.slack.listeners.office import Office
from bot.slack.origin import Errand, Origin, press
from bot.slack.render import answer as rendered
from bot.slack.render import card, details, forms, ids
from bot.slack.render.forms import View

_log = logging.getLogger(__name__)

Body = dict[str, Any]


def register(app: App, office: Office) -> None:
    @app.action(ids.APPROVE)
    def approve(ack: Ack, body: Body) -> None:
        ack()
        origin, paper = press(body), _paper(body)
        office.later(office.workers.quick, origin, lambda: _approve(office, origin, paper, body["trigger_id"]))

    @app.view(ids.STEP_UP_VIEW)
    def stepped_up(ack: Ack, body: Body) -> None:
        ack()
        errand = Errand.read(body["view"]["private_metadata"])
        origin, paper = errand.origin(body), ids.BallotPaper.read(errand.paper)
        given = typed_values(body["view"]["state"]["values"])
        typed, code = given.get(ids.TYPED, ""), given.get(ids.CODE, "")
        office.later(
            office.workers.own,
            origin,
            lambda: _vote(office, origin, paper, Ballot.APPROVE, typed=typed, code=code),
        )

    @app.action(ids.REJECT)
    def reject(ack: Ack, body: Body) -> None:
        ack()
        origin, paper = press(body), _paper(body)
        office.later(office.workers.quick, origin, lambda: _ask_why(office, origin, paper, body["trigger_id"]))

    @app.view(ids.REASON_VIEW)
    def rejected(ack: Ack, body: Body) -> None:
        ack()
        errand = Errand.read(body["view"]["private_metadata"])
        origin, paper = errand.origin(body), ids.BallotPaper.read(errand.paper)
        reason = body["view"]["state"]["values"][ids.REASON][ids.INPUT].get("value") or ""
        office.later(office.workers.own, origin, lambda: _vote(office, origin, paper, Ballot.REJECT, reason))

    @app.action(ids.DETAILS)
    def show(ack: Ack, body: Body) -> None:
        ack()
        origin, request_id = press(body), body["actions"][0].get("value") or ""
        office.later(office.workers.quick, origin, lambda: _details(office, origin, request_id, body["trigger_id"]))


def _approve(office: Office, origin: Origin, paper: ids.BallotPaper | None, trigger: str) -> None:
    """Count it, or ask first for what the policy wants besides. Whether that is right, is the engine's to say."""
    try:
        request = office.desk.request(paper.request_id, origin.actor) if paper else None
    except UserError:
        request = None  # whoever may not look may not vote either: the vote says so, and is recorded
    wanted = request.requirement if request and request.state is State.WAITING else None
    if not paper or not request or not wanted or not (wanted.type_name or wanted.one_time_code):
        vote = office.guarded(origin, lambda: _vote(office, origin, paper, Ballot.APPROVE))
        office.workers.own.submit(vote)
        return
    metadata = Errand.of(origin, paper=str(paper)).metadata()
    title = f"{request.id}: {card.title(request.plan)}"
    _open(
        office,
        origin,
        trigger,
        forms.step_up(
            title,
            wanted.type_name,
            metadata,
            code=wanted.one_time_code,
            confirm=bool(request.plan.confirm),
            go_back=request.plan.go_back,
        ),
    )


def _vote(
    office: Office,
    origin: Origin,
    paper: ids.BallotPaper | None,
    ballot: Ballot,
    reason: str = "",
    *,
    typed: str = "",
    code: str = "",
) -> None:
    if not paper:
        _log.warning("a vote button of %s carried no request", origin.place.channel)
        office.replies.send(origin, rendered.sentence("This button says nothing that I know. Nothing was done."))
        return
    ask = office.ask(origin, "")
    vote = VoteAsk(
        request_id=paper.request_id,
        ballot=ballot,
        digest=paper.digest,
        actor=ask.actor,
        place=ask.place,
        reason=reason,
        typed=typed,
        code=code,
        delivery_key=origin.key,
    )
    office.tell(origin, office.desk.vote(vote))


def _ask_why(office: Office, origin: Origin, paper: ids.BallotPaper | None, trigger: str) -> None:
    try:
        request = office.desk.request(paper.request_id, origin.actor) if paper else None
    except UserError as error:
        office.tell(origin, Problem.of(error))
        return
    if not paper or not request:
        office.replies.send(origin, rendered.sentence("I do not know this request. Nothing was done."))
        return
    metadata = Errand.of(origin, paper=str(paper)).metadata()
    _open(office, origin, trigger, forms.reject(f"{request.id}: {card.title(request.plan)}", metadata))


def _details(office: Office, origin: Origin, request_id: str, trigger: str) -> None:
    try:
        request = office.desk.request(request_id, origin.actor)
    except UserError as error:
        office.tell(origin, Problem.of(error))
        return
    view = details.modal(request) if request else forms.saying("Details", "I do not know this request any more.")
    _open(office, origin, trigger, view)


def _open(office: Office, origin: Origin, trigger: str, view: View) -> None:
    try:
        office.api.call("views.open", trigger_id=trigger, view=view)
    except SlackFailure as failure:
        if isinstance(failure, Refused) and failure.code == "exchanged_trigger_id":
            return  # the same press was delivered twice, and the modal is open
        _log.warning("a modal could not be opened: %s", failure)
        office.replies.send(origin, rendered.sentence("Slack would not open the window in time. Please press again."))


def _paper(body: Body) -> ids.BallotPaper | None:
    return ids.BallotPaper.read(body["actions"][0].get("value") or "")
