"""People are asked again about a stored label: what they see, and what their answer does."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from bot.wording.format import PLAIN
from bot.wording.item_history import item_step
from core.delivery.card_refs import CardRef
from core.errors import AlreadySettled, NotFound, Refusal
from core.learning.data.golden import closed_golden_set, golden_set
from core.learning.data.seeds import add_seeds
from core.learning.data.snapshots import gather, snapshot_rows, store
from core.privacy.erasure import erase, erase_expired
from core.records.learning import GoldenExample, SeedExample
from core.records.reviews import ReviewItem
from core.records.webhooks import Event
from core.review.ask_again import ask_about_golden, ask_about_training_row
from core.review.cards import form_card, item_card
from core.review.history import item_history
from core.review.items import locked_item
from core.review.listing import correction_page, item_page
from core.review.my_work import my_work_card
from core.review.stats import stats_card
from core.vocabulary import Card, Destination, ItemState, QuestionAbout, Source
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, DELIVERY, NONE, NOW, REFUND, Desk
from tests.people import ANA, BEN, CLEO, EVA

TEXT = "i was charged twice"
GOLDEN_ONLY, TRAINING_ONLY = {"golden": {"seed_share": 1.0}}, {"golden": {"seed_share": 0.0}}


def seed(desk: Desk, text: str = TEXT, label: str = REFUND) -> None:
    with desk.database.transaction() as session:
        add_seeds(session, [(text, label)], NOW, desk.rules)


def ask_golden(desk: Desk, golden_id: int = 1) -> int:
    with desk.database.transaction() as session:
        return ask_about_golden(session, golden_id, CLEO, NOW, desk.rules)


def ask_row(desk: Desk, source: Source, source_id: int) -> int:
    with desk.database.transaction() as session:
        return ask_about_training_row(session, source, source_id, CLEO, NOW, desk.rules)


def agree(desk: Desk, item_id: int, answer: str) -> int:
    """The id of the correction."""
    for person in (ANA, BEN):
        desk.click(person, item_id, answer)
    return desk.correction(item_id).id


def golden(desk: Desk) -> GoldenExample:
    with desk.database.reading() as session:
        return session.get_one(GoldenExample, 1)


def rows(desk: Desk) -> list[tuple[str, str, float, Source]]:
    with desk.database.reading() as session:
        found = gather(session, desk.queue().id, desk.rules)
    return [(row.input.text, row.label, row.weight, row.source) for row in found]


@pytest.fixture
def with_golden(open_desk: OpenDesk) -> Desk:
    desk = open_desk(**GOLDEN_ONLY)
    seed(desk)
    return desk


@pytest.fixture
def with_seed(open_desk: OpenDesk) -> Desk:
    desk = open_desk(**TRAINING_ONLY, retraining={"error_weight": 3, "confirmed_weight": 2})
    seed(desk)
    return desk


def test_the_question_is_blind_and_looks_like_any_other_to_those_who_answer_it(with_golden: Desk) -> None:
    desk, item_id = with_golden, ask_golden(with_golden)
    assert desk.wanted(Card.REVIEW_ITEM, item_id) == 1
    with desk.database.reading() as session:
        card = item_card(session, item_id, desk.policy)
        form = form_card(session, item_id, ANA, desk.policy)
        [mine] = my_work_card(session, ANA, desk.policy.queues, NOW, desk.policy).queues
    assert (card.text, card.blind, card.asked_again, card.predicted_label) == (TEXT, True, True, None)
    assert card.labels == desk.rules.label_names, "no label comes first"
    assert form is not None
    assert (form.text, form.label) == (TEXT, None)
    assert [(one.item_id, one.excerpt) for one in mine.waiting] == [(item_id, TEXT)]
    assert desk.click(ANA, item_id, REFUND).may_undo
    assert not desk.answers(item_id)[0].suggestion_shown
    desk.undo(ANA, item_id)


def test_the_same_label_confirms_a_golden_example_and_nothing_moves(with_golden: Desk) -> None:
    desk, item_id = with_golden, ask_golden(with_golden)
    agree(desk, item_id, REFUND)
    correction, example = desk.correction(item_id), golden(desk)
    assert (correction.label, correction.model_was_right) == (REFUND, None)
    assert correction.destination is Destination.GOLDEN
    assert (example.label, example.revised_by, example.withdrawn_at) == (REFUND, None, None)
    assert rows(desk) == []


def test_another_label_becomes_that_of_the_golden_example(with_golden: Desk) -> None:
    desk, item_id = with_golden, ask_golden(with_golden)
    correction_id = agree(desk, item_id, BILLING)
    example = golden(desk)
    assert (example.label, example.revised_by, example.withdrawn_at) == (BILLING, correction_id, None)
    with desk.database.reading() as session:
        assert [one.label for one in golden_set(session, 1)] == [BILLING]
    assert rows(desk) == []


def test_none_of_these_withdraws_a_golden_example_which_trains_no_more_than_before(with_golden: Desk) -> None:
    desk, item_id = with_golden, ask_golden(with_golden)
    correction_id = agree(desk, item_id, NONE)
    example = golden(desk)
    assert (example.label, example.revised_by, example.withdrawn_at) == (REFUND, correction_id, NOW)
    with desk.database.transaction() as session:
        assert golden_set(session, 1) == [], "it measures nothing"
        assert [one.input.text for one in closed_golden_set(session, 1)] == [TEXT], "what is near it does not train"
    with pytest.raises(AlreadySettled, match="Golden example 1 was withdrawn"):
        ask_golden(desk)


def test_a_lead_settles_a_dispute_about_a_golden_example(with_golden: Desk) -> None:
    desk, item_id = with_golden, ask_golden(with_golden)
    for person, answer in ((ANA, REFUND), (BEN, BILLING), (EVA, DELIVERY)):
        desk.click(person, item_id, answer)
    assert desk.item(item_id).state is ItemState.DISPUTED
    assert desk.click(CLEO, item_id, DELIVERY).adjudicated
    assert golden(desk).label == DELIVERY


def test_the_new_label_of_a_seed_counts_in_the_next_snapshot(with_seed: Desk) -> None:
    desk = with_seed
    agree(desk, ask_row(desk, Source.SEED, 1), BILLING)
    assert rows(desk) == [(TEXT, BILLING, 1.0, Source.CORRECTION)]
    with desk.database.transaction() as session:
        gathered = gather(session, 1, desk.rules)
        taken = store(session, 1, gathered, 0, [], NOW, desk.rules)
        assert snapshot_rows(session, taken.id) == gathered


def test_the_newest_answer_wins_however_often_people_are_asked(with_seed: Desk) -> None:
    desk = with_seed
    first = agree(desk, ask_row(desk, Source.SEED, 1), NONE)
    assert rows(desk) == []
    agree(desk, ask_row(desk, Source.SEED, 1), BILLING)
    assert rows(desk) == [(TEXT, BILLING, 1.0, Source.CORRECTION)]
    with pytest.raises(Refusal, match=f"Correction {first} is not used for training"):
        ask_row(desk, Source.CORRECTION, first)
    third = ask_row(desk, Source.CORRECTION, first + 1)
    assert desk.item(third).seed_id == 1, "the answer was about the seed"
    agree(desk, third, DELIVERY)
    assert rows(desk) == [(TEXT, DELIVERY, 1.0, Source.CORRECTION)]


@pytest.mark.parametrize(
    ("answer", "left"),
    [(REFUND, (REFUND, 2.0)), (BILLING, (BILLING, 3.0)), (NONE, None)],
    ids=["the model was right", "the model was wrong", "no label fits"],
)
def test_a_correction_that_trains_is_asked_about_again(
    open_desk: OpenDesk, answer: str, left: tuple[str, float] | None
) -> None:
    """The model said refund, people said delivery, and now they are asked again."""
    desk = open_desk(retraining={"error_weight": 3, "confirmed_weight": 2})
    first = desk.settled(ANA, BEN, answer=DELIVERY, text=TEXT)
    agree(desk, ask_row(desk, Source.CORRECTION, desk.correction(first).id), answer)
    assert rows(desk) == ([(TEXT, *left, Source.CORRECTION)] if left else [])
    assert desk.correction(first).label == DELIVERY, "what was decided then stays"


def test_a_later_ticket_of_the_same_text_trains_again(with_seed: Desk) -> None:
    agree(with_seed, ask_row(with_seed, Source.SEED, 1), NONE)
    with_seed.settled(ANA, BEN, answer=DELIVERY, text=TEXT)
    assert rows(with_seed) == [(TEXT, DELIVERY, 3.0, Source.CORRECTION)]


def test_nothing_of_it_is_held_against_the_model_or_drawn_for_the_golden_set(open_desk: OpenDesk) -> None:
    desk = open_desk(golden={"random_share": 0.9})
    audited = desk.under(flagging={"audit_share": 1.0}, golden={"audited_share": 0.0})
    agree(audited, audited.ticket(), REFUND)
    first = desk.ticket(TEXT)
    agree(desk, first, REFUND)
    with desk.database.reading() as session:
        before = stats_card(session, desk.rules, NOW)
        told = session.scalars(select(Event.id)).all()
    assert (before.production.audits, before.errors_by_label) == (1, ())
    item_id = ask_row(desk, Source.CORRECTION, desk.correction(first).id)
    agree(desk, item_id, BILLING)
    assert desk.correction(item_id).destination is Destination.TRAINING
    with desk.database.reading() as session:
        after = stats_card(session, desk.rules, NOW)
        assert session.scalars(select(GoldenExample)).all() == []
        assert session.scalars(select(Event.id)).all() == told, "senders hear of their predictions"
        assert [line.id for line in item_page(session, 1, None, 0, 9)] == [first - 1, first]
        found = correction_page(session, desk.rules, None, 0, 9, NOW)
        assert [line.item_id for line in found.lines] == [first - 1, first]
    assert (after.production.audits, after.errors_by_label) == (1, ())
    assert after.settled == 3


def test_a_label_is_in_one_open_question_at_most(with_golden: Desk) -> None:
    item_id = ask_golden(with_golden)
    with pytest.raises(Refusal, match=f"asked about this label already \\(item {item_id}\\)"):
        ask_golden(with_golden)
    agree(with_golden, item_id, REFUND)
    assert ask_golden(with_golden) > item_id


def test_an_audited_correction_does_not_train_and_is_not_asked_about_as_if_it_did(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"audit_share": 1.0}, golden={"audited_share": 0.0})
    correction = desk.correction(desk.settled(ANA, BEN, answer=BILLING))
    with pytest.raises(Refusal, match="is not used for training"):
        ask_row(desk, Source.CORRECTION, correction.id)


def test_what_is_not_there_or_in_another_queue_is_not_found(with_golden: Desk) -> None:
    with pytest.raises(NotFound, match="Support tickets has no golden example 9"):
        ask_golden(with_golden, 9)
    for source in Source:
        with pytest.raises(NotFound, match=f"Support tickets has no {source}.* 9"):
            ask_row(with_golden, source, 9)


def test_a_golden_correction_does_not_train_and_is_not_asked_about_as_if_it_did(open_desk: OpenDesk) -> None:
    desk = open_desk(review={"blind_share": 1.0})
    correction = desk.correction(desk.settled(ANA, BEN, answer=BILLING))
    assert correction.destination is Destination.GOLDEN
    with pytest.raises(Refusal, match="is not used for training"):
        ask_row(desk, Source.CORRECTION, correction.id)


@pytest.mark.parametrize("column", ["none", "golden_id", "seed_id", "both"])
def test_the_table_takes_no_item_that_is_about_nothing_or_about_something_else(with_golden: Desk, column: str) -> None:
    with with_golden.database.transaction() as session:
        session.add(SeedExample(queue_id=1, text="x", label=REFUND, content_hash="x", created_at=NOW))
    columns = {"none": (), "both": ("golden_id", "seed_id")}.get(column, (column,))
    about = QuestionAbout.GOLDEN if column == "seed_id" else QuestionAbout.TRAINING_ROW
    with pytest.raises(IntegrityError), with_golden.database.transaction() as session:
        session.add(ReviewItem(queue_id=1, about=about, blind=True, opened_at=NOW, **dict.fromkeys(columns, 1)))


def test_how_it_was_decided_says_who_asked_and_about_what(with_golden: Desk) -> None:
    item_id = ask_golden(with_golden)
    agree(with_golden, item_id, BILLING)
    with with_golden.database.reading() as session:
        words = [item_step(line.step, PLAIN) for line in item_history(session, item_id, None, with_golden.policy)]
    assert words[0] == f"{CLEO} asked for a second look at the golden label of golden example 1."
    assert words[-1].startswith("Decided: billing error (2 votes); ")
    assert "model" not in words[-1]


def test_erasing_a_ticket_closes_the_questions_about_its_text(with_golden: Desk) -> None:
    desk = with_golden
    ticket = desk.settled(ANA, BEN, answer=REFUND, text=TEXT, external_id="E-1")
    again, about_golden = ask_row(desk, Source.CORRECTION, desk.correction(ticket).id), ask_golden(desk)
    with desk.database.transaction() as session:
        done = erase(session, "support", "E-1", NOW)
    assert (done.predictions, done.golden, done.closed, done.messages) == (1, 1, 2, 3)
    for item_id in (again, about_golden):
        assert desk.item(item_id).state is ItemState.ERASED
        with desk.database.reading() as session:
            assert item_card(session, item_id, desk.policy).text == "(erased)"
    with pytest.raises(Refusal, match="The text of golden example 1 was erased"):
        ask_golden(desk)
    with desk.database.transaction() as session:
        assert erase(session, "support", "E-1", NOW).messages == 0


def test_retention_leaves_what_people_are_asked_about_again(open_desk: OpenDesk) -> None:
    desk = open_desk(privacy={"retention_days": 30})
    long_ago = NOW.replace(year=2025)
    ticket = desk.ticket(TEXT, now=long_ago)
    for person in (ANA, BEN):
        desk.click(person, ticket, REFUND, now=long_ago)
    ask_row(desk, Source.CORRECTION, desk.correction(ticket).id)
    with desk.database.transaction() as session:
        assert erase_expired(session, desk.rules, NOW) == 0


def test_the_lock_knows_what_an_item_is_about(with_golden: Desk) -> None:
    ticket, item_id = with_golden.ticket("another"), ask_golden(with_golden)
    with with_golden.database.transaction() as session:
        asked, sent = locked_item(session, CardRef(item_id)), locked_item(session, CardRef(ticket))
    assert (asked.about, asked.source_id, asked.external_id) == (QuestionAbout.GOLDEN, 1, None)
    assert (sent.about, sent.predicted_label) == (QuestionAbout.PREDICTION, REFUND)
    assert asked.content_hash == golden(with_golden).content_hash
