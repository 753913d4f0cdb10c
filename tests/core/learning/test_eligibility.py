"""Which golden examples may decide about a candidate: as a function, and from model to model in the database."""

from dataclasses import replace

import pytest

from core.learning.data.inputs import ImageRef, Input
from core.learning.data.seeds import add_seeds
from core.learning.data.snapshots import gather
from core.learning.evaluation.compare import GoldenRow
from core.learning.evaluation.eligibility import LiveTraining, with_eligibility
from core.learning.evaluation.scorecard import PooledScore, Scorecard
from core.learning.lifecycle.decisions import approve
from core.learning.lifecycle.models import newest_evaluation
from core.learning.lifecycle.rollback import rollback
from core.storage.database import PATIENT
from core.vocabulary import Stratum
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NOW, Desk
from tests.core.models import evaluated_again, seeded, trained
from tests.people import ANA, BEN, CLEO

THRESHOLD = 0.92
IMAGE = Input(image=ImageRef("https://files.example/1.png"))
LEARNT = (Input("where is my parcel"), IMAGE, Input())  # the last one was erased since
LIVE = LiveTraining(10, LEARNT, {one.content_hash for one in (*LEARNT, Input("please erase me"))})


def row(number: int, stratum: Stratum, input: Input) -> GoldenRow:
    return GoldenRow(number, input, "refund", stratum)


def counting(rows: list[GoldenRow], live: LiveTraining | None) -> list[int]:
    return [one.id for one in with_eligibility(rows, live, THRESHOLD) if one.counts]


def test_past_errors_count_up_to_the_live_models_own_golden_set() -> None:
    rows = [row(number, Stratum.PAST_ERROR, Input(f"text {number}")) for number in (9, 10, 11)]
    assert counting(rows, LIVE) == [9, 10]
    assert counting(rows, replace(LIVE, golden_up_to=8)) == [], "after a roll-back fewer do"


def test_newer_random_examples_count_unless_the_live_model_learned_something_near_them() -> None:
    texts = ["a new question", "my parcel where is", "please erase me"]
    rows = [row(11 + place, Stratum.RANDOM, Input(text)) for place, text in enumerate(texts)]
    rows += [row(20, Stratum.RANDOM, IMAGE), row(10, Stratum.RANDOM, LEARNT[0])]
    assert counting(rows, LIVE) == [11, 10], "what is not newer was kept out of the live model's training"


def test_without_a_model_of_ours_no_past_error_counts_and_every_random_example_does() -> None:
    rows = [row(1, Stratum.PAST_ERROR, Input("a")), row(2, Stratum.RANDOM, LEARNT[0])]
    assert counting(rows, None) == [2]


def pooled(desk: Desk, model_id: int) -> PooledScore:
    with desk.database.reading() as session:
        return Scorecard.from_dict(newest_evaluation(session, model_id).scorecard).pooled


def past_error(desk: Desk, text: str) -> None:
    desk.settled(ANA, BEN, answer=BILLING, text=text)


def promoted(desk: Desk, model_id: int) -> None:
    with desk.database.transaction(wait=PATIENT) as session:
        assert approve(session, model_id, CLEO, 10**18 + model_id, NOW, desk.policy)


def blind_desk(open_desk: OpenDesk) -> Desk:
    return seeded(open_desk(review={"blind_share": 1.0}, golden={"seed_share": 0.3, "random_share": 0.0}))


@pytest.mark.slow
def test_a_past_error_counts_from_the_model_on_that_was_kept_clean_of_it(open_desk: OpenDesk) -> None:
    desk = blind_desk(open_desk)
    past_error(desk, "you took it twice")
    trained(desk)
    score = pooled(desk, 1)
    assert (score.past_errors, score.other_past_errors) == (0, 1), "no model of ours is live"
    promoted(desk, 1)
    past_error(desk, "an amount that i do not know")
    trained(desk)
    score = pooled(desk, 2)
    assert (score.past_errors, score.other_past_errors) == (1, 1)
    promoted(desk, 2)
    trained(desk)
    score = pooled(desk, 3)
    assert (score.past_errors, score.other_past_errors) == (2, 0)
    with desk.database.transaction() as session:
        rollback(session, desk.queue(), CLEO, "", NOW, desk.rules)
    evaluated_again(desk)
    score = pooled(desk, 3)
    assert (score.past_errors, score.other_past_errors) == (1, 1), "after a roll-back fewer do"


def test_a_new_random_example_near_the_live_models_training_rows_is_left_out_and_counted(open_desk: OpenDesk) -> None:
    desk = blind_desk(open_desk)
    trained(desk)
    promoted(desk, 1)
    with desk.database.reading() as session:
        learned = gather(session, desk.queue().id, desk.rules)[0]
    turned = " ".join(reversed(learned.input.text.split()))
    golden_only = desk.under(golden={"seed_share": 1.0})
    with desk.database.transaction() as session:
        add_seeds(session, [(turned, learned.label), ("unlike any other", learned.label)], NOW, golden_only.rules)
    before = pooled(desk, 1)
    trained(desk)
    after = pooled(desk, 2)
    assert (after.n, after.near_live) == (before.n + 1, 1)
