"""In a queue whose models a service trains, nothing that leaves Goldloop tells a golden label."""

from typing import Any

import pytest
from sqlalchemy import select

from bot.runtime.clock import utc_now
from core.policy import Policy
from core.records.learning import GoldenExample, Snapshot
from core.records.webhooks import Event
from core.review.listing import correction_page
from core.storage.database import Database
from core.vocabulary import Destination, EventKind, Stratum
from tests.api.conftest import StartApi
from tests.core.desk import BILLING, REFUND, Desk, opened
from tests.core.services import service_policy
from tests.people import ANA, BEN, support_policy

pytestmark = pytest.mark.usefixtures("sqlite_only")

BLIND = {"review": {"blind_share": 1.0}, "golden": {"random_share": 0.0}, "consensus": {"votes": 2}}
SECRET_NOTE = "clearly billed twice"


def settled(database: Database, policy: Policy) -> Desk:
    """An error of the model, which becomes golden; one that the model had right, which trains."""
    desk = opened(database, policy)
    item_id = desk.ticket("charged twice", external_id="golden")
    for person in (ANA, BEN):
        desk.click(person, item_id, BILLING, note=SECRET_NOTE)
    desk.settled(ANA, BEN, answer=REFUND, text="money back", external_id="trains")
    return desk


def told(desk: Desk) -> list[dict[str, Any]]:
    with desk.database.reading() as session:
        found = session.scalars(select(Event).where(Event.kind == EventKind.ITEM_SETTLED).order_by(Event.id))
        return [event.data for event in found]


def test_golden_labels_are_withheld_by_webhook_api_and_export(database: Database, start_api: StartApi) -> None:
    desk = settled(database, service_policy(**BLIND))
    api = start_api(desk)
    with api.client() as client:
        golden, trains = client.corrections("support")
        stats = client.stats("support")
    assert (golden.external_id, golden.destination, golden.withheld) == ("golden", Destination.GOLDEN, True)
    assert (golden.label, golden.model_was_right, golden.tally, golden.answers) == (None, None, {}, ())
    assert (golden.note, golden.reason, golden.text) == ("", None, "charged twice")
    assert (trains.label, trains.model_was_right, trains.withheld) == (REFUND, True, False)
    assert stats.errors_by_label == ()
    assert [(one["label"], one["model_was_right"], one["withheld"]) for one in told(desk)] == [
        (None, None, True), (REFUND, True, False),
    ]  # fmt: skip
    with desk.database.reading() as session:
        exported = correction_page(session, desk.rules, None, 0, 100, utc_now()).lines
    assert [(line.label, line.withheld) for line in exported] == [(None, True), (REFUND, False)]
    for word in (BILLING, SECRET_NOTE):
        assert word not in f"{exported} {told(desk)}"


def test_other_queues_hear_every_label(database: Database, start_api: StartApi) -> None:
    desk = settled(database, support_policy(**BLIND))
    with start_api(desk).client() as client:
        labels = [(one.label, one.withheld) for one in client.corrections("support")]
        assert client.stats("support").errors_by_label == ((BILLING, 1),)
    assert labels == [(BILLING, False), (REFUND, False)]
    assert [(one["label"], one["withheld"]) for one in told(desk)] == [(BILLING, False), (REFUND, False)]


def test_the_same_text_again_does_not_tell_it_either(database: Database, start_api: StartApi) -> None:
    """People see the second one with the model's suggestion, so it would train."""
    settled(database, service_policy(**BLIND))
    desk = opened(database, service_policy(**(BLIND | {"review": {"blind_share": 0.0}})))
    desk.settled(ANA, BEN, answer=BILLING, text="charged twice", external_id="again")
    with start_api(desk).client() as client:
        [again] = [one for one in client.corrections("support") if one.external_id == "again"]
    assert (again.withheld, again.label, told(desk)[-1]["label"]) == (True, None, None)


def test_what_has_graduated_trains_and_is_told(database: Database, start_api: StartApi) -> None:
    desk = settled(database, service_policy(**BLIND))
    with desk.database.transaction() as session:
        example = session.scalars(select(GoldenExample).where(GoldenExample.stratum == Stratum.PAST_ERROR)).one()
        snapshot = Snapshot(
            queue_id=desk.queue().id, content_hash="x", rows=1, near_golden_left_out=0, golden_up_to=0,
            policy_fingerprint="x", created_at=utc_now(),
        )  # fmt: skip
        session.add(snapshot)
        session.flush()
        example.graduated_in = snapshot.id
    with start_api(desk).client() as client:
        golden, _trains = client.corrections("support")
    assert (golden.label, golden.withheld) == (BILLING, False)
