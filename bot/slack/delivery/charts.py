"""The files for a report or an alarm, as functions to be run in another process: matplotlib takes 30 MB that a worker
would never give back, and drawing takes half a second in which it would answer no click."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.intake.drift_card import DriftCard
from core.intake.promise_days import PromiseDays
from core.jobs import Report
from core.learning.evaluation.scorecard import Scorecard
from core.learning.lifecycle.effort import CurvePoint
from core.learning.lifecycle.production import ProductionEstimate

Files = list[dict[str, Any]]  # in the form that Slack's client takes


@dataclass(frozen=True)
class ReportFiles:
    """The data of the files beside a report. name: the candidate's. curve: all models so far. production: the live
    model's estimated accuracy. pictures: id of the golden example -> PNG."""

    name: str
    queue_title: str
    scorecard: Scorecard
    curve: list[CurvePoint]
    production: ProductionEstimate
    promise: PromiseDays | None
    pictures: Mapping[int, bytes]

    @property
    def filename(self) -> str:
        """The file name of the chart, by which it is found again."""
        return f"{self.name}.png"


def draw_files(of: ReportFiles, _report: Report) -> Files:
    from bot.slack.delivery.chart import alt_text, draw_report
    from bot.slack.delivery.curve import curve_upload
    from bot.slack.delivery.flips import flips_upload
    from bot.slack.delivery.promise_chart import promise_upload

    report = {
        "filename": of.filename,
        "title": f"{of.queue_title} {of.name} on the golden set",
        "content": draw_report(of.scorecard, f"{of.queue_title}: {of.name}"),
        "alt_txt": alt_text(of.scorecard),
    }
    flips = flips_upload(of.scorecard.negative_flips, of.pictures, of.name, of.queue_title)
    curve = curve_upload(of.curve, of.queue_title, of.production)
    return [report, *flips, *curve, *promise_upload(of.promise)]


def draw_drift_file(card: DriftCard, name: str, _report: Report) -> Files:
    from bot.slack.delivery.drift_chart import drift_upload

    return [drift_upload(card, name)]
