"""The chart of a drift alarm: the reading that changed, day by day."""

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from bot.slack.delivery.chart import BEFORE, DPI, FAINT, FALL, INK, SIZE, clip, plain
from bot.wording.drift import NAMES, drift_sentence
from bot.wording.format import PLAIN
from core.intake.drift_card import DriftCard
from core.vocabulary import DriftSign

TICKS = 7  # the most dates below the axis


def drift_upload(card: DriftCard, name: str) -> dict[str, Any]:
    """The chart as a file for Slack. name: the file's, by which it is found again."""
    title = f"{card.queue_title}: {NAMES[card.signs[0].sign]}"
    words = clip(drift_sentence(card.signs[0], card.day, PLAIN), 1000)
    return {"filename": name, "title": title, "content": draw_drift(card, title), "alt_txt": words}


def draw_drift(card: DriftCard, title: str) -> bytes:
    """Draw the chart as a PNG of 1200 x 675 pixels. Colour and filled points mark the days of the window."""
    figure = Figure(figsize=SIZE, dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.03, 0.925, clip(title, 66), size=19, weight="bold", color=INK, va="center", parse_math=False)
    sentence = clip(drift_sentence(card.signs[0], card.day, PLAIN), 110)
    figure.text(0.03, 0.865, sentence, size=12.5, color=FAINT, va="center", parse_math=False)
    axes = plain(figure.add_axes((0.085, 0.12, 0.885, 0.68)), "y")
    _draw(axes, card)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _draw(axes: Axes, card: DriftCard) -> None:
    known = [(place, value) for place, (_began, value) in enumerate(card.days) if value is not None]
    first = len(card.days) - card.signs[0].days
    axes.plot([place for place, _value in known], [value for _place, value in known], color=BEFORE, linewidth=1.5)
    for place, value in known:
        face = FALL if place >= first else "white"
        axes.plot([place], [value], "o", color=face, markeredgecolor=FALL if place >= first else BEFORE,
                  markeredgewidth=1.5, markersize=8, zorder=3)  # fmt: skip
    axes.set_ylim(bottom=0)
    if card.signs[0].sign is not DriftSign.VOLUME:
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    step = max(1, -(-len(card.days) // TICKS))
    ticks = range(0, len(card.days), step)
    axes.set_xticks(list(ticks), [f"{card.days[place][0]:%b} {card.days[place][0].day}" for place in ticks])
