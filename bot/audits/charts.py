"""Charts as PNG pictures: clocks with their error bars, findings over time, restarts after a failure. The only part
that knows matplotlib.

It is imported when the first chart is drawn: it takes about a second and 40 MB that a bot without charts
need not spend. Figures are drawn on canvases of their own (Agg), so that threads do not share any state.
"""

from __future__ import annotations

import io
import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from bot.findings import Audited, Offset
from bot.model import Level, ObjectId
from bot.rules.clocks import Interval, told
from bot.text import duration, one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INCHES = 9.0
_DOTS = 160
_MOST_ROWS = 40
_NAME = 28
"""Characters of a name."""
_HEAD = 8
"""Characters of a uuid that stands for a name."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours. Text and marks have a contrast of at least 4.5 : 1 against the ground (WCAG 2.1, 1.4.3)."""

    ground: str
    ink: str
    faint: str
    grid: str
    mark: str
    bad: str
    warn: str
    info: str


LIGHT = Theme("#ffffff", "#1d1c1d", "#5f6368", "#dfe3e8", "#0b5cad", "#b3261e", "#8a5a00", "#0b5cad")
DARK = Theme("#1a1d21", "#e8eaed", "#a8adb3", "#3a3f45", "#7cc0ff", "#ff8a80", "#ffc857", "#7cc0ff")


def clocks(offsets: Sequence[Offset], theme: Theme = LIGHT) -> bytes:
    """Each host's offset to true time (to the bot's clock where that is not known) with its error bar; the numbers
    stand beside it, since an error bar of milliseconds cannot be seen beside minutes.

    :raises ValueError: there is nothing to draw.
    """
    true = any(each.true_low is not None for each in offsets)
    proofs = [(each.host, _interval(each, true)) for each in offsets]
    drawn = [(host, proof) for host, proof in proofs if proof is not None and not proof.empty]
    if not drawn:
        raise ValueError("no clock was measured")
    drawn.sort(key=lambda pair: pair[1].middle)
    if len(drawn) > _MOST_ROWS:
        # The farthest of both sides: who is right is of no interest.
        kept = sorted(drawn, key=lambda pair: -abs(pair[1].middle))[:_MOST_ROWS]
        left_out, drawn = len(drawn) - len(kept), [pair for pair in drawn if pair in kept]
    else:
        left_out = 0
    rows = len(drawn)
    figure, axes = _figure(1.5 + 0.27 * max(rows, 2), theme)
    for row, (_, proof) in enumerate(drawn):
        axes.errorbar(
            proof.middle, row, xerr=proof.width / 2, fmt="o", color=theme.mark, markersize=5, capsize=4, elinewidth=2
        )
        axes.annotate(
            told(proof),
            (1.015, row),
            xycoords=("axes fraction", "data"),
            va="center",
            color=theme.faint,
            fontsize=9,
            annotation_clip=False,
        )
    axes.axvline(0, color=theme.faint, linewidth=1.2, zorder=0)
    axes.set_yticks(range(rows), [_label(host) for host, _ in drawn])
    axes.set_ylim(-0.7, rows - 0.3)
    _scale(axes, [proof for _, proof in drawn])
    reference = "true time" if true else "the bot's clock"
    note = _note(host for host, _ in drawn)
    axes.set_xlabel(f"seconds ahead of {reference} (left: behind){note}", color=theme.faint)
    rest = f"; {left_out} nearer to zero left out" if left_out else ""
    _title(axes, f"Clocks against {reference}{rest}", theme)
    return _png(figure)


def findings(runs: Sequence[Audited], theme: Theme = LIGHT) -> bytes:
    """How many findings were open at each audit that could look, by how grave they were. `runs` in any order.

    :raises ValueError: there is nothing to draw.
    """
    looked = sorted((run for run in runs if not run.run.failure), key=lambda each: each.run.ended_at)
    if not looked:
        raise ValueError("no audit could look")
    from matplotlib import dates
    from matplotlib.ticker import MaxNLocator

    figure, axes = _figure(3.2, theme)
    times = [float(dates.date2num(each.run.ended_at.astimezone(UTC))) for each in looked]  # type: ignore[no-untyped-call]  # matplotlib has no types here
    base = [0] * len(looked)
    for level, name, colour in (
        (Level.BAD, "grave", theme.bad),
        (Level.WARN, "warning", theme.warn),
        (Level.INFO, "for information", theme.info),
    ):
        counts = [sum(story.drift.level is level for story in each.open) for each in looked]
        tops = [below + count for below, count in zip(base, counts, strict=True)]
        label = f"{counts[-1]} {name}"
        axes.fill_between(times, base, tops, color=colour, alpha=0.35, linewidth=0, step="post", label=label)
        axes.plot(times, tops, color=colour, linewidth=2, marker="o", markersize=4, drawstyle="steps-post")
        base = tops
    axes.set_ylim(0, max(*base, 1) * 1.15)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    if len(set(times)) == 1:
        axes.set_xlim(times[0] - 0.5, times[0] + 0.5)
    locator = dates.AutoDateLocator(tz=UTC, minticks=3, maxticks=8)  # type: ignore[no-untyped-call]  # matplotlib has no types here
    axes.xaxis.set_major_locator(locator)
    formatter = dates.ConciseDateFormatter(locator, tz=UTC)  # type: ignore[no-untyped-call]  # matplotlib has no types here
    axes.xaxis.set_major_formatter(formatter)
    axes.set_xlabel("UTC", color=theme.faint)
    axes.set_ylabel("open findings", color=theme.faint)
    legend = axes.legend(
        loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, labelcolor=theme.ink, title="now", reverse=True
    )
    legend.get_title().set_color(theme.faint)
    pool = looked[-1].run.pool
    of = f"{_escaped(pool)}, " if _drawable(pool) else ""
    _title(axes, f"Open findings: {of}{looked[-1].run.kind}", theme)
    return _png(figure)


def restarts(host: ObjectId, away: Sequence[tuple[ObjectId, float]], theme: Theme = LIGHT) -> bytes:
    """How long each VM was away after its host was declared failed: (VM, seconds), the quickest on top.

    :raises ValueError: there is nothing to draw.
    """
    if not away:
        raise ValueError("no VM was restarted")
    drawn = sorted(away, key=lambda each: (each[1], each[0].name))[:_MOST_ROWS]
    figure, axes = _figure(1.4 + 0.34 * len(drawn), theme)
    rows = range(len(drawn))
    axes.barh(rows, [seconds for _, seconds in drawn], height=0.6, color=theme.mark)
    for row, (_, seconds) in enumerate(drawn):
        label = f" {duration(seconds)}"
        axes.text(seconds, row, label, va="center", ha="left", color=theme.ink, fontsize=10, clip_on=False)
    axes.set_yticks(rows, [_label(vm) for vm, _ in drawn])
    axes.invert_yaxis()
    axes.set_xlim(0, max(max(seconds for _, seconds in drawn) * 1.15, 1))
    note = _note((host, *(vm for vm, _ in drawn)))
    axes.set_xlabel(f"seconds after the host was declared failed{note}", color=theme.faint)
    rest = f", the first {len(drawn)} of {len(away)} VMs" if len(away) > len(drawn) else ""
    _title(axes, f"{_label(host)} failed: until each VM ran again{rest}", theme)
    return _png(figure)


def restarts_in_words(host: ObjectId, away: Sequence[tuple[ObjectId, float]]) -> str:
    told_each = ", ".join(f"{_words(vm)} {duration(seconds)}" for vm, seconds in away)
    return f"After {_words(host)} was declared failed, each VM ran again after (to the second): {told_each}"


def clocks_in_words(offsets: Sequence[Offset]) -> str:
    """The chart for who does not see it."""
    true = any(each.true_low is not None for each in offsets)
    told_each = [
        f"{_words(each.host)} {told(proof)}" for each in offsets if (proof := _interval(each, true)) is not None
    ]
    return f"Clocks against {'true time' if true else 'the bot'}: {'; '.join(told_each)}"


def findings_in_words(runs: Sequence[Audited]) -> str:
    looked = sorted((run for run in runs if not run.run.failure), key=lambda each: each.run.ended_at)
    each = ", ".join(f"{run.run.ended_at:%Y-%m-%d %H:%M}: {len(run.open)}" for run in looked[-12:])
    return f"Open findings by audit (UTC): {each}"


def _interval(offset: Offset, true: bool) -> Interval | None:
    if not true:
        return Interval(offset.low, offset.high)
    if offset.true_low is None or offset.true_high is None:
        return None
    return Interval(offset.true_low, offset.true_high)


def _figure(height: float, theme: Theme) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_INCHES, height), dpi=_DOTS, facecolor=theme.ground, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(facecolor=theme.ground)
    axes.grid(axis="both", color=theme.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    for name, spine in axes.spines.items():
        spine.set_color(theme.grid)
        spine.set_visible(name in ("left", "bottom"))
    axes.tick_params(colors=theme.ink, labelsize=10, length=0)
    return figure, axes


def _scale(axes: Axes, proofs: Sequence[Interval]) -> None:
    """Linear; where some are seconds off and others milliseconds, logarithmic to both sides of zero."""
    far = max(max(abs(proof.low), abs(proof.high)) for proof in proofs)
    near = sorted(abs(proof.middle) for proof in proofs)[len(proofs) // 2]
    if far > 2 and far > 20 * max(near, 0.01):
        axes.set_xscale("symlog", linthresh=1.0, linscale=0.8)
        from matplotlib.ticker import FuncFormatter

        top = math.ceil(math.log10(far))
        powers = [10.0**power for power in range(top + 1)]
        low, high = min(proof.low for proof in proofs), max(proof.high for proof in proofs)
        ticks = [*(-power for power in reversed(powers) if low < 0), 0.0, *(power for power in powers if high > 0)]
        axes.set_xticks([tick for tick in ticks if low * 4 - 1 <= tick <= high * 4 + 1])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+.0f}" if value else "0"))
        axes.minorticks_off()
        axes.set_xlim(min(low * 2, -1.2), max(high * 2, 1.2))
    else:
        widest = max(far, 0.02) * 1.2
        axes.set_xlim(-widest, widest)


def _title(axes: Axes, text: str, theme: Theme) -> None:
    axes.set_title(text, loc="left", color=theme.ink, fontsize=13, fontweight="bold", pad=10)


def _drawable(name: str) -> bool:
    """Whether matplotlib's own font, the only one that is there wherever it is, has every character; and whether they
    stand beside each other as they are written: nothing here sets text from the right or joins letters.
    """
    from matplotlib import font_manager

    font = font_manager.get_font(font_manager.findfont("DejaVu Sans"))
    shown = one_line(name, _NAME)
    return all(font.get_char_index(ord(each)) and unicodedata.bidirectional(each) not in ("R", "AL") for each in shown)


def _label(named: ObjectId) -> str:
    """The object's name, or the head of its uuid where the name cannot be drawn."""
    return _escaped(named.name) if _drawable(named.name) else named.uuid[:_HEAD]


def _note(named: Iterable[ObjectId]) -> str:
    return "" if all(_drawable(each.name) for each in named) else "; a name that cannot be drawn: by its uuid"


def _words(named: ObjectId) -> str:
    """The name in full, and what the chart shows in its place."""
    name = one_line(named.name, _NAME)
    return name if _drawable(name) else f"{name} ({named.uuid[:_HEAD]})"


def _escaped(name: str) -> str:
    """A dollar sign would begin a formula."""
    return one_line(name, _NAME).replace("$", r"\$")


def _png(figure: Figure) -> bytes:
    made = io.BytesIO()
    # Without the program's name and the time: the same values give the same picture.
    figure.savefig(made, format="png", metadata={"Software": None})
    return made.getvalue()
