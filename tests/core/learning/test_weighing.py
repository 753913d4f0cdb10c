"""The weight of the rows that correct the model: chosen once for each run, and measured when there is a reason."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.wording.format import PLAIN
from bot.wording.model_history import model_step
from core.learning.data.seeds import add_seeds
from core.learning.data.snapshots import Row, snapshot_rows
from core.learning.learners.fitting import fit_and_pack
from core.learning.learners.sweep import WEIGHTS, sweep
from core.learning.lifecycle.cards import candidate_card
from core.learning.lifecycle.history import model_history
from core.learning.lifecycle.training import train
from core.records.learning import ModelVersion, TrainingRun
from core.vocabulary import RunState, SweepReason, WeightChoice
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, DELIVERY, NOW, REFUND, SURE, Desk, sent
from tests.core.learning.first_word import FIRST_WORD
from tests.core.learning.test_runs import Killed
from tests.core.models import claimed, requested, run, ticking
from tests.people import ANA, BEN

pytestmark = pytest.mark.slow  # a fitted model or a process in most of them


TRAIN_ALL = {"seed_share": 0.0}
AUTO = {"error_weight": "auto", "learner": "first word", "corrections": 0}


class Executed:
    """Runs here, and remembers which fits were run. deadly: the worker's process ends before it runs what has this
    name."""

    def __init__(self, deadly: str = "") -> None:
        self.fits: list[str] = []
        self.deadly = deadly

    def __call__(self, function: Callable[..., Any], *arguments: Any, report: Any, **_more: Any) -> Any:
        if function.__name__ == self.deadly:
            raise Killed
        if function in (sweep, fit_and_pack):
            self.fits.append(function.__name__)
        return function(*arguments, report)


def measuring(open_desk: OpenDesk, **retraining: Any) -> Desk:
    """A desk with eighty old rows, of which "late" is a refund."""
    desk = open_desk(golden=TRAIN_ALL, retraining=AUTO | retraining)
    seed(desk, *((f"late {n}", REFUND) for n in range(40)), *((f"where is {n}", DELIVERY) for n in range(40)))
    return desk


def seed(desk: Desk, *rows: tuple[str, str]) -> None:
    with desk.database.transaction() as session:
        add_seeds(session, rows, NOW, desk.rules)


def corrected(desk: Desk, numbers: range) -> None:
    for number in numbers:
        desk.settled(ANA, BEN, answer=BILLING, text=f"late again {number}")


def trained(desk: Desk, executed: Executed | None = None) -> TrainingRun:
    run_id = requested(desk) or 0
    train(desk.database, claimed(desk), ticking(), desk.policy, executed or Executed(), FIRST_WORD)
    done = run(desk, run_id)
    assert done.state is RunState.DONE, done.problem_values
    return done


def rows_of(desk: Desk, done: TrainingRun) -> list[Row]:
    with desk.database.reading() as session:
        return snapshot_rows(session, done.snapshot_id or 0)


def weights(desk: Desk, done: TrainingRun) -> list[float]:
    """Of the rows that correct the model."""
    return [row.weight for row in rows_of(desk, done) if row.label == BILLING]


def test_the_first_run_with_corrections_measures_the_weight_and_trains_with_it(open_desk: OpenDesk) -> None:
    desk, executed = measuring(open_desk), Executed()
    corrected(desk, range(30))
    done = trained(desk, executed)
    measured = done.weighing_values
    assert (done.weighing, measured["why"]) == (WeightChoice.MEASURED, SweepReason.FIRST)
    assert (measured["rows"], measured["rows_before"], measured["learner"]) == (110, 0, "first word")
    assert [trial["weight"] for trial in measured["trials"]] == list(WEIGHTS)
    chosen = max(measured["trials"], key=lambda trial: (trial["accuracy"], -trial["weight"]))
    assert measured["weight"] == chosen["weight"]
    assert measured["seconds"] == pytest.approx(sum(trial["seconds"] for trial in measured["trials"]))
    assert weights(desk, done) == [measured["weight"]] * 30
    assert executed.fits == ["sweep", "fit_and_pack"]


def test_corrections_count_by_the_flagged_share_of_the_traffic(open_desk: OpenDesk) -> None:
    """Thirty corrections against eighty seeds are ignored, unless three quarters of the traffic are like them."""
    desk = measuring(open_desk)
    corrected(desk, range(30))
    assert trained(desk).weighing_values["weight"] == 1.0
    with desk.database.transaction() as session:
        session.execute(update(TrainingRun).values(weighing=""))
    desk.ingest(sent(chances=SURE))
    assert trained(desk).weighing_values["weight"] > 1.0


def test_the_weight_is_measured_again_when_the_rows_have_grown_by_a_quarter(open_desk: OpenDesk) -> None:
    desk = measuring(open_desk)
    corrected(desk, range(40))
    first, executed = trained(desk), Executed()
    corrected(desk, range(40, 60))
    kept = trained(desk, executed)
    assert kept.weighing == WeightChoice.KEPT
    assert kept.weighing_values == {
        "weight": first.weighing_values["weight"], "run": first.id, "rows": 140, "rows_before": 120,
    }  # fmt: skip
    assert executed.fits == ["fit_and_pack"]
    assert weights(desk, kept) == [first.weighing_values["weight"]] * 60
    corrected(desk, range(60, 70))
    grown = trained(desk)
    assert (grown.weighing, grown.weighing_values["why"]) == (WeightChoice.MEASURED, SweepReason.ROWS_GREW)
    assert (grown.weighing_values["rows"], grown.weighing_values["rows_before"]) == (150, 120)


def test_the_weight_is_measured_again_after_the_learner_has_changed(open_desk: OpenDesk) -> None:
    desk = measuring(open_desk)
    corrected(desk, range(30))
    trained(desk)
    other = desk.under(golden=TRAIN_ALL, retraining=AUTO | {"learner": "text"})
    done = trained(other)
    assert (done.weighing, done.weighing_values["why"]) == (WeightChoice.MEASURED, SweepReason.LEARNER_CHANGED)


def test_a_number_in_the_policy_is_taken_as_it_is(open_desk: OpenDesk) -> None:
    desk, executed = measuring(open_desk, error_weight=2.5), Executed()
    corrected(desk, range(2))
    done = trained(desk, executed)
    assert (done.weighing, done.weighing_values) == (WeightChoice.POLICY, {"weight": 2.5})
    assert weights(desk, done) == [2.5, 2.5]
    assert executed.fits == ["fit_and_pack"]


def test_without_a_row_that_corrects_the_model_there_is_nothing_to_measure(open_desk: OpenDesk) -> None:
    desk, executed = measuring(open_desk), Executed()
    desk.settled(ANA, BEN, answer=REFUND, text="late and confirmed")
    done = trained(desk, executed)
    assert (done.weighing, done.weighing_values) == (WeightChoice.NO_CORRECTIONS, {"weight": 2.0})
    assert executed.fits == ["fit_and_pack"]


def test_with_few_rows_that_correct_the_model_a_measurement_would_be_chance(open_desk: OpenDesk) -> None:
    desk, executed = measuring(open_desk), Executed()
    corrected(desk, range(29))
    done = trained(desk, executed)
    assert (done.weighing, done.weighing_values) == (
        WeightChoice.TOO_FEW, {"weight": 2.0, "corrections": 29, "needed": 30}
    )  # fmt: skip
    assert executed.fits == ["fit_and_pack"]
    corrected(desk, range(29, 30))
    assert trained(desk).weighing == WeightChoice.MEASURED


def test_a_learner_that_refuses_the_rows_of_a_sweep_may_still_fit(open_desk: OpenDesk) -> None:
    desk = measuring(open_desk, learner="refusing")
    corrected(desk, range(32))
    done = trained(desk)
    assert done.weighing == WeightChoice.REFUSED
    assert "rows are too few" in done.weighing_values["sentence"]
    assert weights(desk, done) == [2.0] * 32


def test_a_run_that_is_taken_up_again_keeps_the_weight_that_it_had_chosen(open_desk: OpenDesk) -> None:
    desk = measuring(open_desk)
    corrected(desk, range(30))
    run_id, job = requested(desk) or 0, claimed(desk)
    for deadly in ("find_near", "sweep", "count_leaks"):
        assert run(desk, run_id).weighing == ""
        with pytest.raises(Killed):
            train(desk.database, job, ticking(), desk.policy, Executed(deadly), FIRST_WORD)
    chosen = run(desk, run_id)
    assert (chosen.weighing, chosen.snapshot_id) == (WeightChoice.MEASURED, None)
    for deadly in ("fit_and_pack", "reads_of", "judge"):
        with pytest.raises(Killed):
            train(desk.database, job, ticking(), desk.policy, Executed(deadly), FIRST_WORD)
        assert run(desk, run_id).snapshot_id == 1
    executed = Executed()
    train(desk.database, job, ticking(), desk.policy, executed, FIRST_WORD)
    done = run(desk, run_id)
    assert (done.state, executed.fits) == (RunState.DONE, ["fit_and_pack"])
    assert (done.weighing_values, done.snapshot_id) == (chosen.weighing_values, 1)


def test_the_same_rows_and_seed_give_the_same_weight_and_the_same_model(open_desk: OpenDesk) -> None:
    desk = measuring(open_desk, learner="text")
    corrected(desk, range(30))
    first = trained(desk)
    with desk.database.transaction() as session:  # as if nothing had been measured, and with the same seed
        session.get_one(TrainingRun, first.id).weighing = ""
    second_id = requested(desk) or 0
    with desk.database.transaction() as session:
        session.get_one(TrainingRun, second_id).seed = first.seed
    train(desk.database, claimed(desk), ticking(), desk.policy)
    second = run(desk, second_id)
    accuracy = [[trial["accuracy"] for trial in done.weighing_values["trials"]] for done in (first, second)]
    assert accuracy[0] == accuracy[1]
    assert rows_of(desk, first) == rows_of(desk, second)
    with desk.database.reading() as session:
        assert len(set(session.scalars(select(ModelVersion.parameters_fingerprint)))) == 1


def test_the_report_and_the_history_say_which_weight_was_taken_why_and_what_it_cost(open_desk: OpenDesk) -> None:
    desk = measuring(open_desk)
    corrected(desk, range(30))
    trained(desk)
    with desk.database.reading() as session:
        card = candidate_card(session, 1, desk.policy)
        _asked, weighed, *_rest = [model_step(line.step, PLAIN) for line in model_history(session, 1, desk.policy)]
    assert card.weighing is not None
    assert card.weighing.code == WeightChoice.MEASURED
    assert "Measured for the first time. It took " in weighed
    assert "with weight 5. " in weighed
