"""The golden set changed by hand: imported, added to, relabelled, retired, and shown."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from core.errors import AlreadySettled, Invalid, NotAllowed, NotFound, Refusal
from core.learning.data.golden import Golden, closed_golden_set, golden_set, version_of
from core.learning.data.golden_changes import relabel_golden, retire_golden
from core.learning.data.golden_import import Imported, add_golden, import_golden
from core.learning.data.seeds import add_seeds, checked_seeds
from core.learning.data.snapshots import gather
from core.learning.evaluation.paired_tests import minimum_detectable_effect
from core.learning.lifecycle.candidates import Measured, measure
from core.learning.lifecycle.golden_summary import TYPICAL_CHURN, GoldenSummary, detectable_drop, golden_summary
from core.privacy.erasure import erase
from core.records.learning import GoldenChange, ModelVersion, Snapshot, TrainingRun
from core.review.ask_again import ask_about_golden
from core.vocabulary import GoldenChangeKind, Origin, Stratum
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, DELIVERY, NOW, REFUND, Desk
from tests.core.models import candidate, seeded
from tests.people import ANA, BEN, CLEO

OWN = [("charged twice for one lamp", BILLING), ("parcel is late", DELIVERY), ("money back please", REFUND)]
LATER = NOW + timedelta(days=40)


def imported(desk: Desk, rows: list[tuple[str, str]]) -> Imported:
    with desk.database.transaction() as session:
        return import_golden(session, checked_seeds(rows, desk.rules), NOW, desk.rules)


def added(desk: Desk, text: str = "where is my chair", label: str = DELIVERY, person: str = CLEO) -> int:
    with desk.database.transaction() as session:
        return add_golden(session, text, label, person, "an odd case", NOW, desk.rules)


def relabelled(desk: Desk, golden_id: int, label: str, person: str = CLEO, why: str = "see rule 4") -> str:
    with desk.database.transaction() as session:
        return relabel_golden(session, golden_id, label, person, why, LATER, desk.rules)


def retired(desk: Desk, golden_id: int, why: str = "unclear") -> None:
    with desk.database.transaction() as session:
        retire_golden(session, golden_id, CLEO, why, LATER, desk.rules)


def golden(desk: Desk) -> list[Golden]:
    with desk.database.reading() as session:
        return golden_set(session, desk.queue().id)


def changes(desk: Desk) -> list[tuple[int, GoldenChangeKind, str | None, str, str | None]]:
    with desk.database.reading() as session:
        rows = session.scalars(select(GoldenChange).order_by(GoldenChange.id)).all()
        return [(row.golden_id, row.kind, row.person, row.reason, row.former_label) for row in rows]


def summary(desk: Desk) -> GoldenSummary:
    with desk.database.reading() as session:
        return golden_summary(session, desk.rules, LATER)


def test_a_test_set_of_ones_own_is_random_and_stands_for_itself(desk: Desk) -> None:
    assert imported(desk, OWN) == Imported(3, 0, 0, 0)
    assert [(one.stratum, one.origin) for one in golden(desk)] == [(Stratum.RANDOM, Origin.IMPORTED)] * 3
    assert imported(desk, [*OWN, ("Charged  TWICE for one lamp", BILLING)]) == Imported(0, 4, 0, 0)
    assert not Origin.IMPORTED.is_traffic


def test_what_trains_is_not_taken_into_the_golden_set(open_desk: OpenDesk) -> None:
    desk = open_desk(golden={"seed_share": 0.0})
    with desk.database.transaction() as session:
        add_seeds(session, [("a seed that trains", REFUND)], NOW, desk.rules)
    desk.settled(ANA, BEN, answer=BILLING, text="a ticket that trains")
    rows = [("A seed that trains", BILLING), ("a ticket that trains", BILLING), OWN[0]]
    assert imported(desk, rows) == Imported(1, 0, 2, 0)
    with pytest.raises(Refusal, match="is used for training"):
        added(desk, "a seed that trains")


def test_what_was_erased_does_not_come_back_with_a_test_set(desk: Desk) -> None:
    desk.ticket(OWN[0][0], external_id="E-1")
    with desk.database.transaction() as session:
        erase(session, "support", "E-1", NOW)
    assert imported(desk, OWN) == Imported(2, 0, 0, 1)


def test_a_lead_adds_an_example_which_counts_with_the_past_errors(desk: Desk) -> None:
    golden_id = added(desk)
    [example] = golden(desk)
    assert (example.stratum, example.origin, example.inclusion_probability) == (Stratum.PAST_ERROR, Origin.ADDED, 0.0)
    assert changes(desk) == [(golden_id, GoldenChangeKind.ADDED, CLEO, "an odd case", None)]
    with pytest.raises(Refusal, match="golden example already"):
        added(desk)


def test_only_a_lead_changes_the_golden_set_and_says_why(desk: Desk) -> None:
    golden_id = added(desk)
    for person in (ANA, "U_STRANGER"):
        with pytest.raises(NotAllowed, match="Only leads of Support tickets can change the golden set"):
            relabelled(desk, golden_id, BILLING, person)
        with pytest.raises(NotAllowed):
            added(desk, "another", person=person)
    for why in ("", "  ", "x" * 501):
        with pytest.raises(Invalid, match="Give a reason"):
            retired(desk, golden_id, why)
    with pytest.raises(Invalid, match="is not a label of Support tickets"):
        relabelled(desk, golden_id, "spam")
    with pytest.raises(NotFound, match="Support tickets has no golden example 99"):
        relabelled(desk, 99, BILLING)
    with pytest.raises(Refusal, match="has the label “delivery” already"):
        relabelled(desk, golden_id, DELIVERY)
    assert [one.label for one in golden(desk)] == [DELIVERY]


def test_a_relabelled_example_keeps_what_it_was_and_a_retired_one_measures_nothing(desk: Desk) -> None:
    imported(desk, OWN)
    before = version_of(golden(desk))
    assert relabelled(desk, 1, REFUND) == BILLING
    assert version_of(golden(desk)) != before
    retired(desk, 2)
    assert changes(desk) == [
        (1, GoldenChangeKind.RELABELLED, CLEO, "see rule 4", BILLING),
        (2, GoldenChangeKind.RETIRED, CLEO, "unclear", DELIVERY),
    ]
    assert [one.id for one in golden(desk)] == [1, 3]
    with desk.database.transaction() as session:
        assert [one.id for one in closed_golden_set(session, 1)] == [1, 2, 3], "what is near it does not train"
        assert version_of(golden_set(session, 1, as_of=NOW)) == before
    with pytest.raises(AlreadySettled, match="was retired already"):
        relabelled(desk, 2, BILLING)


def test_a_second_look_that_changes_a_label_is_a_change_too(desk: Desk) -> None:
    imported(desk, OWN)
    with desk.database.transaction() as session:
        item_id = ask_about_golden(session, 1, CLEO, NOW, desk.rules)
    for person in (ANA, BEN):
        desk.click(person, item_id, REFUND)
    assert changes(desk) == [(1, GoldenChangeKind.RELABELLED, None, "", BILLING)]


def test_erasing_a_text_empties_the_reasons_that_may_quote_it(desk: Desk) -> None:
    imported(desk, OWN)
    relabelled(desk, 1, REFUND, why="Ms Vega's lamp")
    desk.ticket(OWN[0][0], external_id="E-1")
    with desk.database.transaction() as session:
        erase(session, "support", "E-1", NOW)
    assert changes(desk) == [(1, GoldenChangeKind.RELABELLED, CLEO, "", BILLING)]


def test_a_changed_label_counts_from_the_next_candidate_on(open_desk: OpenDesk) -> None:
    """The first candidate waits while a lead corrects the golden set, and is measured again."""
    desk = seeded(open_desk(golden={"seed_share": 0.0}))
    imported(desk, OWN)
    first = candidate(desk)
    before = version_of(golden(desk))
    relabelled(desk, 1, REFUND)
    retired(desk, 2)
    assert measured(desk, first, NOW).golden_hash == before
    assert measured(desk, first, LATER).golden_hash == version_of(golden(desk)) != before


def measured(desk: Desk, model_id: int, taken_at: datetime) -> Measured:
    """The candidate measured as if its rows had been taken then."""
    with desk.database.transaction() as session:
        run = session.get_one(TrainingRun, session.get_one(ModelVersion, model_id).run_id)
        snapshot = session.get_one(Snapshot, run.snapshot_id)
        snapshot.created_at, snapshot.golden_up_to = taken_at, 3
        rows = gather(session, run.queue_id, desk.rules)
    return measure(desk.database, run, None, model_id, rows, desk.rules)


def test_the_summary_shows_balance_by_label_and_age(desk: Desk) -> None:
    imported(desk, OWN[:2])
    added(desk)
    retired(desk, 2)
    shown = summary(desk)
    assert (shown.random, shown.past_errors, shown.retired, shown.graduated) == (1, 1, 1, 0)
    assert shown.origins == {Origin.IMPORTED: 1}
    assert shown.ages == (0, 2, 0, 0), "forty days old"
    assert [(one.label, one.random, one.past_errors) for one in shown.labels if one.median_days == 40] == [
        (BILLING, 1, 0),
        (DELIVERY, 0, 1),
    ]
    assert shown.version == version_of(golden(desk))
    assert [one.kind for one in shown.changes] == [GoldenChangeKind.RETIRED, GoldenChangeKind.ADDED]
    assert shown.detectable_drop is None, "one example notices nothing"


def test_the_power_of_a_set_is_that_of_the_gates_test() -> None:
    assert detectable_drop(0, TYPICAL_CHURN, 0.05) is None
    fall = detectable_drop(130, TYPICAL_CHURN, 0.05)
    assert fall == minimum_detectable_effect(130, 4, 0.05)
    assert fall is not None
    assert 0.05 < fall < 0.12
    assert detectable_drop(1000, TYPICAL_CHURN, 0.05) < fall  # type: ignore[operator]
