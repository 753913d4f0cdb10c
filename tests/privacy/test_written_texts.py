"""What a language model wrote from a text is erased with it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.learning.data.snapshots import snapshot_rows
from core.learning.data.synthetic import written_rows
from core.privacy.erasure import Erased, erase, erase_expired
from core.records.synthetic import SyntheticBatch, SyntheticCall, SyntheticText
from core.review.items import open_about_written
from core.vocabulary import BatchProblem, ItemState, Source, SyntheticState
from tests.core.conftest import OpenDesk
from tests.core.desk import NOW, Desk
from tests.core.models import seeded, trained
from tests.core.synthesis.stored import TEXTS, stored_batch

SECRET = "ana wants the money for her lamp back"


def erased(desk: Desk, external_id: str = "T-9") -> Erased:
    with desk.database.transaction() as session:
        return erase(session, desk.rules.name, external_id, NOW)


def batch(desk: Desk, batch_id: int) -> SyntheticBatch:
    with desk.database.reading() as session:
        return session.get_one(SyntheticBatch, batch_id)


@pytest.mark.parametrize("state", list(SyntheticState))
def test_all_that_was_written_from_a_text_goes_with_it(desk: Desk, state: SyntheticState) -> None:
    desk.ticket(SECRET, external_id="T-9")
    mine = stored_batch(desk, TEXTS[:2], state, sent=["another text", SECRET])
    other = stored_batch(desk, TEXTS[2:], SyntheticState.ADMITTED, sent=["another text"])
    assert erased(desk).written == 2
    with desk.database.reading() as session:
        texts = session.execute(select(SyntheticText.batch_id, SyntheticText.text)).all()
        answers = dict(session.execute(select(SyntheticCall.batch_id, SyntheticCall.answer)).all())
        sent = session.scalars(select(SyntheticCall.sent).where(SyntheticCall.batch_id == mine)).one()
        rows = written_rows(session, desk.queue().id, desk.rules)
    assert [text for batch_id, text in texts if batch_id == mine] == ["", ""]
    assert [row.input.text for row in rows] == list(TEXTS[2:])
    assert (answers[mine], bool(answers[other])) == ("", True)
    assert len(sent["hashes"]) == 2, "that it was sent stays known"
    was_of_use = state is SyntheticState.ADMITTED or not state.is_over
    assert batch(desk, mine).state is (SyntheticState.RETIRED if was_of_use else state)
    assert (batch(desk, mine).problem == BatchProblem.ERASED) == was_of_use
    assert erased(desk).written == 0, "repeating it finds nothing"


def test_a_batch_with_the_very_text_goes_too(desk: Desk) -> None:
    desk.ticket(TEXTS[0].upper(), external_id="T-9")
    mine = stored_batch(desk, TEXTS)
    assert erased(desk).written == 4
    assert batch(desk, mine).state is SyntheticState.RETIRED


def test_people_are_not_asked_about_it_any_more(desk: Desk) -> None:
    desk.ticket(SECRET, external_id="T-9")
    stored_batch(desk, TEXTS[:2], SyntheticState.SAMPLED, sent=[SECRET])
    with desk.database.transaction() as session:
        items = open_about_written(session, [1, 2], (), desk.queue(), NOW)
    assert erased(desk).closed == 3
    assert {desk.item(one).state for one in items} == {ItemState.ERASED}


@pytest.mark.slow
def test_models_that_learned_from_it_are_named_and_the_next_one_does_not(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(golden={"seed_share": 0.0}))
    desk.ticket(SECRET, external_id="T-9")
    stored_batch(desk, TEXTS[:2], sent=[SECRET])
    first = trained(desk)
    assert erased(desk).models == ("v1",)
    second = trained(desk)
    with desk.database.reading() as session:
        before, after = (snapshot_rows(session, one.snapshot_id or 0) for one in (first, second))
    assert [row.input.text for row in before if row.source is Source.SYNTHETIC] == ["", ""]
    assert [row for row in after if row.source is Source.SYNTHETIC] == []


@pytest.mark.parametrize("state", [SyntheticState.REFUSED, SyntheticState.ADMITTED])
def test_answers_are_not_kept_longer_than_texts(open_desk: OpenDesk, state: SyntheticState) -> None:
    desk = open_desk(privacy={"retention_days": 30})
    stored_batch(desk, TEXTS[:1], state)
    for days, left in ((20, True), (40, False)):
        with desk.database.transaction() as session:
            erase_expired(session, desk.rules, NOW + timedelta(days=days))
        with desk.database.reading() as session:
            assert bool(session.scalars(select(SyntheticCall.answer)).one()) == left
            text = session.scalars(select(SyntheticText.text)).one()
    assert bool(text) == (state is SyntheticState.ADMITTED), "it trains"
