"""Details of a request as a modal: everything that would be done and everything that was checked."""

from __future__ import annotations

import json

from bot.model import (
    Argument,
    BotTarget,
    Connection,
    Finding,
    HostTarget,
    MapOf,
    MemberTarget,
    Object,
    ObjectMap,
    Objects,
    Plan,
    PoolTarget,
    Request,
    ResultOf,
    Secret,
    Step,
    Value,
)
from bot.slack.render import rich
from bot.slack.render.card import STATES, finding_line, title, vote_line
from bot.slack.render.forms import View, view
from bot.slack.render.message import HEADER, Block, characters, cut, header
from bot.text import duration, middle_cut, quoted

_SIZES = ((200, 300), (80, 200), (30, 120), (12, 80))
"""Items of each list, and characters of each text: the first that fits is taken."""
_CHARACTERS = 40_000
"""Slack bounds a view by 250 KB of JSON; what does not fit in this is not read by anybody."""


def modal(request: Request) -> View:
    for most, length in _SIZES:
        blocks = _blocks(request, most, length)
        if characters(blocks) <= _CHARACTERS:
            break
    return view(f"Request {request.id}", blocks)


def call_line(step: Step) -> str:
    """The call as it will be sent, names in the place of references: `Async.VM.pool_migrate(VM web-1 (…), {})`."""
    name = f"Async.{step.call}" if step.asynchronous else step.call
    return f"{name}({', '.join(map(argument, step.arguments))})"


def argument(value: Argument) -> str:
    match value:
        case Value():
            shown = list(value.value) if isinstance(value.value, tuple) else value.value
            if shown is not None and not isinstance(shown, str | int | float | bool | list):
                shown = dict(shown)
            return json.dumps(shown, ensure_ascii=False)
        case Object():
            return f"{value.object.cls} {quoted(value.object.name)} ({value.object.uuid})"
        case Objects():
            return f"[{', '.join(argument(Object(each)) for each in value.objects)}]"
        case ObjectMap():
            return (
                f"{{{', '.join(f'{argument(Object(one))}: {argument(Object(other))}' for one, other in value.pairs)}}}"
            )
        case Connection():
            return f"the connection of {argument(Object(value.host))} to {argument(Object(value.sr))}"
        case ResultOf() | MapOf():
            return f"the result of step {value.step + 1}"
        case Secret():
            return f"the secret {quoted(value.name)}"


def _blocks(request: Request, most: int, length: int) -> list[Block]:
    plan = request.plan
    name, words = STATES[request.state]
    head = [
        rich.emoji(name),
        rich.text(f" {words}. "),
        rich.person(request.actor),
        rich.text(" asked "),
        rich.date(request.opened_at),
    ]
    full = [] if len(title(plan)) <= HEADER else [rich.section([rich.text(title(plan), bold=True, limit=2000)])]
    made = [
        header(title(plan)),
        rich.block(*full, rich.section(head), rich.quote([rich.text(request.text, limit=2000)])),
    ]

    def text(words: str) -> list[rich.Element]:
        return [rich.text(words, limit=length)]

    def whole(words: str) -> list[rich.Element]:
        return [rich.text(middle_cut(words, length))]  # its end is a uuid

    def check(finding: Finding) -> list[rich.Element]:
        return finding_line(finding, length)

    undo = tuple(each for step in plan.steps for each in step.undo)

    def call(step: Step) -> list[rich.Element]:
        return _call(step, plan)

    facts = tuple(f"{name}: {value}" for name, value in plan.facts)
    made += _listed("Checks", cut((*plan.blockers, *plan.warnings), most, check))
    made += _listed("Calls, in this order", cut(plan.steps, most, call), ordered=True)
    made += _listed("If a later call fails, taken back by", cut(undo, most, call), ordered=True)
    made += _listed("What it means meanwhile", cut(plan.impact, most, text))
    made += _listed("Why so", cut(plan.reasons, most, text))
    made += _listed("The decision rests on", cut(facts, most, text))
    made += _listed("Nothing else may touch meanwhile", cut(_touches(plan), most, whole))
    made += _listed("Checks that passed", cut(plan.passes, most, check))
    if plan.go_back:
        made.append(rich.block(rich.section([rich.text("How to go back: ", bold=True), rich.text(plan.go_back)])))
    made += _listed("Votes", cut(request.votes, most, lambda each: vote_line(each, request.digest)))
    made.append(rich.block(rich.listing(_terms(request))))
    return made


def _listed(heading: str, items: list[list[rich.Element]], *, ordered: bool = False) -> list[Block]:
    if not items:
        return []
    return [rich.block(rich.section([rich.text(heading, bold=True)]), rich.listing(items, ordered=ordered))]


def _call(step: Step, plan: Plan) -> list[rich.Element]:
    made = [rich.text(step.title, limit=300), rich.text(" ")] if step.title else []
    if step.lasting_seconds:
        words = f"sends nothing; looks for {duration(step.lasting_seconds)}, and ends here once it is not so"
        return [*made, rich.text(words)]
    if step.waits:
        return [*made, rich.text(f"sends nothing; waits for up to {duration(step.limit_seconds)}")]
    made += [rich.text(call_line(step), code=True, limit=1000), rich.text(f" to {_target(step, plan)}")]
    made.append(rich.text(f", watched for up to {duration(step.limit_seconds)}"))
    if step.together:
        made.append(rich.text(f"; at once with the one before, {plan.at_once} at a time at most"))
    return (
        [*made, rich.text("; only where it is not so by then, and the rest goes on if it fails")]
        if step.mends
        else made
    )


def _target(step: Step, plan: Plan) -> str:
    match step.target:
        case PoolTarget(uuid):
            named = next((pool.name for pool in plan.pools if pool.uuid == uuid), "")
            return f"the coordinator of {quoted(named)}" if plan.elsewhere and named else "the pool's coordinator"
        case HostTarget():
            return f"host {quoted(step.target.host)}"
        case MemberTarget():
            return f"host {quoted(step.target.host.name)} itself ({step.target.address})"
        case BotTarget():
            return "the bot itself"


def _touches(plan: Plan) -> tuple[str, ...]:
    own = tuple(f"{each.cls} {quoted(each.name)} ({each.uuid})" for each in plan.touches)
    if plan.whole_pool:
        own = (f"the whole pool {quoted(plan.pool.name)}",)
    others = (
        f"in {quoted(other.pool.name)}: {each.cls} {quoted(each.name)} ({each.uuid})"
        for other in plan.elsewhere
        for each in other.touches
    )
    return (*own, *others)


def _terms(request: Request) -> list[list[rich.Element]]:
    wanted = request.requirement
    made = [
        [rich.text(f"Takes {wanted.approvals} of: {wanted.who}")]
        if wanted.approvals
        else [rich.text("Takes nobody's approval")],
        [rich.text("Expires "), rich.date(request.expires_at)],
        [rich.text(f"Risk: {request.plan.risk}")],
        [rich.text("Command: "), rich.text(_pinned(request.plan), code=True, limit=1000)],
        [rich.text("Digest of the plan: "), rich.text(request.digest, code=True)],
    ]
    window = request.plan.window
    if window.not_before:
        made.append([rich.text("Not before "), rich.date(window.not_before)])
    if window.not_after:
        made.append([rich.text("Not after "), rich.date(window.not_after)])
    return made


def _pinned(plan: Plan) -> str:
    return " ".join([plan.command, *(f"{name}={quoted(value)}" for name, value in plan.arguments)])
