"""Sentences about a candidate in shadow and about its report."""

from collections.abc import Iterator

from bot.wording.format import Format
from bot.wording.numbers import count
from core.learning.lifecycle.shadow import ShadowReport, ShadowTimes

SHOWN = 8  # labels and disagreements of a report on a card; `goldloop model shadow` has all


def shadow_state(times: ShadowTimes) -> str:
    """The state of a shadow, and its end (UTC), for the terminal."""
    if times.finished_at is None:
        return f"The shadow is running until {times.ends_at:%Y-%m-%d %H:%M} UTC. So far:"
    return f"The shadow was over at {times.finished_at:%Y-%m-%d %H:%M} UTC."


def agreement(report: ShadowReport) -> str:
    if report.n == 0:
        return "No predictions arrived during its shadow, so there is nothing to compare."
    return (
        f"In shadow, it agreed with the stored answers on {report.agreed} of {count(report.n, 'prediction')} "
        f"({report.agreed / report.n:.1%})."
    )


def labels_in_shadow(report: ShadowReport, form: Format, most: int = SHOWN) -> Iterator[str]:
    """The labels on which the two models agree least."""
    for one in [one for one in report.labels if one.agreed < one.n][:most]:
        yield f"{form.text(one.label)}: agreed in {one.agreed} of {one.n} ({one.agreed / one.n:.0%})"


def disagreements(report: ShadowReport, form: Format, most: int = SHOWN) -> Iterator[str]:
    """The disagreements, most frequent first: the stored answer and the candidate's."""
    for one in report.disagreements[:most]:
        yield f"{form.text(one.answered)} → {form.text(one.candidate)}: {one.count}"
