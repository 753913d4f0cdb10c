"""The chart of a candidate's report: its accuracy beside the live model's, and the labels whose recall rises or falls.

Drawn with matplotlib's objects, not pyplot: pyplot keeps figures in a global list, and charts are drawn in threads. The
colours are those of Okabe and Ito, which colour-blind people can tell apart; shape and sign also show the direction.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from bot.wording.numbers import MINUS, signed
from core.learning.evaluation.intervals import Interval
from core.learning.evaluation.scorecard import Baseline, LabelScore, PastErrorScore, RandomScore, Scorecard

SIZE, DPI = (12.0, 6.75), 100  # inches; 1200 x 675 pixels, which Slack shows without cropping
LABELS = 12  # labels in the right panel; more are not readable in Slack
ROWS = 6  # rows in it are at most as high as with this many
INK, FAINT, RULE = "#1d1c1d", "#616061", "#e3e3e3"
BEFORE, NOW, RISE, FALL = "#8a8a8a", "#0072b2", "#009e73", "#d55e00"
OPEN: Mapping[str, Any] = {
    "marker": "o",
    "linestyle": "",
    "color": "white",
    "markeredgecolor": BEFORE,
    "markeredgewidth": 2,
    "markersize": 8,
}
DIRECTIONS = (("<", FALL, "falls"), (">", RISE, "rises"))  # indexed by whether it rises; differ without colours too
BASELINES: dict[Baseline, str] = {
    "live": "live model",
    "recorded": "sender's model",
    "majority": "most common label",
}


def draw_report(scorecard: Scorecard, title: str) -> bytes:
    """The chart as a PNG of 1200 x 675 pixels. title: one line with queue, candidate and baseline."""
    figure = Figure(figsize=SIZE, dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)  # becomes the figure's canvas, so that no display is needed
    _heading(figure, scorecard, title)
    _accuracy(_panel(figure, (0.135, 0.325), "Right answers on the golden set"), scorecard)
    _recall(_panel(figure, (0.685, 0.235), _recall_title(scorecard)), scorecard)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def alt_text(scorecard: Scorecard) -> str:
    """The chart in words, for people who cannot see it; at most 1,000 characters, which is Slack's limit."""
    before = BASELINES[scorecard.baseline]
    parts = [
        f"{name}: {before} {_percent(score.live)}, candidate {_percent(score.candidate)} of {score.n}."
        for name, score in _strata(scorecard)
        if score.n
    ]
    changes = [f"{score.label} {_points(score)}" for score in _most_changed(scorecard)]
    parts.append(f"Recall in points: {', '.join(changes)}." if changes else "No label's recall changed.")
    return clip(" ".join(["Accuracy on the golden set.", *parts]), 1000)


def _heading(figure: Figure, scorecard: Scorecard, title: str) -> None:
    shown = clip(title, 66)
    figure.text(0.03, 0.925, shown, size=19, weight="bold", color=INK, va="center", parse_math=False)
    figure.text(0.03, 0.865, _summary(scorecard), size=12.5, color=FAINT, va="center")


def _summary(scorecard: Scorecard) -> str:
    score, past = scorecard.random, scorecard.past_errors
    if not score.n and not past.n:
        return "There are no golden examples to compare on."
    change = score.difference
    accuracy = f"Accuracy {signed(change.estimate)} points (95%: {signed(change.low)} to {signed(change.high)})"
    fixed = f"past errors fixed: {len(past.fixed)}, newly wrong: {len(past.newly_wrong)}"
    return "   ·   ".join([accuracy, f"newly wrong: {score.regressions}, newly right: {score.improvements}", fixed])


def _strata(scorecard: Scorecard) -> list[tuple[str, RandomScore | PastErrorScore]]:
    return [("Random", scorecard.random), ("Past errors", scorecard.past_errors)]


def _panel(figure: Figure, place: tuple[float, float], title: str) -> Axes:
    """A panel of the figure. place: left edge and width of the plotted part, as shares of the figure; the names of rows
    are left of it."""
    left, width = place
    axes = figure.add_axes((left, 0.145, width, 0.595))
    figure.text(0.03 if left < 0.5 else 0.52, 0.785, title, size=13.5, color=INK, weight="bold")
    axes.set_xlim(-0.02, 1.02)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return plain(axes, "x")


def plain(axes: Axes, values: Literal["x", "y"]) -> Axes:
    """Remove the frame of the axes, and draw grid lines from the values of this axis behind the content."""
    axes.grid(axis=values, color=RULE, linewidth=1)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=11, labelcolor=FAINT, pad=6)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes


def _accuracy(axes: Axes, scorecard: Scorecard) -> None:
    axes.set_ylim(-0.6, 1.6)
    strata = _strata(scorecard)
    axes.set_yticks([1, 0], [f"{name}\n{score.n} examples" for name, score in strata], size=12, color=INK)
    for place, (_, score) in zip((1, 0), strata, strict=True):
        if score.n:
            _estimate(axes, score.live, place + 0.17, BEFORE, "s")
            _estimate(axes, score.candidate, place - 0.17, NOW, "o")
        else:
            axes.text(0.5, place, "none yet", color=FAINT, size=13, ha="center", va="center", backgroundcolor="white")
    before = axes.plot([], [], "s", color=BEFORE, markersize=9, label=BASELINES[scorecard.baseline])
    _legend(axes, [*before, *axes.plot([], [], "o", color=NOW, markersize=9, label="candidate (bars: 95%)")])


def _estimate(axes: Axes, share: Interval, height: float, color: str, marker: str) -> None:
    axes.plot([share.low, share.high], [height, height], color=color, linewidth=3, alpha=0.45, solid_capstyle="round")
    axes.plot([share.estimate], [height], marker, color=color, markersize=11, clip_on=False, zorder=3)
    axes.text(share.estimate, height + 0.085, _percent(share), color=color, size=13, weight="bold", ha="center")


def _legend(axes: Axes, handles: Sequence[Line2D]) -> None:
    axes.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.42, -0.085), ncols=3, frameon=False, fontsize=11.5,
        handletextpad=0.2, columnspacing=1.4, labelcolor=FAINT,
    )  # fmt: skip


def _recall_title(scorecard: Scorecard) -> str:
    shown = len(_most_changed(scorecard))
    return f"Recall of labels that changed most ({shown} of {len(scorecard.labels)})" if shown else "Recall per label"


def _recall(axes: Axes, scorecard: Scorecard) -> None:
    changed = _most_changed(scorecard)
    if not changed:
        axes.set_axis_off()
        missing = "There are no random golden examples." if not scorecard.random.n else "No label's recall changed."
        axes.text(0.2, 0.5, missing, transform=axes.transAxes, size=13, color=FAINT, ha="center")
        return
    axes.set_ylim(max(len(changed), ROWS) - 0.4, -0.6)  # the first row at the top
    names = [f"{_squeeze(score.label)} ({score.n})" for score in changed]
    axes.set_yticks(range(len(changed)), names, size=11.5, color=INK, parse_math=False)
    for place, score in enumerate(changed):
        _change(axes, score, place)
    before = axes.plot([], [], label=BASELINES[scorecard.baseline], **OPEN)
    _legend(axes, [*before, *(axes.plot([], [], m, color=c, markersize=9, label=name)[0] for m, c, name in DIRECTIONS)])


def _change(axes: Axes, score: LabelScore, place: int) -> None:
    marker, color, _ = DIRECTIONS[_rise(score) > 0]
    axes.plot([score.live_recall, score.candidate_recall], [place, place], color=color, linewidth=2.5, alpha=0.6)
    axes.plot([score.live_recall], [place], clip_on=False, **OPEN)
    axes.plot([score.candidate_recall], [place], marker, color=color, markersize=10, clip_on=False, zorder=3)
    axes.annotate(
        _points(score), (1.02, place), xytext=(50, 0), textcoords="offset points", color=color, size=12, weight="bold",
        ha="right", va="center", annotation_clip=False,
    )  # fmt: skip


def _most_changed(scorecard: Scorecard) -> Sequence[LabelScore]:
    """Up to 12 labels whose recall changed, the largest fall first and the largest rise last."""
    changed = [score for score in scorecard.labels if score.live_right != score.candidate_right]
    most = sorted(changed, key=lambda score: (-abs(_rise(score)), score.label))[:LABELS]
    return sorted(most, key=lambda score: (_rise(score), score.label))


def _rise(score: LabelScore) -> float:
    return score.candidate_recall - score.live_recall


def _points(score: LabelScore) -> str:
    return f"{_rise(score) * 100:+.0f}".replace("-", MINUS)


def clip(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _squeeze(label: str) -> str:
    """At most 20 characters of a label. The middle is cut: labels often share their beginning."""
    return label if len(label) <= 20 else f"{label[:11]}…{label[-8:]}"


def _percent(share: Interval) -> str:
    return f"{share.estimate:.0%}"
