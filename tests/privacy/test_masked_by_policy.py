"""Who sees what under `privacy.mask`, and what is stored with and without the original."""

import pytest
from sqlalchemy import select

from core.learning.data.seeds import add_seeds
from core.learning.data.snapshots import gather
from core.learning.lifecycle.cards import candidate_card
from core.learning.lifecycle.history import model_history
from core.learning.lifecycle.rollback import rollback
from core.records.learning import Decision, GoldenExample, SeedExample
from core.records.predictions import Prediction
from core.records.reviews import Answer, Correction
from core.review.cards import form_card, item_card
from core.review.history import item_history
from core.review.my_work import my_work_card
from core.text.content_hash import content_hash
from core.vocabulary import ErrorReason
from tests.core.conftest import OpenDesk
from tests.core.desk import NOW, REFUND, Desk
from tests.core.models import promoted, seeded
from tests.people import ANA, BEN, CLEO

TEXT = "refund me at ana@example.org or +49 30 901820"
MASKED = "refund me at [e-mail] or [phone]"
NOTE = "their address is ana@example.org"
PRIVATE = ("ana@example.org", "901820")


def everything_shown(desk: Desk, item_id: int) -> str:
    with desk.database.reading() as session:
        shown = [
            item_card(session, item_id, desk.policy),
            form_card(session, item_id, BEN, desk.policy),
            my_work_card(session, ANA, desk.policy.queues, NOW, desk.policy),
            my_work_card(session, BEN, desk.policy.queues, NOW, desk.policy),
            item_history(session, item_id, None, desk.policy),
        ]
    return repr(shown)


def everything_stored(desk: Desk) -> str:
    with desk.database.reading() as session:
        rows = [
            session.execute(select(Prediction.text, Prediction.fields, Prediction.content_hash)).all(),
            session.execute(select(Answer.note)).all(),
            session.execute(select(Correction.note)).all(),
            session.execute(select(SeedExample.text, SeedExample.content_hash)).all(),
            session.execute(select(GoldenExample.text, GoldenExample.content_hash)).all(),
        ]
    return repr(rows)


def reviewed(desk: Desk) -> tuple[int, str]:
    """A ticket with personal data everywhere; what was shown while it was open, and after it was settled."""
    item_id = desk.ticket(TEXT, fields={"sender": "ana@example.org"})
    desk.click(ANA, item_id, REFUND, note=NOTE, reason=ErrorReason.OTHER)
    shown = everything_shown(desk, item_id)
    desk.click(BEN, item_id, REFUND)
    with desk.database.transaction() as session:
        add_seeds(session, [(f"{TEXT} please", REFUND), (f"{TEXT} at once", REFUND)], NOW, desk.rules)
    return item_id, shown + everything_shown(desk, item_id)


def test_masked_data_is_not_shown_and_the_original_is_kept_for_training(open_desk: OpenDesk) -> None:
    desk = open_desk(privacy={"mask": ["email", "phone"]})
    _item_id, shown = reviewed(desk)
    assert not any(private in shown for private in PRIVATE)
    assert MASKED in shown
    assert "their address is [e-mail]" in shown
    stored = everything_stored(desk)
    assert TEXT in stored
    assert NOTE in stored
    with desk.database.reading() as session:
        assert TEXT in [row.input.text for row in gather(session, desk.queue().id, desk.rules)]


def test_without_the_original_only_the_masked_text_is_anywhere(open_desk: OpenDesk) -> None:
    desk = open_desk(privacy={"mask": ["email", "phone"], "keep_original": False})
    _item_id, shown = reviewed(desk)
    stored = everything_stored(desk)
    assert not any(private in shown + stored for private in PRIVATE)
    assert MASKED in stored
    assert content_hash(MASKED) in stored
    assert content_hash(TEXT) not in stored  # a hash of the original could be tried
    with desk.database.reading() as session:
        assert {row.input.text[: len(MASKED)] for row in gather(session, desk.queue().id, desk.rules)} == {MASKED}


def test_without_a_policy_everything_is_as_it_came(desk: Desk) -> None:
    _item_id, shown = reviewed(desk)
    assert TEXT in shown
    assert "[e-mail]" not in shown


@pytest.mark.usefixtures("sqlite_only")
def test_who_reviews_no_more_keeps_their_answers_but_not_the_texts(desk: Desk) -> None:
    item_id = desk.ticket(TEXT)
    desk.click(ANA, item_id, REFUND)
    with desk.database.reading() as session:
        [answer] = my_work_card(session, ANA, (), NOW, desk.policy).answers
    assert (answer.subject.id, answer.words, answer.excerpt) == (item_id, REFUND, "")


def test_what_is_cut_is_masked_first_and_names_of_fields_are_too(open_desk: OpenDesk) -> None:
    desk = open_desk(privacy={"mask": ["card", "email"], "keep_original": False})
    fields = {
        "body": "x" * 489 + " 4111 1111 1111 1111",
        "mail": "y" * 485 + " ana@example.org",
        "ana@example.org": "z",
    }
    desk.ticket("look at this", fields=fields)
    with desk.database.reading() as session:
        stored = session.scalars(select(Prediction.fields)).one()
    assert stored == {"body": "x" * 489 + " [card]", "mail": "y" * 485 + " [e-mail]", "[e-mail]": "z"}


def test_ones_own_note_comes_back_masked(open_desk: OpenDesk) -> None:
    desk = open_desk(privacy={"mask": ["email"]})
    item_id = desk.ticket(TEXT)
    desk.click(ANA, item_id, REFUND, note=NOTE)
    with desk.database.reading() as session:
        card = form_card(session, item_id, ANA, desk.policy)
    assert card is not None
    assert card.note == "their address is [e-mail]"


@pytest.mark.parametrize("keep", [True, False])
def test_a_leads_reason_is_masked_where_it_is_shown_and_where_it_is_stored(open_desk: OpenDesk, keep: bool) -> None:
    desk = seeded(open_desk(privacy={"mask": ["email"], "keep_original": keep}))
    for _ in range(2):
        promoted(desk)
    with desk.database.transaction() as session:
        rollback(session, desk.queue(), CLEO, NOTE, NOW, desk.rules)
    with desk.database.reading() as session:
        shown = [repr(candidate_card(session, 1, desk.policy)), repr(model_history(session, 1, desk.policy))]
        [stored] = session.scalars(select(Decision.reason).where(Decision.reason != ""))
    assert not any("ana@example.org" in words for words in shown)
    assert ("ana@example.org" in stored) == keep
