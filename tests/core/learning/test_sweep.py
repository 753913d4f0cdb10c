"""The sweep over training weights: on held-out training rows, weighted to the traffic, and repeatable."""

import pytest

from core.errors import Invalid
from core.learning.data.inputs import Example, Input
from core.learning.data.snapshots import Row
from core.learning.data.traffic import flagged_share, traffic_shares
from core.learning.learners.fingerprints import fingerprint
from core.learning.learners.sweep import WEIGHTS, SweptRow, Trial, best, sweep
from core.learning.learners.text import TextLearner
from core.vocabulary import Coded, RunStep, Source
from tests.core.desk import BILLING, REFUND, SURE, Desk, sent
from tests.core.learning.first_word import FIRST_WORD, FirstWordLearner
from tests.core.models import SEEDS


def row(text: str, label: str, corrects: bool = False, share: float = 1.0) -> SweptRow:
    return SweptRow(Example(Input(text), label), corrects, share)


def ignored(_step: Coded) -> None:
    pass


def accuracies(rows: list[SweptRow], seed: int = 1) -> list[float]:
    return [trial.accuracy for trial in sweep(FirstWordLearner.name, FIRST_WORD, rows, seed, ignored)]


def contested(share: float) -> list[SweptRow]:
    """The word "late" is a refund by eight old rows; four corrections say billing error. Heavy corrections win it."""
    old = [row(f"late {n}", REFUND) for n in range(8)]
    return [*old, *(row(f"late again {n}", BILLING, corrects=True, share=share) for n in range(4))]


def test_each_weight_is_tried_on_rows_held_out() -> None:
    assert [accuracies(contested(share=1.0))[place] for place in (0, 3)] == pytest.approx([8 / 12, 4 / 12])


def test_a_held_out_row_counts_by_its_share_of_the_traffic() -> None:
    light, heavy = accuracies(contested(share=0.1)), accuracies(contested(share=10.0))
    assert light[0] == pytest.approx(8 / 8.4)
    assert light[3] == pytest.approx(0.4 / 8.4)
    assert heavy[0] == pytest.approx(8 / 48)
    assert heavy[3] == pytest.approx(40 / 48)


def test_the_best_accuracy_is_chosen_and_of_equal_ones_the_smallest_weight() -> None:
    assert best([Trial(1, 0.8, 1), Trial(2, 0.9, 1), Trial(3, 0.85, 1)]) == 2
    assert best([Trial(5, 0.9, 1), Trial(3, 0.9, 1), Trial(1, 0.8, 1)]) == 3


def text_rows() -> list[SweptRow]:
    rows = [row(text, label) for text, label in SEEDS]
    return rows + [row(f"the {thing} is charged twice", BILLING, corrects=True) for thing in ("lamp", "sofa", "vase")]


def test_the_same_rows_and_seed_give_the_same_accuracies() -> None:
    first, second = (sweep("text", {}, text_rows(), 7, ignored) for _time in range(2))
    assert [(trial.weight, trial.accuracy) for trial in first] == [(t.weight, t.accuracy) for t in second]
    assert tuple(trial.weight for trial in first) == WEIGHTS
    assert all(trial.seconds > 0 for trial in first)


def test_the_uncalibrated_fit_of_the_text_learner_says_the_same_labels() -> None:
    examples = [one.weighing(3.0) for one in text_rows()]
    asked = [example.input for example in examples] + [Input("money back please"), Input("???")]
    quick = TextLearner().fit_uncalibrated(examples, 7)
    full = TextLearner().fit(examples, 7, ignored)
    assert (quick.probabilities(asked).argmax(axis=1) == full.probabilities(asked).argmax(axis=1)).all()
    assert fingerprint(quick) != fingerprint(full)


def test_progress_counts_every_fit() -> None:
    steps: list[Coded] = []
    sweep(FirstWordLearner.name, FIRST_WORD, contested(1.0), 1, steps.append)
    assert steps == [Coded(RunStep.WEIGHING, {"part": n, "parts": 12}) for n in range(1, 13)]


def test_rows_that_the_learner_cannot_read_take_no_part() -> None:
    unreadable = SweptRow(Example(Input(" "), BILLING), True, 1000.0)
    assert accuracies([*contested(1.0), unreadable]) == accuracies(contested(1.0))


@pytest.mark.parametrize(
    "rows",
    [[], [row("a", REFUND), row("b", BILLING)], [row("a", REFUND), row("b", REFUND, corrects=True)]],
    ids=["no rows", "one row of each label", "one label"],
)
def test_where_nothing_can_be_held_out_it_is_refused(rows: list[SweptRow]) -> None:
    with pytest.raises(Invalid, match="two labels with two training rows each"):
        sweep(FirstWordLearner.name, FIRST_WORD, rows, 1, ignored)


def stored(source: Source, source_id: int) -> Row:
    return Row(source, source_id, Input("text"), REFUND, 1.0, "a" * 64)


def test_each_kind_counts_by_its_share_of_the_traffic() -> None:
    rows = [stored(Source.SEED, 1), stored(Source.CORRECTION, 1), stored(Source.CORRECTION, 2), stored(Source.SEED, 2)]
    assert traffic_shares(rows, 0.25) == pytest.approx([1.5, 0.5, 0.5, 1.5])
    assert traffic_shares(rows, None) == traffic_shares(rows, 0.0) == traffic_shares(rows, 1.0) == [1.0] * 4
    assert traffic_shares(rows[1:3], 0.25) == [1.0] * 2
    assert traffic_shares([], 0.25) == []


def test_the_share_of_the_traffic_is_that_of_what_a_rule_flagged(desk: Desk) -> None:
    def share() -> float | None:
        with desk.database.reading() as session:
            return flagged_share(session, desk.queue().id)

    assert share() is None
    unaudited = desk.under(flagging={"audit_share": 0.0})
    unaudited.ingest(sent(), sent(chances=SURE), sent(chances=SURE), sent(chances=SURE))
    assert share() == 0.25
