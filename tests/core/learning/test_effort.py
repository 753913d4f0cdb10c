"""What people gave for a model, counted, and the curve of a queue's models."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from core.learning.lifecycle.cards import candidate_card
from core.learning.lifecycle.decisions import approve
from core.learning.lifecycle.effort import Effort, effort, learning_curve
from core.learning.lifecycle.training import train
from core.records.learning import ModelVersion
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, DELIVERY, NOW, SKIP, Desk
from tests.core.models import candidate, claimed, promoted, requested, seeded, ticking
from tests.people import ANA, BEN, CLEO, EVA

HOUR = timedelta(hours=1)


def settled(desk: Desk, hours: int, *answers: tuple[str, str]) -> int:
    """A ticket that these people settled so many hours after the beginning."""
    item_id = desk.ticket(now=NOW + hours * HOUR)
    for person, answer in answers:
        desk.click(person, item_id, answer, now=NOW + hours * HOUR)
    return item_id


def approved(desk: Desk, model_id: int) -> int:
    with desk.database.transaction() as session:
        assert approve(session, model_id, CLEO, 1, NOW, desk.policy)
    return model_id


def given(desk: Desk, model_id: int) -> Effort | None:
    with desk.database.reading() as session:
        return candidate_card(session, model_id, desk.policy).effort


def test_items_and_votes_count_since_the_rows_of_the_live_model_were_taken(desk: Desk) -> None:
    seeded(desk)
    settled(desk, 1, (ANA, BILLING), (BEN, BILLING))
    first = approved(desk, candidate(desk, now=NOW + 2 * HOUR))
    settled(desk, 3, (ANA, BILLING), (EVA, BILLING))
    settled(desk, 4, (ANA, BILLING), (BEN, BILLING))
    settled(desk, 5, (ANA, BILLING))  # open
    second = candidate(desk, now=NOW + 6 * HOUR)
    settled(desk, 7, (ANA, BILLING), (BEN, BILLING))
    assert given(desk, first) == Effort(1, 2)
    assert given(desk, second) == Effort(2, 4)


def test_only_votes_that_stand_count(desk: Desk) -> None:
    item_id = settled(desk, 1, (ANA, DELIVERY), (ANA, BILLING), (BEN, SKIP), (EVA, BILLING))
    assert desk.item(item_id).settled_at
    with desk.database.reading() as session:
        assert effort(session, 1, None, NOW + 2 * HOUR) == Effort(1, 2)
        assert effort(session, 1, NOW + HOUR, NOW + 2 * HOUR) == Effort(0, 0)
        assert effort(session, 2, None, NOW + 2 * HOUR) == Effort(0, 0), "another queue's"


def test_a_candidate_whose_rows_are_older_than_those_of_the_live_model_has_no_cost(desk: Desk) -> None:
    seeded(desk)
    first = approved(desk, candidate(desk, now=NOW + 2 * HOUR))
    older = candidate(desk, now=NOW + HOUR)
    assert (given(desk, first), given(desk, older)) == (Effort(0, 0), None)


@pytest.mark.slow
def test_the_curve_has_each_model_with_the_items_settled_until_its_rows_were_taken(open_desk: OpenDesk) -> None:
    desk = seeded(open_desk(golden={"seed_share": 0.5}))
    approved(desk, fitted_at(desk, NOW))
    settled(desk, 1, (ANA, BILLING), (BEN, BILLING))
    fitted_at(desk, NOW + 2 * HOUR)
    settled(desk, 3, (ANA, BILLING), (BEN, BILLING))
    settled(desk, 4, (ANA, BILLING), (BEN, BILLING))
    fitted_at(desk, NOW + 5 * HOUR)
    with desk.database.reading() as session:
        points = learning_curve(session, 1)
    expected = [("v1", 0, True), ("v2", 1, False), ("v3", 3, False)]
    assert [(one.name, one.items, one.went_live) for one in points] == expected
    assert min(one.n for one in points) > 0
    assert all(one.accuracy.low <= one.accuracy.estimate <= one.accuracy.high for one in points)


def fitted_at(desk: Desk, now: datetime) -> int:
    """A candidate that was really fitted; its id."""
    assert requested(desk)
    train(desk.database, claimed(desk), ticking(now), desk.policy)
    with desk.database.reading() as session:
        return session.scalars(select(ModelVersion.id).order_by(ModelVersion.id.desc()).limit(1)).one()


def test_a_model_that_was_measured_on_no_random_example_is_no_point(desk: Desk) -> None:
    seeded(desk.under(golden={"seed_share": 0.0}))
    promoted(desk)
    with desk.database.reading() as session:
        assert learning_curve(session, 1) == []
