"""The card: a request's one message, edited in place through its whole life."""

from __future__ import annotations

from dataclasses import dataclass

from bot import approval
from bot.model import Ballot, Finding, Plan, Request, Risk, State, Verdict, Vote
from bot.slack.render import ids, rich
from bot.slack.render.escape import fallback
from bot.slack.render.message import Block, Message, actions, button, confirm, context, cut, fits, header, record
from bot.slack.render.progress import progress_line
from bot.text import duration, joined, middle_cut, plural

STATES: dict[State, tuple[str, str]] = {
    State.ASKED: ("hourglass_flowing_sand", "Being looked at"),
    State.WAITING: ("hourglass_flowing_sand", "Waiting for approval"),
    State.APPROVED: ("hourglass_flowing_sand", "Approved; being checked again before anything is done"),
    State.QUEUED: ("hourglass_flowing_sand", "Approved; waiting for its turn"),
    State.RUNNING: ("large_blue_circle", "Running"),
    State.CANCELLING: ("octagonal_sign", "Being cancelled"),
    State.UNDOING: ("arrows_counterclockwise", "Being taken back"),
    State.SUCCEEDED: ("white_check_mark", "Done"),
    State.FAILED: ("red_circle", "Failed"),
    State.CANCELLED: ("octagonal_sign", "Cancelled"),
    State.UNKNOWN: ("large_orange_circle", "The outcome is not known"),
    State.REJECTED: ("no_entry", "Rejected; nothing was done"),
    State.EXPIRED: ("no_entry", "Expired; nothing was done"),
    State.WITHDRAWN: ("no_entry", "Withdrawn; nothing was done"),
    State.STALE: ("warning", "Out of date; nothing was done"),
}
"""For each state: the emoji and the words that head the card."""

_STEPS = 8
"""Steps that a card names: warnings below them are still seen on a phone."""

_NOTHING_LEFT = approval.END_STATES - {State.SUCCEEDED}
"""Where nothing is to be taken back: nothing was done, or what stays done of it is told one by one."""


@dataclass(frozen=True, slots=True)
class _Room:
    """How much of each list is shown, and how long its texts may be."""

    items: int
    characters: int

    def text(self, words: str) -> list[rich.Element]:
        return [rich.text(words, limit=self.characters)]

    def step(self, title: str) -> list[rich.Element]:
        """A step keeps its end: that is where something goes to."""
        return [rich.text(middle_cut(title, self.characters))]


_ROOMS = (_Room(15, 300), _Room(8, 200), _Room(5, 120), _Room(3, 80))


def message(request: Request, head: str = "") -> Message:
    """The request as it is now, as much of it as fits; Details shows the rest. `head` is the ledger's."""
    text = fallback(
        title(request.plan), STATES[request.state][1], request.result.summary if request.result else "", request.id
    )
    for room in _ROOMS:
        made = _blocks(request, room, head)
        if fits(made):
            return Message(text, tuple(made))
    return Message(text, tuple(_smallest(request, head)))


def smallest(request: Request, head: str = "") -> Message:
    """The least that can be voted on: for when Slack will not take the whole card."""
    return Message(fallback(title(request.plan), STATES[request.state][1], request.id), tuple(_smallest(request, head)))


def title(plan: Plan) -> str:
    """The plan's title, the pool's name first."""
    return plan.title if plan.title.startswith(plan.pool.name) else f"{plan.pool.name}: {plan.title}"


def _blocks(request: Request, room: _Room, head: str) -> list[Block]:
    plan = request.plan
    return [
        header(title(plan)),
        *_emergency(request),
        rich.block(*_state(request, room)),
        rich.block(*_asked(request)),
        *_plan(plan, room, request.state),
        *_votes(request, room),
        *_buttons(request),
        context(*_footer(request, head)),
    ]


def _smallest(request: Request, head: str) -> list[Block]:
    note = rich.section([rich.text("The plan is too long to be shown here: see Details.", italic=True)])
    return [
        header(title(request.plan)),
        *_emergency(request),
        rich.block(*_state(request, _ROOMS[-1]), note),
        rich.block(*_asked(request)),
        *_buttons(request),
        context(*_footer(request, head)),
    ]


def _emergency(request: Request) -> list[Block]:
    """Above all else: nobody has to look twice to see that no second person was asked."""
    why = request.requirement.emergency
    if not why:
        return []
    loud = [rich.emoji("rotating_light"), rich.text(" EMERGENCY: no second person has to agree. ", bold=True)]
    return [rich.block(rich.section([*loud, rich.person(request.actor), rich.text(f" says why: {why}", limit=500)]))]


def _state(request: Request, room: _Room) -> list[rich.Element]:
    name, words = STATES[request.state]
    head = [rich.emoji(name), rich.text(" "), rich.text(words, bold=True)]
    parts: list[rich.Element] = []
    if request.state is State.WAITING:
        head.append(rich.text(_wanted(request)))
    elif request.state is State.UNKNOWN:
        words = ". Nothing is sent again, and what touches the same has to wait: look at the pool, then settle it."
        head.append(rich.text(words))
    if request.state in (State.WAITING, State.QUEUED):
        head += [rich.text(" · expires "), rich.date(request.expires_at)]
    if request.state in approval.ACTIVE_STATES and request.progress:
        parts.append(rich.section([rich.text(progress_line(request.progress))]))
    elif request.state is State.QUEUED and request.progress:
        parts.append(rich.section([rich.text(request.progress.text, limit=room.characters * 2)]))
    parts += _result(request, room)
    if request.result and request.result.seconds > 0:
        head.append(rich.text(f" in {duration(request.result.seconds)}"))
    if request.successor:
        parts.append(rich.section([rich.text(f"Replaced by {request.successor}.")]))
    return [rich.section(head), *parts]


def _wanted(request: Request) -> str:
    """Who is still missing: `: 1 of 2 approvals missing, from 2 different approvers other than …`."""
    needed, missing = request.requirement.approvals, request.missing
    counted = plural(missing, "approval") if missing == needed else f"{missing} of {plural(needed, 'approval')}"
    return f": {counted} missing, from {request.requirement.who}"


def _result(request: Request, room: _Room) -> list[rich.Element]:
    result = request.result
    if not result:
        return []
    made = [rich.section([rich.text(result.summary, limit=room.characters * 2)])]
    if result.lines:
        made.append(rich.listing(cut(result.lines, room.items, room.text)))
    if result.remedy:
        made.append(_labelled("What to do", result.remedy, room))
    return made


def _labelled(label: str, words: str, room: _Room) -> rich.Element:
    return rich.section([rich.text(f"{label}: ", bold=True), rich.text(words, limit=room.characters * 2)])


def _asked(request: Request) -> list[rich.Element]:
    said = [rich.person(request.actor), rich.text(" asked "), rich.date(request.opened_at), rich.text(":")]
    return [rich.section(said), rich.quote([rich.text(request.text, limit=500)])]


def _plan(plan: Plan, room: _Room, state: State) -> list[Block]:
    """What would be done and why. What was to be weighed is left out once there is nothing to be weighed any more:
    Details still shows it.
    """
    ended = state in approval.END_STATES or state is State.UNKNOWN
    parts: list[rich.Element] = []

    def listed(heading: str, items: list[list[rich.Element]], *, ordered: bool = False) -> None:
        if items:
            parts.append(rich.section([rich.text(heading, bold=True)]))
            parts.append(rich.listing(items, ordered=ordered))

    if plan.window.not_before and not ended:
        when = [rich.text("Not before ", bold=True), rich.date(plan.window.not_before)]
        if plan.window.not_after:
            when += [rich.text(", and not begun after "), rich.date(plan.window.not_after)]
        parts.append(rich.section(when))
    listed(_heading(state), _steps(plan, room), ordered=True)
    if not ended:
        listed("Checks", _findings(plan, room))
        listed("What it means meanwhile", cut(plan.impact, room.items, room.text))
        listed("Why so", cut(plan.reasons, room.items, room.text))
    if plan.go_back and state not in _NOTHING_LEFT:
        parts.append(_labelled("How to go back", plan.go_back, room))
    return [rich.block(*parts)] if parts else []


def _heading(state: State) -> str:
    if state is State.SUCCEEDED:
        return "Was done"
    if state in (State.RUNNING, State.CANCELLING):
        return "Is being done"
    is_over = state in approval.END_STATES or state in (State.UNDOING, State.UNKNOWN)
    return "Was to be done" if is_over else "Will be done"


def _steps(plan: Plan, room: _Room) -> list[list[rich.Element]]:
    """The first steps, and the last one by name: a long plan often ends with its gravest."""
    titles = plan.lines
    most = min(room.items, _STEPS)
    if len(titles) <= most:
        return [room.step(title) for title in titles]
    more = len(titles) - most + 1
    last = [rich.text(f"… and {more} more, the last: ", italic=True), *room.step(titles[-1])]
    return [*map(room.step, titles[: most - 1]), last]


def _findings(plan: Plan, room: _Room) -> list[list[rich.Element]]:
    """Blockers first, then warnings; what passed is counted."""
    serious = (*plan.blockers, *plan.warnings)
    shown = cut(serious, room.items, lambda each: finding_line(each, room.characters))
    if plan.passes:
        shown.append([rich.emoji("white_check_mark"), rich.text(f" {plural(len(plan.passes), 'check')} passed")])
    return shown


def finding_line(finding: Finding, characters: int) -> list[rich.Element]:
    """One check: its sign, what it says, the evidence and the remedy."""
    made = [
        *rich.verdict(finding.verdict),
        rich.text(middle_cut(finding.title or finding.id, characters), bold=finding.verdict is not Verdict.PASS),
    ]
    if finding.evidence:
        made.append(rich.text(f" – {finding.evidence}", limit=characters))
    return [*made, *rich.remedy(finding.remedy, limit=characters)]


def vote_line(vote: Vote, digest: str) -> list[rich.Element]:
    approved = vote.ballot is Ballot.APPROVE
    words = " approved " if approved else " rejected "
    if vote.digest != digest:
        words = f"{words}another version of this plan "
    made = [rich.emoji("white_check_mark" if approved else "no_entry"), rich.text(" "), rich.person(vote.actor)]
    made += [rich.text(words), rich.date(vote.at)]
    return [*made, rich.text(f": {vote.reason}", limit=300)] if vote.reason else made


def _votes(request: Request, room: _Room) -> list[Block]:
    if not request.votes:
        return []
    shown = cut(request.votes, room.items, lambda each: vote_line(each, request.digest))
    return [rich.block(rich.listing(shown))]


def _buttons(request: Request) -> list[Block]:
    made: list[dict[str, object]] = []
    if request.state is State.WAITING:
        paper = str(ids.BallotPaper(request.id, request.digest))
        made += [
            button("Approve", ids.APPROVE, paper, style="primary", confirm=_confirm(request)),
            button("Reject", ids.REJECT, paper, style="danger"),
        ]
    return actions([*made, button("Details", ids.DETAILS, request.id), *_way_out(request)])


def _way_out(request: Request) -> list[dict[str, object]]:
    """How to stop it: each button types the command that does it, for whoever presses it."""
    followers = approval.followers(request.state)
    if State.WITHDRAWN in followers:
        sure = confirm("Take it back?", "Nothing will be done. It can be asked again.", "Withdraw", "Keep it")
        return [ids.run_button(0, "Withdraw", f"request withdraw {request.id}", confirm=sure)]
    if State.CANCELLING in followers:
        told = "The pool is asked to stop it, which it may refuse. What was done before is undone where the plan can."
        sure = confirm("Cancel what is running?", told, "Cancel it", "Let it run")
        return [ids.run_button(0, "Cancel", f"request cancel {request.id}", style="danger", confirm=sure)]
    if request.state is State.UNKNOWN:
        return [ids.run_button(0, "Settle", f"request settle {request.id}")]
    return []


def _confirm(request: Request) -> dict[str, object] | None:
    """A second look before what cannot be taken back; not before a form that asks for one anyway."""
    plan, wanted = request.plan, request.requirement
    if plan.risk is not Risk.DESTRUCTIVE or wanted.type_name or wanted.one_time_code:
        return None
    back = f" How to go back: {plan.go_back}" if plan.go_back else ""
    return confirm("Approve something destructive?", f"{title(plan)}.{back}", "Approve", "Not now")


def _footer(request: Request, head: str) -> list[str]:
    made = [f"{request.id} · {request.plan.risk} · plan {request.digest[:12]}"]
    if request.requirement.overrides:
        made.append(f"overrides the freeze {joined(request.requirement.overrides)}")
    if request.predecessor:
        made.append(f"asked again after {request.predecessor}")
    return [*made, record(head)] if head else made
