"""Labels that have lost their training rows: refused by name, without golden examples or stored texts."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from core.learning.data.seeds import add_seeds
from core.learning.data.snapshots import Row, snapshot_rows
from core.learning.evaluation.scorecard import Scorecard
from core.learning.evaluation.training_labels import ROWS, RowsGone, rows_gone
from core.learning.lifecycle.candidates import Measured, measure
from core.records.learning import TrainingRun
from core.vocabulary import GateBlock
from tests.core.desk import BILLING, DELIVERY, NOW, REFUND, Desk
from tests.core.models import fitted, promoted, seeded

LABELS = (BILLING, DELIVERY, REFUND)


@pytest.mark.parametrize(("live", "candidate", "is_gone"), [(5, 0, True), (4, 0, False), (20, 2, True), (20, 3, False)])
def test_a_label_has_lost_its_rows_if_a_tenth_is_left_of_five_or_more(live: int, candidate: int, is_gone: bool) -> None:
    found = rows_gone({REFUND: live, BILLING: 9}, {REFUND: candidate, BILLING: 9}, LABELS)
    assert found == ((RowsGone(REFUND, live, candidate),) if is_gone else ())


def test_a_label_that_left_the_policy_has_not_lost_its_rows() -> None:
    assert rows_gone({"gone": 40, DELIVERY: 40}, {}, LABELS) == (RowsGone(DELIVERY, 40, 0),)


def measured(desk: Desk, rows: Sequence[Row]) -> Measured:
    with desk.database.reading() as session:
        run = session.get_one(TrainingRun, 1)
    return measure(desk.database, run, fitted()[0], None, rows, desk.rules)


def test_a_candidate_whose_rows_of_a_label_became_another_is_refused_for_it(desk: Desk) -> None:
    seeded(desk)
    with desk.database.transaction() as session:
        add_seeds(session, [(f"where is parcel {number}", DELIVERY) for number in range(ROWS)], NOW, desk.rules)
    promoted(desk)
    with desk.database.reading() as session:
        rows = snapshot_rows(session, session.get_one(TrainingRun, 1).snapshot_id or 0)
    had = sum(row.label == DELIVERY for row in rows)
    assert measured(desk, rows).verdict.blocks == ()
    found = measured(desk, [replace(row, label=REFUND) if row.label == DELIVERY else row for row in rows])
    [block] = found.verdict.blocks
    assert (block.code, dict(block.values)) == (
        GateBlock.ROWS_GONE, {"label": DELIVERY, "live": had, "candidate": 0},
    )  # fmt: skip
    assert Scorecard.from_dict(json.loads(json.dumps(found.scorecard.as_dict()))) == found.scorecard
