"""How often the live model is right in production, from a sample of each stratum of its answers."""

from collections import Counter
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from scipy.stats import beta
from sqlalchemy import select

from core.intake.predictions import NewPrediction
from core.intake.reasons.base import Scored
from core.intake.reasons.table import flag_probability, reasons_to_review
from core.learning.evaluation.intervals import Interval, jeffreys
from core.learning.evaluation.production import FEWEST_AUDITS, WIDEST, Stratum, share_right
from core.learning.lifecycle.production import LabelEstimate, ProductionEstimate, production_estimate
from core.policy import QueuePolicy
from core.privacy.erasure import erase
from core.records.predictions import Flag, Prediction
from core.records.reviews import ReviewItem
from core.vocabulary import Reason
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, REFUND, SURE, UNSURE, Desk, sent
from tests.core.models import promoted, seeded
from tests.people import ANA, BEN, EVA, support_policy

ALL = {"audit_share": 1.0}
NONE_AUDITED = {"audit_share": 1e-9}


def of(desk: Desk) -> ProductionEstimate:
    with desk.database.reading() as session:
        return production_estimate(session, desk.queue().id)


def agreed(desk: Desk, answer: str, chances: dict[str, float] = SURE, **more: Any) -> int:
    return desk.settled(ANA, BEN, answer=answer, chances=chances, **more)


def test_jeffreys_is_the_quantiles_of_its_beta_distribution() -> None:
    found = jeffreys(29, 30)
    assert (found.low, found.high) == pytest.approx((beta.ppf(0.025, 29.5, 1.5), beta.ppf(0.975, 29.5, 1.5)))
    assert jeffreys(0, 0) == Interval(0.5, 0.0, 1.0)
    assert (jeffreys(0, 9).low, jeffreys(9, 9).high) == (0.0, 1.0)


def test_what_was_reviewed_is_known_and_the_rest_counts_by_its_share() -> None:
    reviewed, accepted = Stratum(200, 200, 120, reviewed=True), Stratum(800, 40, 38, reviewed=False)
    found, sample = share_right([reviewed, accepted]), jeffreys(38, 40)
    assert found.estimate == pytest.approx(0.12 + 0.8 * 0.95)
    assert (found.low, found.high) == pytest.approx((0.12 + 0.8 * sample.low, 0.12 + 0.8 * sample.high))
    assert share_right([reviewed]) == Interval(0.6, 0.6, 0.6)
    assert share_right([]) == share_right([Stratum(9, 0, 0, reviewed=False)]) == Interval(0.5, 0.0, 1.0)


def test_what_is_not_settled_yet_is_as_uncertain_as_a_sample() -> None:
    half = share_right([Stratum(200, 100, 60, reviewed=True)])
    assert half.estimate == pytest.approx(0.6)
    assert half.high - half.low == pytest.approx(0.5 * (jeffreys(60, 100).high - jeffreys(60, 100).low), rel=0.01)


@pytest.mark.slow
def test_fewer_than_thirty_audits_say_nothing_yet(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging=ALL)
    for _ in range(FEWEST_AUDITS - 1):
        agreed(desk, REFUND)
    assert (of(desk).right, of(desk).audits) == (None, 29)
    agreed(desk, BILLING)
    assert (of(desk).model, of(desk).audits, of(desk).rows) == ("sender-1", 30, 30)
    assert of(desk).right == share_right([Stratum(30, 30, 29, reviewed=True)])


def test_a_label_is_shown_when_its_interval_is_narrow(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging=ALL)
    for answer in (REFUND, REFUND, BILLING):
        agreed(desk, answer)
    desk.ticket(chances={BILLING: 0.9, REFUND: 0.1})
    assert of(desk).labels == (
        LabelEstimate(REFUND, share_right([Stratum(3, 3, 2, reviewed=True)]), 3),
        LabelEstimate(BILLING, None, 0),
    )


@pytest.mark.slow
def test_only_the_audits_of_the_live_model_since_it_went_live_count(desk: Desk) -> None:
    live = seeded(desk).under(flagging=ALL)
    agreed(live, REFUND, model_version="v1")
    promoted(live, NOW + timedelta(seconds=30))
    assert of(live) == ProductionEstimate("v1", None, 0, 0, 0, ())
    later = NOW + timedelta(minutes=1)
    agreed(live, REFUND, model_version="v1", now=later)
    agreed(live, REFUND, model_version="other", now=later)
    assert (of(live).audits, of(live).rows) == (1, 1)


@pytest.mark.slow
def test_a_row_that_a_person_reports_stays_in_its_stratum(open_desk: OpenDesk) -> None:
    """A row is let pass and reported; a rule flags five; another came by a report alone."""
    desk = open_desk(flagging=NONE_AUDITED)
    row = sent(chances=SURE)
    desk.ingest(row)
    for _ in range(5):
        agreed(desk, REFUND, UNSURE)
    for reported in (
        NewPrediction(row["external_id"], "sender-1", row["text"], label=REFUND, confidence=0.95),
        NewPrediction("C1:1", "sender-1", "never sent", label=REFUND, confidence=0.9),
    ):
        item_id = desk.flag(reported)
        for person in (ANA, BEN):
            desk.click(person, item_id, BILLING)
    assert (of(desk).audits, of(desk).rows, of(desk).reviewed) == (0, 6, 5)
    expected = share_right([Stratum(5, 5, 5, reviewed=True), Stratum(1, 0, 0, reviewed=False)])
    assert of(desk).labels == (LabelEstimate(REFUND, expected, 0),)


def test_erased_rows_still_count_and_what_was_never_settled_is_left_out(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging=NONE_AUDITED)
    agreed(desk, REFUND, UNSURE)
    lost = desk.prediction(desk.ticket()).external_id
    with desk.database.transaction() as session:
        erase(session, desk.rules.name, lost, NOW)
    assert (of(desk).rows, of(desk).reviewed) == (2, 2)
    [label] = of(desk).labels
    assert label.right is None


def test_of_many_answers_the_newest_count_with_all_that_came_at_once(desk: Desk) -> None:
    desk = desk.under(flagging=NONE_AUDITED)
    for minute in range(4):
        desk.ingest(*(sent(chances=SURE) for _row in range(2)), now=NOW + timedelta(minutes=minute))
    with desk.database.reading() as session:
        counted = [production_estimate(session, desk.queue().id, newest).rows for newest in range(1, 10)]
    assert counted == [2, 2, 4, 4, 6, 6, 8, 8, 8]


def test_only_audits_and_what_a_rule_flagged_count_as_settled(open_desk: OpenDesk) -> None:
    """Two labels, of which each is in both strata; another queue's rows and those of another version count nowhere."""
    desk = open_desk(flagging={"audit_share": 0.5})
    for chances in (SURE, UNSURE, {BILLING: 0.9, REFUND: 0.1}):
        for _ in range(8):
            desk.ingest(sent(chances=chances))
    desk.ingest(sent(chances=SURE, model_version="former"), now=NOW - timedelta(hours=1))
    with desk.database.reading() as session:
        found = session.execute(
            select(ReviewItem.id, Prediction.label, Flag.reason)
            .join(Prediction, Prediction.id == ReviewItem.prediction_id)
            .join(Flag, Flag.prediction_id == Prediction.id)
            .where(Prediction.model_version == "sender-1")
        ).all()
    audits = Counter(label for _item, label, reason in found if reason == Reason.AUDIT)
    for item_id in {item_id for item_id, *_more in found}:
        for person in (ANA, BEN, EVA):
            if desk.item(item_id).state.is_undecided:
                desk.click(person, item_id, REFUND)
    estimate = of(desk)
    assert estimate.rows == 24
    assert {one.label: one.audits for one in estimate.labels} == {REFUND: audits[REFUND], BILLING: audits[BILLING]}
    assert estimate.audits == audits.total() > 0


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "unsettled"), [(900, 0.03), (1600, 0.3)])
def test_the_interval_holds_the_truth_in_95_of_100_queues(rows: int, unsettled: float) -> None:
    """Queues whose truth is known. Each row's lot and flag are those of intake; errors are frequent where the model is
    unsure. A share of the rows is never settled. Between 92 and 99 % of 300 queues."""
    policy = support_policy(flagging={"audit_share": 0.05}).queues[0]
    held = [_holds(np.random.default_rng(seed), rows, unsettled, policy) for seed in range(300)]
    told = [each for each in held if each is not None]
    assert len(told) > 250
    assert 0.92 <= np.mean(told) <= 0.99


def _holds(rng: np.random.Generator, rows: int, unsettled: float, policy: QueuePolicy) -> bool | None:
    """Whether the interval holds the share that is right; None: with fewer than 30 audits there is none."""
    confidence = 0.4 + 0.6 * rng.beta(5, 1, rows)
    right = rng.random(rows) < confidence
    draws, settled = rng.random(rows), rng.random(rows) >= unsettled
    reasons = [
        reasons_to_review(Scored(REFUND, sure, None, draw), policy)
        for sure, draw in zip(confidence.tolist(), draws.tolist(), strict=True)
    ]
    reviewed = np.array([flag_probability(found, policy) >= 1 for found in reasons])
    audited = np.array([any(one.reason is Reason.AUDIT for one in found) for found in reasons])
    if (audited & settled).sum() < FEWEST_AUDITS:
        return None
    sampled = settled & (reviewed | audited)
    strata = [
        Stratum(int(mine.sum()), int((mine & sampled).sum()), int((mine & sampled & right).sum()), by_rule)
        for by_rule, mine in ((True, reviewed), (False, ~reviewed))
    ]
    found = share_right(strata)
    return bool(found.low <= right.mean() <= found.high)


def test_the_width_that_is_shown_is_twenty_points() -> None:
    narrow, wide = share_right([Stratum(900, 35, 32, False)]), share_right([Stratum(900, 30, 26, False)])
    assert narrow.high - narrow.low <= WIDEST < wide.high - wide.low
