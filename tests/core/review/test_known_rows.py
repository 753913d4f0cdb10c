"""The settled answers in which weak slices are looked for."""

from datetime import timedelta

import pytest

from core.intake.predictions import NewPrediction
from core.privacy.erasure import erase
from core.quality.slices import KnownRow, weak_slices
from core.review.known_rows import known_rows
from core.vocabulary import ErrorReason
from tests.core.conftest import OpenDesk
from tests.core.desk import BILLING, NONE, NOW, REFUND, SURE, Desk
from tests.core.models import promoted, seeded
from tests.people import ANA, BEN


def of(desk: Desk) -> list[KnownRow]:
    with desk.database.reading() as session:
        return known_rows(session, desk.queue().id)


def test_a_row_tells_what_a_slice_is_made_of(desk: Desk) -> None:
    item_id = desk.ticket("my money", fields={"channel": "fax"})
    for person in (ANA, BEN):
        desk.click(person, item_id, BILLING, reason=ErrorReason.AMBIGUOUS)
    expected = KnownRow(
        item_id, "my money", {"channel": "fax"}, REFUND, BILLING, True, True, ErrorReason.AMBIGUOUS, BILLING
    )
    assert of(desk) == [expected]


def test_audited_rows_are_a_sample_of_their_own_and_none_of_these_is_wrong(open_desk: OpenDesk) -> None:
    desk = open_desk(flagging={"audit_share": 0.999999})
    desk.settled(ANA, BEN, chances=SURE)
    desk.settled(ANA, BEN, answer=NONE, chances=SURE)
    assert [(row.reviewed, row.wrong) for row in of(desk)] == [(False, True), (False, False)]


def test_reported_open_and_erased_rows_do_not_count(desk: Desk) -> None:
    lost = desk.prediction(desk.settled(ANA, BEN)).external_id
    with desk.database.transaction() as session:
        erase(session, desk.rules.name, lost, NOW)
    desk.ticket()
    reported = desk.flag(NewPrediction("C1:1", "sender-1", "never sent", label=REFUND, confidence=0.9))
    for person in (ANA, BEN):
        desk.click(person, reported, REFUND)
    assert of(desk) == []
    assert weak_slices(of(desk)) == []


@pytest.mark.slow
def test_only_the_answers_of_the_live_model_count(desk: Desk) -> None:
    live = seeded(desk)
    live.settled(ANA, BEN)
    promoted(live)
    assert of(live) == []
    live.settled(ANA, BEN, model_version="v1", now=NOW + timedelta(minutes=1))
    assert len(of(live)) == 1


def test_a_queue_without_traffic_has_none(desk: Desk) -> None:
    assert of(desk) == []
