"""`pool recover [with SURVIVOR]`: a pool without coordinator gets one; of two coordinators one becomes a member."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot import planning
from bot.errors import Choice, NotFound, Refused, Unavailable
from bot.model import Expect, Finding, MemberTarget, ObjectId, Plan, PoolTarget, Risk, Step, Value, Verdict
from bot.planning import silence
from bot.ports import Context, HostAnswer, KnownPool, Standpoint
from bot.registry import command
from bot.rules import conditions, recovery
from bot.rules.check import Check
from bot.rules.recovery import Situation
from bot.text import joined, one_line, quoted, word_for

TOOLSTACK_SECONDS = 900
"""A toolstack that takes over, or is told whom to follow, restarts first."""


@dataclass(frozen=True)
class Arguments:
    survivor: str | None = None


@command(
    "pool recover [with SURVIVOR]",
    risk=Risk.DESTRUCTIVE,
    headless=True,
    summary="Give a pool whose coordinator is dead another one.",
    details=(
        "Every host is asked for itself. A survivor becomes the coordinator, and the other members are told so.",
        "Refused while a coordinator answers; members that have lost it are then told whom to follow.",
        "Of two coordinators the one that is named goes on, and the other becomes a member.",
    ),
    examples=("pool recover in lab", "pool recover with xs2 in lab"),
)
def plan(arguments: Arguments, context: Context) -> Plan:
    known = context.pool.known() or _first_seen(context)
    if known is None:
        raise _never_seen(context)
    situation = Situation(context.pool.roll_call(), known)
    leading = situation.of(Standpoint.COORDINATOR)
    named = _named(arguments.survivor, situation)
    if len(leading) > 1:
        return _reduce(situation, named, context)
    if leading:
        return _gather(situation, leading[0], context)
    return _take_over(situation, named, context)


def _never_seen(context: Context) -> Refused:
    """A host in emergency mode does not tell which host of which pool it is, nor whether high availability was on."""
    answers = context.pool.roll_call()
    lost = [each.host.address for each in answers if each.standpoint is Standpoint.LOST]
    where = f"on one host that has lost its coordinator ({joined(lost)})" if lost else "on a surviving host"
    return Refused(
        f"The bot has never read {quoted(context.pool.name)} while it had a coordinator: it does not know which host it"
        " would make one, nor whether the old one is among those that answer. Nothing was changed.",
        evidence=recovery.told(answers),
        remedy=f"When the dead coordinator is off, and stays so, {where}: xe pool-emergency-transition-to-master, and a"
        " minute later xe pool-recover-slaves. The bot finds the pool by itself then.",
    )


def _first_seen(context: Context) -> KnownPool | None:
    """Of a pool that was never read: what it says now, if it has a coordinator."""
    try:
        context.pool.inventory()
    except Unavailable:
        return None
    return context.pool.known()


def _named(text: str | None, situation: Situation) -> HostAnswer | None:
    """:raises NotFound: no host is called so."""
    if text is None:
        return None
    for each in situation.answers:
        if text in (each.host.uuid, each.host.address) or text.casefold() == each.called.casefold():
            return each
    raise NotFound(
        f"The pool has no host called {quoted(text)}.",
        remedy=f"Its hosts: {joined(each.called for each in situation.answers)}.",
    )


def _plan(situation: Situation, leader: HostAnswer, context: Context, title: str, **parts: object) -> Plan:
    return Plan(
        command="pool recover",
        arguments=(("survivor", leader.host.uuid or leader.host.address),),
        pool=ObjectId("pool", situation.known.uuid, context.pool.name),
        risk=Risk.DESTRUCTIVE,
        title=title,
        whole_pool=True,
        **parts,  # type: ignore[arg-type]
    )


# --- no coordinator ---------------------------------------------------------------------------------------------------


def _take_over(situation: Situation, named: HostAnswer | None, context: Context) -> Plan:
    found, why = recovery.proposed(situation, context.pool.latest())
    survivor = named or found
    if survivor is None:
        raise Refused(
            "No host of the pool can take the coordinator's role over now. Nothing was changed.",
            evidence=recovery.told(situation.answers),
            remedy="A host notices some seconds after its coordinator went away; ask again then. If none answers at"
            " all, look at the hosts' power and at the network between the bot and them.",
        )
    pool, leader = situation.known, _id(survivor)
    others = [each for each in situation.of(Standpoint.LOST) if each.host != survivor.host]
    gone = situation.led(survivor)
    names = " and ".join(one_line(each.called).strip() for each in gone) or "the coordinator"
    off = f"{names} {'are' if len(gone) > 1 else 'is'} off"
    return _plan(
        situation,
        survivor,
        context,
        f"make {quoted(survivor.called)} the coordinator"
        + (f" instead of {quoted(gone[0].called)}, which is dead" if len(gone) == 1 else ""),
        findings=(
            *planning.findings(recovery.checks(situation, survivor), leader),
            _database(survivor),
            *_warned(recovery.left_behind(situation, survivor, gone), pool.uuid, context),
        ),
        steps=(
            *((silence.silent([_itself(each) for each in gone]),) if gone else ()),
            _lead(survivor, pool.uuid),
            *_tell(survivor, others, pool.uuid),
        ),
        facts=tuple((quoted(each.called), str(each.standpoint)) for each in situation.answers),
        confirm=off,
        impact=(
            "VMs on the surviving hosts go on running. Those on the dead one stay recorded as running there, until"
            " “host dead” says otherwise.",
            f"Each approver confirms that {off}.",
        ),
        reasons=(*((why,) if survivor is found and why else ()), *recovery.told(situation.answers)),
        go_back=_no_way_back(survivor, gone),
    )


def _no_way_back(survivor: HostAnswer, gone: Sequence[HostAnswer]) -> str:
    who = joined(each.called for each in gone) or "Who led until now"
    return (
        f"Nothing takes it back. {who} must stay off: started again, it would lead as well. If it has come up by"
        f" mistake, “pool recover with {survivor.called}” makes it a member."
    )


def _database(survivor: HostAnswer) -> Finding:
    return Finding(
        id="recover.database",
        verdict=Verdict.WARN,
        subject=_id(survivor),
        title="the newest changes of the pool may be lost",
        evidence=f"{quoted(survivor.called)} goes on with the last copy of the database that the coordinator sent it;"
        " how old that is, no host tells without a coordinator",
        remedy="Afterwards compare what you changed last: new VMs, disks, settings. “pool backups” has older copies.",
    )


def _lead(survivor: HostAnswer, pool_uuid: str) -> Step:
    leads = Expect(object=_id(survivor), rule=conditions.COORDINATES, at=PoolTarget(pool_uuid))
    return Step(
        title=f"Make {quoted(survivor.called)} the coordinator",
        target=_itself(survivor),
        call="pool.emergency_transition_to_master",
        asynchronous=False,
        expect=(leads,),
        limit_seconds=TOOLSTACK_SECONDS,
        away_seconds=TOOLSTACK_SECONDS,
    )


# --- one coordinator --------------------------------------------------------------------------------------------------


def _gather(situation: Situation, leader: HostAnswer, context: Context) -> Plan:
    """The members that do not follow it are told to."""
    astray = situation.astray(leader)
    if not astray:
        raise Refused(
            f"{quoted(leader.called)} answers as the coordinator; nothing is to be recovered. Nothing was changed.",
            evidence=recovery.told(situation.answers),
            remedy="“pool status” shows the pool; of a host that is dead: “host dead” and “host forget”.",
        )
    return _plan(
        situation,
        leader,
        context,
        f"tell {joined(each.called for each in astray)} to follow {quoted(leader.called)}",
        findings=(*_warned(recovery.left_behind(situation, leader), situation.known.uuid, context),),
        steps=tuple(_tell(leader, astray, situation.known.uuid)),
        facts=tuple((quoted(each.called), str(each.standpoint)) for each in situation.answers),
        impact=("VMs go on running; the toolstacks of the members that are told restart.",),
        reasons=recovery.told(situation.answers),
        go_back="Nothing takes it back.",
    )


def _tell(leader: HostAnswer, others: Sequence[HostAnswer], pool_uuid: str) -> Iterator[Step]:
    """What `pool.recover_slaves` answers leaves out whom it did not reach, so each is asked for itself afterwards."""
    if not others:
        return
    yield Step(
        title="Tell the members who leads",
        target=PoolTarget(pool_uuid),
        call="pool.recover_slaves",
        limit_seconds=TOOLSTACK_SECONDS,
    )
    yield Step(
        title=f"Wait until {joined(each.called for each in others)} "
        f"{'follow' if len(others) > 1 else 'follows'} {quoted(leader.called)}",
        target=PoolTarget(pool_uuid),
        expect=tuple(_follows(each, leader) for each in others),
        limit_seconds=TOOLSTACK_SECONDS,
        away_seconds=TOOLSTACK_SECONDS,
    )


def _follows(member: HostAnswer, leader: HostAnswer) -> Expect:
    return Expect(object=_id(member), rule=conditions.FOLLOWS, equals=Value(leader.host.address), at=_itself(member))


# --- two coordinators -------------------------------------------------------------------------------------------------


def _reduce(situation: Situation, named: HostAnswer | None, context: Context) -> Plan:
    leading = situation.of(Standpoint.COORDINATOR)
    names = joined(each.called for each in leading)
    if named is None or named not in leading:
        raise Refused(
            f"{names} all say that they are the coordinator. Which of them is right, only people can tell.",
            evidence=recovery.told(situation.answers),
            remedy="Compare what each knows (xe vm-list on both). What the other has recorded since they parted is"
            " lost:",
            choices=tuple(
                Choice(
                    f"{each.called} is right",
                    planning.line(
                        f"pool recover with {word_for(each.called, each.host.uuid or each.host.address)}", context
                    ),
                )
                for each in leading
            ),
        )
    wrong = [each for each in leading if each.host != named.host]
    return _plan(
        situation,
        named,
        context,
        f"make {joined(each.called for each in wrong)} follow {quoted(named.called)} again",
        findings=tuple(
            Finding(
                id="recover.two",
                verdict=Verdict.WARN,
                subject=_id(each),
                title=f"{quoted(each.called)} forgets what it has recorded as a coordinator",
                evidence="VMs, disks and settings that were made there since the two parted are not known any more",
                remedy=f"Look at it before you approve: xe vm-list on {quoted(each.called)}.",
            )
            for each in wrong
        ),
        steps=tuple(_follow_again(each, named) for each in wrong),
        facts=tuple((quoted(each.called), str(each.standpoint)) for each in situation.answers),
        impact=("VMs go on running where they run; the toolstack of the host that is told restarts.",),
        reasons=recovery.told(situation.answers),
        go_back="Nothing takes it back.",
    )


def _follow_again(wrong: HostAnswer, right: HostAnswer) -> Step:
    return Step(
        title=f"Make {quoted(wrong.called)} follow {quoted(right.called)}",
        target=_itself(wrong),
        call="pool.emergency_reset_master",
        arguments=(Value(right.host.address),),
        asynchronous=False,
        expect=(_follows(wrong, right),),
        limit_seconds=TOOLSTACK_SECONDS,
        away_seconds=TOOLSTACK_SECONDS,
    )


# --- helpers ----------------------------------------------------------------------------------------------------------


def _id(answer: HostAnswer) -> ObjectId:
    return ObjectId("host", answer.host.uuid, answer.called)


def _itself(answer: HostAnswer) -> MemberTarget:
    return MemberTarget(_id(answer), answer.host.address)


def _warned(checks: Iterable[Check], pool_uuid: str, context: Context) -> Iterator[Finding]:
    for check in checks:
        yield Finding(
            id=check.id,
            verdict=Verdict.WARN,
            subject=ObjectId("pool", pool_uuid, context.pool.name),
            title=check.title,
            evidence=check.evidence,
            remedy=check.remedy,
        )
