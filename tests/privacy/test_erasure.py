"""A person's text is taken out and stays out; counts, labels and decisions remain."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core.errors import NotFound, Refusal
from core.intake.ingest import flag_for_review
from core.intake.predictions import NewPrediction
from core.learning.data.erased_rows import RowSource
from core.learning.data.golden import golden_set
from core.learning.data.inputs import Input
from core.learning.data.seeds import add_seeds
from core.learning.data.snapshots import ErasedMeanwhileError, gather, snapshot_rows, store
from core.learning.lifecycle.history import RowsErased, model_history
from core.privacy.erasure import Erased, erase, erase_expired
from core.records import Base
from core.records.learning import GoldenExample, SeedExample
from core.records.predictions import Prediction
from core.records.reviews import Answer
from core.review.cards import form_card, item_card
from core.review.content import ERASED
from core.review.my_work import my_work_card
from core.storage.database import PATIENT
from core.vocabulary import Card, ErrorReason, ItemState, RunState, Source
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, DELIVERY, NOW, REFUND, SURE, Desk, sent
from tests.core.models import candidate, seeded, trained
from tests.people import ANA, BEN, EVA

SECRET = "my name is rosalind and the lamp is broken"


def erased(desk: Desk, external_id: str) -> Erased:
    with desk.database.transaction() as session:
        return erase(session, desk.rules.name, external_id, NOW)


def whole_database(desk: Desk) -> str:
    with desk.database.reading() as session:
        tables = Base.metadata.sorted_tables
        return repr(
            [(table.name, session.execute(select(table)).all()) for table in tables if table.name != "artifact"]
        )


def test_no_table_holds_the_text_any_more_but_the_answer_counts(desk: Desk) -> None:
    item_id = desk.ticket(SECRET, external_id="E-1", fields={"name": "Rosalind"}, image_url="https://img.example/r.png")
    desk.click(ANA, item_id, REFUND, reason=ErrorReason.OTHER, note="rosalind again")
    desk.click(BEN, item_id, REFUND)
    before = desk.wanted(Card.REVIEW_ITEM, item_id)
    done = erased(desk, "E-1")
    assert (done.predictions, done.notes, done.closed, done.messages, done.models) == (1, 2, 0, 1, ())
    left = whole_database(desk).casefold()
    assert "rosalind" not in left
    assert "img.example" not in left
    assert desk.wanted(Card.REVIEW_ITEM, item_id) == before + 1
    assert desk.item(item_id).state is ItemState.SETTLED
    assert (desk.correction(item_id).label, desk.correction(item_id).tally) == (REFUND, {REFUND: 2})
    with desk.database.reading() as session:
        card = item_card(session, item_id, desk.policy)
        assert (card.text, card.image_url, card.fields, card.predicted_label) == (ERASED, None, {}, REFUND)
        assert my_work_card(session, ANA, desk.policy.queues, NOW, desk.policy).answers[0].excerpt == ERASED
        assert gather(session, desk.queue().id, desk.rules) == []


def test_seeds_that_are_coming_in_are_waited_for_and_erased_too(open_on_postgresql: OpenDesk) -> None:
    desk = open_on_postgresql(golden={"seed_share": 0.0})
    desk.ticket(SECRET, external_id="E-1")
    stored, go = threading.Event(), threading.Event()

    def bring_seeds() -> None:
        with desk.database.transaction(wait=PATIENT) as session:
            add_seeds(session, [(SECRET, REFUND)], NOW, desk.rules)
            stored.set()
            go.wait(20)

    with ThreadPoolExecutor(2) as pool:
        coming = pool.submit(bring_seeds)
        stored.wait(20)
        erasing = pool.submit(erased, desk, "E-1")
        wait([erasing], timeout=0.5)
        go.set()
        coming.result(20)
        assert erasing.result(20).seeds == 1
    assert "rosalind" not in whole_database(desk)


def test_what_retention_has_emptied_still_tells_which_seeds_to_erase(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(privacy={"retention_days": 30}, golden={"seed_share": 0.0}))
    add(desk, SECRET)
    desk.ingest(sent(SECRET, SURE, external_id="E-1"), now=NOW - timedelta(days=31))
    assert trained(desk).state is RunState.DONE
    with desk.database.transaction() as session:
        assert erase_expired(session, desk.rules, NOW) == 1
    done = erased(desk, "E-1")
    assert (done.predictions, done.seeds, done.models) == (0, 1, ("v1",))
    assert "rosalind" not in whole_database(desk)


def test_a_ticket_with_an_image_takes_the_seed_of_the_same_words_along(open_desk: OpenDesk) -> None:
    desk = open_desk(golden={"seed_share": 0.0})
    add(desk, SECRET)
    desk.ticket(SECRET, external_id="E-1", image_url="https://img.example/r.png")
    assert erased(desk, "E-1").seeds == 1
    assert "rosalind" not in whole_database(desk)


def add(desk: Desk, text: str) -> None:
    with desk.database.transaction() as session:
        add_seeds(session, [(text, REFUND)], NOW, desk.rules)


@pytest.mark.slow
@pytest.mark.usefixtures("sqlite_only")
def test_the_file_itself_holds_the_text_no_more(desk: Desk) -> None:
    """Whatever SQLite was built with: some overwrite what is deleted by themselves, and some do not."""
    for number in range(50):
        desk.ticket(f"{SECRET} {number} " + "and so on " * 200, external_id=f"E-{number}")
    file = Path(str(desk.database.engine.url.database))
    desk.database.overwrite_log()
    assert b"rosalind" in file.read_bytes()
    for number in range(50):
        erased(desk, f"E-{number}")
    with desk.database.reading() as session:  # another reader is still open
        session.execute(select(Prediction.id)).all()
        desk.ticket("another ticket meanwhile")
        desk.database.overwrite_log()
    desk.database.overwrite_log()
    for written in (file, file.with_name(f"{file.name}-wal")):
        assert b"rosalind" not in written.read_bytes()


def test_an_open_item_is_closed_and_takes_no_more_answers(desk: Desk) -> None:
    item_id = desk.ticket(SECRET, external_id="E-1")
    desk.click(ANA, item_id, REFUND)
    assert erased(desk, "E-1").closed == 1
    assert desk.item(item_id).state is ItemState.ERASED
    with pytest.raises(Refusal, match=f"The text of item {item_id} was erased"):
        desk.click(BEN, item_id, REFUND)
    with pytest.raises(Refusal, match="was erased"):
        desk.undo(ANA, item_id)
    with desk.database.reading() as session:
        assert form_card(session, item_id, BEN, desk.policy) is None
        mine = my_work_card(session, BEN, desk.policy.queues, NOW, desk.policy)
        assert (mine.queues[0].open, mine.queues[0].waiting) == (0, ())
    assert len(desk.answers(item_id)) == 1


def test_it_does_not_come_back_under_any_version_nor_as_a_seed_nor_by_a_person(desk: Desk) -> None:
    desk.ticket(SECRET, external_id="E-1")
    erased(desk, "E-1")
    for version in ("sender-1", "sender-2"):
        again = desk.ingest(sent(SECRET, external_id="E-1", model_version=version), sent("another one"))
        assert (again.new, again.repeated) == (1, 1)
    with desk.database.transaction() as session:
        assert add_seeds(session, [(SECRET, REFUND)], NOW, desk.rules).repeated == 1
        with pytest.raises(Refusal, match="was erased on request"):
            flag_for_review(session, NewPrediction("E-1", "none", SECRET), EVA, NOW, desk.rules)
    assert "rosalind" not in whole_database(desk)


def test_seed_and_golden_rows_of_the_same_content_go_with_it_and_stay_away(open_desk: OpenDesk) -> None:
    kinds: tuple[tuple[float, type[SeedExample] | type[GoldenExample]], ...]
    kinds = ((0.0, SeedExample), (1.0, GoldenExample))
    for share, record in kinds:
        desk = open_desk(golden={"seed_share": share})
        text = f"{SECRET} {share}"
        with desk.database.transaction() as session:
            add_seeds(session, [(text, DELIVERY), (f"other {share}", DELIVERY)], NOW, desk.rules)
        desk.ticket(f"  {text.upper()} ", external_id=f"E-{share}")
        done = erased(desk, f"E-{share}")
        assert (done.seeds, done.golden) == ((1, 0) if record is SeedExample else (0, 1))
        with desk.database.transaction() as session:
            assert add_seeds(session, [(text, DELIVERY)], NOW, desk.rules).repeated == 1
            stored = session.execute(select(record.text, record.label).where(record.erased_at.is_not(None))).all()
            assert [tuple(row) for row in stored] == [("", DELIVERY)]
            assert all(example.input.text for example in golden_set(session, desk.queue().id))
    assert "rosalind" not in whole_database(desk).casefold()


def test_a_golden_image_is_erased_with_its_fields_and_measures_nothing_any_more(open_desk: OpenDesk) -> None:
    desk = open_desk(review={"blind_share": 1.0})
    about = {"image_url": "https://img.example/rosalind.png", "fields": {"name": "Rosalind"}}
    desk.settled(ANA, BEN, answer=DELIVERY, text=None, external_id="E-1", **about)
    assert "rosalind.png" in whole_database(desk)
    assert erased(desk, "E-1").golden == 1
    assert "rosalind" not in whole_database(desk).casefold()
    with desk.database.reading() as session:
        example = session.scalars(select(GoldenExample)).one()
        assert (example.text, example.image_url, example.fields, example.label) == ("", None, {}, DELIVERY)
        assert golden_set(session, desk.queue().id) == []


def test_an_image_that_was_erased_is_a_row_without_anything_and_trains_no_more(desk: Desk) -> None:
    seeded(desk)
    desk.settled(ANA, BEN, answer=BILLING, text=None, image_url="https://img.example/r.png", external_id="E-1")
    model_id = candidate(desk)
    assert erased(desk, "E-1").models == ("v1",)
    with desk.database.reading() as session:
        [row] = [row for row in snapshot_rows(session, 1) if row.source is Source.CORRECTION]
        assert row.input == Input()
        assert RowsErased((RowSource(Source.CORRECTION, 1),)) in [
            line.step for line in model_history(session, model_id, desk.policy)
        ]
        assert all(row.source is Source.SEED for row in gather(session, desk.queue().id, desk.rules))


def test_a_golden_past_error_measures_nothing_any_more(open_desk: OpenDesk) -> None:
    desk = open_desk(review={"blind_share": 1.0})
    desk.settled(ANA, BEN, answer=DELIVERY, text=SECRET, external_id="E-1")
    with desk.database.reading() as session:
        assert len(golden_set(session, desk.queue().id)) == 1
    assert erased(desk, "E-1").golden == 1
    with desk.database.reading() as session:
        assert golden_set(session, desk.queue().id) == []


def test_another_ticket_of_the_same_content_stays_and_may_train(open_desk: OpenDesk) -> None:
    desk = open_desk(golden={"seed_share": 1.0})
    with desk.database.transaction() as session:
        add_seeds(session, [(SECRET, REFUND)], NOW, desk.rules)
    desk.ticket(SECRET, external_id="E-1")
    desk.settled(ANA, BEN, text=SECRET, external_id="E-2")
    erased(desk, "E-1")
    with desk.database.transaction() as session:
        queue_id = desk.queue().id
        [row] = gather(session, queue_id, desk.rules)
        assert row.input.text == SECRET
        store(session, queue_id, [row], 0, golden_set(session, queue_id), NOW, desk.rules)


def test_repeating_it_finds_nothing_more(desk: Desk) -> None:
    desk.settled(ANA, BEN, text=SECRET, external_id="E-1")
    first, again = erased(desk, "E-1"), erased(desk, "E-1")
    assert first.predictions == 1
    assert (again.predictions, again.notes, again.closed, again.messages) == (0, 0, 0, 0)
    with pytest.raises(NotFound, match="has no prediction “E-9”"):
        erased(desk, "E-9")


def test_models_that_learned_from_it_are_named_and_the_next_one_is_not_among_them(desk: Desk) -> None:
    seeded(desk)
    desk.settled(ANA, BEN, text=SECRET, external_id="E-0")
    desk.settled(ANA, BEN, answer=BILLING, text="charged twice", external_id="E-1")
    first = candidate(desk)
    assert erased(desk, "E-0").models == ("v1",)
    assert erased(desk, "E-0").models == ("v1",)  # also when asked again
    second = candidate(desk)
    with desk.database.reading() as session:
        steps = [[line.step for line in model_history(session, one, desk.policy)] for one in (first, second)]
        assert [step for step in steps[0] if isinstance(step, RowsErased)] == [
            RowsErased((RowSource(Source.CORRECTION, 1),))
        ]
        assert not any(isinstance(step, RowsErased) for step in steps[1])
        before, after = ([row.input.text for row in snapshot_rows(session, number)] for number in (1, 2))
    assert (len(before), len(after)) == (len(after) + 1, len(before) - 1)
    assert (before.count(""), after.count("")) == (1, 0)


def test_a_snapshot_of_rows_that_were_erased_meanwhile_is_not_made(desk: Desk) -> None:
    desk.settled(ANA, BEN, text=SECRET, external_id="E-1")
    with desk.database.reading() as session:
        gathered = gather(session, desk.queue().id, desk.rules)
    erased(desk, "E-1")
    with pytest.raises(ErasedMeanwhileError), desk.database.transaction() as session:
        store(session, desk.queue().id, gathered, 0, [], NOW, desk.rules)


@pytest.mark.usefixtures("sqlite_only")
def test_who_said_what_is_still_known(desk: Desk) -> None:
    item_id = desk.settled(ANA, BEN, text=SECRET, external_id="E-1")
    erased(desk, "E-1")
    with desk.database.reading() as session:
        assert set(session.scalars(select(Answer.person).where(Answer.item_id == item_id))) == {ANA, BEN}
        row = session.scalars(select(Prediction)).one()
        assert (row.label, row.confidence, row.external_id) == (REFUND, 0.5, "E-1")


def test_retention_is_off_unless_the_policy_says_so(desk: Desk) -> None:
    with desk.database.transaction() as session:
        assert erase_expired(session, desk.rules, NOW) == 0
