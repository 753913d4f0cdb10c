"""Past errors that the golden set no longer needs train again, once and for good."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import AlreadySettled, Refusal
from core.learning.data.golden import golden_set
from core.learning.data.graduation import beyond_cap
from core.learning.data.pins import pin, unpin
from core.learning.data.snapshots import snapshot_rows
from core.learning.learners.fitting import fit_and_pack
from core.learning.lifecycle.cards import candidate_card
from core.learning.lifecycle.decisions import approve
from core.learning.lifecycle.training import train
from core.policy import GoldenPolicy
from core.privacy.erasure import erase
from core.records.learning import GoldenExample, ModelVersion, Snapshot
from core.review.ask_again import ask_about_golden, ask_about_training_row
from core.storage.database import CLICK, PATIENT, Database
from core.vocabulary import Destination, RunState, Source
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, DELIVERY, NONE, NOW, REFUND, SURE, Desk
from tests.core.learning.test_runs import Killed, killed_after
from tests.core.models import claimed, requested, run, seeded, ticking, trained
from tests.people import ANA, BEN, CLEO

pytestmark = pytest.mark.slow  # a fitted model or a process in most of them


OLDEST, MIDDLE, NEWEST = "my first wrong bill", "another strange invoice", "the third odd charge"


@given(st.sets(st.integers(1, 60), max_size=40), st.integers(0, 60), st.integers(0, 20), st.integers(0, 20))
def test_the_newest_eligible_ones_are_kept_and_the_newest_beyond_them(
    ids: set[int], up_to: int, most: int, beyond: int
) -> None:
    policy = GoldenPolicy(past_errors=most, past_errors_beyond=beyond)
    leaving = beyond_cap(list(ids), up_to, policy)
    kept = ids - set(leaving)
    eligible = sorted((one for one in ids if one <= up_to), reverse=True)
    assert set(eligible[:most]) <= kept
    assert len(kept) == min(len(ids), min(most, len(eligible)) + beyond)
    others = kept - set(eligible[:most])
    assert not others or max(leaving, default=0) < min(others)
    assert leaving == sorted(leaving)


def capped(open_desk: OpenDesk, eligible: int = 0, beyond: int = 2) -> Desk:
    """A desk with seeds on which each error is golden as such."""
    golden = {"seed_share": 0.0, "random_share": 0.0, "past_errors": eligible, "past_errors_beyond": beyond}
    return seeded(open_desk(review={"blind_share": 1.0}, golden=golden, retraining={"error_weight": 3}))


def error(desk: Desk, text: str, answer: str = BILLING) -> int:
    return desk.correction(desk.settled(ANA, BEN, answer=answer, text=text)).id


def three(desk: Desk) -> list[int]:
    return [error(desk, text) for text in (OLDEST, MIDDLE, NEWEST)]


def still_golden(desk: Desk) -> list[str]:
    with desk.database.reading() as session:
        return [one.input.text for one in golden_set(session, desk.queue().id)]


def example(desk: Desk, text: str) -> GoldenExample:
    with desk.database.reading() as session:
        return session.scalars(select(GoldenExample).where(GoldenExample.text == text)).one()


def taught(desk: Desk) -> tuple[Snapshot, dict[str, tuple[str, float, int]]]:
    """What a run trains on, beside the seeds: text -> label, weight, correction."""
    done = trained(desk)
    with desk.database.reading() as session:
        snapshot = session.get_one(Snapshot, done.snapshot_id)
        rows = snapshot_rows(session, snapshot.id)
    return snapshot, {
        row.input.text: (row.label, row.weight, row.source_id) for row in rows if row.source is not Source.SEED
    }


def test_the_oldest_past_error_beyond_the_cap_trains_with_its_golden_label(open_desk: OpenDesk) -> None:
    desk = capped(open_desk)
    first, _second, _third = three(desk)
    snapshot, rows = taught(desk)
    assert rows == {OLDEST: (BILLING, 3.0, first)}
    assert (snapshot.graduated, snapshot.graduates_left_out) == (1, 0)
    assert example(desk, OLDEST).graduated_in == snapshot.id
    assert still_golden(desk) == [MIDDLE, NEWEST]
    again, rows = taught(desk)
    assert (again.graduated, set(rows)) == (0, {OLDEST})
    with desk.database.reading() as session:
        model = session.scalars(select(ModelVersion).order_by(ModelVersion.id).limit(1)).one()
        card = candidate_card(session, model.id, desk.policy)
    assert (card.graduated, card.graduates_left_out) == (1, 0)


def test_what_graduated_belongs_to_the_snapshot_that_replaces_one_with_erased_rows(open_desk: OpenDesk) -> None:
    desk = capped(open_desk)
    three(desk)
    desk.settled(ANA, BEN, answer=REFUND, text="rosalind wants her money", external_id="E-1")

    def erased_after_the_fit(function: Callable[..., Any], *arguments: Any, report: Any, **_more: Any) -> Any:
        made = function(*arguments, report)
        if function is fit_and_pack:
            with desk.database.transaction(wait=PATIENT) as session:
                erase(session, desk.rules.name, "E-1", NOW)
        return made

    run_id = requested(desk) or 0
    train(desk.database, claimed(desk), ticking(), desk.policy, erased_after_the_fit)
    with desk.database.reading() as session:
        [former, snapshot] = session.scalars(select(Snapshot).order_by(Snapshot.id))
    assert run(desk, run_id).snapshot_id == snapshot.id
    assert snapshot.rows == former.rows - 1
    assert (snapshot.graduated, example(desk, OLDEST).graduated_in) == (1, snapshot.id)


def test_a_pinned_past_error_stays_and_one_that_trains_cannot_be_pinned(open_desk: OpenDesk) -> None:
    desk = capped(open_desk)
    three(desk)
    with desk.database.transaction() as session:
        pin(session, example(desk, OLDEST).id, CLEO, NOW, desk.rules)
    taught(desk)
    assert still_golden(desk) == [OLDEST, MIDDLE, NEWEST]
    with desk.database.transaction() as session:
        unpin(session, example(desk, OLDEST).id, CLEO, desk.rules)
    taught(desk)
    assert still_golden(desk) == [MIDDLE, NEWEST]
    with desk.database.transaction() as session, pytest.raises(Refusal, match="is used for training now"):
        pin(session, example(desk, OLDEST).id, CLEO, NOW, desk.rules)


def test_eligible_past_errors_have_a_place_of_their_own(open_desk: OpenDesk) -> None:
    """The live model's snapshot knew the oldest two of four: the newest of them is kept, and the newest beyond it."""
    desk = capped(open_desk, eligible=1, beyond=1)
    error(desk, OLDEST)
    error(desk, MIDDLE)
    wide = desk.under(golden={"seed_share": 0.0, "past_errors_beyond": 9}, review={"blind_share": 1.0})
    trained(wide)
    with desk.database.transaction() as session:
        model = session.scalars(select(ModelVersion)).one()
        assert approve(session, model.id, CLEO, 1, NOW, desk.policy)
    error(desk, NEWEST)
    error(desk, "and a fourth which is new")
    taught(desk)
    assert still_golden(desk) == [MIDDLE, "and a fourth which is new"]


def test_a_label_that_people_changed_is_the_one_that_trains(open_desk: OpenDesk) -> None:
    desk = capped(open_desk)
    first, *_others = three(desk)
    ask_and_answer(desk, example(desk, OLDEST).id, DELIVERY)
    assert taught(desk)[1] == {OLDEST: (DELIVERY, 3.0, first)}


def test_an_example_whose_label_was_found_to_be_the_models_weighs_like_a_confirmation(open_desk: OpenDesk) -> None:
    desk = capped(open_desk)
    first, *_others = three(desk)
    ask_and_answer(desk, example(desk, OLDEST).id, REFUND)
    assert taught(desk)[1] == {OLDEST: (REFUND, 1.0, first)}


def ask_and_answer(desk: Desk, golden_id: int, answer: str) -> None:
    item_id = ask(desk, golden_id)
    for person in (ANA, BEN):
        desk.click(person, item_id, answer)


def ask(desk: Desk, golden_id: int) -> int:
    with desk.database.transaction() as session:
        return ask_about_golden(session, golden_id, CLEO, NOW, desk.rules)


@pytest.mark.parametrize("answer", [DELIVERY, NONE], ids=["another label", "no label"])
def test_a_newer_correction_of_the_content_counts_which_the_golden_set_did_not_take(
    open_desk: OpenDesk, answer: str
) -> None:
    desk = capped(open_desk)
    three(desk)
    newer = error(desk, OLDEST, answer)
    assert example(desk, OLDEST).label == BILLING, "the golden set keeps its label"
    assert taught(desk)[1] == ({OLDEST: (DELIVERY, 3.0, newer)} if answer == DELIVERY else {})


def test_a_correction_that_is_older_than_the_golden_label_does_not_count(open_desk: OpenDesk) -> None:
    desk = capped(open_desk)
    first, *_others = three(desk)
    error(desk, OLDEST, DELIVERY)
    ask_and_answer(desk, example(desk, OLDEST).id, BILLING)
    assert taught(desk)[1] == {OLDEST: (BILLING, 3.0, first)}


def test_an_example_stays_while_people_are_asked_about_its_label(open_desk: OpenDesk) -> None:
    desk = capped(open_desk)
    three(desk)
    item_id = ask(desk, example(desk, OLDEST).id)
    assert taught(desk)[0].graduated == 0
    for person in (ANA, BEN):
        desk.click(person, item_id, BILLING)
    assert taught(desk)[0].graduated == 1


def test_content_that_an_audit_drew_stays_out_of_training(open_desk: OpenDesk) -> None:
    desk = capped(open_desk)
    three(desk)
    audited = desk.under(flagging={"audit_share": 1.0}, golden={"audited_share": 0.0})
    audited.settled(ANA, BEN, answer=BILLING, text=OLDEST, chances=SURE)
    assert taught(desk)[1] == {}
    assert still_golden(desk) == [OLDEST, MIDDLE, NEWEST]


def test_what_has_graduated_never_becomes_golden_again(open_desk: OpenDesk) -> None:
    desk = capped(open_desk)
    three(desk)
    taught(desk)
    item_id = desk.settled(ANA, BEN, answer=DELIVERY, text=OLDEST)
    correction = desk.correction(item_id)
    assert correction.destination is Destination.TRAINING
    assert taught(desk)[1] == {OLDEST: (DELIVERY, 3.0, correction.id)}
    assert still_golden(desk) == [MIDDLE, NEWEST]
    audited = desk.under(flagging={"audit_share": 1.0}, golden={"audited_share": 1.0})
    drawn = audited.settled(ANA, BEN, answer=BILLING, text=OLDEST, chances=SURE)
    assert audited.correction(drawn).destination is Destination.HELD_OUT
    with pytest.raises(AlreadySettled, match="is used for training now"):
        ask(desk, example(desk, OLDEST).id)


def test_a_graduate_is_asked_about_as_the_training_row_that_it_is(open_desk: OpenDesk) -> None:
    desk = capped(open_desk)
    first, *_others = three(desk)
    taught(desk)
    with desk.database.transaction() as session:
        item_id = ask_about_training_row(session, Source.CORRECTION, first, CLEO, NOW, desk.rules)
    for person in (ANA, BEN):
        desk.click(person, item_id, DELIVERY)
    assert taught(desk)[1] == {OLDEST: (DELIVERY, 3.0, desk.correction(item_id).id)}


def test_a_graduate_near_a_golden_example_is_left_out_and_counted(open_desk: OpenDesk) -> None:
    desk = capped(open_desk)
    for text in (OLDEST, "wrong bill my first", NEWEST):
        error(desk, text)
    snapshot, rows = taught(desk)
    assert (snapshot.graduated, snapshot.graduates_left_out, rows) == (1, 1, {})
    assert taught(desk)[0].graduates_left_out == 1, "as long as the golden one is there"


class Meddled(Database):
    """A database on which something happens before the second transaction of a run, the one that stores its rows."""

    meddle: Callable[[Session], object] | None = None
    begun = 0

    @contextmanager
    def transaction(self, wait: float = CLICK, large: bool = False) -> Iterator[Session]:
        self.begun += 1
        if self.begun == 2 and self.meddle:
            with super().transaction(wait=PATIENT) as session:
                self.meddle(session)
        with super().transaction(wait, large) as session:
            yield session


def test_a_label_that_changes_while_rows_are_gathered_is_gathered_anew(open_desk: OpenDesk) -> None:
    desk = capped(open_desk)
    first, *_others = three(desk)

    def relabelled(session: Session) -> None:
        session.get_one(GoldenExample, 1).label = DELIVERY

    meddled = Meddled(desk.database.engine.url.render_as_string(hide_password=False))
    meddled.meddle = relabelled
    run_id = requested(desk)
    train(meddled, claimed(desk), ticking(), desk.policy)
    meddled.close()
    with desk.database.reading() as session:
        rows = snapshot_rows(session, session.scalars(select(Snapshot.id)).one())
    assert run_id
    assert [(row.label, row.source_id) for row in rows if row.source is not Source.SEED] == [(DELIVERY, first)]


@pytest.mark.parametrize("looks", range(1, 8))
def test_a_past_error_graduates_with_the_snapshot_wherever_the_worker_ends(open_desk: OpenDesk, looks: int) -> None:
    desk = capped(open_desk)
    three(desk)
    run_id, job = requested(desk) or 0, claimed(desk)
    with suppress(Killed):
        train(desk.database, job, killed_after(looks), desk.policy)
    stored = run(desk, run_id).snapshot_id
    assert example(desk, OLDEST).graduated_in == stored, "both or neither"
    if run(desk, run_id).state is not RunState.DONE:
        train(desk.database, job, ticking(), desk.policy)
    snapshot_id = run(desk, run_id).snapshot_id
    assert stored in (None, snapshot_id)
    assert example(desk, OLDEST).graduated_in == snapshot_id
    assert still_golden(desk) == [MIDDLE, NEWEST]
