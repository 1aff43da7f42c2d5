"""Measured clocks as a report shows them: each difference with its proof."""

from __future__ import annotations

from bot.findings import Audited, Offset, TimeAnswer
from bot.model import Cell, Level, Line, Lines, Part, Table
from bot.rules.clocks import Interval, told
from bot.rules.drift import UNSTEERED
from bot.rules.truetime import agreed
from bot.text import plural, quoted

MOST = 20
_NO_SERVERS = "No NTP server is configured (audits.ntp_servers): against true time nothing is known"


def clocks(audited: Audited, most: int | None = MOST) -> tuple[Part, ...]:
    """What was measured, the widest differences first; and what the NTP servers said."""
    if not audited.offsets:
        return ()
    true = any(each.true_low is not None for each in audited.offsets)
    rates = any(each.ppm_low is not None for each in audited.offsets)
    ordered = sorted(audited.offsets, key=lambda each: -abs(each.low + each.high))
    columns = ["Host", *(("Ahead of true time",) if true else ()), "Ahead of the bot", *(("Runs",) if rates else ())]
    rows = tuple(_row(each, true, rates) for each in ordered[:most])
    return (
        Table(
            heading="Clocks",
            columns=(*columns, "Readings", "Round trip"),
            rows=rows,
            more=len(ordered) - len(rows),
        ),
        Lines(heading="True time", lines=(_own(audited), *map(_answer, audited.time_answers))),
    )


def _row(offset: Offset, true: bool, rates: bool) -> tuple[Cell, ...]:
    cells = [Cell(offset.host.name)]
    if true:
        known = offset.true_low is not None and offset.true_high is not None
        cells.append(Cell(told(Interval(offset.true_low or 0.0, offset.true_high or 0.0)) if known else "not known"))
    cells.append(Cell(told(Interval(offset.low, offset.high))))
    if rates:
        cells.append(_rate(offset))
    return (*cells, Cell(str(offset.readings)), Cell(f"{offset.round_trip * 1000:.0f} ms"))


def _rate(offset: Offset) -> Cell:
    if offset.ppm_low is None or offset.ppm_high is None:
        return Cell("not known yet")
    ppm = Interval(offset.ppm_low, offset.ppm_high)
    return Cell(
        f"{ppm.middle:+.1f} ppm ± {ppm.width / 2 + 0.1:.1f}", Level.WARN if ppm.at_least > UNSTEERED else Level.NONE
    )


def _own(audited: Audited) -> Line:
    """The bot's own clock, in a line."""
    if not audited.time_answers:
        return Line(text=_NO_SERVERS, level=Level.INFO)
    truth = agreed(audited.time_answers, max(each.at for each in audited.time_answers).timestamp())
    if truth.interval is None:
        return Line(text="No NTP server can be believed: against true time nothing is known", level=Level.WARN)
    ahead = Interval(-truth.interval.high, -truth.interval.low)
    return Line(
        text=f"The bot's own clock against true time: {told(ahead)}, by {plural(len(truth.believed), 'NTP server')}"
    )


def _answer(answer: TimeAnswer) -> Line:
    if answer.failure:
        return Line(text=f"{quoted(answer.server)}: {answer.failure}", level=Level.INFO)
    detail = f"true time less the bot's: {told(Interval(answer.low, answer.high))}"
    return Line(text=f"{quoted(answer.server)}: stratum {answer.stratum}", detail=detail)
