"""A queue in numbers: what is open, what was caught, how far people and the model agree."""

from dataclasses import fields
from datetime import timedelta

import pytest

from core.intake.predictions import NewPrediction
from core.learning.lifecycle.production import ProductionEstimate
from core.review.stats import QueueLine, StatsCard, queue_line, stats_card
from tests.core.desk import BILLING, CANNOT, DELIVERY, NONE, NOW, REFUND, SKIP, Desk
from tests.core.models import candidate, promoted, seeded
from tests.people import ANA, BEN, CLEO, EVA


def of(desk: Desk, after: timedelta = timedelta()) -> StatsCard:
    with desk.database.reading() as session:
        return stats_card(session, desk.rules, NOW + after)


def open_settled_and_disputed(desk: Desk) -> None:
    """One item of each."""
    desk.ticket()
    desk.settled(ANA, BEN)
    disputed = desk.ticket()
    for person in (ANA, BEN):
        desk.click(person, disputed, CANNOT)


def test_a_new_queue_has_nothing_to_say(desk: Desk) -> None:
    assert of(desk) == StatsCard(
        queue_title="Support tickets",
        open=0,
        disputed=0,
        settled_today=0,
        settled=0,
        agreement=None,
        votes_per_item=None,
        errors_by_label=(),
        production=ProductionEstimate(None, None, 0, 0, 0, ()),
        budget=None,
        promise=None,
        live=None,
    )


def test_items_are_counted_by_their_state_and_day(desk: Desk) -> None:
    open_settled_and_disputed(desk)
    card = of(desk)
    assert (card.open, card.disputed, card.settled_today, card.settled) == (1, 1, 1, 1)
    card = of(desk, after=timedelta(days=1))
    assert (card.settled_today, card.settled) == (0, 1)


def test_agreement_and_votes_per_item_are_of_the_votes_that_count(desk: Desk) -> None:
    desk.settled(ANA, BEN, answer=REFUND)
    desk.settled(ANA, BEN, answer=BILLING)
    split = desk.ticket()
    desk.click(ANA, split, DELIVERY)
    desk.click(ANA, split, REFUND)
    desk.click(BEN, split, BILLING)
    desk.click(EVA, split, SKIP)
    assert of(desk).agreement == pytest.approx(1.0), "an open item is not shown through the numbers"
    desk.click(EVA, split, DELIVERY)
    desk.click(CLEO, split, REFUND)
    card = of(desk)
    assert card.votes_per_item == pytest.approx(7 / 3)
    assert card.agreement == pytest.approx(1 - 6 * 3 / (49 - 3 * 3 - 3 * 3 - 1))


def test_a_line_of_a_queue_says_the_same_as_its_statistics(desk: Desk) -> None:
    open_settled_and_disputed(desk)
    with desk.database.reading() as session:
        line, card = queue_line(session, desk.rules, NOW), stats_card(session, desk.rules, NOW)
    assert (line.open, line.disputed, line.settled_today) == (1, 1, 1)
    assert line == QueueLine(**{one.name: getattr(card, one.name) for one in fields(QueueLine)})


def test_errors_are_counted_by_the_label_that_was_right(desk: Desk) -> None:
    for answer in (BILLING, REFUND, BILLING, NONE):
        desk.settled(ANA, BEN, answer=answer)
    assert of(desk).errors_by_label == ((BILLING, 2), ("None of these", 1))


def test_a_text_that_no_model_saw_is_no_error_of_a_model(desk: Desk) -> None:
    item_id = desk.flag(NewPrediction("C1:1", "none", "hello"))
    for person in (ANA, BEN):
        desk.click(person, item_id, BILLING)
    assert of(desk).errors_by_label == ()


def test_the_live_model_is_named(desk: Desk) -> None:
    seeded(desk)
    candidate(desk)
    assert of(desk).live is None
    promoted(desk)
    assert of(desk).live == "v2"
