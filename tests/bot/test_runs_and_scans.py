"""The cards of training runs and scans in each of their states."""

from typing import Any

import pytest

from bot.slack.views import run, scan
from core.discovery.cards import ScanCard
from core.discovery.find_counts import FindCounts
from core.discovery.results import Cluster
from core.discovery.scans import Counts
from core.learning.lifecycle.cards import RunCard
from core.vocabulary import (
    OPERATOR,
    Coded,
    RunProblem,
    RunState,
    RunStep,
    ScanState,
    Trigger,
)
from tests.bot.drawn import check
from tests.bot.hostile import HOSTILE
from tests.people import CLEO


@pytest.mark.parametrize("state", list(RunState))
@pytest.mark.parametrize("trigger", list(Trigger))
def test_slack_takes_the_card_of_a_run(state: RunState, trigger: Trigger) -> None:
    for text in HOSTILE:
        for person in (CLEO, OPERATOR, None):
            phrase, problem = {"phrase": text}, Coded(RunProblem.REFUSED, {"sentence": text})
            drawn = RunCard(5, text[:80], state, trigger, person, Coded(RunStep.OTHER, phrase), problem, "v5")
            check(run.render(drawn))
    waiting = RunCard(5, "Support", state, Trigger.CRON, None, Coded(RunStep.WAITING), None, "v5")
    assert "by schedule" in check(run.render(waiting))


def scan_of(state: ScanState, text: str = "/archive", **more: Any) -> ScanCard:
    counts = Counts(1000, 300, 4, 700, 12, 5, 3, 1) if state is ScanState.DONE else None
    values: dict[str, Any] = {
        "scan_id": 3, "queue_title": text[:80], "source": text[:1000], "model": "v5", "label": None, "foreign": False,
        "state": state, "requested_by": CLEO, "done": 0.25, "rows": 400_000, "seconds": 10.0, "left": 30.0,
        "counts": counts, "finds": FindCounts(4, 1, 0), "digest": "", "unread": (text,),
        "clusters": (Cluster(30, (text[:60], "money")), Cluster(5, ("card",))),
        "problem": Coded(RunProblem.REFUSED, {"sentence": text[:500]}),
    }  # fmt: skip
    return ScanCard(**(values | more))


@pytest.mark.parametrize("state", list(ScanState))
def test_slack_takes_the_card_of_a_scan(state: ScanState) -> None:
    for text in HOSTILE:
        for label in (None, text[:60]):
            check(scan.render(scan_of(state, text, label=label)))
    check(scan.render(scan_of(state, foreign=True, requested_by=OPERATOR, clusters=(), unread=())))


def test_the_card_of_a_scan_says_how_far_it_is_and_what_it_found() -> None:
    running = check(scan.render(scan_of(ScanState.RUNNING)))
    assert "25% read: 400,000 rows, 40,000 a second, 30 seconds left." in running
    done = check(scan.render(scan_of(ScanState.DONE)))
    counted = (
        "1,000 rows read, 300 of another kind, 4 already known, 12 near-duplicates, 700 ranked, 1 opened, 4 waiting."
    )
    assert counted in done
    assert "300 not about “refund”, 4" in check(scan.render(scan_of(ScanState.DONE, label="refund")))
    assert "300 of the queue's kind, 4" in check(scan.render(scan_of(ScanState.DONE, foreign=True)))
    assert "30  /archive, money" in done
    assert "1 of 3 parts of the source could not be read." in done
