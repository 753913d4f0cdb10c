"""The chart of a promise: the share of wrong and unseen answers that the audit found, day by day, against the promised
share."""

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from bot.slack.delivery.chart import BEFORE, DPI, FAINT, FALL, INK, NOW, SIZE, clip, plain
from bot.wording.numbers import count, percent
from core.intake.promise_days import PromiseDays

TICKS = 7  # the most dates below the axis
STANDS_FOR = "Wrong and unseen answers of the last seven days, estimated from random checks (bars: 95% intervals)."


def promise_upload(found: PromiseDays | None) -> list[dict[str, Any]]:
    """The chart as a file for Slack; no file if nothing is promised or found."""
    if found is None:
        return []
    title = f"{found.queue_title}: promised and found"
    drawn = {"content": draw_promise(found, title), "alt_txt": promise_words(found)}
    return [{"filename": f"promise-until-{found.days[-1].began:%Y-%m-%d}.png", "title": title} | drawn]


def draw_promise(found: PromiseDays, title: str) -> bytes:
    """The chart as a PNG of 1200 x 675 pixels. Points above the line have another colour and are filled."""
    figure = Figure(figsize=SIZE, dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.03, 0.925, clip(title, 66), size=19, weight="bold", color=INK, va="center", parse_math=False)
    sentence = f"{STANDS_FOR} Dashed line: promised, {percent(found.promised)}."
    figure.text(0.03, 0.865, sentence, size=12.5, color=FAINT, va="center")
    axes = plain(figure.add_axes((0.085, 0.12, 0.885, 0.68)), "y")
    _draw(axes, found)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def promise_words(found: PromiseDays) -> str:
    """The chart in words."""
    known = [day for day in found.days if day.found is not None]
    last = known[-1].found
    assert last is not None, "kept above"
    above = sum(day.found is not None and day.found.estimate > found.promised for day in known)
    return (
        f"Promised: at most {percent(found.promised)} wrong and unseen. Found in the last seven days: "
        f"{last.estimate:.1%} ({last.low:.1%} to {last.high:.1%}), by {count(known[-1].audits, 'audit')}. "
        f"On {above} of {count(len(known), 'day')} the estimate was above the promise."
    )


def _draw(axes: Axes, found: PromiseDays) -> None:
    axes.axhline(found.promised, color=INK, linestyle="--", linewidth=1.5)
    for place, day in enumerate(found.days):
        if day.found is not None:
            _point(axes, place, day.found.estimate, (day.found.low, day.found.high), found.promised)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    step = max(1, -(-len(found.days) // TICKS))
    ticks = range(0, len(found.days), step)
    axes.set_xticks(list(ticks), [f"{found.days[place].began:%b} {found.days[place].began.day}" for place in ticks])


def _point(axes: Axes, place: int, share: float, interval: tuple[float, float], promised: float) -> None:
    is_above = share > promised
    color, face = (FALL, FALL) if is_above else (NOW, "white")
    axes.plot([place, place], interval, color=color if is_above else BEFORE, linewidth=2.5, alpha=0.4)
    axes.plot([place], [share], "o", color=face, markeredgecolor=color, markeredgewidth=1.5, markersize=8, zorder=3)
