"""The pictures of golden examples that the live model gets right and the candidate wrong, side by side."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from bot.slack.delivery.chart import DPI, FAINT, INK, SIZE, clip
from core.learning.evaluation.scorecard import Flip

GRIDS = ((4, 1, 17.0), (4, 2, 16.0), (6, 2, 11.5))  # pictures across and down, font size; the first that fits
MOST = 12  # the most pictures; further ones are only counted


def flips_upload(flips: Sequence[Flip], pictures: Mapping[int, bytes], name: str, title: str) -> list[dict[str, Any]]:
    """The pictures as a file for Slack; no file if no flip has a picture. pictures: id of the golden example -> PNG;
    name: the candidate's; title: one line."""
    shown = [flip for flip in flips if flip.id in pictures]
    if not shown:
        return []
    head = f"{title}: newly wrong ({len(shown)})"
    drawn = {"content": draw_flips(shown, pictures, head), "alt_txt": flips_words(shown)}
    return [{"filename": f"{name}-newly-wrong.png", "title": head} | drawn]


def draw_flips(flips: Sequence[Flip], pictures: Mapping[int, bytes], title: str) -> bytes:
    """The first twelve pictures as a PNG of 1200 x 675 pixels. The fewer there are, the larger they are drawn."""
    across, down, size = next(grid for grid in GRIDS if len(flips[:MOST]) <= grid[0] * grid[1])
    figure = Figure(figsize=SIZE, dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.03, 0.94, clip(title, 66), size=19, weight="bold", color=INK, va="center", parse_math=False)
    for place, flip in enumerate(flips[:MOST]):
        axes = figure.add_subplot(down, across, place + 1)
        with Image.open(io.BytesIO(pictures[flip.id]), formats=("PNG",)) as picture:
            axes.imshow(np.asarray(picture.convert("RGB")))
        axes.set_axis_off()
        words = f"#{flip.id}: {clip(flip.label, 14)}\nnow {clip(flip.candidate, 14)}"
        axes.set_title(words, size=size, color=FAINT, parse_math=False)
    figure.subplots_adjust(left=0.03, right=0.97, top=0.8, bottom=0.02, hspace=0.4, wspace=0.1)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def flips_words(flips: Sequence[Flip]) -> str:
    """The pictures in words, at most 1,000 characters."""
    said = [f"#{flip.id} is {flip.label}, and the candidate says {flip.candidate}" for flip in flips[:MOST]]
    return clip(f"Newly wrong golden examples. {'; '.join(said)}.", 1000)
