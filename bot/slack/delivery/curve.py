"""The chart of a queue's models: the accuracy of each, against the number of items that people had settled for it."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from bot.slack.delivery.chart import BEFORE, DPI, FAINT, INK, NOW, SIZE, clip, plain
from bot.wording.numbers import count
from bot.wording.production import shown
from core.learning.evaluation.intervals import Interval
from core.learning.lifecycle.effort import CurvePoint
from core.learning.lifecycle.production import ProductionEstimate

FEWEST = 2  # the fewest models for a curve
SAID = 12  # models in the alternative text
APART = 0.07  # the smallest distance between two names, as a share of the axis; closer ones would overlap
ROOM = 0.05  # between the outermost points and the edges, as a share of the axis
LIVE, OTHER = "went live", "not live so far"
ANSWERS = "live answers that agree with what people settle"
BESIDE = 0.012  # between a model's point and the point of its live answers, as a share of the axis
STANDS_FOR = "Each model on the random golden examples of its own day (bars: 95%)."


def curve_upload(
    points: Sequence[CurvePoint], title: str, production: ProductionEstimate | None = None
) -> list[dict[str, Any]]:  # fmt: skip
    """The chart as a file for Slack; no file if there is no curve yet. title: the queue's."""
    if len(points) < FEWEST:
        return []
    head = f"{title}: accuracy against settled items"
    drawn = {"content": draw_curve(points, head, production), "alt_txt": curve_words(points, production)}
    return [{"filename": f"accuracy-until-{points[-1].name}.png", "title": head} | drawn]


def draw_curve(points: Sequence[CurvePoint], title: str, production: ProductionEstimate | None = None) -> bytes:
    """The chart as a PNG of 1200 x 675 pixels. points: at least one, oldest first; the line joins those that went live.
    production: the live model's, drawn beside its point."""
    live = _live_answers(points, production)
    figure = Figure(figsize=SIZE, dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.03, 0.925, clip(title, 66), size=19, weight="bold", color=INK, va="center", parse_math=False)
    figure.text(0.03, 0.865, STANDS_FOR, size=12.5, color=FAINT, va="center")
    axes = _axes(figure, points, live[1] if live else None)
    went_live = [point for point in points if point.went_live]
    axes.plot([one.items for one in went_live], [one.accuracy.estimate for one in went_live], color=NOW, linewidth=2)
    for point in points:
        _draw(axes, point)
    for point in _named(points):
        _name(axes, point)
    if live is not None:
        _draw_live(axes, *live)
    _legend(axes, with_answers=live is not None)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def curve_words(points: Sequence[CurvePoint], production: ProductionEstimate | None = None) -> str:
    """The chart in words, at most 1,000 characters."""
    live = _live_answers(points, production)
    answers = f" Live answers of {live[0].name} that agree with what people settle: {shown(live[1])}." if live else ""
    said = [f"{one.name} after {count(one.items, 'item')}: {one.accuracy.estimate:.0%} of {one.n}" for one in points]
    return clip(f"Right answers on random golden examples. {'; '.join(said[-SAID:])}.", 1000 - len(answers)) + answers


def _live_answers(
    points: Sequence[CurvePoint], production: ProductionEstimate | None
) -> tuple[CurvePoint, Interval] | None:  # fmt: skip
    """The live model's point, and the share of its answers in production that is right. None: it is not known yet, or
    no model is live."""
    if production is None or production.right is None:
        return None
    live = [point for point in points if point.name == production.model]
    return (live[-1], production.right) if live else None


def _axes(figure: Figure, points: Sequence[CurvePoint], answers: Interval | None) -> Axes:
    axes = figure.add_axes((0.085, 0.165, 0.885, 0.635))
    shares = [point.accuracy for point in points] + ([answers] if answers else [])
    most, low = max(1, *(point.items for point in points)), min(share.low for share in shares)
    axes.set_xlim(-ROOM * most, (1 + ROOM) * most)
    axes.set_ylim(max(0.0, low - ROOM), 1 + ROOM)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_yticks([tick for tick in axes.get_yticks() if max(0.0, low - ROOM) <= tick <= 1])
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel("items settled", size=12, color=FAINT, loc="left")  # the legend is on the right
    return plain(axes, "y")


def _draw(axes: Axes, point: CurvePoint) -> None:
    share, color = point.accuracy, NOW if point.went_live else BEFORE
    axes.plot([point.items] * 2, [share.low, share.high], color=color, linewidth=3, alpha=0.4, solid_capstyle="round")
    axes.plot([point.items], [share.estimate], clip_on=False, zorder=3, **_marker(point.went_live))


def _draw_live(axes: Axes, point: CurvePoint, share: Interval) -> None:
    left, right = axes.get_xlim()
    place = point.items + BESIDE * (right - left)
    axes.plot([place] * 2, [share.low, share.high], color=INK, linewidth=3, alpha=0.4, solid_capstyle="round")
    axes.plot([place], [share.estimate], clip_on=False, zorder=3, **_DIAMOND)


_DIAMOND: Mapping[str, Any] = {"marker": "D", "linestyle": "", "color": INK, "markersize": 8}


def _marker(went_live: bool) -> Mapping[str, Any]:
    """The style of a point, filled or open, distinguishable without colours."""
    color = NOW if went_live else BEFORE
    face = color if went_live else "white"
    return {"marker": "o", "linestyle": "", "color": face, "markeredgecolor": color, "markeredgewidth": 2,
            "markersize": 10}  # fmt: skip


def _named(points: Sequence[CurvePoint]) -> list[CurvePoint]:
    """The points whose names are drawn: the newest, and of the others those with room for it."""
    gap, named = APART * max(1, *(point.items for point in points)), [points[-1]]
    for point in reversed(points):
        if named[-1].items - point.items >= gap:
            named.append(point)
    return named


def _name(axes: Axes, point: CurvePoint) -> None:
    axes.annotate(
        f"{point.name} {point.accuracy.estimate:.0%}", (point.items, point.accuracy.high), xytext=(0, 7),
        textcoords="offset points", size=11.5, color=INK, ha="center", parse_math=False,
    )  # fmt: skip


def _legend(axes: Axes, with_answers: bool) -> None:
    handles = [axes.plot([], [], label=name, **_marker(name == LIVE))[0] for name in (LIVE, OTHER)]
    if with_answers:
        handles.insert(0, axes.plot([], [], label=ANSWERS, **_DIAMOND)[0])
    axes.legend(
        handles=handles, loc="upper right", bbox_to_anchor=(1, -0.06), frameon=False, fontsize=11.5, labelcolor=FAINT,
        ncols=len(handles),
    )  # fmt: skip
