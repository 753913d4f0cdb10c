"""Stored labels that may be wrong: found without the candidate's opinion, asked about a few a day."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select

from core import jobs
from core.learning.data.golden_changes import relabel_golden
from core.learning.data.golden_import import import_golden
from core.learning.data.inputs import Example, Input
from core.learning.data.seeds import add_seeds, checked_seeds
from core.learning.learners.out_of_fold import out_of_fold
from core.learning.lifecycle.label_suspects import SUSPECTS, conflicts, find_suspects, suspect_list
from core.records.learning import GoldenExample, LabelSuspect
from core.review.suspects import ask_about_suspects
from core.vocabulary import GOLDLOOP, QuestionAbout, Source, SuspectReason
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, DELIVERY, NOW, REFUND, Desk
from tests.core.models import WISHES, ticking, trained, waiting_jobs
from tests.people import ANA, BEN, CLEO

MORE = ("lamp", "chair", "table", "vase", "sofa", "mirror", "desk", "shelf", "rug", "clock", "stool", "bench")
ROWS = tuple((f"{wish} {thing}", label) for thing in MORE for wish, label in WISHES)
WRONG_GOLDEN = ("you charged my card twice for the armchair", DELIVERY)
WRONG_SEED = ("where is the parcel with my armchair", BILLING)
SOON = NOW + timedelta(hours=1)  # after the run, whose clock ticks
GOLDEN, ROW = QuestionAbout.GOLDEN, QuestionAbout.TRAINING_ROW


def doubtful(open_desk: OpenDesk, **golden: object) -> Desk:
    """A golden example and a seed with a wrong label each, among many right ones."""
    desk = open_desk(golden={"seed_share": 0.0, **golden})
    with desk.database.transaction() as session:
        add_seeds(session, [*ROWS, WRONG_SEED], NOW, desk.rules)
        import_golden(session, checked_seeds([WRONG_GOLDEN], desk.rules), NOW, desk.rules)
    return desk


def searched(desk: Desk) -> None:
    """After another run."""
    trained(desk)
    with desk.database.transaction() as session:
        job = jobs.claim(session, SUSPECTS, "worker", SOON)
    assert job is not None
    find_suspects(desk.database, job, ticking(SOON), desk.policy)


def listed(desk: Desk) -> list[tuple[QuestionAbout, int, SuspectReason, str, str]]:
    with desk.database.reading() as session:
        rows = suspect_list(session, desk.queue().id)
        return [(row.about, row.subject_id, row.reason, row.label, row.suggested) for row in rows]


def asked(desk: Desk, now: datetime = NOW) -> list[int]:
    with desk.database.transaction() as session:
        return ask_about_suspects(session, now, desk.rules)


def settle(desk: Desk, item_id: int, answer: str) -> None:
    for person in (ANA, BEN):
        desk.click(person, item_id, answer)


@pytest.mark.slow
def test_a_wrong_golden_label_and_a_wrong_training_label_are_found_and_asked_about_blind(open_desk: OpenDesk) -> None:
    desk = doubtful(open_desk)
    searched(desk)
    golden, row = listed(desk)
    assert golden == (GOLDEN, 1, SuspectReason.OUT_OF_FOLD, DELIVERY, BILLING)
    assert (row[0], row[2:]) == (ROW, (SuspectReason.OUT_OF_FOLD, BILLING, DELIVERY))
    first, second = asked(desk)
    item = desk.item(first)
    assert (item.about, item.golden_id, item.blind, item.asked_by) == (GOLDEN, 1, True, GOLDLOOP)
    assert desk.item(second).seed_id == len(ROWS) + 1
    settle(desk, first, BILLING)
    with desk.database.reading() as session:
        assert session.get_one(GoldenExample, 1).label == BILLING
    assert listed(desk) == []


@pytest.mark.slow
def test_what_people_have_answered_is_not_doubted_again(open_desk: OpenDesk) -> None:
    """They confirm the golden label, whatever the models say."""
    desk = doubtful(open_desk)
    searched(desk)
    golden, row = asked(desk)
    settle(desk, golden, DELIVERY)
    settle(desk, row, DELIVERY)
    searched(desk)
    assert listed(desk) == []


@pytest.mark.slow
def test_no_more_are_asked_about_than_a_days_budget(open_desk: OpenDesk) -> None:
    desk = doubtful(open_desk, second_looks=1)
    searched(desk)
    assert len(asked(desk)) == 1
    assert asked(desk) == []
    assert len(asked(desk, NOW + timedelta(days=1))) == 1
    with desk.database.reading() as session:
        answered = select(LabelSuspect.about).where(LabelSuspect.item_id.is_not(None))
        abouts = session.scalars(answered.order_by(LabelSuspect.item_id))
        assert list(abouts) == [GOLDEN, ROW], "golden ones come first"


@pytest.mark.slow
def test_no_more_are_asked_about_than_the_budget_on_items_leaves(open_desk: OpenDesk) -> None:
    desk = doubtful(open_desk)
    searched(desk)
    desk.ticket()
    assert asked(desk.under(golden={"seed_share": 0.0}, flagging={"budget": "1 a day"})) == []
    assert len(asked(desk.under(golden={"seed_share": 0.0}, flagging={"budget": "2 a day"}))) == 1


def test_without_a_budget_no_list_is_made(open_desk: OpenDesk) -> None:
    desk = doubtful(open_desk, second_looks=0)
    trained(desk)
    assert waiting_jobs(desk, SUSPECTS) == 0
    assert asked(desk) == []


@pytest.mark.slow
def test_a_suspect_that_can_no_longer_be_asked_about_leaves_the_list(open_desk: OpenDesk) -> None:
    desk = doubtful(open_desk)
    searched(desk)
    with desk.database.transaction() as session:
        session.get_one(GoldenExample, 1).withdrawn_at = NOW
    assert len(asked(desk)) == 1
    assert listed(desk) == []


@pytest.mark.slow
def test_a_label_that_a_lead_has_changed_is_no_longer_suspected(open_desk: OpenDesk) -> None:
    desk = doubtful(open_desk)
    searched(desk)
    with desk.database.transaction() as session:
        relabel_golden(session, 1, BILLING, CLEO, "rule 4", NOW, desk.rules)
    assert [one[0] for one in listed(desk)] == [ROW]


def test_a_seed_and_a_correction_that_disagree_are_on_the_list(open_desk: OpenDesk) -> None:
    desk = doubtful(open_desk, random_share=0.0)
    training = desk.correction(desk.settled(ANA, BEN, answer=BILLING, text=ROWS[0][0])).id
    desk.settled(ANA, BEN, answer=ROWS[1][1], text=ROWS[1][0])
    blind = desk.under(review={"blind_share": 1.0}, golden={"seed_share": 0.0, "random_share": 0.0})
    blind.settled(ANA, BEN, answer=DELIVERY, text=ROWS[3][0])
    with desk.database.reading() as session:
        found = conflicts(session, desk.queue().id)
    assert [(one.key, one.reason, one.label, one.suggested) for one in found] == [
        ((ROW, Source.CORRECTION, training), SuspectReason.SEED_CONFLICT, BILLING, ROWS[0][1]),
        ((GOLDEN, "", 2), SuspectReason.SEED_CONFLICT, DELIVERY, REFUND),
    ]


@pytest.mark.slow
def test_a_suspected_past_error_graduates_only_after_people_were_asked(open_desk: OpenDesk) -> None:
    golden = {"random_share": 0.0, "past_errors": 0, "past_errors_beyond": 0}
    desk = doubtful(open_desk, **golden)
    blind = desk.under(review={"blind_share": 1.0}, golden={"seed_share": 0.0, **golden})
    error = blind.settled(ANA, BEN, answer=BILLING, text="where is the parcel with my new curtain")
    with desk.database.transaction() as session:
        past = session.scalars(select(GoldenExample).where(GoldenExample.id > 1)).one()
        session.add(
            LabelSuspect(
                queue_id=1, about=GOLDEN, source="", subject_id=past.id, reason=SuspectReason.OUT_OF_FOLD,
                label=BILLING, suggested=DELIVERY, score=0.9, found_at=NOW,
            )
        )  # fmt: skip
    trained(desk)
    assert graduated(desk, past.id) is None
    [item_id] = asked(desk)
    settle(desk, item_id, DELIVERY)
    snapshot = trained(desk).snapshot_id
    assert graduated(desk, past.id) == snapshot
    assert error


def graduated(desk: Desk, golden_id: int) -> int | None:
    with desk.database.reading() as session:
        return session.get_one(GoldenExample, golden_id).graduated_in


def test_each_row_is_judged_by_a_model_that_has_not_seen_it() -> None:
    """A text that occurs once, under a label of its own words, is unknown to the model of its fold."""
    examples = [Example(Input(text), label) for text, label in ROWS]
    alone = Example(Input("zzzz qqqq"), "delivery")
    lonely = Example(Input("the only row of its label"), "praise")
    said = out_of_fold("text", {}, [*examples, alone, lonely], 1, lambda _step: None)
    assert said.places == tuple(range(len(ROWS) + 1)), "the only row of a label is never held out"
    assert said.probabilities.sum(axis=1) == pytest.approx(np.ones(len(said.places)))
    assert np.ptp(said.probabilities[len(ROWS)]) == pytest.approx(0), "no word of it was known"
    right = [said.classes[row.argmax()] == ROWS[place][1] for place, row in enumerate(said.probabilities[: len(ROWS)])]
    assert np.mean(right) > 0.9
